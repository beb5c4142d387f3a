import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { difference, Grid } from './screen.ts';
import { styleOf } from './style.ts';
import { cut, glyphsOf, widthOf } from './width.ts';

/** A terminal as far as differences use one: moves, styles, glyphs, clearing. */
class Shown {
  readonly grid: Grid;
  #row = 0;
  #column = 0;
  #style = 0;

  constructor(columns: number, rows: number) {
    this.grid = new Grid(columns, rows);
  }

  read(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it reads what a terminal reads.
    for (const [whole, parameters = '', final] of text.matchAll(/\x1b\[\??([0-9;]*)([A-Za-z])|[^\x1b]/gu)) {
      if (final === 'H')
        [this.#row, this.#column] = parameters.split(';').map((each) => Number(each) - 1) as [number, number];
      else if (final === 'm') this.#style = Number(parameters.split(';')[1] ?? 0);
      else if (final === 'J') this.#clear();
      else if (final === undefined) {
        const [glyph] = glyphsOf(whole);
        this.grid.write({ row: this.#row, column: this.#column }, whole, { style: this.#style });
        this.#column += glyph?.width ?? 0;
      }
    }
  }

  #clear(): void {
    this.grid.glyphs.fill(' ');
    this.grid.styles.fill(0);
  }
}

const sgr = (style: number): string => `\x1b[0;${style}m`;

const writing = fc.record({
  row: fc.integer({ min: 0, max: 4 }),
  column: fc.integer({ min: -2, max: 22 }),
  text: fc.string({ unit: fc.constantFrom('a', 'Z', ' ', '█', '界', 'é', '\x1b', '·', '9'), maxLength: 24 }),
  style: fc.integer({ min: 0, max: 40 }),
});

function gridOf(writings: readonly { row: number; column: number; text: string; style: number }[]): Grid {
  const grid = new Grid(20, 4);
  for (const { row, column, text, style } of writings) grid.write({ row, column }, text, { style });
  return grid;
}

test('what is sent turns any screen into any other', () => {
  fc.assert(
    fc.property(fc.array(fc.array(writing, { maxLength: 8 }), { minLength: 1, maxLength: 5 }), (frames) => {
      const shown = new Shown(20, 4);
      let before: Grid | undefined;
      for (const writings of frames) {
        const grid = gridOf(writings);
        shown.read(difference(before, grid, sgr));
        assert.deepEqual(shown.grid.glyphs, grid.glyphs);
        assert.deepEqual([...shown.grid.styles], [...grid.styles]);
        before = grid;
      }
    }),
  );
});

test('equal screens send nothing, and one changed number sends that number', () => {
  const of = (number: string): Grid => {
    const grid = new Grid(80, 24);
    grid.write({ row: 3, column: 10 }, `172.16.1.100  ${number} Gbit/s`);
    return grid;
  };
  assert.equal(difference(of('1.24'), of('1.24'), sgr), '');
  assert.equal(difference(of('1.24'), of('1.25'), sgr), '\x1b[?2026h\x1b[4;28H\x1b[0;0m5\x1b[0m\x1b[?2026l');
});

test('a screen of another size is drawn whole, after it was cleared', () => {
  const text = difference(new Grid(10, 2), new Grid(11, 2), sgr);
  assert.ok(text.includes('\x1b[2J'));
  assert.equal(text.match(/ /g)?.length, 22);
});

test('nothing is written beyond the edge, and no half of a wide character stays', () => {
  fc.assert(
    fc.property(fc.array(writing, { maxLength: 20 }), (writings) => {
      const grid = gridOf(writings);
      assert.equal(grid.glyphs.length, 80);
      for (let row = 0; row < 4; row++) assert.equal(widthOf(grid.line(row)), 20, grid.line(row));
    }),
  );
});

test('control characters are dots, and texts are cut to columns, not to characters', () => {
  const grid = new Grid(10, 1);
  grid.write({ row: 0, column: 0 }, 'a\x1b[31mb\u202e', { style: styleOf('alarm') });
  assert.equal(grid.line(0), 'a·[31mb·  ');
  assert.equal(cut('172.16.1.100', 8), '172.16.…');
  assert.equal(cut('世界世界', 5), '世界…');
  assert.equal(cut('abc', 3), 'abc');
  assert.equal(cut('abc', 0), '');
  assert.equal(widthOf('e\u0301'), 1);
});
