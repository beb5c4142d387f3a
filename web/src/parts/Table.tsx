import { memo, type ReactNode, type RefObject, useLayoutEffect, useRef, useState } from 'react';
import { useMedia } from '../hooks.ts';
import type { Naming } from '../names.ts';
import { useNaming } from '../naming.ts';
import type { Paint } from '../segments.ts';
import { type Figure, FigureCell, writeRow } from './figures.tsx';
import { PaperMore, PRINTED } from './PaperMore.tsx';

/** A column: what it says, how it sorts, what it shows. */
export type Column<Row> = ColumnHead<Row> & (StillColumn<Row> | FigureColumn<Row>);

interface ColumnHead<Row> {
  readonly id: string;
  readonly head: string;
  /** Said by a screen reader where the head is too short. */
  readonly title?: string;
  readonly value: (row: Row) => number | string;
}

/** Shows the same as long as {@link TableProps.identity}, the paints and the names are the same. */
interface StillColumn<Row> {
  readonly cell: (row: Row, naming: Naming) => ReactNode;
}

/** Shows a number, which another update changes. */
interface FigureColumn<Row> {
  readonly figure: (row: Row) => Figure;
  readonly hasBar?: boolean;
}

/** Addresses and segments that a row speaks of. */
interface Nameables {
  readonly addresses: readonly string[];
  readonly segments: readonly string[];
}

interface TableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowId: (row: Row) => string;
  /** Everything that the cells without a figure show and do, as text. */
  readonly identity: (row: Row) => string;
  readonly paints: ReadonlyMap<string, Paint>;
  /** What of a row may have a name, where its cells do not look for it by themselves, each anew when rows overtake each other. */
  readonly nameables?: (row: Row) => Nameables;
  readonly attributes: (row: Row) => Record<`data-${string}`, string | number>;
  readonly firstSort: string;
  readonly limit: number;
  readonly litId?: string | undefined;
  readonly onHover?: (row: Row | undefined) => void;
  readonly onOpen?: ((row: Row) => void) | undefined;
}

/** Which column leads, and which way. */
interface Sort {
  readonly column: string;
  readonly descending: boolean;
}

/** A table that sorts, and lights up with the picture. */
export function Table<Row>(props: TableProps<Row>) {
  const { columns, rowId } = props;
  const [sort, setSort] = useState<Sort>({ column: props.firstSort, descending: true });
  const [isLong, setIsLong] = useState(false);
  const lead = columns.find((column) => column.id === sort.column) ?? columns[0]!;
  const rows = sortRows(props.rows, lead, sort.descending);
  const isPrinted = useMedia('print');
  const limit = isPrinted ? PRINTED : props.limit;
  const shown = isLong && !isPrinted ? rows : rows.slice(0, limit);
  const body = useRef<HTMLTableSectionElement>(null);
  const ids = shown.map(rowId);
  const nameables = props.nameables ? shown.map(props.nameables) : [];
  const naming = useNaming(
    nameables.flatMap(({ addresses }) => addresses),
    nameables.flatMap(({ segments }) => segments),
  );
  useLayoutEffect(() => {
    const figures = columns.filter((column) => 'figure' in column);
    let element = body.current!.firstElementChild;
    for (const row of shown) {
      writeRow(
        element!,
        props.attributes(row),
        figures.map((column) => column.figure(row)),
      );
      element = element!.nextElementSibling;
    }
  });
  useFollowingFocus(body, ids);
  const idAt = (target: EventTarget): string | undefined =>
    ids[(target as Element).closest('tr')?.sectionRowIndex ?? -1];
  const pressed = useRef<string>(undefined);
  // What happens to a row bubbles up to the body: listeners of each row would be set anew with each update.
  const rowAt = (target: EventTarget): Row | undefined =>
    shown[(target as Element).closest('tr')?.sectionRowIndex ?? -1];
  const open = (target: EventTarget): void => {
    // The row's own link handles itself, and with a modifier opens elsewhere.
    if ((target as Element).closest('a, button')) return;
    const row = rowAt(target);
    if (row) props.onOpen?.(row);
  };
  return (
    <div className="table-frame">
      <table data-testid="table">
        <caption className="unseen">{props.caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column.id}
                scope="col"
                className={'figure' in column ? 'numeric' : ''}
                aria-sort={column === lead ? (sort.descending ? 'descending' : 'ascending') : 'none'}
              >
                <button
                  type="button"
                  title={column.title}
                  onClick={() =>
                    setSort((last) => ({
                      column: column.id,
                      descending: last.column === column.id ? !last.descending : 'figure' in column,
                    }))
                  }
                >
                  {column.head}
                  <span className="sort-sign" aria-hidden="true">
                    {column === lead ? (sort.descending ? '↓' : '↑') : ''}
                  </span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: each row has a link */}
        <tbody
          ref={body}
          onPointerOver={(event) => props.onHover?.(rowAt(event.target))}
          onPointerLeave={() => props.onHover?.(undefined)}
          onFocus={(event) => props.onHover?.(rowAt(event.target))}
          onBlur={() => props.onHover?.(undefined)}
          onPointerDown={(event) => {
            pressed.current = idAt(event.target);
          }}
          onClickCapture={(event) => {
            // Another row came under the pointer while its button was down: not the one that was meant.
            if (event.detail === 0 || idAt(event.target) === pressed.current) return;
            event.preventDefault();
            event.stopPropagation();
          }}
          onClick={(event) => open(event.target)}
        >
          {shown.map((row, place) => (
            <TableRow
              // biome-ignore lint/suspicious/noArrayIndexKey: rows overtake each other all the time, and what one says is written faster than it is moved
              key={place}
              identity={props.identity(row)}
              paints={props.paints}
              naming={naming}
              className={`${ids[place] === props.litId ? 'lit' : ''}${props.onOpen ? ' opens' : ''}`}
              cells={() =>
                columns.map((column) =>
                  'figure' in column ? (
                    <FigureCell key={column.id} hasBar={column.hasBar === true} />
                  ) : (
                    <td key={column.id}>{column.cell(row, naming)}</td>
                  ),
                )
              }
            />
          ))}
        </tbody>
      </table>
      {rows.length > props.limit && (
        <button type="button" className="more" onClick={() => setIsLong(!isLong)}>
          {isLong ? `Only the first ${props.limit}` : `All ${rows.length} rows`}
        </button>
      )}
      <PaperMore shown={shown.length} rows={rows.length} />
    </div>
  );
}

interface TableRowProps {
  readonly identity: string;
  readonly paints: ReadonlyMap<string, Paint>;
  readonly naming: Naming;
  readonly className: string;
  readonly cells: () => ReactNode;
}

/** A row; most updates change its figures only, and those are no business of React's. */
const TableRow = memo(
  function TableRow({ className, cells }: TableRowProps) {
    return (
      <tr data-testid="row" className={className}>
        {cells()}
      </tr>
    );
  },
  (last, next) =>
    last.identity === next.identity &&
    last.paints === next.paints &&
    last.naming === next.naming &&
    last.className === next.className,
);

/** Who has the focus keeps it when its row stands elsewhere after an update; whose row is gone has none. */
function useFollowingFocus(body: RefObject<HTMLElement | null>, ids: readonly string[]): void {
  const last = useRef(ids);
  useLayoutEffect(() => {
    const before = last.current;
    last.current = ids;
    const focused = document.activeElement;
    if (!(focused instanceof HTMLElement) || !body.current!.contains(focused)) return;
    const rows = [...body.current!.children];
    const place = rows.findIndex((row) => row.contains(focused));
    if (ids[place] === before[place]) return;
    focused.blur();
    rows[ids.indexOf(before[place]!)]?.querySelector('a')?.focus({ preventScroll: true });
  });
}

function sortRows<Row>(rows: readonly Row[], lead: Column<Row>, descending: boolean): Row[] {
  const way = descending ? -1 : 1;
  return rows
    .map((row, index) => ({ row, index, value: lead.value(row) }))
    .sort((x, y) => way * compare(x.value, y.value) || x.index - y.index)
    .map(({ row }) => row);
}

/** Addresses sort by their numbers, not their digits. */
const collator = new Intl.Collator('en', { numeric: true });

function compare(x: number | string, y: number | string): number {
  return typeof x === 'number' && typeof y === 'number' ? x - y : collator.compare(String(x), String(y));
}
