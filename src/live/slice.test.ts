import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Counters, NO_TALLY } from './counters.ts';
import { packSlice, type Slice, SliceReader, SliceWriter, slicesOf } from './slice.ts';

type Sums = readonly [octets: number, packets: number, payload: number];

const CAPACITY = 300;
const LIMB = 2 ** 32;
/** Numbers of every length: up to 2^52, so that sums of two stay safe integers. */
const sum = fc
  .tuple(fc.integer({ min: 0, max: 52 }), fc.nat())
  .map(([bits, entropy]) => Math.floor(2 ** bits * (1 - entropy / LIMB)));
const stretch = fc.dictionary(
  fc.nat({ max: CAPACITY - 1 }).map(String),
  fc.tuple(
    sum.map((octets) => octets + 1),
    sum,
    sum,
  ),
);

function counters(of: Record<string, Sums>): Counters {
  const filled = new Counters(CAPACITY);
  for (const [tally, sums] of Object.entries(of)) {
    for (const [measure, value] of sums.entries())
      filled.add(Number(tally), measure, value % LIMB, Math.floor(value / LIMB));
  }
  return filled;
}

function sumsOf(of: Counters): bigint[] {
  const measures = [0, 1, 2] as const;
  return Array.from({ length: CAPACITY }, (_, tally) =>
    measures.map((measure) => of.exact(tally, measure)),
  ).flat();
}

function sliceOf(of: Record<string, Sums>): Slice {
  return counters(of).moveToSlice(CAPACITY, new SliceWriter());
}

function entriesOf(slice: Slice): Record<string, Sums> {
  const entries = new SliceReader(slice);
  const found: Record<string, Sums> = {};
  while (entries.next()) found[entries.tally] = [entries.octets, entries.packets, entries.payload];
  return found;
}

describe('a slice', () => {
  it('holds every sum as it is, large ones too', () => {
    fc.assert(fc.property(stretch, (of) => assert.deepEqual(entriesOf(sliceOf(of)), { ...of })));
  });

  it('is the same after it was packed', () => {
    fc.assert(
      fc.property(stretch, (of) => {
        const parts = [sliceOf(of)];
        const packed = parts.map(packSlice);
        assert.deepEqual(slicesOf({ parts: packed, isPacked: true }), parts);
        assert.deepEqual(slicesOf({ parts }), parts);
      }),
    );
  });

  it('leaves zeros where it came from', () => {
    fc.assert(
      fc.property(stretch, (of) => {
        const from = counters(of);
        from.moveToSlice(CAPACITY, new SliceWriter());
        assert.deepEqual(sumsOf(from), sumsOf(new Counters(CAPACITY)));
      }),
    );
  });

  it('taken away leaves what was there before', () => {
    fc.assert(
      fc.property(stretch, stretch, (before, of) => {
        const sums = counters(before);
        sums.addSlice(sliceOf(of));
        sums.subtractSlice(sliceOf(of));
        assert.deepEqual(sumsOf(sums), sumsOf(counters(before)));
      }),
    );
  });

  it('is the same after its sums found more room', () => {
    fc.assert(
      fc.property(stretch, (of) => {
        const grown = counters(of);
        grown.resize(2 * CAPACITY);
        assert.deepEqual(sumsOf(grown), sumsOf(counters(of)));
      }),
    );
  });

  it('is added to other tallies, and not where a tally was dropped', () => {
    const map = new Uint32Array(CAPACITY).fill(NO_TALLY);
    map[3] = map[9] = 1;
    const sums = new Counters(CAPACITY);
    sums.addSlice(sliceOf({ 3: [5, 1, 0], 4: [7, 1, 0], 9: [LIMB, 2, 6] }), map);
    assert.deepEqual(sumsOf(sums), sumsOf(counters({ 1: [LIMB + 5, 3, 6] })));
  });

  it('takes five octets for an entry of ordinary size', () => {
    assert.equal(sliceOf({ 0: [148, 2, 80], 1: [16_000, 100, 127] }).length, 5 + 5);
  });
});
