import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchOf, type RecordWords } from '../flow/batch.fixture.ts';
import type { FlowBatch, LinkRoom, ObservationPoint } from '../flow/index.ts';
import { type MeasuredWords, withMeasurements } from '../flow/measurement.fixture.ts';
import { LiveQuestionSchema, type LiveQuestionText, type ResultTable } from '../query/index.ts';
import { LiveView } from './index.ts';

const RED: RecordWords = {
  tunnel: ['172.16.1.1', '172.16.1.2', 42],
  between: ['10.0.0.1', '10.0.0.2'],
  protocol: 6,
  ports: [4000, 80],
  octets: 1000,
  packets: 10,
};
const UDP: RecordWords = { ...RED, protocol: 17 };

const ask = (live: LiveView, question: Partial<LiveQuestionText> = {}): ResultTable =>
  live.table(LiveQuestionSchema.parse({ ask: 'tunnels', window: '5s', ...question }));

const rows = ({ columns, rows: all }: ResultTable): Record<string, unknown>[] =>
  all.map((row) => Object.fromEntries(columns.map(({ name }, i) => [name, row[i]])));

const point = (
  ifindex: number,
  direction: 0 | 1,
  link: LinkRoom | undefined,
  primary = true,
): ObservationPoint => ({
  ifindex,
  direction,
  interfaceName: `if${ifindex}`,
  primary,
  ...(link && { link }),
});

/** An epoch in which a packet of each record was so long. */
function longest(
  lengths: readonly (readonly [RecordWords, number])[],
  points: readonly ObservationPoint[],
  epoch = 1,
): FlowBatch {
  const batch = batchOf(
    lengths.map(([words]) => words),
    { epoch, points },
  );
  for (const [row, [, octets]] of lengths.entries()) batch.columns.longest[row] = octets;
  return batch;
}

const ETHERNET = { mtu: 1500, header: 14 };

test('headroom is what the longest packet leaves of the MTU, the header of the link not counted', () => {
  const roomOf = (words: RecordWords, octets: number, link: LinkRoom): unknown[] => {
    const live = new LiveView();
    live.write(longest([[words, octets]], [point(2, 0, link)]));
    const [tunnel] = rows(ask(live));
    return [tunnel!.mtu, tunnel!.headroom];
  };
  assert.deepEqual(roomOf(RED, 1514, ETHERNET), [1500, 0]);
  assert.deepEqual(roomOf(RED, 1064, ETHERNET), [1500, 450]);
  assert.deepEqual(roomOf(RED, 1518, ETHERNET), [1500, -4]);
  assert.deepEqual(roomOf({ ...RED, vlan: 5 }, 1518, ETHERNET), [1500, 0], 'a tag is no part of the MTU');
  assert.deepEqual(roomOf(RED, 1400, { mtu: 1400, header: 0 }), [1400, 0], 'where packets begin with IP');
});

test('what counts is the interface by which the packets leave, and of several the one with least room', () => {
  const live = new LiveView();
  const jumbo = { mtu: 9000, header: 14 };
  const points = [point(2, 0, ETHERNET), point(3, 1, jumbo), point(4, 1, ETHERNET, false)];
  live.write(longest([[{ ...RED, ifindex: 3, direction: 1 }, 1464]], points));
  live.write(longest([[{ ...RED, ifindex: 2 }, 1464]], points, 2));
  live.write(longest([[{ ...RED, ifindex: 4, direction: 1 }, 1464]], points, 3));
  assert.deepEqual([rows(ask(live))[0]!.mtu, rows(ask(live))[0]!.headroom], [9000, 7550]);
  live.write(longest([[{ ...UDP, ifindex: 2 }, 1414]], points, 4));
  assert.deepEqual([rows(ask(live))[0]!.mtu, rows(ask(live))[0]!.headroom], [1500, 100]);
  // The MTU is the one of now.
  live.write(longest([], [point(2, 0, { mtu: 1400, header: 14 }), point(3, 1, jumbo)], 5));
  assert.deepEqual([rows(ask(live))[0]!.mtu, rows(ask(live))[0]!.headroom], [1400, 0]);
});

test('where no MTU is known there is no column of it', () => {
  const live = new LiveView({ isRecorded: true });
  live.write(longest([[RED, 1514]], [point(2, 0, undefined)]));
  const names = ask(live).columns.map(({ name }) => name);
  assert.ok(!names.includes('mtu') && !names.includes('headroom'));
  assert.ok(!names.includes('lost') && !names.includes('resent'), 'nor of what is not measured');
});

interface Sums extends MeasuredWords {
  readonly words: RecordWords;
}

/** An epoch with what was measured of each record. */
function measured(flows: readonly Sums[], epoch = 1, points = [point(2, 0, ETHERNET)]): FlowBatch {
  const batch = batchOf(
    flows.map(({ words }) => words),
    { epoch, points },
  );
  return withMeasurements(batch, flows);
}

test('what the flows of a tunnel suffered adds up over flows and epochs, and leaves the window again', () => {
  const live = new LiveView();
  const epoch = (number: number): FlowBatch =>
    measured(
      [
        {
          words: UDP,
          sequence: {
            expected: 100,
            unique: 98,
            duplicates: 1,
            jitterSamples: 2,
            jitterSumNs: 6_000_000,
          },
        },
        { words: { ...UDP, ports: [4001, 80] }, sequence: { expected: 100, unique: 100, reordered: 3 } },
        {
          words: RED,
          tcp: {
            segments: 50,
            retransmissions: 4,
            repeatedOutOfOrder: 1,
            roundTrips: 4,
            roundTripSumNs: 4e6,
          },
        },
        { words: { ...RED, tunnel: ['172.16.1.1', '172.16.1.9', 42] }, tcp: { segments: 10 } },
      ],
      number,
    );
  for (let number = 1; number <= 7; number++) live.write(epoch(number));
  const of = (window: '5s' | 'all'): Record<string, unknown> =>
    rows(ask(live, { window })).find((row) => row['outer.dst'] === '172.16.1.2')!;
  const five = of('5s');
  assert.deepEqual(
    ['lost', 'loss', 'duplicates', 'reordered', 'jitter', 'resent', 'resent.share', 'round.trip'].map(
      (name) => five[name],
    ),
    [10, 0.01, 5, 15, 3, 25, 0.1, 1],
  );
  const p99 = five['round.trip.p99'] as number;
  assert.ok(p99 > 0.8 && p99 < 1.2, String(p99));
  assert.deepEqual([of('all').lost, of('all').resent], [14, 35]);
  const other = rows(ask(live)).find((row) => row['outer.dst'] === '172.16.1.9')!;
  assert.deepEqual([other.lost, other.loss, other.resent, other['round.trip']], [null, null, 0, null]);
});

test('numbers that come late are not lost, and no window has less than none lost', () => {
  const live = new LiveView();
  live.write(measured([{ words: UDP, sequence: { expected: 10, unique: 8 } }], 1));
  for (let number = 2; number <= 9; number++)
    live.write(
      measured([{ words: UDP, sequence: { expected: 10, unique: number === 9 ? 12 : 10 } }], number),
    );
  assert.equal(rows(ask(live, { window: 'all' }))[0]!.lost, 0);
  assert.equal(rows(ask(live))[0]!.lost, 0);
});

test('a tunnel at two points suffers once, at the primary ones, and none is told of a part of its flows', () => {
  const live = new LiveView();
  const points = [point(2, 0, ETHERNET), point(2, 1, ETHERNET), point(7, 1, undefined, false)];
  const sequence = { expected: 100, unique: 90 };
  live.write(
    measured(
      [
        { words: { ...UDP, ifindex: 2, direction: 0 }, sequence },
        { words: { ...UDP, ifindex: 2, direction: 1 }, sequence: { expected: 90, unique: 90 } },
        { words: { ...UDP, ifindex: 7, direction: 1 }, sequence: { expected: 900, unique: 90 } },
        { words: { ...UDP, ports: [4001, 80] }, sequence },
      ],
      1,
      points,
    ),
  );
  const lost = (filter: string): unknown => rows(ask(live, { filter }))[0]!.lost;
  assert.equal(lost('vni = 42'), 20);
  assert.equal(lost('outer.src = 172.16.1.1 and dport = 80'), 20, 'all of its flows fit');
  assert.equal(lost('sport = 4001'), null);
});

test('tunnels of which sums are kept have a bound, and those beyond it are not measured', () => {
  const live = new LiveView();
  const words = (vni: number): RecordWords => ({ ...UDP, tunnel: ['172.16.1.1', '172.16.1.2', vni] });
  for (const [epoch, from] of [
    [1, 1],
    [2, 901],
  ] as const)
    live.write(
      measured(
        Array.from({ length: 900 }, (_, i) => ({
          words: words(from + i),
          sequence: { expected: 2, unique: 1 },
        })),
        epoch,
      ),
    );
  const told = rows(ask(live, { limit: 10_000 }));
  assert.equal(told.length, 1800);
  assert.equal(told.filter(({ lost }) => lost === 1).length, 1000);
  assert.equal(told.filter(({ lost }) => lost === null).length, 800);
});
