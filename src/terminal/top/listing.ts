/** A list as rows and columns of plain values, before anybody says how wide the screen is. */
import type { List, Place, Sort } from './state.ts';

/** How a value is shown. */
export type CellKind =
  /** A word or an address, from the left. */
  | 'text'
  /** An address, with its port, or two of them joined by ` › `: by name where it has one. */
  | 'address'
  /** Id of a segment: its colour and its short name. */
  | 'segment'
  /** Octets or packets in the window, as a rate or an amount by the units chosen. */
  | 'octets'
  | 'packets'
  /** Octets whatever the units are. */
  | 'size'
  /** Grouped digits, every one. */
  | 'exact'
  | 'count'
  | 'bits'
  /** 0…1 of a whole: as a bar, or in figures. */
  | 'share'
  | 'part'
  /** Milliseconds. */
  | 'latency'
  | 'duration'
  /** Unix time, milliseconds. */
  | 'moment'
  /** Octets left of an MTU; below 0 something does not fit. */
  | 'room'
  /** What the row's rate was in the last minutes. */
  | 'trend';

/** A column. */
export interface ListColumn {
  readonly id: string;
  readonly title: string;
  readonly kind: CellKind;
  /** Characters it takes at least, and at most. */
  readonly least: number;
  readonly most: number;
  /** The higher, the earlier it is left out where there is no room; 0 never is. */
  readonly rank: number;
}

/** What is not known, or does not apply. */
export type Cell = string | number | null;

/** Something known of a row, in words. */
export type Fact = readonly [name: string, kind: CellKind, value: Cell];

/** A row. */
export interface ListRow {
  /** The same from answer to answer. */
  readonly key: string;
  /** By id of the column. */
  readonly cells: Readonly<Record<string, Cell>>;
  /** Octets in the window: what its trend is made of. */
  readonly octets: number;
  /** Where it leads to; undefined: to itself, in all detail. */
  readonly opens: Place | undefined;
  readonly words: string;
  readonly facts: () => readonly Fact[];
}

/** A list. */
export interface Listing {
  readonly list: List;
  readonly columns: readonly ListColumn[];
  readonly rows: readonly ListRow[];
  /** Column by which it is ordered where nobody chose one; undefined: as it comes. */
  readonly usual: string | undefined;
  /** `hosts`, `flows`: what there are so many of. */
  readonly noun: string;
  /** There are more than are listed. */
  readonly isCut: boolean;
  /** What is to be said of all of it; empty: nothing. */
  readonly note: string;
}

/** Kinds that are largest first; the others are in the order of their words. */
const DESCENDING: ReadonlySet<CellKind> = new Set([
  'octets',
  'packets',
  'size',
  'exact',
  'count',
  'bits',
  'share',
  'part',
  'latency',
  'duration',
  'moment',
]);

/** The column that orders a list, and whether its values fall. */
export function orderOf(
  { columns, usual }: Pick<Listing, 'columns' | 'usual'>,
  { column, isReversed }: Sort,
): { readonly id: string; readonly isFalling: boolean } | undefined {
  const id = columns.some((each) => each.id === column) ? column : usual;
  const found = columns.find((each) => each.id === id);
  return found && { id: found.id, isFalling: DESCENDING.has(found.kind) !== isReversed };
}

/** The rows in order. Ties are in the order of their keys, so that nothing moves without a reason. */
export function sortedRows(listing: Listing, sort: Sort): readonly ListRow[] {
  const order = orderOf(listing, sort);
  if (!order) return listing.rows;
  const sign = order.isFalling ? -1 : 1;
  const { id } = order;
  return listing.rows.toSorted(
    (a, b) => compareCells(a.cells[id], b.cells[id], sign) || byText(a.key, b.key),
  );
}

/** What is not known stands last, whichever way. */
function compareCells(a: Cell | undefined, b: Cell | undefined, sign: 1 | -1): number {
  const isKnown = (cell: Cell | undefined): boolean => cell !== null && cell !== undefined && cell !== '';
  if (!isKnown(a) || !isKnown(b)) return Number(isKnown(b)) - Number(isKnown(a));
  if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
  return sign * compareWords(String(a), String(b));
}

/** Numbers in words by their size: 10.0.0.9 before 10.0.0.10. */
function compareWords(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
