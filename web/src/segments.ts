/** One colour per segment, the same on every view and for everybody. */
import { compareSegments, type Segment, segmentHash, TONES, toneOf } from '../../src/query/index.ts';

export { compareSegments, segmentName, TONES } from '../../src/query/index.ts';

/** How a segment is drawn. */
export interface Paint {
  /** CSS class that sets `--tone`. */
  readonly tone: string;
  /** 0 is solid; 1… are patterns, for a segment whose colour another one with a smaller id has already. */
  readonly pattern: number;
}

/** Patterns there are beside solid. */
export const PATTERNS = 3;

const PLAIN: Paint = { tone: 'tone-none', pattern: 0 };

/**
 * Colours for the segments an agent has seen. The colour depends on the id alone, neighbouring ids have different
 * ones; of those that fall on one colour the smallest id is solid and the others are patterned.
 */
export function paintSegments(ids: readonly string[]): Map<string, Paint> {
  const paints = new Map<string, Paint>();
  const taken = new Array<number>(TONES).fill(0);
  for (const id of [...ids].sort(compareSegments)) {
    if (id === 'none') {
      paints.set(id, PLAIN);
      continue;
    }
    const tone = toneOf(id);
    const earlier = taken[tone]!++;
    paints.set(id, {
      tone: `tone-${tone}`,
      pattern: earlier <= PATTERNS ? earlier : 1 + (segmentHash(id) % PATTERNS),
    });
  }
  return paints;
}

/** The paint of one segment, also when the list does not have it yet. */
export function paintOf(paints: ReadonlyMap<string, Paint>, id: string): Paint {
  return paints.get(id) ?? (id === 'none' ? PLAIN : { tone: `tone-${toneOf(id)}`, pattern: 0 });
}

/** Whether nothing was seen lately. It stays listed (and chosen, when it was). */
export function isIdle(segment: Segment): boolean {
  return segment.octetRate === 0 && segment.packetRate === 0;
}
