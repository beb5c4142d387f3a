/**
 * Matrix → angles. Radians, clockwise, 0 at twelve o'clock.
 *
 * An arc is as long as what its node *sent*, so the ring is all octets of the view, each counted once. A ribbon is at
 * each end as wide as what that end sent to the other, so it is wider at the end that sends more.
 */
import type { Matrix, Pair } from './fold.ts';

const TAU = 2 * Math.PI;

/** Start and end of something on the ring. */
export type Span = readonly [start: number, end: number];

/** A ribbon's part of one segment: where it leaves either arc. */
export interface BandAngles {
  /** `pair|segment`. */
  readonly id: string;
  readonly pair: string;
  /** Place of the pair in the matrix: looked up faster than its id, which is new in every update. */
  readonly at: number;
  readonly segment: string;
  /** At the pair's `a`, as wide as what `a` sent. */
  readonly a: Span;
  readonly b: Span;
}

/** An arc of the ring. */
export interface ArcAngles {
  readonly id: string;
  /** What its ribbons share. */
  readonly span: Span;
  /** What is drawn: the span, or, when that would hardly be seen, the span and some of the gaps beside it. */
  readonly mark: Span;
  /** It sends (almost) nothing: its length says that it is there, not how much. */
  readonly isSlight: boolean;
}

/** The picture as angles: arcs in the order of the matrix, bands pair by pair. */
export interface ChordAngles {
  readonly arcs: readonly ArcAngles[];
  readonly bands: readonly BandAngles[];
}

/** Gap between two arcs and the least length of an arc, radians; both shrink when there are many arcs. */
export interface ChordGaps {
  readonly gap: number;
  readonly least: number;
}

const GAPS: ChordGaps = { gap: 0.028, least: 0.014 };

/** Part of the gap at either side that a slight arc is drawn over: it is seen, and takes no length from the others. */
const MARK_GAP = 0.35;

/** Computes all angles. Without any octets all arcs are equally long. */
export function chordAngles({ arcs, pairs }: Matrix, gaps: ChordGaps = GAPS): ChordAngles {
  const count = arcs.length;
  if (count === 0) return { arcs: [], bands: [] };
  const gap = count > 1 ? Math.min(gaps.gap, (0.25 * TAU) / count) : 0;
  const room = TAU - gap * count;
  const { lengths, perOctet, raised } = shareOut(
    arcs.map((arc) => arc.sent),
    room,
    Math.min(gaps.least, (0.5 * room) / count),
  );
  const spans: Span[] = [];
  let angle = gap / 2;
  for (const length of lengths) {
    spans.push([angle, angle + length]);
    angle += length + gap;
  }
  return {
    arcs: arcs.map(({ id }, index) => {
      const span = spans[index]!;
      const isSlight = raised.has(index);
      const more = isSlight ? MARK_GAP * gap : 0;
      return { id, span, mark: [span[0] - more, span[1] + more], isSlight };
    }),
    bands: bandAngles(pairs, spans, perOctet),
  };
}

/** Lengths in proportion to the values, none below `least`; those above it keep their exact proportions. */
function shareOut(
  values: readonly number[],
  room: number,
  least: number,
): { lengths: number[]; perOctet: number; raised: ReadonlySet<number> } {
  let free = room;
  let total = values.reduce((sum, value) => sum + value, 0);
  const raised = new Set<number>();
  const ascending = values.map((_, index) => index).sort((x, y) => values[x]! - values[y]!);
  for (const index of ascending) {
    if (total > 0 && (values[index]! * free) / total >= least) break;
    raised.add(index);
    free -= least;
    total -= values[index]!;
  }
  if (raised.size === values.length) {
    return { lengths: values.map(() => room / values.length), perOctet: 0, raised: new Set() };
  }
  const perOctet = free / total;
  const lengths = values.map((value, index) => (raised.has(index) ? least : value * perOctet));
  return { lengths, perOctet, raised };
}

/** One end of a pair on an arc. */
interface End {
  readonly pair: number;
  readonly side: 'a' | 'b';
  /** How far clockwise the other end's arc is. */
  readonly ahead: number;
  readonly octets: number;
}

/**
 * Along an arc, clockwise, the ribbons leave to ever nearer partners, so that two ribbons of one arc never cross; the
 * segments of a ribbon stand in opposite order at its two ends, so that it does not twist.
 */
function bandAngles(pairs: readonly Pair[], spans: readonly Span[], perOctet: number): BandAngles[] {
  const ends: End[][] = spans.map(() => []);
  for (const [index, { a, b, forward, backward }] of pairs.entries()) {
    const ahead = (b - a + spans.length) % spans.length;
    ends[a]!.push({ pair: index, side: 'a', ahead, octets: forward });
    if (a !== b) ends[b]!.push({ pair: index, side: 'b', ahead: spans.length - ahead, octets: backward });
  }
  const starts = pairs.map(() => ({ a: 0, b: 0 }));
  const scales = spans.map(() => perOctet);
  for (const [arc, list] of ends.entries()) {
    list.sort((x, y) => y.ahead - x.ahead || x.pair - y.pair);
    const [start, end] = spans[arc]!;
    const octets = list.reduce((sum, one) => sum + one.octets, 0);
    // An arc raised to the least length, or whose links say more than its node, still holds all its ribbons.
    const scale = octets > 0 ? Math.min(perOctet, (end - start) / octets) : 0;
    scales[arc] = scale;
    let angle = start + (end - start - octets * scale) / 2;
    for (const one of list) {
      starts[one.pair]![one.side] = angle;
      angle += one.octets * scale;
    }
  }
  return pairs.flatMap((pair, index) =>
    splitPair(pair, index, starts[index]!, { a: scales[pair.a]!, b: scales[pair.b]! }),
  );
}

function splitPair(
  pair: Pair,
  at: number,
  start: { a: number; b: number },
  scale: { a: number; b: number },
): BandAngles[] {
  let angleA = start.a;
  let angleB = start.b + pair.backward * scale.b;
  return pair.bands.map(({ segment, forward, backward }) => {
    const a: Span = [angleA, angleA + forward * scale.a];
    angleA = a[1];
    const b: Span = pair.a === pair.b ? a : [angleB - backward * scale.b, angleB];
    angleB = b[0];
    return { id: `${pair.id}|${segment}`, pair: pair.id, at, segment, a, b };
  });
}
