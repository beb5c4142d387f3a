/** Colours: how many a terminal has, and which one stands for what on which ground. */
import { BOLD, partsOf, REVERSE, type Role, type Style, UNDERLINE } from './style.ts';

/** Colours that a terminal has. */
export type Depth = 'none' | '16' | '256' | 'true';

/** For a dark ground, for a light one, or without any colour. */
export const THEMES = ['dark', 'light', 'plain'] as const;
export type Theme = (typeof THEMES)[number];

/** How many colours there are, by what the terminal says of itself (https://no-color.org, COLORTERM, TERM). */
export function depthOf(environment: Readonly<Record<string, string | undefined>>): Depth {
  const { NO_COLOR, COLORTERM = '', TERM = '' } = environment;
  if (NO_COLOR !== undefined && NO_COLOR !== '') return 'none';
  if (TERM === '' || TERM === 'dumb' || /^vt\d|mono|-m$/.test(TERM)) return 'none';
  if (/^(truecolor|24bit)$/.test(COLORTERM) || /-direct/.test(TERM)) return 'true';
  return /256/.test(TERM) ? '256' : '16';
}

/** The theme for the ground that a terminal says it has, by COLORFGBG; dark where it says nothing. */
export function themeOf({ COLORFGBG = '' }: Readonly<Record<string, string | undefined>>): Theme {
  const ground = Number(/;(\d+)$/.exec(COLORFGBG)?.[1] ?? 0);
  return ground === 7 || ground === 15 ? 'light' : 'dark';
}

/** A colour by its three parts and, for terminals with 16, by its code. Ink is the terminal's own. */
type Colour = readonly [hex: number, code: number | string];
interface Colours {
  readonly roles: Readonly<Record<Exclude<Role, 'ink'>, Colour>>;
  readonly tones: readonly Colour[];
  readonly chosen: number;
}

/**
 * The page's (web/src/style/ground.css). With 16 colours red is alarm's alone, and a light ground swallows white and what is
 * bright of green, yellow and cyan: two tones are told from others of their colour by a line below.
 */
const COLOURS: Readonly<Record<Exclude<Theme, 'plain'>, Colours>> = {
  dark: {
    roles: {
      quiet: [0x9ba1a8, 37],
      line: [0x5b636b, 90],
      accent: [0x7db4ff, 96],
      good: [0x7fcf9d, 92],
      warn: [0xefc375, 93],
      alarm: [0xff9d90, 91],
      plain: [0x868d95, 37],
    },
    tones: [
      [0xb599ff, 95],
      [0xea8945, 33],
      [0x53fabf, 92],
      [0x3e8fbe, 94],
      [0x886600, 32],
      [0xfed450, 93],
      [0xcdd2fe, 96],
      [0x6658cb, 34],
      [0x02c3a7, 36],
      [0xc43f83, 35],
    ],
    chosen: 0x2a3138,
  },
  light: {
    roles: {
      quiet: [0x5c6167, 90],
      line: [0xa9a59b, 90],
      accent: [0x0b5cc0, 34],
      good: [0x1d6b3c, 32],
      warn: [0x7a4f00, 33],
      alarm: [0xa02418, 31],
      plain: [0x7f848a, 90],
    },
    tones: [
      [0x794ccc, 35],
      [0xa04d00, 33],
      [0x07a175, 32],
      [0x005a83, 34],
      [0x563f00, 30],
      [0xa6840a, '4;33'],
      [0x7a7fc6, 36],
      [0x4122a0, 94],
      [0x027b69, '4;36'],
      [0x7c004e, 95],
    ],
    chosen: 0xe4e1da,
  },
};

/** Makes the sequence of a style, whatever was set before. Sequences are made once. */
export function paletteOf(depth: Depth, theme: Theme): (style: Style) => string {
  const made = new Map<Style, string>();
  const colours = theme === 'plain' || depth === 'none' ? undefined : COLOURS[theme];
  return (style) => {
    let sequence = made.get(style);
    if (sequence === undefined) {
      sequence = `\x1b[${codesOf(style, depth, colours).join(';')}m`;
      made.set(style, sequence);
    }
    return sequence;
  };
}

function codesOf(style: Style, depth: Depth, colours: Colours | undefined): (number | string)[] {
  const { role, tone, ground, emphasis } = partsOf(style);
  const codes: (number | string)[] = [0];
  if (emphasis & BOLD) codes.push(1);
  if (emphasis & UNDERLINE) codes.push(4);
  // Of 16 colours none lies behind every other one and leaves it legible.
  const isReversed = ground === 'chosen' && (!colours || depth === '16');
  if (emphasis & REVERSE || isReversed) codes.push(7);
  if (!colours) return codes;
  const colour =
    tone !== undefined ? colours.tones[tone] : role && role !== 'ink' ? colours.roles[role] : undefined;
  // On the reversed ground ink alone is legible in every palette; what is coloured there is told by words too.
  if (colour && !isReversed) codes.push(depth === '16' ? colour[1] : `38;${wordOf(colour[0], depth)}`);
  if (ground === 'chosen' && !isReversed) codes.push(`48;${wordOf(colours.chosen, depth)}`);
  return codes;
}

function wordOf(hex: number, depth: Depth): string {
  const [red, green, blue] = [hex >> 16, (hex >> 8) & 0xff, hex & 0xff];
  return depth === 'true' ? `2;${red};${green};${blue}` : `5;${nearest256(red, green, blue)}`;
}

/** Parts of the colours of xterm's cube. */
const STEPS: readonly number[] = [0, 95, 135, 175, 215, 255];

/** The nearest of xterm's 256 colours, of the cube (16…231) or of the greys (232…255). */
export function nearest256(red: number, green: number, blue: number): number {
  const step = (part: number): number =>
    STEPS.reduce((best, value, i) => (Math.abs(value - part) < Math.abs(STEPS[best]! - part) ? i : best), 0);
  const [r, g, b] = [step(red), step(green), step(blue)] as const;
  const grey = Math.max(0, Math.min(23, Math.round(((red + green + blue) / 3 - 8) / 10)));
  const distance = (x: number, y: number, z: number): number =>
    (x - red) ** 2 + (y - green) ** 2 + (z - blue) ** 2;
  const level = 8 + 10 * grey;
  return distance(level, level, level) < distance(STEPS[r]!, STEPS[g]!, STEPS[b]!)
    ? 232 + grey
    : 16 + 36 * r + 6 * g + b;
}
