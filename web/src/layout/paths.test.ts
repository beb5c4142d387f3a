import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ribbon } from 'd3-chord';
import { pathRound } from 'd3-path';
import { arc } from 'd3-shape';
import fc from 'fast-check';
import { arcPath, linesPath, RIBBON_UNITS, ribbonPath, stripPaths } from './paths.ts';

/** The same ribbon by d3-chord. */
function byD3(a: readonly [number, number], b: readonly [number, number], radius: number): string {
  const end = ([startAngle, endAngle]: readonly [number, number]) => ({ startAngle, endAngle, radius });
  const pen = pathRound(2);
  // d3's types know the canvas only; a d3 path draws the same.
  ribbon().context(pen as unknown as CanvasRenderingContext2D)({ source: end(a), target: end(b) } as never);
  return pen.toString();
}

function numbers(path: string): number[] {
  return path.match(/-?\d+(\.\d+)?/g)!.map(Number);
}

const span = fc
  .tuple(fc.integer({ min: 0, max: 6000 }), fc.integer({ min: 1, max: 6200 }))
  .map(([start, length]): [number, number] => [start / 1000, (start + length) / 1000]);

test('a ribbon is that of d3-chord, to a tenth of a pixel', () => {
  fc.assert(
    fc.property(span, span, fc.integer({ min: 40, max: 500 }), (a, b, radius) => {
      const [ours, theirs] = [ribbonPath(a, b, radius), byD3(a, b, radius * RIBBON_UNITS)];
      assert.equal(ours.replace(/[\d.-]+/g, ''), theirs.replace(/[\d.-]+/g, ''));
      const wanted = numbers(theirs);
      for (const [i, number] of numbers(ours).entries()) {
        assert.ok(Math.abs(number - wanted[i]!) < 0.511, `${ours} is not ${theirs}`);
      }
    }),
  );
});

test('a loop over the whole ring is drawn, and an end without width is a point', () => {
  const whole = ribbonPath([0, 2 * Math.PI], [0, 2 * Math.PI], 100);
  assert.equal(whole, 'M0,-1000A1000,1000,0,1,1,0,1000A1000,1000,0,1,1,0,-1000Q0,0,0,-1000Z');
  assert.equal(
    ribbonPath([0, Math.PI / 2], [Math.PI, Math.PI], 100),
    'M0,-1000A1000,1000,0,0,1,1000,0Q0,0,0,1000Q0,0,0,-1000Z',
  );
});

test('a piece of the ring is that of d3-shape, to a hundredth of a pixel', () => {
  fc.assert(
    fc.property(span, fc.integer({ min: 40, max: 500 }), ([startAngle, endAngle], outerRadius) => {
      const innerRadius = outerRadius - 13;
      const ours = arcPath([startAngle, endAngle], innerRadius, outerRadius);
      const theirs = arc().digits(2)({ startAngle, endAngle, innerRadius, outerRadius })!;
      assert.equal(ours.replace(/[\d.-]+/g, ''), theirs.replace(/[\d.-]+/g, ''));
      const wanted = numbers(theirs);
      for (const [i, number] of numbers(ours).entries()) {
        assert.ok(Math.abs(number - wanted[i]!) < 0.0101, `${ours} is not ${theirs}`);
      }
    }),
  );
});

test('a ring of one piece is whole: a circle and, the other way round, a hole', () => {
  assert.equal(
    arcPath([0, 2 * Math.PI], 90, 100),
    'M0,-100A100,100,0,1,1,0,100A100,100,0,1,1,0,-100ZM0,-90A90,90,0,1,0,0,90A90,90,0,1,0,0,-90Z',
  );
});

test('the strip stands on its floor', () => {
  assert.deepEqual(
    stripPaths(
      [
        [0, 5],
        [10.04, 2],
      ],
      40,
    ),
    ['M0,40L0,5L10,2L10,40Z', 'M0,5L10,2'],
  );
  assert.deepEqual(stripPaths([], 40), ['', '']);
});

test('many thin lines in one path end within an eighth of a pixel of their places', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(span, span)), fc.integer({ min: 40, max: 500 }), (lines, radius) => {
      const bands = {
        at: lines.map(() => 0),
        segments: lines.map(() => 'none'),
        angles: new Float64Array(lines.flat(2)),
      };
      const found = numbers(linesPath(bands, [...lines.keys()], radius) || '0');
      for (const [i, line] of lines.entries()) {
        for (const [end, [start, stop]] of line.entries()) {
          const angle = (start + stop) / 2;
          const at = 6 * i + 4 * end;
          const [x, y] = [found[at]! / RIBBON_UNITS, found[at + 1]! / RIBBON_UNITS];
          const off = Math.hypot(x - radius * Math.sin(angle), y + radius * Math.cos(angle));
          assert.ok(off < 0.125 + 0.071, `${off} pixels at ${angle}`);
        }
      }
    }),
  );
});
