/** A screen as a grid of cells, and what a terminal must be sent to show another one. */
import type { Style } from './style.ts';
import { glyphsOf } from './width.ts';

/** A place on the screen, from 0. */
export interface Spot {
  readonly row: number;
  readonly column: number;
}

/** What a terminal shows: a glyph and a style per cell. Behind a glyph of two columns stands an empty one. */
export class Grid {
  readonly columns: number;
  readonly rows: number;
  readonly glyphs: string[];
  readonly styles: Uint16Array;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.glyphs = new Array<string>(columns * rows).fill(' ');
    this.styles = new Uint16Array(columns * rows);
  }

  /**
   * Writes a text; what does not fit before `limit`, or before the edge, is left out.
   *
   * @returns the column behind it
   */
  write(
    { row, column }: Spot,
    text: string,
    { style = 0, limit = this.columns }: { readonly style?: Style; readonly limit?: number } = {},
  ): number {
    if (row < 0 || row >= this.rows) return column;
    const end = Math.min(limit, this.columns);
    let at = column;
    for (const glyph of glyphsOf(text)) {
      if (at + glyph.width > end) break;
      if (at >= 0) this.#put(row * this.columns + at, glyph.text, { width: glyph.width, style });
      at += glyph.width;
    }
    return at;
  }

  /** Gives a style's ground and emphasis to a stretch of a row that is written already. */
  restyle(row: number, [from, to]: readonly [number, number], change: (style: Style) => Style): void {
    for (let at = row * this.columns + from; at < row * this.columns + Math.min(to, this.columns); at++)
      this.styles[at] = change(this.styles[at]!);
  }

  /** A row as text, for tests and for nothing else to parse. */
  line(row: number): string {
    return this.glyphs.slice(row * this.columns, (row + 1) * this.columns).join('');
  }

  #put(cell: number, text: string, { width, style }: { readonly width: 1 | 2; readonly style: Style }): void {
    // Half of a glyph of two columns cannot stay.
    if (this.glyphs[cell] === '') this.glyphs[cell - 1] = ' ';
    const last = cell + width - 1;
    if (this.glyphs[last + 1] === '' && last + 1 < this.glyphs.length) this.glyphs[last + 1] = ' ';
    this.glyphs[cell] = text;
    this.styles[cell] = style;
    if (width === 2) {
      this.glyphs[cell + 1] = '';
      this.styles[cell + 1] = style;
    }
  }
}

/** Unchanged cells between changed ones that are cheaper to write again than to jump over. */
const JUMP = 5;
/** From here to there a terminal shows nothing half done (synchronized output); those that do not know it ignore it. */
const BEGIN = '\x1b[?2026h';
const END = '\x1b[?2026l';

/**
 * What shows `after` where `before` is shown; empty where they are equal.
 *
 * @param before undefined where nobody knows what is shown; of another size it says nothing
 * @param sgr the sequence that sets a style, whatever was set before
 */
export function difference(before: Grid | undefined, after: Grid, sgr: (style: Style) => string): string {
  const known = before && before.columns === after.columns && before.rows === after.rows ? before : undefined;
  let out = '';
  let style: Style | undefined;
  for (let row = 0; row < after.rows; row++) {
    for (const [from, to] of changes(known, after, row)) {
      out += `\x1b[${row + 1};${from + 1}H`;
      for (let column = from; column < to; column++) {
        const cell = row * after.columns + column;
        if (after.styles[cell] !== style) {
          style = after.styles[cell]!;
          out += sgr(style);
        }
        out += after.glyphs[cell];
      }
    }
  }
  if (out === '') return '';
  return `${BEGIN}${known ? '' : '\x1b[0m\x1b[2J'}${out}\x1b[0m${END}`;
}

/** Stretches of a row that are to be written, each from the beginning of a glyph. */
function changes(before: Grid | undefined, after: Grid, row: number): [number, number][] {
  if (!before) return [[0, after.columns]];
  const stretches: [number, number][] = [];
  for (let column = 0; column < after.columns; column++) {
    const cell = row * after.columns + column;
    if (before.glyphs[cell] === after.glyphs[cell] && before.styles[cell] === after.styles[cell]) continue;
    const from = after.glyphs[cell] === '' ? column - 1 : column;
    const last = stretches.at(-1);
    if (last && from - last[1] <= JUMP) last[1] = column + 1;
    else stretches.push([from, column + 1]);
  }
  // A glyph of two columns is written whole.
  for (const stretch of stretches)
    if (stretch[1] < after.columns && after.glyphs[row * after.columns + stretch[1]] === '') stretch[1]++;
  return stretches;
}
