import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distance, distanceOf } from '../audit/index.ts';
import { batchOf } from '../flow/batch.fixture.ts';
import type { CounterLine, CounterReading } from '../flow/index.ts';
import type { AuditPoint } from '../query/index.ts';
import { LiveView } from './live.ts';

/** Counters just before and just after a moment, in packets of 100 octets. */
function reading(
  before: number,
  after = before,
  more: { dropped?: number; waiting?: number } = {},
): CounterReading {
  const at = (packets: number) => ({
    packets: BigInt(packets),
    octets: BigInt(100 * packets),
    dropped: BigInt(more.dropped ?? 0),
    waiting: BigInt(more.waiting ?? 0),
  });
  return { before: at(before), after: at(after) };
}

interface Scene {
  readonly kind?: string;
  readonly direction?: 0 | 1;
  readonly programs?: CounterLine['programs'];
}

/** A view after epochs of so many seen packets of 100 octets each; `readings` has one more. */
function audited(
  seen: readonly number[],
  readings: readonly (CounterReading | undefined)[],
  { kind = 'veth', direction = 0, programs = { before: [], after: [] } }: Scene = {},
): { point: AuditPoint; told: AuditPoint[]; explained: AuditPoint[]; live: LiveView } {
  const told: AuditPoint[] = [];
  const explained: AuditPoint[] = [];
  const live = new LiveView({
    unexplained: (point) => told.push(point),
    explained: (point) => explained.push(point),
  });
  for (const [i, packets] of seen.entries()) {
    const begin = readings[i];
    const counters = begin ? [{ ifindex: 2, direction, kind, begin, end: readings[i + 1], programs }] : [];
    live.write(batchOf([{ direction, packets, octets: 100 * packets }], { epoch: i + 1, counters }));
  }
  const wanted = direction === 0 ? 'ingress' : 'egress';
  return {
    point: live.audit().points.find((each) => each.direction === wanted)!,
    told,
    explained,
    live,
  };
}

test('a difference is what lies outside of both bounds, with its sign', () => {
  const bounds = (least: number, most: number) => ({ least: BigInt(least), most: BigInt(most) });
  assert.equal(distance(bounds(5, 9), bounds(9, 12)), 0n);
  assert.equal(distance(bounds(15, 19), bounds(9, 12)), 3n);
  assert.equal(distance(bounds(1, 2), bounds(9, 12)), -7n);
  const none = bounds(0, 0);
  const lost = distanceOf(
    { packets: none, octets: none },
    { packets: bounds(3, 3), octets: bounds(300, 300) },
    { lost: 2n, early: 0n },
  );
  assert.deepEqual(lost, { packets: -1n, octets: 0n });
});

test('what passes between the two readings is not unexplained, in the interval and since the start', () => {
  const { point, told } = audited(
    [10, 12, 8],
    [reading(100, 103), reading(111, 115), reading(122, 126), reading(130, 134)],
  );
  for (const span of [point.interval, point.sinceStart])
    assert.deepEqual([span.outside.packets, span.outside.octets], [0, 0]);
  assert.deepEqual(point.sinceStart.counted?.least.packets, 130 - 103);
  assert.deepEqual(point.sinceStart.counted?.most.packets, 134 - 100);
  assert.deepEqual(told, []);
});

test('packets that were only under way at one end are never told', () => {
  const readings = [0, 12, 20, 30, 40, 50, 60, 70].map((n) => reading(n));
  const { told, live } = audited([10, 10, 10, 10, 10, 10, 10], readings);
  assert.deepEqual(told, []);
  assert.deepEqual(live.audit().persistent, { packets: 0, octets: 0 });
});

test('what an interface counted while it was not metered stood as unexplained', () => {
  const { point, told } = audited(
    [10, 10, 10, 10, 10, 10, 10, 10],
    [0, 10, 20, undefined, 990, 1000, 1010, 1020, 1030].map((n) => (n === undefined ? n : reading(n))),
  );
  assert.deepEqual(point.sinceStart.counted?.least.packets, 20 + 40);
  assert.deepEqual(point.sinceStart.outside.packets, 0);
  assert.deepEqual(told, []);
});

test('packets that the hook never saw are told once, with who runs before it', () => {
  const readings = [0, 12, 24, 36, 48, 60, 72].map((n) => reading(n));
  const { point, told, live } = audited([10, 10, 10, 10, 10, 10], readings, {
    programs: { before: ['thief'], after: [] },
  });
  assert.equal(told.length, 1);
  assert.equal(point.sinceStart.outside.packets, 12);
  assert.deepEqual(point.persistent, { packets: 4, octets: 400 });
  assert.match(point.hint, /thief runs before it/);
  assert.equal(live.view({ window: '5s', segment: 'all' }).exactness.outside.packets, 4);
});

test('a difference is told when it comes, each time it has doubled, and when it is gone', () => {
  const missed = [0, ...Array(20).fill(3), 5, 6, 7, ...Array(20).fill(8), ...Array(12).fill(0)];
  const readings = [0, ...missed].map((more, epoch) => reading(10 * epoch + more));
  const seen = missed.map(() => 10);
  const { told, explained, live } = audited(seen, readings);
  // Epoch 0 misses nothing; what then stays is 3, at last 8, and in the end nothing: 5 epochs each to be sure.
  assert.deepEqual(
    told.map(({ persistent }) => persistent.packets),
    [3, 6],
  );
  assert.equal(explained.length, 1);
  assert.deepEqual(explained[0]!.persistent, { packets: 0, octets: 0 });
  assert.deepEqual(live.audit().persistent, { packets: 0, octets: 0 });
  const again = audited(
    [...seen, ...Array(8).fill(10)],
    [...readings, ...Array.from({ length: 8 }, (_, i) => reading(10 * (readings.length + i) + 4))],
  );
  assert.deepEqual(
    again.told.map(({ persistent }) => persistent.packets),
    [3, 6, 4],
    'what comes back after it was gone is told again',
  );
});

test('it is known since when how much stands, and a bound holds for what is known', () => {
  const missed = [0, ...Array(20).fill(3), ...Array(20).fill(8), ...Array(12).fill(0)];
  const readings = [0, ...missed].map((more, epoch) => reading(10 * epoch + more));
  const seen = missed.map(() => 10);
  const { point } = audited(seen, readings);
  // Epochs end at whole seconds; each change stood for five of them.
  assert.deepEqual(
    point.changes.map(({ atMs, packets, octets }) => [atMs / 1000, packets, octets]),
    [
      [7, 3, 300],
      [27, 8, 800],
      [43, 0, 0],
    ],
  );
  const growing = Array.from({ length: 90 }, (_, i) => i);
  const more = audited(
    growing.map(() => 10),
    [0, ...growing].map((n, epoch) => reading(10 * epoch + n)),
  ).point.changes;
  assert.equal(more.length, 50);
  assert.ok(more[0]!.packets < more[1]!.packets - 1, 'the first stays');
  assert.equal(more.at(-1)!.packets, 85);
});

test('what a queue dropped or still holds explains why less was counted at egress', () => {
  const readings = [0, 1, 2, 3, 4, 5].map((n) => reading(8 * n, 8 * n, { dropped: n, waiting: n }));
  const { point } = audited([10, 10, 10, 10, 10], readings, { direction: 1 });
  assert.deepEqual([point.sinceStart.outside.packets, point.hint], [0, '']);
});

test('a device that counts without Ethernet headers is compared so', () => {
  const counted = (n: number): CounterReading => {
    const values = { packets: BigInt(n), octets: BigInt(86 * n), dropped: 0n, waiting: 0n };
    return { before: values, after: values };
  };
  const vxlan = audited([10], [counted(0), counted(10)], { kind: 'vxlan' });
  assert.equal(vxlan.point.sinceStart.outside.octets, 0);
  const bridge = audited([10], [counted(0), counted(10)], { kind: 'bridge', direction: 1 });
  assert.equal(bridge.point.sinceStart.outside.octets, -140);
});

test('of a device that counts messages of its own only fewer than the packets are unexplained', () => {
  const counted = (packets: number): CounterReading => {
    const values = { packets: BigInt(packets), octets: BigInt(140 * packets), dropped: 0n, waiting: 0n };
    return { before: values, after: values };
  };
  for (const [packets, missing] of [
    [12, 0],
    [10, 0],
    [9, -1],
  ] as const) {
    const { point } = audited([10], [counted(0), counted(packets)], { kind: 'wireguard' });
    assert.equal(point.sinceStart.outside.packets, missing);
    assert.equal(Math.sign(point.sinceStart.outside.octets), Math.sign(missing));
  }
});

test('a difference inside and one outside do not cancel', () => {
  const live = new LiveView();
  for (let epoch = 1; epoch <= 5; epoch++) {
    // 10 seen, 9 of them in a flow, and the interface counted 9.
    const batch = batchOf([{ direction: 0, packets: 9, octets: 900 }], {
      epoch,
      counters: [
        {
          ifindex: 2,
          direction: 0,
          kind: 'veth',
          begin: reading(9 * (epoch - 1)),
          end: reading(9 * epoch),
          programs: undefined,
        },
      ],
    });
    live.write({ ...batch, seen: [{ ifindex: 2, direction: 0, packets: 10n, octets: 1000n }] });
  }
  const [point] = live.audit().points;
  assert.deepEqual([point!.sinceStart.inside.packets, point!.sinceStart.outside.packets], [5, -5]);
  // Of the octets, 100 are in no flow; whether 900 or 1,000 were counted the bounds of a veth leave open.
  assert.deepEqual(point!.persistent, { packets: 2, octets: 100 });
});

test('an interface that goes away keeps the figures it had', () => {
  const { point } = audited([10, 3], [reading(0), reading(10), undefined]);
  assert.equal(point.present, false);
  assert.equal(point.sinceStart.seen.packets, 10);
  assert.deepEqual(point.sinceStart.outside.packets, 0);
});
