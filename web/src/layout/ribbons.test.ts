import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pair } from './fold.ts';
import { ownRibbons, withLeaving } from './ribbons.ts';

const pair = (id: string, octets: number, segments = 1): Pair => ({
  id,
  a: 0,
  b: 1,
  forward: octets,
  backward: 0,
  bands: Array.from({ length: segments }, (_, i) => ({ segment: `vxlan:${i}`, forward: 1, backward: 0 })),
});
const ids = (pairs: readonly Pair[]): string[] => pairs.map((one) => one.id);

test('the largest pairs have ribbons, 240 bands at most, and whole pairs only', () => {
  const pairs = Array.from({ length: 100 }, (_, i) => pair(`p${i}`, 1000 - i, 3));
  assert.deepEqual(ids(ownRibbons(pairs)), ids(pairs.slice(0, 80)));
  assert.deepEqual(ids(ownRibbons(pairs.slice(0, 3))), ['p0', 'p1', 'p2']);
});

test('a ribbon at the limit stays while it is near the limit, and goes beyond it', () => {
  const pairs = Array.from({ length: 400 }, (_, i) => pair(`p${i}`, 1000 - i));
  const drawn = ids(ownRibbons(pairs, ['p250', 'p310']));
  assert.equal(drawn.length, 241);
  assert.ok(drawn.includes('p250') && !drawn.includes('p310') && !drawn.includes('p240'));
});

test('ribbons keep their order unless one has grown by more than ten percent', () => {
  assert.deepEqual(ids(ownRibbons([pair('a', 105), pair('b', 100)], ['b', 'a'])), ['b', 'a']);
  assert.deepEqual(ids(ownRibbons([pair('a', 120), pair('b', 100)], ['b', 'a'])), ['a', 'b']);
});

test('what goes stays in its place until it is gone', () => {
  const list = withLeaving(
    ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id })),
    ['b', 'x', 'd'].map((id) => ({ id })),
  );
  assert.deepEqual(
    list.map(({ one, leaving }) => (leaving ? `-${one.id}` : one.id)),
    ['-a', 'b', '-c', 'x', 'd', '-e'],
  );
});
