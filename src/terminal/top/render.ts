/** The whole screen, from what the user wants and what is known: a pure function. */
import type { Answers } from './answers.ts';
import { isStale } from './answers.ts';
import { type Body, NO_NAMES_WANTED, writeFacts, writeHelp, writeList, writeWords } from './body.ts';
import { MOST_SUGGESTIONS, suggestionsOf } from './field.ts';
import { HEADER_ROWS, writeHeader } from './header.ts';
import { knownValues } from './known.ts';
import { orderOf, sortedRows } from './listing.ts';
import type { Sight, Target } from './reduce.ts';
import { Grid, type Spot } from './screen.ts';
import { levelOf, listOf, type TopState } from './state.ts';
import { BOLD, onGround, styleOf } from './style.ts';
import { cut, widthOf } from './width.ts';

/** Smaller than this nothing is legible. */
export const LEAST_COLUMNS = 40;
export const LEAST_ROWS = 10;

/** What is to be shown, and what keys refer to. */
export interface Frame {
  readonly grid: Grid;
  /** Where the cursor blinks; undefined: nowhere. */
  readonly cursor: Spot | undefined;
  readonly sight: Sight;
}

const QUIET = styleOf('quiet');

/** Draws a frame. @param nowMs Unix time, milliseconds */
export function render(state: TopState, answers: Answers, nowMs: number): Frame {
  const grid = new Grid(state.columns, state.rows);
  if (state.columns < LEAST_COLUMNS || state.rows < LEAST_ROWS) return tooSmall(grid);
  const body: Body = { top: HEADER_ROWS, bottom: state.rows - 1 };
  const isFaded = answers.lost !== undefined || isStale(answers, nowMs);
  const listing = answers.listing;
  const level = levelOf(state);
  const known = knownValues(answers);
  const place = { state, answers, isFaded };
  const shown = state.isHelp
    ? writeHelp(grid, body, state.helpFirst)
    : !listing
      ? writeWords(grid, body, waitingWords(answers, nowMs))
      : level.at.kind === 'row'
        ? writeFacts(grid, body, { ...place, listing, key: level.at.key })
        : writeList(grid, body, { ...place, listing, rows: sortedRows(listing, state.sorts[listOf(state)]) });
  const header = writeHeader(grid, { state, answers, nowMs, range: state.isHelp ? '' : shown.range });
  writeFooter(grid, { state, answers, nowMs });
  const cursor = state.field && writeField(grid, state, known);
  const ordered = listing && orderOf(listing, state.sorts[listing.list]);
  return {
    grid,
    cursor,
    sight: {
      rows: shown.rows,
      index: shown.index,
      first: shown.first,
      page: Math.max(1, shown.page),
      rest: shown.rest,
      named: shown.named,
      columns: shown.columns,
      ordered: ordered?.id,
      targets: state.isHelp || state.field ? [] : [...header, ...shown.targets],
      known,
    },
  };
}

function tooSmall(grid: Grid): Frame {
  const words = `too small: ${LEAST_COLUMNS}×${LEAST_ROWS} is needed`;
  const column = Math.max(0, Math.floor((grid.columns - words.length) / 2));
  grid.write({ row: Math.floor(grid.rows / 2), column }, cut(words, grid.columns));
  const targets: Target[] = [];
  return {
    grid,
    cursor: undefined,
    sight: {
      rows: [],
      index: -1,
      first: 0,
      page: 1,
      rest: 0,
      columns: [],
      ordered: undefined,
      targets,
      known: {},
      named: NO_NAMES_WANTED,
    },
  };
}

function waitingWords({ lost, refusal, view }: Answers, nowMs: number): readonly string[] {
  if (refusal !== undefined) return [refusal];
  if (lost) return [lost.reason, `Asking again ${nextWords(lost.nextMs - nowMs)}.`];
  return view ? ['Waiting for the answer …'] : ['Waiting for the first epoch …'];
}

function nextWords(ms: number): string {
  return ms <= 0 ? 'now' : `in ${Math.ceil(ms / 1000)} s`;
}

/** Keys in the order of their worth; what does not fit goes from the end. */
const HINTS: readonly (readonly [key: string, does: string])[] = [
  ['Enter', 'go in'],
  ['/', 'filter'],
  ['s', 'sort'],
  ['f', 'freeze'],
  ['w', 'window'],
  ['?', 'help'],
  ['q', 'quit'],
  ['u', 'units'],
  ['r', 'reverse'],
  ['n', 'names'],
  ['t', 'theme'],
];

function writeFooter(
  grid: Grid,
  { state, answers, nowMs }: { readonly state: TopState; readonly answers: Answers; readonly nowMs: number },
): void {
  const row = grid.rows - 1;
  const { lost, problem, listing } = answers;
  if (lost && listing) {
    const words = `${lost.reason}; asking again ${nextWords(lost.nextMs - nowMs)}`;
    grid.write({ row, column: 1 }, cut(words, grid.columns - 2), { style: styleOf('alarm') });
    return;
  }
  if (problem !== undefined && !state.field) {
    grid.write({ row, column: 1 }, cut(`Problem: ${problem}`, grid.columns - 2), { style: styleOf('warn') });
    return;
  }
  const isDeep = state.levels[state.tab].length > 1;
  const hints = state.field
    ? ([
        ['Enter', 'apply'],
        ['Tab', 'complete'],
        ['↑↓', 'choose'],
        ['Esc', 'leave'],
      ] as const)
    : state.isHelp
      ? ([['any key', 'back']] as const)
      : isDeep
        ? ([['Esc', 'back'], ...HINTS] as const)
        : HINTS;
  let column = 1;
  for (const [key, does] of hints) {
    if (column + widthOf(key) + 1 + widthOf(does) >= grid.columns) break;
    column = grid.write({ row, column }, key, { style: styleOf('ink', BOLD) });
    column = grid.write({ row, column: column + 1 }, does, { style: QUIET }) + 2;
  }
}

/** The filter being typed, over the path; below it what could be typed, or what is wrong. @returns where the cursor is */
function writeField(grid: Grid, state: TopState, known: Sight['known']): Spot {
  const row = HEADER_ROWS - 1;
  const field = state.field!;
  const label = ' filter ';
  const room = grid.columns - label.length - 1;
  clear(grid, row);
  grid.write({ row, column: 0 }, label, { style: styleOf('accent', BOLD) });
  // The part around the cursor, where all of it is too long.
  const before = widthOf(field.text.slice(0, field.cursor));
  const skipped = Math.max(0, before - room + 1);
  const shown = field.text.slice(skipped);
  grid.write({ row, column: label.length }, shown, { limit: grid.columns });
  const column = Math.min(grid.columns - 1, label.length + before - skipped);
  if (field.problem) {
    const at = Math.max(0, field.problem.from - skipped);
    const width = Math.max(1, Math.min(field.problem.to, field.text.length) - field.problem.from);
    clear(grid, row + 1);
    clear(grid, row + 2);
    grid.write({ row: row + 1, column: label.length + at }, '^'.repeat(width), {
      style: styleOf('alarm', BOLD),
    });
    grid.write({ row: row + 2, column: label.length }, cut(field.problem.message, room), {
      style: styleOf('alarm'),
    });
    return { row, column };
  }
  const completion = suggestionsOf(field, known);
  const from = Math.max(
    0,
    Math.min(grid.columns - 34, label.length + widthOf(field.text.slice(0, completion.from)) - skipped),
  );
  const words = completion.suggestions.slice(0, Math.min(MOST_SUGGESTIONS, grid.rows - row - 3));
  const wide = Math.max(0, ...words.map(({ text }) => widthOf(text)));
  const means = Math.max(0, ...words.map(({ meaning }) => widthOf(meaning)));
  const width = Math.min(grid.columns - from, wide + (means > 0 ? means + 4 : 2));
  for (const [i, { text, meaning }] of words.entries()) {
    const line = row + 1 + i;
    const style = onGround(styleOf('ink', i === field.suggestion ? BOLD : 0), 'chosen');
    grid.write({ row: line, column: from }, ' '.repeat(width), { style });
    grid.write({ row: line, column: from }, i === field.suggestion ? '›' : ' ', { style });
    grid.write({ row: line, column: from + 1 }, text, { style, limit: from + width });
    grid.write({ row: line, column: from + wide + 3 }, cut(meaning, width - wide - 4), {
      style: onGround(QUIET, 'chosen'),
      limit: from + width,
    });
  }
  return { row, column };
}

function clear(grid: Grid, row: number): void {
  grid.write({ row, column: 0 }, ' '.repeat(grid.columns));
}
