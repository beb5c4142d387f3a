/* What tunnels suffered and which room they left: of the same epochs a history tells what the live view told. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { batchOf, type RecordWords } from '../src/flow/batch.fixture.ts';
import type { FlowBatch, LinkRoom, ObservationPoint } from '../src/flow/index.ts';
import { type MeasuredWords, withMeasurements } from '../src/flow/measurement.fixture.ts';
import { Journal } from '../src/journal/index.ts';
import { LiveView } from '../src/live/index.ts';
import {
  HistoryQuestionSchema,
  LiveQuestionSchema,
  type ResultTable,
  TUNNELS_COLUMNS,
} from '../src/query/index.ts';
import { DuckDbStore } from '../src/store/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-then-'));
after(() => rmSync(directory, { recursive: true }));
let stores = 0;

const { signal } = new AbortController();
const SECOND = 1000;
const HOUR = 3600 * SECOND;
const NOON = Date.UTC(2026, 10, 22, 12);
const ETHERNET: LinkRoom = { mtu: 1500, header: 14 };

const pointsOf = (links: Readonly<Record<number, LinkRoom | undefined>>, primary: readonly number[]) =>
  Object.entries(links).flatMap(([ifindex, link]) =>
    ([0, 1] as const).map(
      (direction): ObservationPoint => ({
        ifindex: Number(ifindex),
        direction,
        interfaceName: `if${ifindex}`,
        primary: primary.includes(Number(ifindex)),
        ...(link && { link }),
      }),
    ),
  );

/** Two uplinks, one of jumbo frames; a veth and a device without Ethernet; an uplink of which no MTU is known. */
const POINTS = pointsOf(
  {
    2: ETHERNET,
    3: { mtu: 9000, header: 14 },
    7: { mtu: 1400, header: 14 },
    8: { mtu: 1420, header: 0 },
    9: undefined,
  },
  [2, 3, 9],
);

type Way = readonly [ifindex: number, direction: 0 | 1];

/** Tunnels, and where each of their packets is seen. */
const TUNNELS: readonly { readonly words: Partial<RecordWords>; readonly at: readonly Way[] }[] = [
  { words: { tunnel: ['192.0.2.1', '192.0.2.2', 42] }, at: [[2, 1]] },
  { words: { tunnel: ['192.0.2.2', '192.0.2.1', 42] }, at: [[2, 0]] },
  {
    words: { tunnel: ['2001:db8::1', '2001:db8::2', 42] },
    at: [
      [2, 0],
      [3, 1],
    ],
  },
  {
    words: { tunnel: ['192.0.2.1', '192.0.2.3', 43] },
    at: [
      [7, 0],
      [2, 1],
    ],
  },
  {
    words: { tunnel: ['192.0.2.4', '192.0.2.5', 43] },
    at: [
      [7, 0],
      [8, 1],
    ],
  },
  { words: { tunnels: [['mpls', 16]] }, at: [[3, 1]] },
  { words: { tunnel: ['192.0.2.1', '192.0.2.9', 42] }, at: [[9, 1]] },
];

const count = fc.integer({ min: 0, max: 1000 });
const measure: fc.Arbitrary<MeasuredWords> = fc.record({
  sequence: fc.record({
    expected: fc.oneof(fc.constant(0), count),
    unique: count,
    duplicates: count,
    reordered: count,
    jitterSamples: count,
    jitterSumNs: fc.nat(),
  }),
  tcp: fc.record({
    segments: fc.oneof(fc.constant(0), count),
    retransmissions: count,
    repeatedOutOfOrder: count,
    roundTrips: fc.oneof(fc.constant(0), count),
    roundTripSumNs: fc.nat(),
  }),
  place: fc.integer({ min: 0, max: 63 }),
});
const packets = fc.record({
  tunnel: fc.nat({ max: TUNNELS.length - 1 }),
  protocol: fc.constantFrom(6, 17),
  ports: fc.tuple(fc.constantFrom(4000, 4001), fc.constantFrom(80, 443)),
  vlan: fc.option(fc.constant(5), { nil: undefined }),
  longest: fc.integer({ min: 60, max: 9100 }),
  /** At each place where they are seen. */
  measures: fc.array(measure, { minLength: 2, maxLength: 2 }),
});

/** An hour and a half of epochs, in the order of time. */
const anyEpochs: fc.Arbitrary<FlowBatch[]> = fc
  .record({
    measured: fc.constantFrom(
      { sequence: true, tcp: true },
      { sequence: true, tcp: false },
      { sequence: false, tcp: true },
      undefined,
    ),
    epochs: fc.uniqueArray(
      fc.record({
        seconds: fc.oneof(fc.integer({ min: 0, max: 90 }), fc.integer({ min: 0, max: 5400 })),
        all: fc.array(packets, { maxLength: 6 }),
      }),
      { minLength: 1, maxLength: 10, selector: ({ seconds }) => seconds },
    ),
  })
  .map(({ measured, epochs }) =>
    epochs
      .toSorted((a, b) => a.seconds - b.seconds)
      .map(({ seconds, all }, nth) => epochOf(all, { epoch: nth + 1, seconds, measured })),
  );

type Packets = typeof packets extends fc.Arbitrary<infer Value> ? Value : never;

function epochOf(
  all: readonly Packets[],
  {
    epoch,
    seconds,
    measured,
  }: {
    readonly epoch: number;
    readonly seconds: number;
    readonly measured: { readonly sequence: boolean; readonly tcp: boolean } | undefined;
  },
): FlowBatch {
  const rows = all.flatMap(({ tunnel, vlan, longest, measures, ...words }) =>
    TUNNELS[tunnel]!.at.map(([ifindex, direction], nth) => ({
      words: {
        ...TUNNELS[tunnel]!.words,
        ...words,
        ...(vlan !== undefined && { vlan }),
        between: ['10.0.0.1', '10.0.0.2'] as const,
        ...{ ifindex, direction, octets: 1000, packets: 1 },
      },
      longest,
      measures: measures[nth]!,
    })),
  );
  const batch = batchOf(
    rows.map(({ words }) => words),
    { epoch, startMs: NOON + seconds * SECOND, points: POINTS },
  );
  for (const [row, { longest }] of rows.entries()) batch.columns.longest[row] = longest;
  return measured
    ? withMeasurements(
        batch,
        rows.map((each) => each.measures),
        measured,
      )
    : batch;
}

async function storeOf(batches: readonly FlowBatch[], isByJournal = false): Promise<DuckDbStore> {
  const name = join(directory, String(++stores));
  const store = await DuckDbStore.open({
    path: `${name}.duckdb`,
    clock: () => NOON + 24 * HOUR,
    listener: { failed: assert.ifError },
  });
  if (!isByJournal) for (const batch of batches) await store.commit([batch]);
  else {
    using journal = Journal.open(name, { maxOctets: 2 ** 30, intervalMs: 10 * SECOND });
    for (const batch of batches) await journal.append(batch);
    journal.completeOpen();
    for (let file = journal.oldest; file; file = journal.oldest) {
      await store.commit(await journal.read(file));
      await journal.giveBack(file, true);
    }
  }
  await store.settled();
  return store;
}

const then = (
  store: DuckDbStore,
  {
    filter,
    fromMs = NOON,
    toMs = NOON + 2 * HOUR,
  }: { filter?: string | undefined; fromMs?: number; toMs?: number } = {},
): Promise<ResultTable> =>
  store.answer(
    HistoryQuestionSchema.parse({ ask: 'tunnels', fromMs, toMs, limit: 1000, ...(filter && { filter }) }),
    { signal },
  );

const now = (live: LiveView, filter: string | undefined): ResultTable =>
  live.table(
    LiveQuestionSchema.parse({ ask: 'tunnels', window: 'all', limit: 1000, ...(filter && { filter }) }),
  );

/** What is said of each tunnel beside what its flows add up to, by its name. */
function beside({ columns, rows }: ResultTable): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    rows
      .map((row): [string, Record<string, unknown>] => [
        row.slice(0, 3).join(' '),
        Object.fromEntries(
          columns.map(({ name }, at) => [name, row[at]] as const).slice(TUNNELS_COLUMNS.length),
        ),
      ])
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

const FILTERS = [
  undefined,
  'vni = 42',
  'dport = 80',
  'outer.src = 192.0.2.1',
  'proto = tcp and sport = 4000',
];

test('a history tells what the live view told, however epochs came into it, whichever flows are chosen', {
  timeout: 300_000,
}, async () => {
  let tunnels = 0;
  let suffered = 0;
  await fc.assert(
    fc.asyncProperty(anyEpochs, fc.boolean(), async (batches, isByJournal) => {
      const live = new LiveView({ idleSeconds: 1e9 });
      for (const batch of batches) live.write(batch);
      await using stack = new AsyncDisposableStack();
      const store = stack.adopt(await storeOf(batches, isByJournal), (each) => each.close());
      for (const filter of FILTERS) {
        const [told, tells] = [now(live, filter), await then(store, { filter })];
        assert.deepEqual(
          tells.columns.map(({ name }) => name),
          told.columns.map(({ name }) => name),
        );
        assert.deepEqual(beside(tells), beside(told), filter);
        tunnels += told.rows.length;
        suffered += Object.values(beside(told)).filter(
          (each) => each.lost !== null && each.lost !== 0,
        ).length;
      }
    }),
    { numRuns: 20 },
  );
  assert.ok(tunnels > 100 && suffered > 20, `${suffered} of ${tunnels}`);
});

const RED = { tunnel: ['192.0.2.1', '192.0.2.2', 42] as const, between: ['10.0.0.1', '10.0.0.2'] as const };

/** An epoch with one packet of a length, at points of their own. */
function longOf(
  longest: number,
  {
    epoch,
    seconds,
    agent = 'agent',
    points,
  }: { epoch: number; seconds: number; agent?: string; points: readonly ObservationPoint[] },
): FlowBatch {
  const record = { ...RED, ifindex: 2, direction: 1 as const, octets: 1000, packets: 1 };
  const batch = batchOf([record], { epoch, agent, startMs: NOON + seconds * SECOND, points });
  batch.columns.longest[0] = longest;
  return batch;
}

test('headroom is of the MTU of its time, and of two MTUs in a period of the larger', async () => {
  const eth0 = (mtu: number): ObservationPoint[] => pointsOf({ 2: { mtu, header: 14 } }, [2]);
  const store = await storeOf([
    longOf(9014, { epoch: 1, seconds: 0, points: eth0(9000) }),
    longOf(1464, { epoch: 2, seconds: 3600, points: eth0(1500) }),
    longOf(1464, { epoch: 3, seconds: 3660, points: eth0(1400) }),
    longOf(1464, { epoch: 4, seconds: 7200, points: eth0(1400) }),
    longOf(9014, { epoch: 5, seconds: 7201, points: eth0(9000) }),
  ]);
  const room = async (from: number, to: number): Promise<unknown> =>
    Object.values(beside(await then(store, { fromMs: NOON + from * SECOND, toMs: NOON + to * SECOND })))[0];
  assert.deepEqual(await room(0, 60), { mtu: 9000, headroom: 0 });
  assert.deepEqual(await room(3600, 3660), { mtu: 1500, headroom: 50 });
  assert.deepEqual(await room(3660, 3720), { mtu: 1400, headroom: -50 });
  assert.deepEqual(await room(0, 7200), { mtu: 1400, headroom: -50 });
  assert.deepEqual(await room(7200, 7260), { mtu: 9000, headroom: 0 }, 'nobody knows which packet met which');
  await store.close();
});

test('what two runs of the meter measured adds up, each by the points that tell in it', async () => {
  const points = pointsOf({ 2: ETHERNET, 3: ETHERNET }, [2, 3]);
  const at = (agent: string, [ifindex, direction]: Way, expected: number, seconds: number): FlowBatch =>
    withMeasurements(
      batchOf([{ ...RED, ifindex, direction, octets: 1000, packets: 1 }], {
        ...{ agent, points, epoch: seconds + 1, startMs: NOON + seconds * SECOND },
      }),
      [{ sequence: { expected, unique: expected - 1 } }],
    );
  const store = await storeOf([
    at('first', [2, 0], 100, 0),
    at('first', [3, 1], 90, 1),
    at('second', [2, 0], 10, 60),
    at('second', [3, 1], 40, 61),
  ]);
  const [tunnel] = Object.values(beside(await then(store)));
  assert.deepEqual([tunnel!.lost, tunnel!.loss], [2, 2 / 140]);
  await store.close();
});

test('a span in which nobody knew an MTU or measured has no such columns', async () => {
  const unknown = pointsOf({ 2: undefined }, [2]);
  const store = await storeOf([
    longOf(1464, { epoch: 1, seconds: 0, points: unknown }),
    withMeasurements(longOf(1464, { epoch: 2, seconds: 60, points: unknown }), [{}], { tcp: false }),
    withMeasurements(longOf(1464, { epoch: 3, seconds: 120, points: pointsOf({ 2: ETHERNET }, [2]) }), [
      { tcp: { segments: 7 } },
    ]),
  ]);
  const told = async (from: number, to: number): Promise<string[]> =>
    (await then(store, { fromMs: NOON + from * SECOND, toMs: NOON + to * SECOND })).columns
      .map(({ name }) => name)
      .filter((name) => ['mtu', 'headroom', 'lost', 'jitter', 'resent'].includes(name));
  assert.deepEqual(await told(0, 60), []);
  assert.deepEqual(await told(60, 120), ['lost', 'jitter'], 'measured, and nothing found');
  assert.deepEqual(await told(120, 180), ['mtu', 'headroom', 'lost', 'jitter', 'resent']);
  assert.deepEqual(await told(0, 180), ['mtu', 'headroom', 'lost', 'jitter', 'resent']);
  assert.deepEqual(await told(600, 660), []);
  await store.close();
});
