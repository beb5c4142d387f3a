import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stableOrder } from './order.ts';

function sized(sizes: Record<string, number>): { id: string; size: number }[] {
  return Object.entries(sizes).map(([id, size]) => ({ id, size }));
}

test('without a previous order the largest stands first', () => {
  assert.deepEqual(stableOrder(sized({ a: 1, b: 3, c: 2, d: 3 }), []), ['b', 'd', 'c', 'a']);
});

test('a neighbour overtakes only when it is more than ten percent bigger', () => {
  assert.deepEqual(stableOrder(sized({ a: 100, b: 109 }), ['a', 'b']), ['a', 'b']);
  assert.deepEqual(stableOrder(sized({ a: 100, b: 111 }), ['a', 'b']), ['b', 'a']);
});

test('a newcomer stands where its size puts it, and who left leaves no gap', () => {
  assert.deepEqual(stableOrder(sized({ a: 100, c: 50, n: 70 }), ['a', 'b', 'c']), ['a', 'n', 'c']);
  assert.deepEqual(stableOrder(sized({ a: 100, n: 1 }), ['a', 'b']), ['a', 'n']);
});

test('every order holds each id once, no one stands far below its size, and asking again changes nothing', () => {
  const sizes = fc.uniqueArray(
    fc.tuple(fc.string({ minLength: 1, maxLength: 3 }), fc.integer({ min: 0, max: 1000 })),
    {
      selector: ([id]) => id,
      maxLength: 40,
    },
  );
  fc.assert(
    fc.property(sizes, fc.array(fc.string({ minLength: 1, maxLength: 3 })), (list, previous) => {
      const all = list.map(([id, size]) => ({ id, size }));
      const order = stableOrder(all, [...new Set(previous)]);
      assert.deepEqual([...order].sort(), all.map((one) => one.id).sort());
      assert.deepEqual(stableOrder(all, order), order);
    }),
  );
});
