/** Angles → SVG path text, around the origin: in pixels what the ring is, in tenths of them what is inside it. */
import type { Bands, Span } from './chord.ts';

/** How many units a pixel has in paths inside the ring: whole numbers are written and read several times faster. */
export const RIBBON_UNITS = 10;

/**
 * A ribbon between two spans of the circle of `radius`: what d3-chord's `ribbon` draws, in one string instead of one
 * call per piece, for this is done hundreds of times in every frame.
 */
export function ribbonPath(a: Span, b: Span, radius: number): string {
  const scale = radius * RIBBON_UNITS;
  const start = whole(a[0], scale);
  const there = `M${start}${turn(a, scale)}`;
  const isLoop = a[0] === b[0] && a[1] === b[1];
  return isLoop
    ? `${there}Q0,0,${start}Z`
    : `${there}Q0,0,${whole(b[0], scale)}${turn(b, scale)}Q0,0,${start}Z`;
}

/** Along the circle to the end of a span; nothing when it has no length that could be seen, and two halves of a whole. */
function turn([start, end]: Span, radius: number): string {
  const length = end - start;
  if (length * radius < 1e-6) return '';
  const round = `A${radius},${radius},0,`;
  if (length > 2 * Math.PI - 1e-6) {
    return `${round}1,1,${whole(start + Math.PI, radius)}${round}1,1,${whole(start, radius)}`;
  }
  return `${round}${length > Math.PI ? 1 : 0},1,${whole(end, radius)}`;
}

/** Places on the circle that {@link linesPath} knows, in a pixel of it: a line's end is off by an eighth at most. */
const PLACES = 4;

/** Path text of a circle's places, written when first needed: a line starts there, or a line ends there. */
interface Places {
  readonly radius: number;
  readonly starts: string[];
  readonly ends: string[];
}

/** One circle is drawn at a time, and thousands of lines have their ends on it in every update. */
let places: Places = { radius: 0, starts: [], ends: [] };

/** The middle lines of those bands that are named by their places, as one path. */
export function linesPath({ angles }: Bands, which: readonly number[], radius: number): string {
  const count = Math.max(4, Math.round(2 * Math.PI * radius * PLACES));
  if (places.radius !== radius) places = { radius, starts: [], ends: [] };
  const { starts, ends } = places;
  const perTurn = count / (4 * Math.PI);
  let path = '';
  for (const index of which) {
    const first = 4 * index;
    const from = Math.round((angles[first]! + angles[first + 1]!) * perTurn) % count;
    const to = Math.round((angles[first + 2]! + angles[first + 3]!) * perTurn) % count;
    path += starts[from] ??= `M${place(from / count, radius)}`;
    path += ends[to] ??= `Q0,0,${place(to / count, radius)}`;
  }
  return path;
}

/** A point of the circle by its part of the whole turn. */
function place(turn: number, radius: number): string {
  return whole(2 * Math.PI * turn, radius * RIBBON_UNITS);
}

function whole(angle: number, radius: number): string {
  return `${Math.round(radius * Math.sin(angle))},${Math.round(-radius * Math.cos(angle))}`;
}

/** The middle line of a ribbon too thin to show its width. */
export function linePath(a: Span, b: Span, radius: number): string {
  const [from, to] = [(a[0] + a[1]) / 2, (b[0] + b[1]) / 2];
  const scale = radius * RIBBON_UNITS;
  return `M${whole(from, scale)}Q0,0,${whole(to, scale)}`;
}

function point(angle: number, radius: number): string {
  return `${Math.round(radius * Math.sin(angle) * 100) / 100},${Math.round(-radius * Math.cos(angle) * 100) / 100}`;
}

/** A piece of the ring between two radii: what d3-shape's `arc` draws, as one string. */
export function arcPath(span: Span, inner: number, outer: number): string {
  const [start, end] = span;
  if (end - start > 2 * Math.PI - 1e-6) return `${circle(start, outer, 1)}${circle(start, inner, 0)}`;
  const size = end - start > Math.PI ? 1 : 0;
  const there = `M${point(start, outer)}A${outer},${outer},0,${size},1,${point(end, outer)}`;
  return `${there}L${point(end, inner)}A${inner},${inner},0,${size},0,${point(start, inner)}Z`;
}

/** A whole circle in two halves. */
function circle(start: number, radius: number, sweep: 0 | 1): string {
  const half = `A${radius},${radius},0,1,${sweep},`;
  return `M${point(start, radius)}${half}${point(start + Math.PI, radius)}${half}${point(start, radius)}Z`;
}

/** An arrow head that points outwards and ends on the circle of `radius`. */
export function arrowPath(angle: number, radius: number): string {
  const half = 6 / radius;
  return `M${point(angle, radius)}L${point(angle + half, radius - 11)}L${point(angle - half, radius - 11)}Z`;
}

/** The strip's filled shape and its upper edge; its points are so near each other that straight lines do. */
export function stripPaths(
  points: readonly (readonly [x: number, y: number])[],
  floor: number,
): [shape: string, edge: string] {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return ['', ''];
  const tenth = (value: number): number => Math.round(value * 10) / 10;
  const edge = points.map(([x, y]) => `${tenth(x)},${tenth(y)}`).join('L');
  return [`M${tenth(first[0])},${floor}L${edge}L${tenth(last[0])},${floor}Z`, `M${edge}`];
}
