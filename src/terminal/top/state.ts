/** What `top` shows as far as its user decides it, and what has to be asked for that. */
import {
  FilterError,
  type LiveQuestion,
  parseViewFilter,
  printFilter,
  type ViewQuestion,
} from '../../query/index.ts';
import { THEMES, type Theme } from './palette.ts';

/** In the order in which they stand. */
export const TABS = ['tunnels', 'flows', 'connections', 'hosts', 'ledger'] as const;
export type Tab = (typeof TABS)[number];

/** What a list has as rows. */
export const LISTS = [...TABS, 'clients'] as const;
export type List = (typeof LISTS)[number];

/** Bits or octets per second over the window, or what went in it. */
export const UNITS = ['bits', 'octets', 'amount'] as const;
export type Units = (typeof UNITS)[number];

/** Where the user went into. */
export type Place =
  /** All that the tab has. */
  | { readonly kind: 'all' }
  /** The clients of a host. */
  | { readonly kind: 'host'; readonly host: string }
  /** Flows of something: those that fit a filter, and are in a segment where one is named. */
  | {
      readonly kind: 'flows';
      readonly words: string;
      readonly filter: string;
      readonly segment: string | undefined;
    }
  /** One row of the list below, with all that is known of it. */
  | { readonly kind: 'row'; readonly key: string; readonly words: string };

/** A place, and where the user was in its list. */
export interface Level {
  readonly at: Place;
  /** Key of the chosen row; undefined: the first one, whichever that is. */
  readonly chosen: string | undefined;
  /** Where it stood when it was last seen: what has gone leaves the choice there. */
  readonly index: number;
  /** The first row in sight. */
  readonly first: number;
}

/** By which column a list is ordered; undefined is that list's usual one. */
export interface Sort {
  readonly column: string | undefined;
  readonly isReversed: boolean;
}

/** A filter being typed. */
export interface Field {
  readonly text: string;
  /** In UTF-16 units from 0. */
  readonly cursor: number;
  /** Which suggestion is chosen; −1: none. */
  readonly suggestion: number;
  /** Suggestions are not wanted until something else is typed. */
  readonly isClosed: boolean;
  /** What is wrong with what was entered. */
  readonly problem: { readonly message: string; readonly from: number; readonly to: number } | undefined;
}

/** All of it. */
export interface TopState {
  readonly columns: number;
  readonly rows: number;
  readonly tab: Tab;
  /** Per tab the way to where the user is: at least one level, the first of which is `all`. */
  readonly levels: Readonly<Record<Tab, readonly Level[]>>;
  readonly sorts: Readonly<Record<List, Sort>>;
  readonly window: ViewQuestion['window'];
  readonly units: Units;
  /** Whether names stand in place of addresses. */
  readonly isNamed: boolean;
  readonly theme: Theme;
  /** Whether the user chose the theme: then the terminal's ground does not. */
  readonly isThemeChosen: boolean;
  /** In force; empty: none. */
  readonly filter: string;
  readonly field: Field | undefined;
  /** Unix time, milliseconds, since which nothing moves. */
  readonly frozenMs: number | undefined;
  readonly isHelp: boolean;
  readonly helpFirst: number;
  /** Each of these has counted up when it is asked for. */
  readonly redraws: number;
  readonly suspensions: number;
  readonly isDone: boolean;
}

/** What `top` begins with. */
export interface TopStart {
  readonly columns: number;
  readonly rows: number;
  readonly filter?: string;
  readonly window?: ViewQuestion['window'];
  readonly theme?: Theme;
  readonly isThemeChosen?: boolean;
  readonly tab?: Tab;
}

const BASE: Level = { at: { kind: 'all' }, chosen: undefined, index: 0, first: 0 };
const USUAL: Sort = { column: undefined, isReversed: false };

/** The state at the beginning. */
export function beginning(start: TopStart): TopState {
  return {
    columns: start.columns,
    rows: start.rows,
    tab: start.tab ?? 'tunnels',
    levels: Object.fromEntries(TABS.map((tab) => [tab, [BASE]])) as unknown as TopState['levels'],
    sorts: Object.fromEntries(LISTS.map((list) => [list, USUAL])) as unknown as TopState['sorts'],
    window: start.window ?? '5s',
    units: 'bits',
    isNamed: true,
    theme: start.theme ?? THEMES[0],
    isThemeChosen: start.isThemeChosen ?? false,
    filter: start.filter ?? '',
    field: undefined,
    frozenMs: undefined,
    isHelp: false,
    helpFirst: 0,
    redraws: 0,
    suspensions: 0,
    isDone: false,
  };
}

/** Where the user is, in the tab that is shown. */
export function levelOf({ levels, tab }: TopState): Level {
  return levels[tab].at(-1)!;
}

/** The list that is shown, or that a row is of which is shown by itself. */
export function listOf({ levels, tab }: TopState): List {
  const place = levels[tab].findLast(({ at }) => at.kind !== 'row')!.at;
  if (place.kind === 'host') return 'clients';
  return place.kind === 'flows' ? 'flows' : tab;
}

/** Rows that are asked for: what is further down is too small to be looked for without a filter. */
const MOST_ROWS = 500;

/** What has to be asked. */
export interface Asked {
  readonly view: ViewQuestion;
  readonly table: LiveQuestion | undefined;
  readonly list: List;
  /** In force; empty: none. */
  readonly filter: string;
  /** Flows of other segments are left out; undefined: of none. */
  readonly segment: string | undefined;
  /** Equal where the same is asked: answers to something else are not to be shown. */
  readonly key: string;
}

/** What the list in sight needs. */
export function askedOf(state: TopState): Asked {
  const { window } = state;
  const list = listOf(state);
  const place = state.levels[state.tab].findLast(({ at }) => at.kind !== 'row')!.at;
  const filter = state.filter === '' ? {} : { filter: state.filter };
  const host = place.kind === 'host' ? { host: place.host } : {};
  const view: ViewQuestion = { window, segment: 'all', ...host, ...filter };
  const ofPlace = place.kind === 'flows' ? place.filter : '';
  const joined = both(state.filter, ofPlace);
  const table: LiveQuestion | undefined =
    list === 'flows' || list === 'tunnels'
      ? {
          ask: list,
          quantity: 'octets',
          window,
          limit: MOST_ROWS,
          ...(joined === '' ? {} : { filter: joined }),
        }
      : undefined;
  const segment = place.kind === 'flows' ? place.segment : undefined;
  return { view, table, list, filter: state.filter, segment, key: JSON.stringify([list, view, table]) };
}

/** Both filters at once. */
function both(first: string, second: string): string {
  return first === '' ? second : second === '' ? first : `(${first}) and (${second})`;
}

/** Reads a filter that was typed. @returns its canonical form, or what is wrong and where */
export function readFilter(
  text: string,
): { readonly filter: string } | { readonly problem: NonNullable<Field['problem']> } {
  try {
    const filter = parseViewFilter(text);
    return { filter: filter.kind === 'any' ? '' : printFilter(filter) };
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return { problem: { message: error.message, ...error.span } };
  }
}
