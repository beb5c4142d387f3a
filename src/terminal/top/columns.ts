/** Which columns of a list fit on a screen, and how wide they are. */
import { exactText } from './figures.ts';
import type { ListColumn, Listing, ListRow } from './listing.ts';
import { type Naming, NO_NAMES, shownText } from './names.ts';
import { widthOf } from './width.ts';

/** A column in its place. */
export interface PlacedColumn extends ListColumn {
  /** Its first character, from 0. */
  readonly from: number;
  readonly width: number;
}

/** Blanks between columns. */
const GAP = 2;
/** Widths that text columns have: an address, one with a port, and the same of IPv6. A row more or less does not move columns. */
const STEPS = [5, 9, 13, 15, 18, 21, 26, 28, 32, 39, 47] as const;
/** A text column on a very narrow screen. */
const NARROWEST = 6;

/** Places the columns in `width` characters from `from` on. What does not fit is left out by its rank. */
export function placeColumns(
  listing: Pick<Listing, 'columns' | 'rows'>,
  {
    from,
    width,
    naming = NO_NAMES,
  }: { readonly from: number; readonly width: number; readonly naming?: Naming },
): PlacedColumn[] {
  const wanted = (by: Naming): Map<string, number> =>
    new Map(listing.columns.map((column) => [column.id, wantedOf(column, listing, by)]));
  // Names get what is left: no column goes for them.
  const chosen = choose(listing.columns, wanted(NO_NAMES), width);
  const widths = spread(chosen, wanted(naming), width);
  let at = from;
  return chosen.flatMap((column, i) => {
    const placed = { ...column, from: at, width: widths[i]! };
    at += widths[i]! + GAP;
    return placed.width > 0 && placed.from + placed.width <= from + width ? [placed] : [];
  });
}

/** What a column takes where there is room: of texts what their rows need. */
function wantedOf(column: ListColumn, { rows }: Pick<Listing, 'rows'>, naming: Naming): number {
  if (column.kind === 'exact') return exactWidth(column, rows);
  if (!isWord(column)) return column.most;
  const mark = column.kind === 'segment' ? 2 : 0;
  const longest = rows.reduce(
    (most, { cells }) => Math.max(most, widthOf(shownText(cells[column.id] ?? null, column.kind, naming))),
    0,
  );
  const step = STEPS.find((each) => each >= longest + mark) ?? column.most;
  return Math.max(column.least, Math.min(column.most, step));
}

function isWord({ kind }: ListColumn): boolean {
  return kind === 'text' || kind === 'address' || kind === 'segment';
}

/** No digit is left out. */
function exactWidth({ id, least, most }: ListColumn, rows: readonly ListRow[]): number {
  const longest = rows.reduce(
    (width, { cells }) => Math.max(width, exactText(Number(cells[id] ?? 0)).length),
    0,
  );
  return Math.max(least, Math.min(most, longest));
}

/** As many as fit with what rank 0 wants. Rank 1 is worth more than whole texts: it goes where the least of each is too much. */
function choose(
  columns: readonly ListColumn[],
  wanted: ReadonlyMap<string, number>,
  width: number,
): readonly ListColumn[] {
  const need = (column: ListColumn, isWanted: boolean): number =>
    isWanted && column.rank === 0 ? wanted.get(column.id)! : column.least;
  const sum = (some: readonly ListColumn[], isWanted: boolean): number =>
    some.reduce((total, column) => total + need(column, isWanted) + GAP, -GAP);
  const ranks = [...new Set(columns.map(({ rank }) => rank))].sort((a, b) => b - a);
  const upTo = (most: number): readonly ListColumn[] => columns.filter(({ rank }) => rank <= most);
  const most = ranks.find((rank) => rank > 0 && sum(upTo(rank), true) <= width);
  if (most !== undefined) return upTo(most);
  return upTo(sum(upTo(1), false) <= width ? 1 : 0);
}

/** Gives what is left to segments first, which tell tenants apart, then to texts, then to bars and trends; takes what is missing from texts. */
function spread(
  columns: readonly ListColumn[],
  wanted: ReadonlyMap<string, number>,
  width: number,
): number[] {
  const widths = columns.map(({ least }) => least);
  let left = width - widths.reduce((sum, each) => sum + each + GAP, -GAP);
  const isText = (column: ListColumn): boolean => isWord(column) || column.kind === 'exact';
  const turnOf = (column: ListColumn): number => (column.kind === 'segment' ? 0 : isText(column) ? 1 : 2);
  for (const turn of [0, 1, 2])
    for (const [i, column] of columns.entries()) {
      if (turnOf(column) !== turn || left <= 0) continue;
      const more = Math.min(left, wanted.get(column.id)! - widths[i]!);
      widths[i]! += more;
      left -= more;
    }
  for (let taken = true; left < 0 && taken; ) {
    taken = false;
    for (const [i, column] of columns.entries())
      if (left < 0 && isText(column) && widths[i]! > NARROWEST) {
        widths[i]!--;
        left++;
        taken = true;
      }
  }
  return widths;
}
