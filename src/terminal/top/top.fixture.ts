/** Answers for tests: a live view of real records, and lists made of it. */
import { batchOf, type RecordWords } from '../../flow/batch.fixture.ts';
import { LiveView } from '../../live/index.ts';
import { LiveQuestionSchema } from '../../query/index.ts';
import { type Answers, nothingYet } from './answers.ts';
import { connectionListing } from './list-connections.ts';
import { flowListing, tunnelListing } from './list-flows.ts';
import { hostListing } from './list-hosts.ts';
import { ledgerListing } from './list-ledger.ts';
import type { Listing } from './listing.ts';
import { askedOf, type TopState } from './state.ts';
import { Trends } from './trend.ts';

/** When the fixture's answers came, Unix time, milliseconds. */
export const NOW_MS = 1_700_000_000_000;

/** `count` clients in two segments behind two hosts, and a plain flow; the first sends most. */
export function records(count: number): RecordWords[] {
  const flows = Array.from(
    { length: count },
    (_, i): RecordWords => ({
      tunnel: ['172.16.1.100', '172.16.1.101', 10_000 + (i % 2)],
      between: [`192.168.0.${1 + i}`, '192.168.0.254'],
      protocol: 6,
      ports: [40_000 + i, 443],
      octets: 1000 * (count - i),
      packets: 1 + count - i,
    }),
  );
  return [...flows, { between: ['172.16.1.100', '8.8.8.8'], ports: [5353, 53], octets: 120, packets: 2 }];
}

/** A view that took these in. */
export function liveOf(count: number): LiveView {
  const live = new LiveView({ clock: () => NOW_MS });
  live.write(batchOf(records(count)));
  return live;
}

/** What an asker would have of a view for a state. */
export function answersOf(state: TopState, live: LiveView): Answers {
  const asked = askedOf(state);
  const view = live.view(asked.view);
  return {
    ...nothingYet('this host', new Trends()),
    view,
    listing: listingOf(state, live),
    receivedMs: NOW_MS,
  };
}

function listingOf(state: TopState, live: LiveView): Listing {
  const asked = askedOf(state);
  switch (asked.list) {
    case 'hosts':
    case 'clients':
      return hostListing(live.view(asked.view));
    case 'ledger':
      return ledgerListing(live.audit());
    case 'connections':
      return connectionListing({
        kind: 'list',
        note: 'two of them',
        connections: ['a', 'b'].map((key, i) => ({
          key,
          protocol: 'TCP',
          source: `10.0.0.${i}:4000`,
          destination: '[fd00::1]:443',
          tunnel: '',
          state: 'open',
          startMs: NOW_MS - 5000,
          durationMs: 5000,
          sent: 1000 * i,
          received: 10,
          socket: undefined,
        })),
      });
    default: {
      const table = live.table(LiveQuestionSchema.parse(asked.table));
      return asked.list === 'tunnels' ? tunnelListing(table) : flowListing(table, asked.segment);
    }
  }
}
