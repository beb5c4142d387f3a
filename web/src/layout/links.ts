/** How links run between the cards of a virtual network: a strand per segment, with room for words where there is some. */
import { around, type Box, centreOf, isInside, type Size, touchesAny } from './box.ts';
import { type Curve, clipped, curveBetween, type Point, pointAt, shifted } from './curve.ts';

/** What of a link its way follows from. */
export interface LinkShape {
  readonly id: string;
  readonly a: string;
  readonly b: string;
  readonly strands: readonly { readonly segment: string }[];
}

/** The way of one segment between two hosts. */
export interface PlacedStrand {
  readonly segment: string;
  readonly curve: Curve;
  /** Room for its words, absent where there is none, or the link has words of its own. */
  readonly label: Box | undefined;
}

/** A link's strands, side by side. */
export interface PlacedLink {
  readonly id: string;
  readonly strands: readonly PlacedStrand[];
  /** Room for the words of all strands together, where they have none of their own. */
  readonly label: Box | undefined;
}

/** More strands than this in one link have words together. */
const MOST_WORDED = 3;
const LABEL = { height: 18, strand: 152, link: 84 } as const;
/** Lays links between cards. @param options.bend how far they are drawn towards the middle of all: 0 not at all */
export function placeLinks(
  links: readonly LinkShape[],
  boxes: ReadonlyMap<string, Box>,
  { room, bend }: { readonly room: Size; readonly bend: number },
): PlacedLink[] {
  const cards = [...boxes.values()];
  const ends = links.flatMap(({ a, b }) => [boxes.get(a)!, boxes.get(b)!]);
  const heart = middleOf(ends.map(centreOf));
  const isWorded = links.reduce((sum, link) => sum + link.strands.length, 0) <= 4 * MOST_WORDED;
  const taken: Box[] = [];
  return links.map((link) => {
    const [from, to] = [boxes.get(link.a)!, boxes.get(link.b)!];
    const whole = curveBetween(centreOf(from), centreOf(to), { heart, bend });
    const count = link.strands.length;
    const pitch = count <= MOST_WORDED ? 9 : count <= 5 ? 3.6 : 1.9;
    const curves = link.strands.map((_, i) =>
      clipped(shifted(whole, (i - (count - 1) / 2) * pitch), from, to),
    );
    const worded = isWorded && count <= MOST_WORDED;
    const strands = link.strands.map(({ segment }, i) => {
      const base = 0.5 + (i - (count - 1) / 2) * 0.24;
      const label = worded ? roomFor(curves[i]!, LABEL.strand, { base, room, cards, taken }) : undefined;
      return { segment, curve: curves[i]!, label };
    });
    const label = worded
      ? undefined
      : roomFor(clipped(whole, from, to), LABEL.link, { base: 0.5, room, cards, taken });
    return { id: link.id, strands, label };
  });
}

/** Along the curve from where the words should stand, first near, then far. */
const TRIES = [0, 0.06, -0.06, 0.12, -0.12, 0.18, -0.18, 0.24, -0.24, 0.3, -0.3, 0.36, -0.36];

/** On the line, else below and above it. Words on a level line would hide it. */
const ASIDE = { steep: [0, 20, -20], level: [-16, 16, 36] } as const;

function roomFor(curve: Curve, width: number, { base, room, cards, taken }: LabelRoom): Box | undefined {
  const isLevel = Math.abs(curve.to.x - curve.from.x) > 3 * Math.abs(curve.to.y - curve.from.y);
  for (const aside of isLevel && base !== 0.5 ? ASIDE.level : ASIDE.steep) {
    for (const step of TRIES) {
      const t = (isLevel ? 0.5 : base) + step;
      if (t < 0.1 || t > 0.9) continue;
      const { x, y } = pointAt(curve, t);
      const label = around({ x, y: y + aside }, { width, height: LABEL.height });
      if (!isInside(label, room) || touchesAny(label, cards, 3) || touchesAny(label, taken, 3)) continue;
      taken.push(label);
      return label;
    }
  }
  return undefined;
}

interface LabelRoom {
  /** Where on the way the words should stand, 0…1. */
  readonly base: number;
  readonly room: Size;
  readonly cards: readonly Box[];
  /** By other words; what is found is added. */
  readonly taken: Box[];
}

function middleOf(points: readonly Point[]): Point {
  const mean = (of: (point: Point) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / Math.max(1, points.length);
  return { x: mean(({ x }) => x), y: mean(({ y }) => y) };
}
