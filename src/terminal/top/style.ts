/** How a cell looks, as one number: what its text means, what lies behind it, and emphasis. */
import { TONES, toneOf } from '../../query/index.ts';

/** What a text means; a palette says which colour that is. The tones of segments follow behind. */
export const ROLES = ['ink', 'quiet', 'line', 'accent', 'good', 'warn', 'alarm', 'plain'] as const;
export type Role = (typeof ROLES)[number];

/** What lies behind a text. */
export const GROUNDS = ['none', 'chosen'] as const;
export type Ground = (typeof GROUNDS)[number];

/** Role in the lowest six bits, ground in the next two, then emphasis. */
export type Style = number;

export const BOLD = 1 << 8;
export const UNDERLINE = 1 << 9;
export const REVERSE = 1 << 10;

const ROLE_BITS = 6;

/** A text of this meaning. @param emphasis `BOLD`, `UNDERLINE`, `REVERSE`, joined by `|` */
export function styleOf(role: Role, emphasis = 0): Style {
  return ROLES.indexOf(role) | emphasis;
}

/** The colour of a segment, the same as on the page: see {@link toneOf}. */
export function segmentStyle(segment: string): Style {
  return segment === 'none' ? styleOf('plain') : ROLES.length + toneOf(segment);
}

/** The same text on another ground. */
export function onGround(style: Style, ground: Ground): Style {
  return (style & ~(3 << ROLE_BITS)) | (GROUNDS.indexOf(ground) << ROLE_BITS);
}

/** What a style is made of; `tone` is undefined where it is no segment's. */
export function partsOf(style: Style): {
  readonly role: Role | undefined;
  readonly tone: number | undefined;
  readonly ground: Ground;
  readonly emphasis: number;
} {
  const number = style & ((1 << ROLE_BITS) - 1);
  const tone = number - ROLES.length;
  return {
    role: ROLES[number],
    tone: tone >= 0 && tone < TONES ? tone : undefined,
    ground: GROUNDS[(style >> ROLE_BITS) & 3] ?? 'none',
    emphasis: style & (BOLD | UNDERLINE | REVERSE),
  };
}
