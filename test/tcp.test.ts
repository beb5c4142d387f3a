/*
 * TCP at one observation point: the kernel's program and the module that reads captures keep the same, octet by octet, and
 * what they call exact is what a set of all numbers seen says.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { Workshop } from '../bench/build.ts';
import {
  FLAGS,
  type HeaderRead,
  KernelSide,
  ModuleSide,
  type Observed,
  observedBytes,
  Row,
  type Side,
  TRAITS,
} from './biflow.ts';
import { scaled } from './scale.ts';
import { type Exact, ExactModel, type Segment } from './tcp-model.ts';

const workshop = new Workshop();
const kernel = KernelSide.load(workshop);
const module = new ModuleSide(workshop, kernel.layouts.row.size);
after(() => {
  kernel[Symbol.dispose]();
  workshop[Symbol.dispose]();
});
const RUNS = scaled(1500, 20);

/** The same packets on both sides; what is kept is the same. */
function keep(packets: readonly Observed[]): Row {
  for (const side of [kernel, module] satisfies Side[]) {
    side.clear();
    for (const packet of packets) side.note(observedBytes(packet));
  }
  const row = kernel.row();
  assert.deepEqual(module.row(), row);
  return new Row(row, kernel.layouts);
}

const TCP_OPTION = fc.oneof(
  fc.constant([1]),
  fc.constant([0]),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((octets) => [8, 10, ...octets]),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((octets) => [5, 10, ...octets]),
  fc.constant([2, 4, 5, 180]),
  fc.constant([4, 2]),
  fc.constant([3, 3, 7]),
  fc.uint8Array({ minLength: 1, maxLength: 6 }).map((octets) => [...octets]), // whatever
);

/** Options as RFC 9293 section 3.1 has them. */
function optionsOf(options: Uint8Array): { timestamps?: [number, number]; selective: boolean } {
  const view = new DataView(options.buffer, options.byteOffset, options.byteLength);
  let timestamps: [number, number] | undefined;
  let selective = false;
  let looked = 0;
  for (let at = 0; at < options.length && looked < 24; looked++) {
    const kind = options[at]!;
    const length = kind === 1 ? 1 : (options[at + 1] ?? 0);
    if (kind === 0 || (kind !== 1 && (length < 2 || at + length > options.length))) break;
    if (kind === 8 && length === 10) timestamps = [view.getUint32(at + 2), view.getUint32(at + 6)];
    if (kind === 5) selective = true;
    at += length;
  }
  return { ...(timestamps && { timestamps }), selective };
}

test('a header is read with its timestamps, wherever they stand among its options', () => {
  const fixed = fc.uint8Array({ minLength: 20, maxLength: 20 });
  fc.assert(
    fc.property(fixed, fc.array(TCP_OPTION, { maxLength: 8 }), (begin, said) => {
      const octets = Math.min(40, Math.ceil(said.flat().length / 4) * 4);
      const header = new Uint8Array(20 + octets);
      header.set(begin);
      header.set(said.flat().slice(0, octets), 20);
      header[12] = ((header.length / 4) << 4) | (begin[12]! & 1);
      const view = new DataView(header.buffer);
      const { timestamps, selective } = optionsOf(header.subarray(20));
      const expected: HeaderRead = {
        sequence: view.getUint32(4),
        acknowledgment: view.getUint32(8),
        timestamp: timestamps?.[0] ?? 0,
        echo: timestamps?.[1] ?? 0,
        window: view.getUint16(14),
        flags: view.getUint16(12) & 0x1ff,
        traits: TRAITS.header | (timestamps ? TRAITS.timestamps : 0) | (selective ? TRAITS.selective : 0),
      };
      assert.deepEqual(module.read(header), expected);
      assert.deepEqual(kernel.read(header), expected);
    }),
    { numRuns: RUNS },
  );
});

/** Where numbers begin: they run around in the middle of a test. */
const ORIGIN = 2 ** 32 - 40;
const wrapped = (number: number): number => (ORIGIN + number) >>> 0;

const SEGMENT = fc.record({
  way: fc.constantFrom(0 as const, 1 as const),
  sequence: fc.integer({ min: -5, max: 120 }),
  acknowledgment: fc.integer({ min: -5, max: 120 }),
  payload: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 })),
  packets: fc.constantFrom(1, 1, 1, 3),
  flags: fc.constantFrom(FLAGS.ack, FLAGS.ack, FLAGS.ack, FLAGS.ack | FLAGS.fin, FLAGS.ack | FLAGS.rst, 0),
  window: fc.constantFrom(0, 1000, 1000, 2000),
  timestamp: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
  echo: fc.integer({ min: 1, max: 9 }),
  parity: fc.constantFrom(0 as const, 1 as const),
  pause: fc.constantFrom(1, 1000, 1_000_000, 30_000_000),
});

/** Segments of one connection in time, a super-packet with segments of equal size. */
const SEGMENTS = fc.array(SEGMENT, { maxLength: 60 }).map((list) => {
  let timeNs = 1_000_000_000;
  return list.map(({ pause, packets, payload, timestamp, ...segment }): Segment => {
    timeNs += pause;
    const several = payload >= packets ? packets : 1;
    return {
      ...segment,
      timeNs,
      payload,
      packets: several,
      segment: Math.ceil(payload / several),
      ...(timestamp !== undefined && { timestamp }),
    };
  });
});

test('octets seen before, filling a gap, and never seen are those that the set of all numbers says', () => {
  fc.assert(
    fc.property(SEGMENTS, (segments) => {
      const model = new ExactModel();
      for (const segment of segments) model.note(segment);
      const row = keep(
        segments.map((segment) => ({
          ...segment,
          sequence: wrapped(segment.sequence),
          acknowledgment: wrapped(segment.acknowledgment),
        })),
      );
      for (const way of [0, 1] as const) {
        const found = (name: string): number => row.count(way, name, 0) + row.count(way, name, 1);
        assert.equal(found('forgottenGaps'), 0);
        const names = Object.keys(model.exact[way]) as (keyof Exact)[];
        assert.deepEqual(Object.fromEntries(names.map((name) => [name, found(name)])), model.exact[way]);
      }
    }),
    { numRuns: RUNS, ...(process.env.SEED && { seed: Number(process.env.SEED) }) },
  );
});

test('of more gaps than have a place the rest is counted as forgotten', () => {
  const packets = Array.from({ length: 20 }, (_, i) => ({
    timeNs: 1000 * i,
    way: 0 as const,
    sequence: 200 * i,
    payload: 100,
  }));
  const row = keep(packets);
  const count = (name: string): number => row.count(0, name);
  assert.deepEqual(
    [count('gaps'), count('gapNumbers'), count('forgottenGaps'), count('forgottenNumbers')],
    [19, 1900, 3, 300],
  );
});

test('numbers run around many times, and gaps are forgotten before their numbers come again', () => {
  const size = 2 ** 29;
  const packets = Array.from({ length: 20 }, (_, i) => ({
    timeNs: 10_000_000 * i,
    way: 0 as const,
    sequence: (i * size) >>> 0,
    payload: i === 3 || i === 16 ? size - 100 : size,
  }));
  const last = packets.at(-1)!;
  const row = keep([...packets, { ...last, timeNs: last.timeNs + 10_000_000 }]);
  const count = (name: string): number => row.count(0, name);
  assert.deepEqual([count('gaps'), count('gapNumbers'), count('forgottenGaps')], [2, 200, 1]);
  assert.deepEqual([count('lateOctets'), count('repeatedOctets')], [0, size]);
  assert.equal(row.state(0, 'open'), 1);
});
