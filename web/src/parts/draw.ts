import { arcPath, linePath, ribbonPath } from '../layout/paths.ts';
import type { Pose } from '../layout/tween.ts';
import type { Draw } from './pose.ts';

/** An element that moves, and the numbers it was drawn with last. */
interface Mark {
  readonly element: SVGElement;
  readonly drawn: Float64Array;
}

interface BandMark extends Mark {
  readonly id: string;
}

/** A ribbon: its bands, and the invisible line that can be pointed at. */
interface RibbonMark {
  readonly hit: Mark;
  readonly bands: readonly BandMark[];
}

/** An arc with what belongs to it. */
interface ArcMarks {
  readonly id: string;
  readonly ring: Mark;
  readonly hit: Mark;
  readonly label: Mark;
  readonly leader: SVGElement;
  /** The leader's points now. */
  points: string;
}

interface Radii {
  readonly inner: number;
  readonly outer: number;
}

/**
 * What moved less than this since it was drawn, pixels, stays as it is: setting a path is the dearest part of an update,
 * and nobody sees it.
 */
const LEAST = 0.25;

/** What was drawn last, as long as the elements live. */
const ribbonMarks = new WeakMap<Element, RibbonMark>();
const arcMarks = new WeakMap<Element, ArcMarks>();

/**
 * Looks up what moves, once for all frames of a movement; gives what sets a pose on it. The elements belong to React,
 * their geometry to this function alone.
 */
export function openStage(root: SVGGElement, radii: Radii): Draw {
  const ribbons = [...root.querySelectorAll<SVGGElement>('g.ribbon')].map(ribbonMark);
  const arcs = [...root.querySelectorAll<SVGGElement>('g.arc')].map(marksOfArc);
  return (pose, still) => {
    const stroke = { ...radii, least: LEAST / radii.outer, still };
    for (const ribbon of ribbons) drawRibbon(ribbon, pose, stroke);
    for (const arc of arcs) drawArc(arc, pose, stroke);
  };
}

/** How something is drawn: its radii, how far it must have moved (radians), whether it stays now. */
interface Stroke extends Radii {
  readonly least: number;
  readonly still: boolean;
}

function markOf(element: SVGElement): Mark {
  return { element, drawn: new Float64Array(5).fill(Number.NaN) };
}

/** A ribbon's bands come and go with its segments; those that stay keep what they were drawn with. */
function ribbonMark(ribbon: SVGGElement): RibbonMark {
  const known = ribbonMarks.get(ribbon);
  const [hit, ...elements] = ribbon.children as unknown as Iterable<SVGElement>;
  if (
    known?.bands.length === elements.length &&
    known.bands.every((band, index) => band.element === elements[index])
  )
    return known;
  const bands = elements.map(
    (element) =>
      known?.bands.find((band) => band.element === element) ?? {
        ...markOf(element),
        id: element.getAttribute('data-band')!,
      },
  );
  const mark = { hit: known?.hit ?? markOf(hit!), bands };
  ribbonMarks.set(ribbon, mark);
  return mark;
}

function marksOfArc(arc: SVGGElement): ArcMarks {
  let marks = arcMarks.get(arc);
  if (!marks) {
    const [hit, ring, leader, label] = arc.children as unknown as Iterable<SVGElement>;
    marks = {
      id: arc.getAttribute('data-node-id')!,
      ring: markOf(ring!),
      hit: markOf(hit!),
      label: markOf(label!),
      leader: leader!,
      points: '',
    };
    arcMarks.set(arc, marks);
  }
  return marks;
}

/** Whether a mark must be drawn anew with these numbers, and notes them; another radius always asks for it. */
function hasMoved({ drawn: last }: Mark, [a, b, c, d, radius]: readonly number[], least: number): boolean {
  if (
    Math.abs(a! - last[0]!) < least &&
    Math.abs(b! - last[1]!) < least &&
    Math.abs(c! - last[2]!) < least &&
    Math.abs(d! - last[3]!) < least &&
    radius === last[4]
  )
    return false;
  last[0] = a!;
  last[1] = b!;
  last[2] = c!;
  last[3] = d!;
  last[4] = radius!;
  return true;
}

function drawRibbon({ hit, bands }: RibbonMark, pose: Pose, { inner, outer, least, still }: Stroke): void {
  let [startA, endA, startB, endB] = [7, 0, 7, 0];
  for (const mark of bands) {
    const band = pose.bands.get(mark.id);
    if (!band) continue;
    const [a, b] = band;
    if (hasMoved(mark, [a[0], a[1], b[0], b[1], inner], least))
      mark.element.setAttribute('d', ribbonPath(a, b, inner - 2));
    startA = Math.min(startA, a[0]);
    endA = Math.max(endA, a[1]);
    startB = Math.min(startB, b[0]);
    endB = Math.max(endB, b[1]);
  }
  // Along its middle a broad invisible line, so that a thin one can be pointed at; a pixel is nothing there.
  if (still && endA > 0 && hasMoved(hit, [startA, endA, startB, endB, inner], 1 / outer))
    hit.element.setAttribute('d', linePath([startA, endA], [startB, endB], inner - 2));
}

function drawArc(marks: ArcMarks, pose: Pose, { inner, outer, least, still }: Stroke): void {
  const { ring, hit, label } = marks;
  const span = pose.arcs.get(marks.id);
  if (!span) return;
  const [start, end] = span;
  const angle = pose.labels.get(marks.id);
  const hasTurned = hasMoved(ring, [start, end, 0, 0, outer], least);
  if (hasTurned) ring.element.setAttribute('d', arcPath(span, inner, outer));
  // Its surroundings, invisible: whoever points at them does so a moment later, and a pixel is nothing there.
  if (still && hasMoved(hit, [start, end, 0, 0, outer], 1 / outer))
    hit.element.setAttribute('d', arcPath(span, inner - 3, outer + 12));
  // One that comes back is placed anew: React gave it its class.
  if (angle === undefined) label.drawn.fill(Number.NaN);
  const isShifted = angle !== undefined && hasMoved(label, [angle, 0, 0, 0, outer], least);
  if (isShifted) placeLabel(marks, angle, outer);
  if (hasTurned || isShifted || angle === undefined) placeLeader(marks, (start + end) / 2, angle, outer);
}

function placeLabel(marks: ArcMarks, angle: number, outer: number): void {
  const { element } = marks.label;
  const degrees = Math.round(((angle * 180) / Math.PI - 90) * 100) / 100;
  const isLeft = Math.sin(angle) < -1e-9;
  element.setAttribute(
    'transform',
    `rotate(${degrees}) translate(${outer + 12})${isLeft ? ' rotate(180)' : ''}`,
  );
  element.classList.toggle('left', isLeft);
}

/** A leader joins an arc with its label where the label had to give way. */
function placeLeader(marks: ArcMarks, middle: number, angle: number | undefined, outer: number): void {
  const point = (at: number, radius: number): string =>
    `${(radius * Math.sin(at)).toFixed(1)},${(-radius * Math.cos(at)).toFixed(1)}`;
  const points =
    angle !== undefined && Math.abs(middle - angle) * outer > 2
      ? `${point(middle, outer + 1)} ${point(angle, outer + 10)}`
      : '';
  if (points !== marks.points) marks.leader.setAttribute('points', points);
  marks.points = points;
}
