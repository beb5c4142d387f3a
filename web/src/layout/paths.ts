/** Angles → SVG path text, around the origin, in user units. */
import { ribbon } from 'd3-chord';
import { pathRound } from 'd3-path';
import { arc, area, curveMonotoneX, line } from 'd3-shape';
import type { Span } from './chord.ts';

interface RibbonEnds {
  readonly source: { startAngle: number; endAngle: number; radius: number };
  readonly target: { startAngle: number; endAngle: number; radius: number };
}

/** A ribbon between two spans of the circle of `radius`. */
export function ribbonPath(a: Span, b: Span, radius: number): string {
  const pen = pathRound(2);
  const draw = ribbon<unknown, RibbonEnds, RibbonEnds['source']>();
  // d3's types know the canvas only; a d3 path draws the same.
  draw.context(pen as unknown as CanvasRenderingContext2D)({
    source: { startAngle: a[0], endAngle: a[1], radius },
    target: { startAngle: b[0], endAngle: b[1], radius },
  });
  return pen.toString();
}

/** The middle line of a ribbon too thin to show its width. */
export function linePath(a: Span, b: Span, radius: number): string {
  const [from, to] = [(a[0] + a[1]) / 2, (b[0] + b[1]) / 2];
  return `M${point(from, radius)}Q0,0,${point(to, radius)}`;
}

function point(angle: number, radius: number): string {
  return `${Math.round(radius * Math.sin(angle) * 10) / 10},${Math.round(-radius * Math.cos(angle) * 10) / 10}`;
}

/** A piece of the ring between two radii. */
export function arcPath([startAngle, endAngle]: Span, innerRadius: number, outerRadius: number): string {
  return arc().digits(2)({ startAngle, endAngle, innerRadius, outerRadius }) ?? '';
}

/** An arrow head that points outwards and ends on the circle of `radius`. */
export function arrowPath(angle: number, radius: number): string {
  const half = 6 / radius;
  return `M${point(angle, radius)}L${point(angle + half, radius - 11)}L${point(angle - half, radius - 11)}Z`;
}

/** The strip's filled curve and its upper edge. */
export function stripPaths(
  points: readonly (readonly [x: number, y: number])[],
  floor: number,
): [string, string] {
  const xs = (point: readonly [number, number]): number => point[0];
  const ys = (point: readonly [number, number]): number => point[1];
  const shape = area<readonly [number, number]>(xs, floor, ys).curve(curveMonotoneX).digits(2);
  const edge = line<readonly [number, number]>(xs, ys).curve(curveMonotoneX).digits(2);
  return [shape([...points]) ?? '', edge([...points]) ?? ''];
}
