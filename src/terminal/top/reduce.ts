/** What a key, the mouse or a new size make of the state. Pure: what stands on the screen is told. */
import { type KnownValues, type NamesQuestion, WINDOWS } from '../../query/index.ts';
import { openField, type as typed } from './field.ts';
import type { TerminalInput } from './keys.ts';
import type { ListRow } from './listing.ts';
import { THEMES } from './palette.ts';
import { type Level, levelOf, listOf, type Place, TABS, type Tab, type TopState, UNITS } from './state.ts';

/** What happens to a state. */
export type TopInput =
  | TerminalInput
  | { readonly kind: 'resize'; readonly columns: number; readonly rows: number }
  /** What was written has gone out: there is room for a frame again. */
  | { readonly kind: 'drained' };

/** A part of the screen that does something when it is pressed. `to` is just behind. */
export interface Target {
  readonly row: number;
  readonly from: number;
  readonly to: number;
  readonly does:
    | { readonly kind: 'tab'; readonly tab: Tab }
    | { readonly kind: 'sort'; readonly column: string }
    | { readonly kind: 'row'; readonly index: number }
    | { readonly kind: 'up'; readonly depth: number };
}

/** What stands on the screen, as far as keys refer to it. */
export interface Sight {
  /** All rows of the list, in its order; none where one row is shown by itself. */
  readonly rows: readonly Pick<ListRow, 'key' | 'opens' | 'words'>[];
  /** The chosen one's place among them; −1: there are none. */
  readonly index: number;
  readonly first: number;
  /** Rows in sight at most. */
  readonly page: number;
  /** Columns by which can be ordered, in their order, and by which it is. */
  readonly columns: readonly string[];
  readonly ordered: string | undefined;
  readonly targets: readonly Target[];
  /** Values in sight, for suggestions. */
  readonly known: KnownValues;
  /** Addresses and segments in sight that may have names. */
  readonly named: NamesQuestion;
  /** Lines that do not fit, of help or of what is known of one row. */
  readonly rest: number;
}

const WHEEL_ROWS = 3;

/** The next state. @param nowMs Unix time */
export function reduce(state: TopState, input: TopInput, sight: Sight, nowMs: number): TopState {
  switch (input.kind) {
    case 'resize':
      return { ...state, columns: input.columns, rows: input.rows };
    case 'ground':
      return state.isThemeChosen ? state : { ...state, theme: input.isDark ? 'dark' : 'light' };
    case 'drained':
      return state;
    default:
      if (state.field) return typeInto(state, input, sight);
      if (state.isHelp) return readHelp(state, input, sight);
      if (input.kind === 'mouse') return point(state, input, sight);
      return input.kind === 'key' ? press(state, input.key, { sight, nowMs }) : state;
  }
}

function typeInto(state: TopState, input: TerminalInput, { known }: Sight): TopState {
  const result = typed(state.field!, input, known);
  if (result.kind === 'typing') return { ...state, field: result.field };
  const closed = { ...state, field: undefined };
  if (result.kind === 'left' || result.filter === state.filter) return closed;
  return atTop({ ...closed, filter: result.filter });
}

function readHelp(state: TopState, input: TerminalInput, { rest, page }: Sight): TopState {
  const scrolled = (by: number): TopState => ({
    ...state,
    helpFirst: Math.max(0, Math.min(rest, state.helpFirst + by)),
  });
  if (input.kind === 'mouse') {
    if (input.action === 'wheel-up') return scrolled(-WHEEL_ROWS);
    return input.action === 'wheel-down' ? scrolled(WHEEL_ROWS) : state;
  }
  if (input.kind !== 'key') return state;
  switch (input.key) {
    case 'up':
    case 'k':
      return scrolled(-1);
    case 'down':
    case 'j':
      return scrolled(1);
    case 'pageup':
      return scrolled(-page);
    case 'pagedown':
      return scrolled(page);
    case 'ctrl-c':
      return { ...state, isDone: true };
    default:
      return { ...state, isHelp: false, helpFirst: 0 };
  }
}

/** What keys do where a list is shown. */
function press(
  state: TopState,
  key: string,
  { sight, nowMs }: { readonly sight: Sight; readonly nowMs: number },
): TopState {
  if (/^[1-9]$/.test(key)) return toTab(state, TABS[Number(key) - 1] ?? state.tab);
  const moves = movesOf(sight)[key];
  if (moves !== undefined) return choose(state, sight, moves);
  switch (key) {
    case 'tab':
      return toTab(state, next(TABS, state.tab, 1));
    case 'backtab':
      return toTab(state, next(TABS, state.tab, -1));
    case 's':
    case '>':
    case 'right':
      return sortBy(state, sight, 1);
    case 'S':
    case '<':
    case 'left':
      return sortBy(state, sight, -1);
    case 'r':
      return withSort(state, { isReversed: !state.sorts[listOf(state)].isReversed });
    case '/':
      return { ...state, field: openField(state.filter) };
    case 'enter':
      return open(state, sight);
    case 'd':
      return levelOf(state).at.kind === 'row' ? state : open(state, sight, true);
    case 'backspace':
    case 'escape':
      return back(state);
    case 'f':
    case ' ':
      return { ...state, frozenMs: state.frozenMs === undefined ? nowMs : undefined };
    case 'w':
      return { ...state, window: next(WINDOWS, state.window, 1) };
    case 'u':
      return { ...state, units: next(UNITS, state.units, 1) };
    case 'n':
      return { ...state, isNamed: !state.isNamed };
    case 't':
      return { ...state, theme: next(THEMES, state.theme, 1), isThemeChosen: true };
    case '?':
    case 'h':
      return { ...state, isHelp: true, helpFirst: 0 };
    case 'ctrl-l':
      return { ...state, redraws: state.redraws + 1 };
    case 'ctrl-z':
      return { ...state, suspensions: state.suspensions + 1 };
    case 'q':
    case 'ctrl-c':
      return { ...state, isDone: true };
    default:
      return state;
  }
}

/** Where keys move the choice to. */
function movesOf({ index: at, page, rows, first, rest }: Sight): Readonly<Record<string, number>> {
  const index = Math.max(0, at);
  const [up, down] = [index - 1, index + 1];
  const [home, last] = rows.length > 0 ? [0, rows.length - 1] : [-first, rest - first];
  return {
    up,
    k: up,
    'ctrl-p': up,
    down,
    j: down,
    'ctrl-n': down,
    pageup: index - page,
    'ctrl-b': index - page,
    pagedown: index + page,
    'ctrl-f': index + page,
    home,
    g: home,
    end: last,
    G: last,
  };
}

/** The first row is not followed when another one takes its place: who looks at the top looks at the largest. */
function choose(state: TopState, { rows, first, index: now, rest }: Sight, wanted: number): TopState {
  // No row to choose: what is shown is moved.
  if (rows.length === 0)
    return withLevel(state, { first: Math.max(0, Math.min(rest, first + wanted - Math.max(0, now))) });
  const index = Math.max(0, Math.min(rows.length - 1, wanted));
  return withLevel(state, {
    chosen: index === 0 ? undefined : rows[index]!.key,
    index,
    first: index === 0 ? 0 : first,
  });
}

/** @param isItself all that is known of the row, and not where it leads to */
function open(state: TopState, { rows, index, first }: Sight, isItself = false): TopState {
  const row = rows[index];
  if (!row) return state;
  // Where it was opened it is found again, however it was chosen.
  const held = withLevel(state, { chosen: row.key, index, first });
  const itself: Place = { kind: 'row', key: row.key, words: row.words };
  const at = isItself ? itself : (row.opens ?? itself);
  return withLevels(held, [...held.levels[held.tab], { at, chosen: undefined, index: 0, first: 0 }]);
}

/** One level up; at the top what else was asked for ends, the nearest first. */
function back(state: TopState): TopState {
  const levels = state.levels[state.tab];
  if (levels.length > 1) return withLevels(state, levels.slice(0, -1));
  if (state.frozenMs !== undefined) return { ...state, frozenMs: undefined };
  return state.filter === '' ? state : atTop({ ...state, filter: '' });
}

function point(
  state: TopState,
  { action, row, column }: Extract<TerminalInput, { kind: 'mouse' }>,
  sight: Sight,
): TopState {
  if (action === 'wheel-up') return choose(state, sight, sight.index - WHEEL_ROWS);
  if (action === 'wheel-down') return choose(state, sight, sight.index + WHEEL_ROWS);
  if (action !== 'press') return state;
  const target = sight.targets.find((each) => each.row === row && column >= each.from && column < each.to);
  switch (target?.does.kind) {
    case 'tab':
      return toTab(state, target.does.tab);
    case 'sort':
      return target.does.column === sight.ordered
        ? withSort(state, { isReversed: !state.sorts[listOf(state)].isReversed })
        : withSort(state, { column: target.does.column, isReversed: false });
    case 'row':
      return target.does.index === sight.index ? open(state, sight) : choose(state, sight, target.does.index);
    case 'up':
      return withLevels(state, state.levels[state.tab].slice(0, target.does.depth + 1));
    default:
      return state;
  }
}

function sortBy(state: TopState, { columns, ordered }: Sight, by: 1 | -1): TopState {
  if (columns.length === 0) return state;
  const at = ordered === undefined ? -1 : columns.indexOf(ordered);
  const column = at < 0 ? columns[by > 0 ? 0 : columns.length - 1]! : next(columns, columns[at]!, by);
  return withSort(state, { column, isReversed: false });
}

function withSort(state: TopState, change: Partial<TopState['sorts'][keyof TopState['sorts']]>): TopState {
  const list = listOf(state);
  return { ...state, sorts: { ...state.sorts, [list]: { ...state.sorts[list], ...change } } };
}

/** Another tab; the one that is shown leads back to its beginning. */
function toTab(state: TopState, tab: Tab): TopState {
  if (tab !== state.tab) return { ...state, tab };
  return withLevels(state, state.levels[tab].slice(0, 1));
}

/** With another filter the rows are others. */
function atTop(state: TopState): TopState {
  return withLevel(state, { chosen: undefined, index: 0, first: 0 });
}

function withLevel(state: TopState, change: Partial<Level>): TopState {
  return withLevels(state, [...state.levels[state.tab].slice(0, -1), { ...levelOf(state), ...change }]);
}

function withLevels(state: TopState, levels: readonly Level[]): TopState {
  return { ...state, levels: { ...state.levels, [state.tab]: levels } };
}

function next<Value>(values: readonly Value[], value: Value, by: 1 | -1): Value {
  return values[(values.indexOf(value) + by + values.length) % values.length]!;
}
