/** A view that is a table: its rows and columns as the address says, and how to change what it says. */
import { useMemo } from 'react';
import type { ResultTable } from '../../../src/query/index.ts';
import { useHasNames } from '../naming.ts';
import type { Place } from '../question.ts';
import { identityColumns, isNumeric, type ResultRow, rowKey, sortedRows } from '../result.ts';
import { onSheet } from '../selection.ts';
import {
  moved,
  readColumns,
  readSort,
  type ShownColumn,
  type Sort,
  writeColumns,
  writeSort,
} from '../sheet.ts';
import { type CellLook, resultColumns } from './cells.tsx';
import type { GridColumn } from './VirtualTable.tsx';

/** How a table is as long as nobody changed it. */
export interface UsualSheet {
  readonly columns: readonly string[];
  readonly sort: Sort;
}

/** A table as it is shown. */
export interface SheetView {
  readonly shown: readonly ShownColumn[];
  readonly columns: readonly GridColumn<ResultRow>[];
  readonly rows: readonly ResultRow[];
  /** Those of them that stay in sight; they are not in `rows`. */
  readonly pinned: readonly ResultRow[];
  readonly pins: readonly string[];
  readonly sort: Sort;
  readonly keyOf: (row: ResultRow) => string;
  /** The row that is open, if the answer has it. */
  readonly open: ResultRow | undefined;
}

/** Computes a table from an answer and the address. */
export function useSheetView(
  table: ResultTable | undefined,
  place: Place,
  {
    usual,
    look,
    identity: own,
  }: {
    readonly usual: UsualSheet;
    readonly look: CellLook;
    /** Columns that say what a row is; by default all that are not measured. */
    readonly identity?: ReadonlySet<string>;
  },
): SheetView {
  const { sheet } = place;
  const { cols, sort: sorted, pin, row: openKey } = sheet;
  const names = table?.columns.map(({ name }) => name).join(' ') ?? '';
  // biome-ignore lint/correctness/useExhaustiveDependencies: columns by their names
  const heads = useMemo(() => table?.columns ?? [], [names]);
  const shown = useMemo(
    () => readColumns(cols, new Set(heads.map(({ name }) => name)), usual.columns),
    [cols, heads, usual],
  );
  const { units, seconds, paints } = look;
  const hasNames = useHasNames();
  const columns = useMemo(
    () => resultColumns(heads, shown, { units, seconds, paints, hasNames }),
    [heads, shown, units, seconds, paints, hasNames],
  );
  const sort = useMemo(() => readSort(sorted, usual.sort), [sorted, usual]);
  const keyOf = useMemo(() => {
    const identity = own
      ? heads.flatMap(({ name }, at) => (own.has(name) ? [at] : []))
      : identityColumns(heads);
    const keys = new WeakMap<ResultRow, string>();
    return (row: ResultRow): string => {
      const known = keys.get(row);
      if (known !== undefined) return known;
      const key = rowKey(row, identity);
      keys.set(row, key);
      return key;
    };
  }, [heads, own]);
  const ordered = useMemo(() => (table ? sortedRows(table, sort) : []), [table, sort]);
  const pins = useMemo(() => pin?.split(',').filter(Boolean) ?? [], [pin]);
  const { pinned, rows } = useMemo(() => {
    if (pins.length === 0) return { pinned: [], rows: ordered };
    const parts = Map.groupBy(ordered, (row) => pins.includes(keyOf(row)));
    return { pinned: parts.get(true) ?? [], rows: parts.get(false) ?? [] };
  }, [ordered, pins, keyOf]);
  const open = useMemo(
    () => (openKey === undefined ? undefined : ordered.find((row) => keyOf(row) === openKey)),
    [ordered, openKey, keyOf],
  );
  return { shown, columns, rows, pinned, pins, sort, keyOf, open };
}

/** Changes of a table, each a place to go to. */
export interface SheetChanges {
  readonly sortBy: (column: string) => void;
  readonly move: (column: string, to: number) => void;
  readonly resize: (column: string, width: number) => void;
  readonly show: (columns: readonly ShownColumn[] | undefined) => void;
  readonly open: (key: string | undefined) => void;
  readonly pin: (key: string) => void;
}

/** Most rows that stay in sight. */
const MOST_PINS = 8;

/** How the table of a place is changed. */
export function sheetChanges(
  place: Place,
  go: (place: Place) => void,
  { view, usual, table }: { view: SheetView; usual: UsualSheet; table: ResultTable | undefined },
): SheetChanges {
  const change = (fields: Parameters<typeof onSheet>[1]): void => go(onSheet(place, fields));
  const show = (columns: readonly ShownColumn[] | undefined): void =>
    change({ cols: columns && writeColumns(columns, usual.columns) });
  return {
    show,
    sortBy: (column) => {
      const kind = table?.columns.find(({ name }) => name === column)?.kind;
      const isSame = view.sort.column === column;
      const descending = isSame ? !view.sort.descending : kind === 'time' || isNumeric(kind ?? 'text');
      const text = writeSort({ column, descending });
      change({ sort: text === writeSort(usual.sort) ? undefined : text });
    },
    move: (column, to) => show(moved(view.shown, column, to)),
    resize: (column, width) =>
      show(view.shown.map((each) => (each.id === column ? { ...each, width } : each))),
    open: (key) => change({ row: key }),
    pin: (key) => {
      const rest = view.pins.filter((each) => each !== key);
      const next = rest.length < view.pins.length ? rest : [...rest, key].slice(-MOST_PINS);
      change({ pin: next.join(',') });
    },
  };
}
