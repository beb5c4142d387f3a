import assert from 'node:assert/strict';
import { test } from 'node:test';
import { between, ease, type Pose } from './tween.ts';

const pose = (arcs: Record<string, [number, number]>): Pose => ({
  arcs: new Map(Object.entries(arcs)),
  bands: new Map(),
  labels: new Map(Object.entries(arcs).map(([id, [start, end]]) => [id, (start + end) / 2])),
});

test('what is in both poses glides, what is new opens from its middle, what is gone closes into its own', () => {
  const half = between(pose({ stays: [0, 1], goes: [4, 5] }), pose({ stays: [2, 4], comes: [5, 6] }), 0.5);
  assert.deepEqual(half.arcs.get('stays'), [1, 2.5]);
  assert.deepEqual(half.arcs.get('comes'), [5.25, 5.75]);
  assert.deepEqual(half.arcs.get('goes'), [4.25, 4.75]);
});

test('at the end nothing is left of what is gone', () => {
  const to = pose({ a: [0, 1] });
  assert.equal(between(pose({ b: [1, 2] }), to, 1), to);
});

test('a host’s clients open out of its arc, and close into it', () => {
  const opening = between(pose({}), pose({ client: [0, 2 * Math.PI] }), 0, { opening: [1, 2] });
  assert.deepEqual(opening.arcs.get('client'), [1, 2]);
  const closing = between(pose({ client: [0, 2 * Math.PI] }), pose({}), 1 - 1e-12, { closing: [1, 2] });
  assert.deepEqual(
    closing.arcs.get('client')!.map((angle) => Number(angle.toFixed(6))),
    [1, 2],
  );
});

test('a label takes the short way round', () => {
  const from: Pose = { arcs: new Map(), bands: new Map(), labels: new Map([['a', 0.1]]) };
  const to: Pose = { ...from, labels: new Map([['a', 2 * Math.PI - 0.1]]) };
  assert.ok(Math.abs(between(from, to, 0.5).labels.get('a')!) < 1e-9);
});

test('easing starts at 0, ends at 1 and never turns back', () => {
  assert.deepEqual([ease(0), ease(0.5), ease(1)], [0, 0.5, 1]);
  for (let t = 0; t < 1; t += 0.01) assert.ok(ease(t + 0.01) >= ease(t));
});
