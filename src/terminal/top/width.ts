/** How many columns of a terminal a text takes. */

/** A character with what combines with it, and its columns: 1 or 2. */
export interface Glyph {
  readonly text: string;
  readonly width: 1 | 2;
}

/** Whatever a terminal would act on, or could not show by itself. */
const UNSAFE = /[^\p{L}\p{N}\p{P}\p{S}\p{M} ]/u;
const COMBINING = /\p{M}/u;

/** First and last code points of East Asian wide and fullwidth characters, and of pictures (Unicode, EastAsianWidth.txt). */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

/** The glyphs of a text, in order. Control characters, which come from packets and files, are middle dots. */
export function glyphsOf(text: string): Glyph[] {
  const glyphs: { text: string; width: 1 | 2 }[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code >= 0x20 && code < 0x7f) glyphs.push({ text: character, width: 1 });
    else if (COMBINING.test(character)) {
      const last = glyphs.at(-1);
      if (last) last.text += character;
    } else if (UNSAFE.test(character)) glyphs.push({ text: '·', width: 1 });
    else glyphs.push({ text: character, width: isWide(code) ? 2 : 1 });
  }
  return glyphs;
}

/** Columns that a text takes. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return glyphsOf(text).reduce((sum, { width }) => sum + width, 0);
}

/** The text in at most `width` columns; where something is cut, its last column is an ellipsis. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (width <= 0) return '';
  let shown = '';
  let used = 0;
  for (const glyph of glyphsOf(text)) {
    if (used + glyph.width > width - 1) break;
    shown += glyph.text;
    used += glyph.width;
  }
  return `${shown}…`;
}

function isWide(code: number): boolean {
  return code >= 0x1100 && WIDE.some(([first, last]) => code >= first && code <= last);
}
