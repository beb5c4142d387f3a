import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CounterReading } from '../flow/index.ts';
import { Counted } from './index.ts';

/** A reading of packets of 100 octets: before, and after so many more were counted. */
function reading(packets: number, more: number, queue: { dropped: number; waiting: number }): CounterReading {
  const at = (count: number) => ({
    packets: BigInt(count),
    octets: BigInt(100 * count),
    dropped: BigInt(queue.dropped),
    waiting: BigInt(queue.waiting),
  });
  return { before: at(packets), after: at(packets + more) };
}

/** Readings of a counter that rises. */
const readings = fc
  .array(
    fc.record({
      packets: fc.nat(1000),
      more: fc.nat(3),
      dropped: fc.nat(5),
      waiting: fc.nat(20),
    }),
    { minLength: 2, maxLength: 12 },
  )
  .map((steps) => {
    let [packets, dropped] = [0, 0];
    return steps.map((step) => {
      packets += step.packets;
      dropped += step.dropped;
      const each = reading(packets, step.more, { dropped, waiting: step.waiting });
      packets += step.more;
      return each;
    });
  });

const followed = (parts: readonly Counted[]): Counted => parts.reduce((all, each) => all.followedBy(each));

test('stretches that follow each other have the bounds of the readings at both ends, however they are cut', () => {
  fc.assert(
    fc.property(readings, fc.nat(), (all, nth) => {
      const parts = all.slice(1).map((end, i) => new Counted(all[i]!, end));
      const whole = new Counted(all[0]!, all.at(-1)!);
      const cut = nth % parts.length;
      const halves = [parts.slice(0, cut), parts.slice(cut)].filter((half) => half.length > 0).map(followed);
      for (const joined of [followed(parts), followed(halves)]) {
        assert.deepEqual(joined.sums, whole.sums);
        assert.deepEqual(joined.between, whole.between);
        assert.deepEqual([joined.begin, joined.end], [whole.begin, whole.end]);
      }
    }),
  );
});

test('what an interface counted while nobody looked is in no bound, and both sides of the gap have their own', () => {
  const quiet = { dropped: 0, waiting: 0 };
  const before = new Counted(reading(100, 2, quiet), reading(200, 3, quiet));
  const after = new Counted(reading(900, 4, quiet), reading(1000, 5, quiet));
  const both = before.followedBy(after);
  assert.deepEqual(both.packets, { least: 98n + 96n, most: 103n + 105n });
  assert.deepEqual(both.octets, { least: 19_400n, most: 20_800n });
});
