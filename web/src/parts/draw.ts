import type { Span } from '../layout/chord.ts';
import { arcPath, linePath, ribbonPath } from '../layout/paths.ts';
import type { Pose } from '../layout/tween.ts';

/** The radii of the ring, and whether this pose is the last of a movement. */
export interface Stroke {
  readonly inner: number;
  readonly outer: number;
  readonly still: boolean;
}

/** What an element was drawn with last. */
const drawn = new WeakMap<Element, readonly number[]>();

/**
 * Whether an element must be drawn anew. While things move, less than a quarter of a pixel is nothing: setting a path
 * is the dearest part of an update (`web/page.test.ts` prints its cost), and most of a live picture hardly moves.
 */
function hasMoved(element: Element, numbers: readonly number[], { outer, still }: Stroke): boolean {
  const last = drawn.get(element);
  const least = still ? 1e-7 : 0.25 / outer;
  if (last?.length === numbers.length && numbers.every((number, i) => Math.abs(number - last[i]!) < least))
    return false;
  drawn.set(element, numbers);
  return true;
}

/** Sets what moves. The elements belong to React, their geometry to this function alone. */
export function drawPose(root: SVGGElement, pose: Pose, stroke: Stroke): void {
  const { inner, outer, still } = stroke;
  for (const path of root.querySelectorAll<SVGPathElement>('path[data-band]')) {
    const band = pose.bands.get(path.dataset.band!);
    if (!band || !hasMoved(path, [...band[0], ...band[1], inner], stroke)) continue;
    path.setAttribute('d', ribbonPath(band[0], band[1], inner - 2));
  }
  for (const mark of root.querySelectorAll<SVGGElement>('g.arc')) {
    const span = pose.arcs.get(mark.dataset.nodeId!);
    const angle = pose.labels.get(mark.dataset.nodeId!);
    if (!span || !hasMoved(mark, [...span, angle ?? -9, outer], stroke)) continue;
    const [hit, ring, leader, label] = mark.children as unknown as SVGElement[];
    ring!.setAttribute('d', arcPath(span, inner, outer));
    hit!.setAttribute('d', arcPath(span, inner - 3, outer + 12));
    placeLabel(label!, leader!, { angle, span, outer });
  }
  if (still) drawHits(root, pose, stroke);
}

/** Along the middle of each ribbon a broad invisible line, so that a thin one can be pointed at. */
function drawHits(root: SVGGElement, pose: Pose, stroke: Stroke): void {
  for (const path of root.querySelectorAll<SVGPathElement>('path[data-hit]')) {
    const spans: (readonly [Span, Span])[] = [];
    for (let band = path.nextElementSibling; band instanceof SVGPathElement; band = band.nextElementSibling) {
      const span = pose.bands.get(band.dataset.band!);
      if (span) spans.push(span);
    }
    if (spans.length === 0) continue;
    const whole = (side: 0 | 1): Span => [
      Math.min(...spans.map((span) => span[side][0])),
      Math.max(...spans.map((span) => span[side][1])),
    ];
    const [a, b] = [whole(0), whole(1)];
    if (hasMoved(path, [...a, ...b, stroke.inner], stroke))
      path.setAttribute('d', linePath(a, b, stroke.inner - 2));
  }
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
