/** Connections: who opened them, how they are, what their sockets know. */
import type { ListColumn, Listing, ListRow } from './listing.ts';
import type { Connections, HeldConnection } from './source.ts';

const COLUMNS: readonly ListColumn[] = [
  { id: 'protocol', title: 'PROTO', kind: 'text', least: 5, most: 9, rank: 0 },
  { id: 'source', title: 'FROM', kind: 'address', least: 17, most: 47, rank: 0 },
  { id: 'destination', title: 'TO', kind: 'address', least: 17, most: 47, rank: 0 },
  { id: 'state', title: 'STATE', kind: 'text', least: 8, most: 17, rank: 1 },
  { id: 'sent', title: 'SENT', kind: 'size', least: 8, most: 8, rank: 0 },
  { id: 'received', title: 'RECEIVED', kind: 'size', least: 8, most: 8, rank: 0 },
  { id: 'lasted', title: 'LASTED', kind: 'duration', least: 7, most: 7, rank: 2 },
  { id: 'roundTrip', title: 'RTT', kind: 'latency', least: 7, most: 7, rank: 3 },
  { id: 'retransmits', title: 'RETRANS', kind: 'count', least: 7, most: 7, rank: 4 },
  { id: 'window', title: 'CWND', kind: 'count', least: 6, most: 6, rank: 6 },
  { id: 'tunnel', title: 'TUNNEL', kind: 'text', least: 12, most: 48, rank: 5 },
];

/** The connections there are. */
export function connectionListing({ connections, note }: Extract<Connections, { kind: 'list' }>): Listing {
  const rows = connections.map(rowOf);
  const isKnown = ({ id }: ListColumn): boolean =>
    !['lasted', 'tunnel', 'roundTrip', 'retransmits', 'window'].includes(id) ||
    rows.some(({ cells }) => cells[id] !== null && cells[id] !== '');
  return {
    list: 'connections',
    columns: COLUMNS.filter(isKnown),
    rows,
    usual: 'sent',
    noun: 'connections',
    isCut: false,
    note,
  };
}

function rowOf(connection: HeldConnection): ListRow {
  const { key, protocol, source, destination, state, sent, received, durationMs, startMs, tunnel, socket } =
    connection;
  return {
    key,
    cells: {
      protocol,
      source,
      destination,
      state,
      sent,
      received,
      lasted: durationMs ?? null,
      roundTrip: socket?.srttMs ?? null,
      retransmits: socket?.retransmits ?? null,
      window: socket?.cwnd ?? null,
      tunnel,
    },
    octets: sent + received,
    opens: undefined,
    words: `${protocol} ${source} › ${destination}`,
    facts: () => [
      ['protocol', 'text', protocol],
      ['from', 'address', source],
      ['to', 'address', destination],
      ['state', 'text', state],
      ['tunnel', 'text', tunnel === '' ? null : tunnel],
      ['began', 'moment', startMs ?? null],
      ['lasted', 'duration', durationMs ?? null],
      ['sent', 'size', sent],
      ['received', 'size', received],
      ['round trip', 'latency', socket?.srttMs ?? null],
      ['… its mean deviation', 'latency', socket?.rttvarMs ?? null],
      ['… least', 'latency', socket?.minRttMs ?? null],
      ['… as the receiver has it', 'latency', socket?.receiverRttMs ?? null],
      ['congestion window, segments', 'exact', socket?.cwnd ?? null],
      ['slow-start threshold, segments', 'exact', socket?.ssthresh ?? null],
      ['segment size, octets', 'exact', socket?.mss ?? null],
      ['segments sent again', 'exact', socket?.retransmits ?? null],
      ['segments taken for lost', 'exact', socket?.lost ?? null],
      ['segments not acknowledged', 'exact', socket?.unacked ?? null],
    ],
  };
}
