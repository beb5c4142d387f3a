/** What of a table stands in the address: which columns, how sorted, what is chosen. Views give it its meaning. */

/** Parts of the address that are a table's own. */
export const SHEET_FIELDS = ['by', 'cols', 'sort', 'rows', 'pin', 'row', 'address', 'in', 'find'] as const;
type SheetField = (typeof SHEET_FIELDS)[number];

/**
 * A table's part of the address, as text: dimensions it is grouped by, columns, order, most rows, keys of rows that are
 * pinned, the key of the row that is open, the address that is looked at, the segment in which it has that address, what is
 * searched for.
 */
export type Sheet = { readonly [Field in SheetField]?: string };

/** A table as it is at first. */
export const PLAIN_SHEET: Sheet = {};

/** Longest text taken from an address. */
const MOST_LETTERS = 2000;

/** Reads a table's part of a query string. */
export function readSheet(query: URLSearchParams): Sheet {
  const sheet: Partial<Record<SheetField, string>> = {};
  for (const field of SHEET_FIELDS) {
    const text = query.get(field);
    if (text !== null && text !== '' && text.length <= MOST_LETTERS) sheet[field] = text;
  }
  return Object.keys(sheet).length === 0 ? PLAIN_SHEET : sheet;
}

/** Adds a table's part to a query string. */
export function writeSheet(sheet: Sheet, query: URLSearchParams): void {
  for (const field of SHEET_FIELDS) {
    const text = sheet[field];
    if (text !== undefined && text !== '') query.set(field, text);
  }
}

/** The same with some parts changed; undefined takes a part away. */
export function withSheet(
  sheet: Sheet,
  change: { readonly [Field in SheetField]?: string | undefined },
): Sheet {
  const next: Partial<Record<SheetField, string>> = { ...sheet };
  for (const [field, text] of Object.entries(change) as [SheetField, string | undefined][]) {
    if (text === undefined || text === '') delete next[field];
    else next[field] = text;
  }
  return next;
}

/** Which column leads, and which way. */
export interface Sort {
  readonly column: string;
  readonly descending: boolean;
}

/** `-octets` is the most octets first. */
export function readSort(text: string | undefined, usual: Sort): Sort {
  if (text === undefined) return usual;
  return text.startsWith('-')
    ? { column: text.slice(1), descending: true }
    : { column: text, descending: false };
}

/** Writes what {@link readSort} reads. */
export function writeSort({ column, descending }: Sort): string {
  return descending ? `-${column}` : column;
}

/** A column that is shown, and how wide a user made it, CSS pixels. */
export interface ShownColumn {
  readonly id: string;
  readonly width?: number;
}

const LEAST_WIDTH = 40;
const MOST_WIDTH = 900;

/** A width within what can be used. */
export function boundedWidth(width: number): number {
  return Math.round(Math.min(MOST_WIDTH, Math.max(LEAST_WIDTH, width)));
}

/** Reads `src,dst*120,octets`; what is no column is left out, and without any of them it is as usual. */
export function readColumns(
  text: string | undefined,
  known: ReadonlySet<string>,
  usual: readonly string[],
): ShownColumn[] {
  const asked = (text?.split(',') ?? []).map((each) => {
    const [id = '', width] = each.split('*');
    return width !== undefined && /^\d{1,4}$/.test(width)
      ? { id, width: boundedWidth(Number(width)) }
      : { id };
  });
  const shown = asked.filter(
    ({ id }, at) => known.has(id) && asked.findIndex((each) => each.id === id) === at,
  );
  return shown.length > 0 ? shown : usual.filter((id) => known.has(id)).map((id) => ({ id }));
}

/** Writes what {@link readColumns} reads; nothing where it is as usual. */
export function writeColumns(shown: readonly ShownColumn[], usual: readonly string[]): string | undefined {
  const text = shown.map(({ id, width }) => (width === undefined ? id : `${id}*${width}`)).join(',');
  return text === usual.join(',') ? undefined : text;
}

/** The same columns with one at another place. */
export function moved<Each extends { readonly id: string }>(
  shown: readonly Each[],
  id: string,
  to: number,
): Each[] {
  const one = shown.find((each) => each.id === id);
  const rest = shown.filter((each) => each !== one);
  if (!one) return rest;
  return rest.toSpliced(Math.max(0, Math.min(rest.length, to)), 0, one);
}
