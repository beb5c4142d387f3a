import type { Span } from './chord.ts';

const TAU = 2 * Math.PI;

/** Something to be labelled on the ring. */
export interface Labelled {
  readonly id: string;
  readonly span: Span;
  /** Who keeps its label when there is no room for all. */
  readonly weight: number;
  /** How much of the circle the label takes, radians. */
  readonly height: number;
}

interface Placed {
  readonly id: string;
  readonly angle: number;
  readonly height: number;
}

/**
 * Angles for radial labels that do not overlap, each as near to the middle of its arc as the others allow. Where the
 * ring is too small for all, the lightest go without.
 */
export function placeLabels(arcs: readonly Labelled[]): Map<string, number> {
  const wanted = fitting(arcs)
    .map(({ id, span, height }): Placed => ({ id, height, angle: (span[0] + span[1]) / 2 }))
    .sort((x, y) => x.angle - y.angle);
  if (wanted.length === 0) return new Map();
  const cut = widestGap(wanted.map((one) => one.angle));
  const turned = [
    ...wanted.slice(cut),
    ...wanted.slice(0, cut).map((one) => ({ ...one, angle: one.angle + TAU })),
  ];
  const angles = spread(turned);
  const [first, last] = [turned[0]!, turned.at(-1)!];
  const seam = angles[0]! + TAU - angles.at(-1)! - (first.height + last.height) / 2;
  return new Map(
    (seam < -1e-9 ? even(turned, angles) : angles).map((angle, index) => [turned[index]!.id, angle]),
  );
}

/** The heaviest that the circle has room for. */
function fitting(arcs: readonly Labelled[]): Labelled[] {
  let room = TAU + 1e-9;
  return [...arcs]
    .sort((x, y) => y.weight - x.weight || (x.id < y.id ? -1 : 1))
    .filter((arc) => {
      room -= arc.height;
      return room >= 0;
    });
}

/** When the circle is nearly full: the room that is left, shared out evenly. */
function even(labels: readonly Placed[], angles: readonly number[]): number[] {
  const spare = (TAU - labels.reduce((sum, label) => sum + label.height, 0)) / labels.length;
  const offsets = offsetsOf(labels, spare);
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const shift = mean(angles) - mean(offsets);
  return offsets.map((offset) => offset + shift);
}

/** Where each label would stand if all stood close to the first, `spare` apart. */
function offsetsOf(labels: readonly Placed[], spare = 0): number[] {
  let offset = 0;
  return labels.map(({ height }, index) => {
    if (index > 0) offset += (labels[index - 1]!.height + height) / 2 + spare;
    return offset;
  });
}

/** Index of the angle after the widest gap of the circle. */
function widestGap(angles: readonly number[]): number {
  let widest = TAU - angles.at(-1)! + angles[0]!;
  let at = 0;
  for (let i = 1; i < angles.length; i++) {
    const gap = angles[i]! - angles[i - 1]!;
    if (gap > widest) {
      widest = gap;
      at = i;
    }
  }
  return at;
}

/** Least-squares: neighbours that would be too near form a block around their common mean. */
function spread(labels: readonly Placed[]): number[] {
  const offsets = offsetsOf(labels);
  const blocks: { sum: number; count: number }[] = [];
  for (const [index, { angle }] of labels.entries()) {
    blocks.push({ sum: angle - offsets[index]!, count: 1 });
    for (;;) {
      const last = blocks.at(-1)!;
      const before = blocks.at(-2);
      if (!before || before.sum / before.count <= last.sum / last.count) break;
      blocks.pop();
      before.sum += last.sum;
      before.count += last.count;
    }
  }
  const angles: number[] = [];
  for (const block of blocks) {
    for (let i = 0; i < block.count; i++) angles.push(block.sum / block.count + offsets[angles.length]!);
  }
  return angles;
}

/** Shortens to `length` characters, from the middle, where addresses of one network differ least. */
export function truncate(text: string, length: number): string {
  if (text.length <= length) return text;
  const head = Math.floor((length - 1) / 3);
  return `${text.slice(0, head)}…${text.slice(text.length - (length - 1 - head))}`;
}
