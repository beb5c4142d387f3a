import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { placeLabels, truncate } from './labels.ts';

const TAU = 2 * Math.PI;

test('labels with room stand in the middle of their arcs', () => {
  const labels = placeLabels([
    { id: 'a', span: [0, 1], weight: 1, height: 0.1 },
    { id: 'b', span: [2, 3], weight: 1, height: 0.1 },
  ]);
  assert.deepEqual([...labels].map(([id, angle]) => [id, angle % TAU]).sort(), [
    ['a', 0.5],
    ['b', 2.5],
  ]);
});

test('a label of two lines pushes its neighbours further away', () => {
  const labels = placeLabels([
    { id: 'a', span: [1, 1.1], weight: 1, height: 0.1 },
    { id: 'b', span: [1.1, 1.2], weight: 1, height: 0.3 },
  ]);
  assert.ok(Math.abs(labels.get('b')! - labels.get('a')! - 0.2) < 1e-9);
});

test('labels never overlap, however the arcs lie, and only the lighter ones give way when the ring is full', () => {
  const angle = fc.double({ min: 0, max: TAU, noNaN: true });
  const height = fc.double({ min: 0.05, max: 0.4, noNaN: true });
  const arcs = fc.array(fc.record({ start: angle, weight: fc.integer({ min: 0, max: 9 }), height }), {
    maxLength: 120,
  });
  fc.assert(
    fc.property(arcs, (list) => {
      const labelled = list.map(({ start, weight, height }, i) => ({
        id: `n${i}`,
        weight,
        height,
        span: [start, start] as const,
      }));
      const labels = placeLabels(labelled);
      const shown = labelled
        .filter((one) => labels.has(one.id))
        .map((one) => ({ ...one, angle: ((labels.get(one.id)! % TAU) + TAU) % TAU }))
        .sort((x, y) => x.angle - y.angle);
      for (const [i, one] of shown.entries()) {
        if (shown.length === 1) break;
        const before = shown.at(i - 1)!;
        const gap = (one.angle - before.angle + TAU) % TAU;
        const need = (one.height + before.height) / 2;
        assert.ok(gap > need - 1e-6 || Math.abs(gap - TAU) < 1e-6, `${gap} < ${need}`);
      }
      const hidden = labelled.filter((one) => !labels.has(one.id));
      const lightest = Math.min(...shown.map((one) => one.weight), 9);
      assert.ok(hidden.every((one) => one.weight <= lightest));
      if (list.reduce((sum, one) => sum + one.height, 0) <= TAU) assert.equal(hidden.length, 0);
    }),
  );
});

test('long names are cut in the middle, where they differ least', () => {
  assert.equal(truncate('192.168.3.1', 15), '192.168.3.1');
  assert.equal(truncate('2001:db8:1234:5678:9abc:def0:1234:5678', 15), '2001…:1234:5678');
  assert.equal(truncate('2001:db8:1234:5678:9abc:def0:1234:5678', 15).length, 15);
});
