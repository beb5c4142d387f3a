import type { Span } from '../layout/chord.ts';
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
interface ArcMarks extends Mark {
  readonly id: string;
  readonly hit: SVGElement;
  readonly leader: SVGElement;
  readonly label: SVGElement;
}

interface Radii {
  readonly inner: number;
  readonly outer: number;
}

/** What elements were drawn with last, as long as they live. */
const drawn = new WeakMap<Element, Float64Array>();

function numbersOf(element: Element): Float64Array {
  let numbers = drawn.get(element);
  if (!numbers) {
    numbers = new Float64Array(5).fill(Number.NaN);
    drawn.set(element, numbers);
  }
  return numbers;
}

/**
 * Looks up what moves, once for all frames of a movement; gives what sets a pose on it. The elements belong to React,
 * their geometry to this function alone.
 */
export function openStage(root: SVGGElement, radii: Radii): Draw {
  const ribbons = [...root.querySelectorAll<SVGGElement>('g.ribbon')].map(ribbonMark);
  const arcs = [...root.querySelectorAll<SVGGElement>('g.arc')].map(arcMarks);
  return (pose, still) => {
    // Setting a path is the dearest part of a movement, and what nobody sees needs none: least is in pixels.
    const least = (still ? 0.1 : 0.25) / radii.outer;
    for (const ribbon of ribbons) drawRibbon(ribbon, pose, { ...radii, least, still });
    for (const arc of arcs) drawArc(arc, pose, { ...radii, least });
  };
}

function ribbonMark(ribbon: SVGGElement): RibbonMark {
  const [hit, ...bands] = ribbon.children as unknown as Iterable<SVGElement>;
  const mark = (element: SVGElement): BandMark => ({
    element,
    drawn: numbersOf(element),
    id: element.getAttribute('data-band')!,
  });
  return { hit: { element: hit!, drawn: numbersOf(hit!) }, bands: bands.map(mark) };
}

function arcMarks(arc: SVGGElement): ArcMarks {
  const [hit, ring, leader, label] = arc.children as unknown as Iterable<SVGElement>;
  return {
    id: arc.getAttribute('data-node-id')!,
    element: ring!,
    drawn: numbersOf(ring!),
    hit: hit!,
    leader: leader!,
    label: label!,
  };
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

function drawRibbon(
  { hit, bands }: RibbonMark,
  pose: Pose,
  { inner, outer, least, still }: Radii & { readonly least: number; readonly still: boolean },
): void {
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

function drawArc(
  mark: ArcMarks,
  pose: Pose,
  { inner, outer, least }: Radii & { readonly least: number },
): void {
  const span = pose.arcs.get(mark.id);
  const angle = pose.labels.get(mark.id);
  if (!span || !hasMoved(mark, [span[0], span[1], angle ?? -9, inner, outer], least)) return;
  mark.element.setAttribute('d', arcPath(span, inner, outer));
  mark.hit.setAttribute('d', arcPath(span, inner - 3, outer + 12));
  placeLabel(mark.label, mark.leader, { angle, span, outer });
}

/** Where a label stands, and the arc it belongs to. */
interface LabelPlace {
  readonly angle: number | undefined;
  readonly span: Span;
  readonly outer: number;
}

function placeLabel(label: SVGElement, leader: SVGElement, { angle, span, outer }: LabelPlace): void {
  if (angle === undefined) {
    leader.setAttribute('d', '');
    return;
  }
  const degrees = ((angle * 180) / Math.PI - 90).toFixed(2);
  const isLeft = Math.sin(angle) < -1e-9;
  label.setAttribute(
    'transform',
    `rotate(${degrees}) translate(${outer + 12})${isLeft ? ' rotate(180)' : ''}`,
  );
  label.classList.toggle('left', isLeft);
  const middle = (span[0] + span[1]) / 2;
  const point = (at: number, radius: number): string =>
    `${(radius * Math.sin(at)).toFixed(1)},${(-radius * Math.cos(at)).toFixed(1)}`;
  leader.setAttribute(
    'd',
    Math.abs(middle - angle) * outer > 2 ? `M${point(middle, outer + 1)}L${point(angle, outer + 10)}` : '',
  );
}
