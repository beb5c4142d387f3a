import type { ReactNode } from 'react';
import type { ResultTable } from '../../../src/query/index.ts';
import type { Place } from '../question.ts';
import { columnWords, isNumeric, type ResultRow } from '../result.ts';
import { type CellLook, resultCell } from './cells.tsx';
import { PlaceLink } from './tables.tsx';

interface ShortTableProps {
  readonly title: string;
  readonly testId: string;
  readonly table: Pick<ResultTable, 'columns' | 'rows'> | undefined;
  /** Columns that are shown, in this order. */
  readonly columns: readonly string[];
  readonly look: CellLook;
  readonly go: (place: Place) => void;
  /** Where the first cell of a row leads. */
  readonly to: (row: ResultRow) => Place | undefined;
  /** Where all rows are. */
  readonly all?: Place;
}

/** Rows of a short table. */
const SHORT = 10;

/** The first rows of an answer, each with a way on. */
export function ShortTable({ title, testId, table, columns, look, go, to, all }: ShortTableProps) {
  const shown = columns.flatMap((name) => {
    const at = table?.columns.findIndex((column) => column.name === name) ?? -1;
    return at < 0 ? [] : [{ at, column: table!.columns[at]! }];
  });
  const rows = table?.rows.slice(0, SHORT) ?? [];
  const cell = (row: ResultRow, nth: number): ReactNode => {
    const { at, column } = shown[nth]!;
    const content = resultCell(column, row[at]!, look);
    const place = nth === 0 ? to(row) : undefined;
    return place ? (
      <PlaceLink to={place} go={go}>
        {content}
      </PlaceLink>
    ) : (
      content
    );
  };
  return (
    <section className="short-table" aria-label={title} data-testid={testId} aria-busy={table === undefined}>
      <h3>
        {title} {table && <span className="quiet">{table.rows.length}</span>}
      </h3>
      {table && rows.length === 0 && <p className="quiet">None in this time.</p>}
      {rows.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll sideways, so the keyboard must reach it
        <div className="short-scroll" tabIndex={0}>
          <table>
            <thead>
              <tr>
                {shown.map(({ column }) => (
                  <th
                    key={column.name}
                    scope="col"
                    className={isNumeric(column.kind) ? 'numeric' : ''}
                    title={columnWords(column).title}
                  >
                    {columnWords(column).head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={JSON.stringify(row)} data-testid="short-row">
                  {shown.map(({ at, column }, nth) => (
                    <td
                      key={column.name}
                      className={isNumeric(column.kind) ? 'numeric' : ''}
                      data-column={column.name}
                      data-value={row[at] ?? ''}
                    >
                      {cell(row, nth)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {table && all && table.rows.length > SHORT && (
        <PlaceLink to={all} go={go} className="link">
          All {table.rows.length}
        </PlaceLink>
      )}
    </section>
  );
}
