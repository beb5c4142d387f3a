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
  /** Place of the pair in the matrix. */
  readonly at: number;
  readonly segment: string;
  /** At the pair's `a`, as wide as what `a` sent. */
  readonly a: Span;
  readonly b: Span;
}

/** All bands, as columns: there are thousands, new in every update, and few are looked at one by one. */
export interface Bands {
  /** Place of each band's pair in the matrix. */
  readonly at: readonly number[];
  readonly segments: readonly string[];
  /** Four for each: start and end at the pair's `a`, start and end at its `b`. */
  readonly angles: Float64Array;
}

/** One of the bands. */
export function bandOf({ at, segments, angles }: Bands, index: number): BandAngles {
  const first = 4 * index;
  return {
    at: at[index]!,
    segment: segments[index]!,
    a: [angles[first]!, angles[first + 1]!],
    b: [angles[first + 2]!, angles[first + 3]!],
  };
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
  readonly bands: Bands;
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
  if (count === 0) return { arcs: [], bands: bandAngles([], [], 0) };
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

/**
 * Along an arc, clockwise, the ribbons leave to ever nearer partners, so that two ribbons of one arc never cross; the
 * segments of a ribbon stand in opposite order at its two ends, so that it does not twist.
 */
function bandAngles(pairs: readonly Pair[], spans: readonly Span[], perOctet: number): Bands {
  const octets = new Float64Array(spans.length);
  for (const { a, b, forward, backward } of pairs) {
    octets[a]! += forward;
    if (a !== b) octets[b]! += backward;
  }
  // An arc raised to the least length, or whose links say more than its node, still holds all its ribbons.
  const scales = octets.map((sum, arc) =>
    sum > 0 ? Math.min(perOctet, (spans[arc]![1] - spans[arc]![0]) / sum) : 0,
  );
  const next = octets.map((sum, arc) => (spans[arc]![0] + spans[arc]![1] - sum * scales[arc]!) / 2);
  const startsA = new Float64Array(pairs.length);
  const startsB = new Float64Array(pairs.length);
  const ends = sortedEnds(pairs, spans.length);
  for (let i = 0; i < ends.length; i++) {
    const index = ends[i]! % pairs.length;
    const { a, forward, backward } = pairs[index]!;
    const arc = Math.floor(ends[i]! / (pairs.length * (spans.length + 1)));
    (arc === a ? startsA : startsB)[index] = next[arc]!;
    next[arc]! += (arc === a ? forward : backward) * scales[arc]!;
  }
  const at: number[] = [];
  const segments: string[] = [];
  const angles = new Float64Array(4 * pairs.reduce((count, pair) => count + pair.bands.length, 0));
  for (let index = 0, place = 0; index < pairs.length; index++) {
    const { a, b, backward, bands } = pairs[index]!;
    let angleA = startsA[index]!;
    let angleB = startsB[index]! + backward * scales[b]!;
    for (const band of bands) {
      at.push(index);
      segments.push(band.segment);
      angles[place] = angleA;
      angles[place + 1] = angleA += band.forward * scales[a]!;
      angles[place + 2] = a === b ? angles[place]! : angleB - band.backward * scales[b]!;
      angles[place + 3] = a === b ? angleA : angleB;
      angleB = angles[place + 2]!;
      place += 4;
    }
  }
  return { at, segments, angles };
}

/**
 * The ends of all pairs: by arc, then farthest clockwise first, then as the pairs stand; each is a number made of these
 * three, for numbers are sorted without asking.
 */
function sortedEnds(pairs: readonly Pair[], arcs: number): Float64Array {
  const ends = new Float64Array(2 * pairs.length);
  let count = 0;
  for (let index = 0; index < pairs.length; index++) {
    const { a, b } = pairs[index]!;
    const ahead = (b - a + arcs) % arcs;
    ends[count++] = (a * (arcs + 1) + arcs - ahead) * pairs.length + index;
    if (a !== b) ends[count++] = (b * (arcs + 1) + ahead) * pairs.length + index;
  }
  return ends.subarray(0, count).sort();
}
