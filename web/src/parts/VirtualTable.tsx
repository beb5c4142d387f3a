import {
  type CSSProperties,
  type KeyboardEvent,
  memo,
  type ReactNode,
  type RefObject,
  useCallback,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { flushSync } from 'react-dom';
import { useMedia, useNewest } from '../hooks.ts';
import type { Sort } from '../sheet.ts';
import { OVERSCAN, onlyInSight, type Range, rowAfterKey, rowsInSight, scrolledTo } from '../virtual.ts';
import { GridHead } from './GridHead.tsx';
import { PaperMore, PRINTED } from './PaperMore.tsx';

/** Height of every row, the head too, CSS pixels; `sheet.css` has it as well. */
export const ROW_HEIGHT = 30;
/** A scroll that has rested so long, milliseconds, gets the rows around those in sight too. */
const REST_MS = 80;
/** What an arrow key moves sideways, CSS pixels. */
const SIDEWAYS = 96;

/** A column: what it is called, how wide it is, what its cells show. */
export interface GridColumn<Row> {
  readonly id: string;
  readonly head: string;
  readonly title?: string | undefined;
  /** CSS pixels. */
  readonly width: number;
  readonly isNumeric: boolean;
  readonly cell: (row: Row) => ReactNode;
  /** What the cell is, exactly: its attribute `data-value`. */
  readonly value: (row: Row) => string | number | null;
}

interface VirtualTableProps<Row> {
  readonly caption: string;
  /** Must stay the same object as long as the cells show the same. */
  readonly columns: readonly GridColumn<Row>[];
  readonly rows: readonly Row[];
  /** Stay in sight above the others. */
  readonly pinned?: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly sort: Sort;
  readonly onSort: (column: string) => void;
  readonly onMove: (column: string, to: number) => void;
  readonly onResize: (column: string, width: number) => void;
  /** The key of the row that is open. */
  readonly openKey?: string | undefined;
  readonly onOpen: (row: Row) => void;
}

const NONE: readonly never[] = [];

/** A long table: only the rows in sight are in the document. The arrows go from row to row, Enter opens one. */
export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { columns, rows, keyOf, openKey } = props;
  const pinned: readonly Row[] = props.pinned ?? NONE;
  const id = useId();
  const frame = useRef<HTMLDivElement>(null);
  const { range, pool, look, isPrinted } = useRange(frame, rows.length, 1 + pinned.length);
  const [active, setActive] = useState(-1);
  const [stretched, setStretched] = useState<{ readonly id: string; readonly width: number }>();
  const count = pinned.length + rows.length;
  const at = Math.min(active, count - 1);
  const rowAt = (index: number): Row | undefined =>
    index < pinned.length ? pinned[index] : rows[index - pinned.length];
  const open = useNewest((index: number) => {
    const row = rowAt(index);
    if (row === undefined) return;
    setActive(index);
    props.onOpen(row);
  });
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const view = event.currentTarget;
    const page = Math.max(1, Math.floor(view.clientHeight / ROW_HEIGHT) - 2 - pinned.length);
    const to = rowAfterKey(event.key, at, { count, page });
    if (to !== undefined) {
      setActive(to);
      if (to >= pinned.length) show(view, to - pinned.length, pinned.length);
    } else if (event.key === 'Enter' || event.key === ' ') open(at);
    else if (event.key === 'ArrowLeft') view.scrollLeft -= SIDEWAYS;
    else if (event.key === 'ArrowRight') view.scrollLeft += SIDEWAYS;
    else return;
    event.preventDefault();
    look();
  };
  const shared = { columns, onOpen: open };
  const line = (row: Row, index: number) => ({
    ...shared,
    row,
    index,
    id: `${id}-${index}`,
    rowKey: keyOf(row),
    isActive: index === at,
    isOpen: openKey !== undefined && keyOf(row) === openKey,
  });
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table cannot have rows that are not there
    <div
      ref={frame}
      className="grid-frame"
      role="grid"
      data-testid="grid"
      aria-label={props.caption}
      aria-rowcount={1 + count}
      aria-colcount={columns.length}
      aria-activedescendant={isDrawn(at, pinned.length, range) ? `${id}-${at}` : undefined}
      tabIndex={0}
      style={widths(columns, stretched)}
      // At once: what is drawn a frame later is not there in this one.
      onScroll={() => flushSync(look)}
      onKeyDown={onKeyDown}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      <div className="grid-top" role="rowgroup">
        <GridHead
          columns={columns}
          sort={props.sort}
          onSort={props.onSort}
          onMove={props.onMove}
          onStretch={(column, width) => setStretched({ id: column, width })}
          onResize={(column, width) => {
            setStretched(undefined);
            props.onResize(column, width);
          }}
        />
        {pinned.map((row, index) => (
          <GridRow key={keyOf(row)} {...line(row, index)} isPinned />
        ))}
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      <div
        className="grid-body"
        role="rowgroup"
        style={{ height: isPrinted ? undefined : rows.length * ROW_HEIGHT }}
      >
        {rows.slice(range.first, range.end).map((row, nth) => (
          <GridRow
            // biome-ignore lint/suspicious/noArrayIndexKey: a row that is scrolled out lends its elements to one that comes in
            key={(range.first + nth) % pool}
            {...line(row, pinned.length + range.first + nth)}
            top={isPrinted ? undefined : (range.first + nth) * ROW_HEIGHT}
          />
        ))}
      </div>
      {isPrinted && <PaperMore shown={Math.min(PRINTED, rows.length)} rows={rows.length} />}
    </div>
  );
}

interface GridRowProps<Row> {
  readonly columns: readonly GridColumn<Row>[];
  readonly row: Row;
  readonly rowKey: string;
  readonly index: number;
  readonly id: string;
  /** Where it stands in the body, CSS pixels. */
  readonly top?: number | undefined;
  readonly isPinned?: boolean;
  readonly isActive: boolean;
  readonly isOpen: boolean;
  /** Must stay the same function from update to update. */
  readonly onOpen: (index: number) => void;
}

const GridRow = memo(GridLine) as typeof GridLine;

function GridLine<Row>(props: GridRowProps<Row>) {
  const { columns, row, index, isPinned, isActive, isOpen } = props;
  const marks = [isPinned && 'pinned', isActive && 'active', isOpen && 'open'].filter(Boolean);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid has the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus, and names the active row
    // biome-ignore lint/a11y/useSemanticElements: a table cannot have rows that are not there
    <div
      className={['grid-row', ...marks].join(' ')}
      role="row"
      id={props.id}
      data-testid={isPinned ? 'pinned-row' : 'grid-row'}
      data-key={props.rowKey}
      aria-rowindex={index + 2}
      aria-selected={isOpen}
      style={props.top === undefined ? undefined : { transform: `translateY(${props.top}px)` }}
      onClick={(event) => {
        // What stands in the row and leads elsewhere does so by itself.
        if (!(event.target as Element).closest('a, button')) props.onOpen(index);
      }}
    >
      {columns.map((column) => (
        // biome-ignore lint/a11y/useSemanticElements: see above
        // biome-ignore lint/a11y/useFocusableInteractive: see above
        <div
          key={column.id}
          role="gridcell"
          className={column.isNumeric ? 'grid-cell numeric' : 'grid-cell'}
          data-column={column.id}
          data-value={column.value(row) ?? ''}
        >
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}

/** Widths of the columns, behind which what is left stays empty, and of all of them. */
function widths<Row>(
  columns: readonly GridColumn<Row>[],
  stretched: { readonly id: string; readonly width: number } | undefined,
): CSSProperties {
  const each = columns.map(({ id, width }) => (id === stretched?.id ? stretched.width : width));
  const tracks = [...each.map((width) => `${width}px`), '1fr'];
  const all = each.reduce((sum, width) => sum + width, 0);
  return {
    '--grid': tracks.join(' '),
    '--grid-paper': each.map((width) => `minmax(0, ${width}fr)`).join(' '),
    '--wide': `${all}px`,
  } as CSSProperties;
}

function isDrawn(index: number, pinned: number, { first, end }: Range): boolean {
  return index >= 0 && (index < pinned || (index - pinned >= first && index - pinned < end));
}

/** Scrolls so that a row of the body is in sight, below what stays. */
function show(view: HTMLElement, row: number, pinned: number): void {
  const height = view.clientHeight - (1 + pinned) * ROW_HEIGHT;
  view.scrollTop = scrolledTo(row, { top: view.scrollTop, height, rowHeight: ROW_HEIGHT });
}

/** The rows to draw, and how many elements there are for them. `look` is to be called when something was scrolled. */
function useRange(
  frame: RefObject<HTMLElement | null>,
  count: number,
  still: number,
): { range: Range; pool: number; look: () => void; isPrinted: boolean } {
  const [sight, setSight] = useState({ top: 0, height: OVERSCAN, isJump: false });
  const isPrinted = useMedia('print');
  const look = useCallback(() => {
    const view = frame.current;
    if (!view) return;
    // One more: the first may be in sight in part.
    const height = Math.max(1, Math.ceil(view.clientHeight / ROW_HEIGHT) - still) + 1;
    const top = Math.floor(view.scrollTop / ROW_HEIGHT);
    setSight((last) => {
      const was = rowsInSight(last, Number.POSITIVE_INFINITY);
      const is = rowsInSight({ top, height }, Number.POSITIVE_INFINITY);
      if (was.first === is.first && was.end === is.end && !last.isJump) return last;
      // Nothing of what was drawn is in sight any more: there is time for no more than what is.
      const isJump = is.first >= was.end || is.end <= was.first || (last.isJump && last.top !== top);
      return { top, height, isJump };
    });
  }, [frame, still]);
  useEffect(() => {
    if (!sight.isJump) return;
    const timer = setTimeout(() => setSight((last) => ({ ...last, isJump: false })), REST_MS);
    return () => clearTimeout(timer);
  }, [sight]);
  useLayoutEffect(() => {
    look();
    const observer = new ResizeObserver(look);
    observer.observe(frame.current!);
    return () => observer.disconnect();
  }, [frame, look]);
  const { height, isJump } = sight;
  const drawn = isJump ? onlyInSight(sight, count) : rowsInSight(sight, count);
  const range = isPrinted ? { first: 0, end: Math.min(count, PRINTED) } : drawn;
  // While it jumps every element is lent from row to row: none is made.
  const pool = Math.max(range.end - range.first, isJump ? height : height + 3 * OVERSCAN);
  return { range, pool, look, isPrinted };
}
