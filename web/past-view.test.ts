/** A picture of the past against the live view's of the same epochs: the store and the page count as the meter does. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { batchOf, type RecordWords } from '../src/flow/batch.fixture.ts';
import { LiveView } from '../src/live/index.ts';
import {
  HistoryQuestionSchema,
  type HistoryQuestionText,
  type ResultTable,
  type StreamedView,
  streamedView,
  type ViewQuestion,
  ViewQuestionSchema,
} from '../src/query/index.ts';
import { DuckDbStore } from '../src/store/index.ts';
import { foldView, OTHERS } from './src/layout/fold.ts';
import { leaderQuestions, pastQuestions } from './src/past-questions.ts';
import { type PastTables, pastView, type ShownView, senderOf } from './src/past-view.ts';
import { crowdStreams, labStreams, recordOf } from './test/source.ts';

const NOON = Date.UTC(2026, 10, 21, 12);
const SPAN = { fromMs: NOON, toMs: NOON + 60_000 };
const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-past-view-'));

/** What the lab has not: a tunnel in a tunnel, one without a network layer, addresses of both layers, two tenants that share theirs. */
const ODDITIES: RecordWords[] = [
  {
    tunnel: ['172.16.1.100', '172.16.1.101', 10003],
    tunnels: [
      ['vxlan', 10003],
      ['gre', 7],
    ],
    between: ['10.9.0.1', '10.9.0.2'],
    octets: 900,
    packets: 3,
  },
  { tunnels: [['mpls', 100]], between: ['10.0.0.1', '10.0.0.2'], octets: 60, packets: 1 },
  { between: ['fd00::1', 'fd00::2'], octets: 70, packets: 1 },
  {
    tunnel: ['172.16.1.100', '172.16.1.105', 77],
    between: ['192.168.3.1', '192.168.3.9'],
    octets: 81,
    packets: 1,
  },
];

let live: LiveView;
let store: DuckDbStore;
before(async () => {
  live = new LiveView();
  store = await DuckDbStore.open({ path: join(directory, 'history.duckdb'), intervalMs: 1000 });
  const records = [...labStreams({ noisy: true }), ...crowdStreams(30, 120)].map(recordOf);
  const epochs = [1, 2, 3].map((epoch) =>
    batchOf(
      [...records, ...ODDITIES].map((record) => ({ ...record, octets: Number(record.octets) * epoch })),
      { epoch, startMs: NOON + 1000 * (epoch - 1) },
    ),
  );
  for (const epoch of epochs) live.write(epoch);
  await store.commit(epochs);
});
after(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

function ask(question: HistoryQuestionText): Promise<ResultTable> {
  return store.answer(HistoryQuestionSchema.parse(question), { signal: new AbortController().signal });
}

/** Asks as the page does. */
async function past(question: ViewQuestion, limit?: number): Promise<ShownView> {
  const asked = Object.entries(pastQuestions(question, SPAN)) as [keyof PastTables, HistoryQuestionText?][];
  const tables: { -readonly [name in keyof PastTables]: PastTables[name] } = {};
  for (const [name, each] of asked)
    if (each) tables[name] = await ask(limit && name !== 'total' ? { ...each, limit } : each);
  const sender = tables.senders && senderOf(question, tables.senders);
  if (sender) {
    const { peers, hosts } = leaderQuestions(question, SPAN, sender);
    [tables.peers, tables.hosts] = [await ask(peers), await ask(hosts)];
  }
  const view = pastView(question, SPAN, { tables, live: streamedView(live.view(question)) });
  assert.ok(view);
  return view;
}

/** What both must say alike. */
function essence(view: StreamedView) {
  const { nodes, links } = view;
  const rows: string[] = [];
  for (let at = 0; at < links.rows.length; at += 4) {
    const [from, to, segment, octets] = links.rows.slice(at, at + 4) as [number, number, number, number];
    rows.push(`${nodes[from]!.id} ${nodes[to]!.id} ${links.segments[segment]} ${octets}`);
  }
  return {
    level: view.level,
    total: view.total,
    nodes: [...nodes].sort((x, y) => (x.id < y.id ? -1 : 1)),
    links: rows.sort(),
    leader: view.leader,
    segments: view.segments.map(({ id, kind, tunnelId, octets, packets }) => ({
      id,
      kind,
      tunnelId,
      octets,
      packets,
    })),
    flows: view.flows
      .map(
        ({
          segment,
          outerSource,
          outerDestination,
          source,
          destination,
          protocol,
          sourcePort,
          destinationPort,
          ...sums
        }) =>
          JSON.stringify([
            [
              segment,
              outerSource,
              outerDestination,
              source,
              destination,
              protocol,
              sourcePort,
              destinationPort,
            ],
            [sums.octets, sums.packets, sums.payloadOctets],
          ]),
      )
      .sort(),
    leftOut: view.filter?.leftOut,
  };
}

const QUESTIONS: Partial<ViewQuestion>[] = [
  {},
  { segment: 'vxlan:10003' },
  { segment: 'none' },
  { segment: 'mpls:100' },
  { host: '172.16.1.100' },
  { host: '172.16.1.1' },
  { host: '172.16.1.100', segment: 'vxlan:10003' },
  { pair: '172.16.1.100~172.16.1.108' },
  { pair: '172.16.1.1~172.16.1.100' },
  { host: '172.16.1.100', pair: 'vxlan:10003/192.168.3.1~vxlan:10003/192.168.3.9' },
  { host: '172.16.1.100', pair: 'none/172.16.1.1~none/172.16.1.100' },
  { filter: 'tcp' },
  { filter: 'vni 10003 or port 22', host: '172.16.1.100' },
];

describe('a picture of the past', () => {
  for (const question of QUESTIONS)
    it(`says of ${JSON.stringify(question)} what the live view says of the same epochs`, async () => {
      const asked = ViewQuestionSchema.parse({ window: 'all', ...question });
      const expected = essence(streamedView(live.view(asked)));
      assert.ok(expected.total.octets > 0, 'there is something to be said');
      assert.deepEqual(essence(await past(asked)), expected);
    });

  it('keeps every octet when there are more rows than an answer has', async () => {
    const asked = ViewQuestionSchema.parse({ window: 'all' });
    const view = await past(asked, 40);
    const whole = live.view(asked).total;
    assert.deepEqual(view.total, whole);
    assert.ok(view.nodes.some(({ id }) => id === OTHERS));
    const drawn = foldView(view).pairs.reduce((sum, { forward, backward }) => sum + forward + backward, 0);
    assert.equal(drawn, whole.octets);
  });

  it('asks nothing that is no question, whatever is typed and clicked', () => {
    const segment = fc.constantFrom('all', 'none', 'vxlan:5', 'ipip:0', 'gre:7');
    const filter = fc.constantFrom(undefined, 'tcp', 'vni 5 or port 22');
    const client = fc.constantFrom('vxlan:5/10.0.0.1', 'none/fd00::1', 'vxlan:5/(no address)');
    const host = fc.constantFrom(undefined, '10.0.0.1', 'fd00::1', '(no address)');
    const pair = fc.oneof(
      fc.constant(undefined),
      fc.tuple(client, client).map((ends) => ends.join('~')),
      fc.constant('10.0.0.1~fd00::1'),
    );
    fc.assert(
      fc.property(segment, filter, host, pair, (...[s, f, h, p]) => {
        const question = { window: '5s', segment: s, filter: f, host: h, pair: p } as ViewQuestion;
        for (const each of Object.values(pastQuestions(question, SPAN)))
          if (each) HistoryQuestionSchema.parse(each);
      }),
    );
  });
});
