import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chord } from 'd3-chord';
import fc from 'fast-check';
import { type ArcAngles, type BandAngles, bandOf, chordAngles, type Span } from './chord.ts';
import { foldView, type Matrix } from './fold.ts';
import { viewOf } from './sample.ts';

const TAU = 2 * Math.PI;
const NO_LEAST = { gap: 0.028, least: 0 };

function near(actual: number, wanted: number, message?: string): void {
  assert.ok(Math.abs(actual - wanted) < 1e-9, `${message ?? 'angle'}: ${actual} is not ${wanted}`);
}

function length([start, end]: Span): number {
  return end - start;
}

/** The layout with its bands one by one. */
function drawn(...words: Parameters<typeof chordAngles>): {
  arcs: readonly ArcAngles[];
  bands: BandAngles[];
} {
  const { arcs, bands } = chordAngles(...words);
  return { arcs, bands: bands.at.map((_, index) => bandOf(bands, index)) };
}

const links = fc.array(
  fc.tuple(
    fc.integer({ min: 0, max: 11 }),
    fc.integer({ min: 0, max: 11 }),
    fc.integer({ min: 1, max: 1e9 }),
    fc.constantFrom('none', 'vxlan:1', 'vxlan:2'),
  ),
  { minLength: 1, maxLength: 60 },
);

function matrixOf(list: readonly (readonly [number, number, number, string])[]): Matrix {
  const names = [...new Set(list.flatMap(([from, to]) => [`n${from}`, `n${to}`]))];
  return foldView(
    viewOf(
      names,
      list.map(([from, to, octets, segment]) => [`n${from}`, `n${to}`, octets, segment]),
    ),
  );
}

test('two hosts that send 3 : 1 divide the ring so, and the ribbon is as wide at each end', () => {
  const matrix = foldView(
    viewOf(
      ['a', 'b'],
      [
        ['a', 'b', 300],
        ['b', 'a', 100],
      ],
    ),
  );
  const { arcs, bands } = drawn(matrix, NO_LEAST);
  const room = TAU - 2 * 0.028;
  assert.deepEqual(
    arcs.map((arc) => arc.id),
    ['a', 'b'],
  );
  near(arcs[0]!.span[0], 0.014, 'starts at twelve o’clock');
  near(length(arcs[0]!.span), 0.75 * room);
  near(length(arcs[1]!.span), 0.25 * room);
  near(arcs[1]!.span[1], TAU - 0.014, 'ends there');
  near(length(bands[0]!.a), 0.75 * room);
  near(length(bands[0]!.b), 0.25 * room);
});

test('a ribbon is split into its segments, in opposite order at its ends, and they fill it', () => {
  const view = viewOf(
    ['a', 'b'],
    [
      ['a', 'b', 60, 'vxlan:1'],
      ['a', 'b', 40, 'vxlan:2'],
      ['b', 'a', 50, 'vxlan:2'],
    ],
  );
  const { arcs, bands } = drawn(foldView(view), NO_LEAST);
  const [one, two] = bands;
  assert.deepEqual([one!.segment, two!.segment], ['vxlan:1', 'vxlan:2']);
  near(one!.a[0], arcs[0]!.span[0]);
  near(one!.a[1], two!.a[0]);
  near(two!.a[1], arcs[0]!.span[1]);
  near(length(one!.a) / length(two!.a), 1.5);
  near(two!.b[0], arcs[1]!.span[0]);
  near(two!.b[1], one!.b[0]);
  near(length(one!.b), 0, 'nothing came back in segment 1');
});

test('who only receives still has an arc of the least length', () => {
  const matrix = foldView(
    viewOf(
      ['a', 'b', 'c'],
      [
        ['a', 'b', 1000],
        ['a', 'c', 1],
      ],
    ),
  );
  const { arcs } = chordAngles(matrix, { gap: 0.02, least: 0.05 });
  const room = TAU - 3 * 0.02;
  near(length(arcs[0]!.span), room - 0.1);
  near(length(arcs[1]!.span), 0.05);
  near(length(arcs[2]!.span), 0.05);
});

test('who only receives is marked over part of its gaps, and takes no length from anybody', () => {
  const names = Array.from({ length: 60 }, (_, i) => `h${i}`);
  for (const count of [3, 9, 60]) {
    const [from, ...others] = names.slice(0, count);
    const view = viewOf(
      [from!, ...others],
      others.map((to) => [from!, to, 1000]),
    );
    const { arcs, bands } = drawn(foldView(view));
    const gap = arcs[0]!.span[0] * 2;
    assert.deepEqual(
      arcs.map((arc) => arc.isSlight),
      arcs.map((arc) => arc.id !== from),
    );
    assert.deepEqual(arcs[0]!.mark, arcs[0]!.span, 'who sends is as long as what it sends');
    for (const [index, { span, mark }] of arcs.entries()) {
      near(mark[0] + mark[1], span[0] + span[1], 'the middle');
      if (index > 0) near(length(mark), length(span) + 0.7 * gap);
      const next = arcs[index + 1]?.mark[0] ?? TAU + arcs[0]!.mark[0];
      assert.ok(next - mark[1] > 0.29 * gap, 'neighbours stay apart');
    }
    for (const { a, b } of bands) near(length(a) * length(b), 0, 'a ribbon is as wide as what is sent');
  }
});

test('whose share can be seen is not marked longer', () => {
  fc.assert(
    fc.property(links, (list) => {
      const matrix = matrixOf(list);
      const total = matrix.arcs.reduce((sum, arc) => sum + arc.sent, 0);
      for (const [index, { span, mark, isSlight }] of chordAngles(matrix).arcs.entries()) {
        if (isSlight) assert.ok(matrix.arcs[index]!.sent / total < 0.014 / 5.5);
        else assert.deepEqual(mark, span);
      }
    }),
  );
});

test('without any octets all arcs are equally long', () => {
  const { arcs } = chordAngles(foldView(viewOf(['a', 'b', 'c', 'd'], [])));
  for (const arc of arcs) near(length(arc.span), length(arcs[0]!.span));
  assert.deepEqual(drawn({ arcs: [], pairs: [] }), { arcs: [], bands: [] });
});

test('a single host that talks to itself fills the ring with one loop', () => {
  const { arcs, bands } = drawn(foldView(viewOf(['a'], [['a', 'a', 10]])));
  near(length(arcs[0]!.span), TAU);
  assert.deepEqual(bands[0]!.a, bands[0]!.b);
  near(length(bands[0]!.a), TAU);
});

test('the arcs are those of d3-chord over the same matrix', () => {
  fc.assert(
    fc.property(links, (list) => {
      const matrix = matrixOf(list);
      const count = matrix.arcs.length;
      const table = Array.from({ length: count }, () => new Array<number>(count).fill(0));
      for (const { a, b, forward, backward } of matrix.pairs) {
        table[a]![b]! += forward;
        if (a !== b) table[b]![a]! += backward;
      }
      const gap = count > 1 ? 0.028 : 0;
      const theirs = chord().padAngle(gap)(table).groups;
      const ours = chordAngles(matrix, NO_LEAST).arcs;
      for (const [index, group] of theirs.entries()) {
        near(length(ours[index]!.span), group.endAngle - group.startAngle);
        near(ours[index]!.span[0], group.startAngle + gap / 2);
      }
    }),
  );
});

test('arcs and ribbon ends fill the ring without overlap, and every end lies in its arc', () => {
  fc.assert(
    fc.property(links, (list) => {
      const matrix = matrixOf(list);
      const { arcs, bands } = drawn(matrix);
      let last = 0;
      for (const { span } of arcs) {
        assert.ok(span[0] >= last - 1e-9 && span[1] >= span[0]);
        last = span[1];
      }
      assert.ok(last <= TAU + 1e-9);
      const ends = arcs.map((): Span[] => []);
      for (const band of bands) {
        const pair = matrix.pairs[band.at]!;
        ends[pair.a]!.push(band.a);
        if (pair.a !== pair.b) ends[pair.b]!.push(band.b);
      }
      for (const [index, list] of ends.entries()) {
        const [start, end] = arcs[index]!.span;
        let before = start;
        // An end of no width has no place of its own among the others.
        for (const span of list
          .filter((one) => length(one) > 1e-12)
          .sort((x, y) => x[0] - y[0] || x[1] - y[1])) {
          assert.ok(span[0] >= before - 1e-9 && span[1] <= end + 1e-9);
          before = span[1];
        }
      }
    }),
  );
});
