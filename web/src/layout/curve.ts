/** Curves between cards: quadratic Béziers, moved aside and cut off where the cards are. */
import type { Box } from './box.ts';

/** In CSS pixels. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** From `from` to `to`, towards `over`. */
export interface Curve {
  readonly from: Point;
  readonly over: Point;
  readonly to: Point;
}

/** A line between two points, drawn towards a heart: 0 straight, 1 through it nearly. */
export function curveBetween(
  from: Point,
  to: Point,
  { heart, bend }: { readonly heart: Point; readonly bend: number },
): Curve {
  return { from, to, over: between(between(from, to, 0.5), heart, bend) };
}

/** The point at a share of the way, 0…1. */
export function pointAt({ from, over, to }: Curve, t: number): Point {
  return between(between(from, over, t), between(over, to, t), t);
}

/** The same curve so far to its left. */
export function shifted({ from, over, to }: Curve, by: number): Curve {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const [x, y] = [(by * (to.y - from.y)) / length, (-by * (to.x - from.x)) / length];
  const move = (point: Point): Point => ({ x: point.x + x, y: point.y + y });
  return { from: move(from), over: move(over), to: move(to) };
}

const STEPS = 200;

/** The part of the curve that is in neither box. */
export function clipped(curve: Curve, first: Box, last: Box): Curve {
  let [begin, end] = [0, STEPS];
  while (begin < STEPS / 2 && isIn(pointAt(curve, begin / STEPS), first)) begin++;
  while (end > STEPS / 2 && isIn(pointAt(curve, end / STEPS), last)) end--;
  return part(curve, begin / STEPS, end / STEPS);
}

/** As the `d` of an SVG path. */
export function pathOf({ from, over, to }: Curve): string {
  const words = ({ x, y }: Point): string => `${x.toFixed(1)} ${y.toFixed(1)}`;
  return `M${words(from)}Q${words(over)} ${words(to)}`;
}

/** By de Casteljau's construction. */
function part(curve: Curve, begin: number, end: number): Curve {
  const { from, over, to } = curve;
  const first = between(from, over, begin);
  const second = between(over, to, begin);
  return { from: pointAt(curve, begin), over: between(first, second, end), to: pointAt(curve, end) };
}

function between(x: Point, y: Point, t: number): Point {
  return { x: x.x + (y.x - x.x) * t, y: x.y + (y.y - x.y) * t };
}

function isIn({ x, y }: Point, box: Box): boolean {
  return x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
}
