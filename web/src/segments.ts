/** One colour per segment, the same on every view and for everybody. */
import { isTunnelName, TUNNEL, tunnelWords } from '../../src/flow/index.ts';
import type { Segment } from '../../src/query/index.ts';

/** How many colours there are; `page.css` defines them for both grounds. */
export const TONES = 10;

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
      pattern: earlier <= PATTERNS ? earlier : 1 + (hash(id) % PATTERNS),
    });
  }
  return paints;
}

/** The paint of one segment, also when the list does not have it yet. */
export function paintOf(paints: ReadonlyMap<string, Paint>, id: string): Paint {
  return paints.get(id) ?? (id === 'none' ? PLAIN : { tone: `tone-${toneOf(id)}`, pattern: 0 });
}

function toneOf(id: string): number {
  const [kind = '', number = '0'] = id.split(':');
  return (Number(number) + (kind === 'vxlan' ? 0 : hash(kind))) % TONES;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return value;
}

/** Plain traffic first, then by tunnel type and number. */
export function compareSegments(x: string, y: string): number {
  if (x === 'none' || y === 'none') return x === y ? 0 : x === 'none' ? -1 : 1;
  const [kindX = '', numberX = ''] = x.split(':');
  const [kindY = '', numberY = ''] = y.split(':');
  return kindX === kindY ? Number(numberX) - Number(numberY) : kindX < kindY ? -1 : 1;
}

/** `VNI 10003`, `TEID 0x1a2b`, `plain traffic`: see {@link tunnelWords}. */
export function segmentName(id: string): string {
  if (id === 'none') return 'plain traffic';
  const [name = '', number] = id.split(':');
  return isTunnelName(name) ? tunnelWords(TUNNEL[name], Number(number)) : `${name} ${number}`;
}

/** Whether nothing was seen lately. It stays listed (and chosen, when it was). */
export function isIdle(segment: Segment): boolean {
  return segment.octetRate === 0 && segment.packetRate === 0;
}
