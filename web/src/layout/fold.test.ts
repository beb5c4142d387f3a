import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LINK_STRIDE, type LinkRows } from '../../../src/query/index.ts';
import { foldView, LARGER, type Matrix, OTHERS, pairId } from './fold.ts';
import { type SampleLink, viewOf } from './sample.ts';

/** Host i sends 1000 − i octets to the next. */
function ring(count: number): ReturnType<typeof viewOf> {
  const names = Array.from({ length: count }, (_, i) => `h${String(i).padStart(3, '0')}`);
  const links = names.map((name, i): SampleLink => [name, names[(i + 1) % count]!, 100_000 - i * i]);
  return viewOf(names, links);
}

function octetsOf({ rows }: LinkRows): number {
  return rows.filter((_, at) => at % LINK_STRIDE === 3).reduce((sum, octets) => sum + octets, 0);
}

function octets({ pairs }: Matrix): number {
  return pairs.reduce((sum, pair) => sum + pair.forward + pair.backward, 0);
}

test('sixty arcs are drawn, of sixty-one the last two are folded', () => {
  assert.equal(foldView(ring(60)).arcs.length, 60);
  const folded = foldView(ring(61));
  assert.equal(folded.arcs.length, 60);
  assert.equal(folded.arcs.at(-1)!.id, OTHERS);
  assert.equal(folded.arcs.at(-1)!.count, 2);
});

test('folding loses no octet, neither in the arcs nor in the pairs', () => {
  const view = ring(200);
  const all = octetsOf(view.links);
  for (const from of [0, 59, 118, 190]) {
    const matrix = foldView(view, { from });
    assert.equal(octets(matrix), all, `from ${from}`);
    assert.equal(
      matrix.arcs.reduce((sum, arc) => sum + arc.sent, 0),
      all,
    );
    assert.equal(
      matrix.arcs.reduce((sum, arc) => sum + arc.count, 0),
      200,
    );
    assert.ok(matrix.arcs.length <= 60);
  }
});

test('of so many arcs that their pairs have no place in an array, each pair has what it sent', () => {
  const count = 1100;
  const names = Array.from({ length: count }, (_, i) => `h${i}`);
  const links = names.flatMap((name, i): SampleLink[] => [
    [name, names[(i + 1) % count]!, 5000 + i],
    [names[(i + 1) % count]!, name, 1 + i],
  ]);
  const { arcs, pairs } = foldView(viewOf(names, links), { limit: Infinity });
  assert.equal(pairs.length, count);
  for (const { a, b, forward, backward } of pairs) {
    const [first, second] = [arcs[a]!.id, arcs[b]!.id].map((id) => Number(id.slice(1)));
    const isNext = (first! + 1) % count === second;
    const from = isNext ? first! : second!;
    assert.deepEqual(isNext ? [forward, backward] : [backward, forward], [5000 + from, 1 + from]);
  }
});

test('"others" opens: the next nodes are drawn, the larger ones stand behind one arc', () => {
  const view = ring(200);
  const first = foldView(view).arcs.filter((arc) => arc.node);
  const next = foldView(view, { from: first.length });
  assert.deepEqual(
    next.arcs.slice(-2).map((arc) => [arc.id, arc.count]),
    [
      [OTHERS, 200 - 59 - 58],
      [LARGER, 59],
    ],
  );
  const names = new Set([...first, ...next.arcs.filter((arc) => arc.node)].map((arc) => arc.id));
  assert.equal(names.size, 59 + 58);
  assert.equal(
    foldView(view, { from: 5000 }).arcs.at(-1)!.id,
    OTHERS,
    'a rank beyond the end shows the first',
  );
});

test('nodes that the answer has folded itself stay folded, whatever their size', () => {
  const view = viewOf(
    ['a', 'b', OTHERS],
    [
      ['a', 'b', 5],
      [OTHERS, 'a', 1000],
      ['b', OTHERS, 7],
    ],
  );
  const matrix = foldView(view);
  assert.deepEqual(
    matrix.arcs.map((arc) => [arc.id, arc.count, arc.hasMore]),
    [
      ['b', 1, false],
      ['a', 1, false],
      [OTHERS, 0, true],
    ],
  );
  assert.equal(octets(matrix), 1012);
});

test('both directions of a pair become one, whoever is listed first', () => {
  const matrix = foldView(
    viewOf(
      ['z', 'a'],
      [
        ['z', 'a', 10, 'vxlan:1'],
        ['a', 'z', 3, 'vxlan:1'],
        ['z', 'a', 5, 'none'],
      ],
    ),
  );
  const [pair] = matrix.pairs;
  assert.equal(matrix.pairs.length, 1);
  assert.equal(pair!.id, pairId('z', 'a'));
  assert.deepEqual([matrix.arcs[pair!.a]!.id, pair!.forward, pair!.backward], ['a', 3, 15]);
  assert.deepEqual(pair!.bands, [
    { segment: 'none', forward: 0, backward: 5 },
    { segment: 'vxlan:1', forward: 3, backward: 10 },
  ]);
});
