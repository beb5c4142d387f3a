import { type ReactNode, useEffect, useRef } from 'react';
import type { ResultTable } from '../../../src/query/index.ts';
import type { Place } from '../question.ts';
import { columnWords, type ResultRow } from '../result.ts';
import { type CellLook, resultCell } from './cells.tsx';
import { PlaceLink } from './tables.tsx';

/** A question that follows from what is open, and where it is answered. */
export interface NextQuestion {
  readonly words: string;
  readonly to: Place;
}

interface DrawerProps {
  readonly title: ReactNode;
  /** Names what is open: another one takes the focus anew. */
  readonly openKey: string;
  readonly next: readonly NextQuestion[];
  readonly go: (place: Place) => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** What is known of the row that is open, and what to ask next. */
export function Drawer({ title, openKey, next, go, onClose, children }: DrawerProps) {
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    section.current?.scrollTo({ top: 0 });
  }, []);
  return (
    <section ref={section} className="drawer" aria-label="Details" data-testid="drawer" data-key={openKey}>
      <div className="drawer-head">
        <h2>{title}</h2>
        <button
          type="button"
          className="plain"
          aria-label="Close the details"
          title="Close (Escape)"
          onClick={onClose}
        >
          <span aria-hidden="true">×</span>
        </button>
      </div>
      {next.length > 0 && (
        <ul className="next" aria-label="Next questions" data-testid="next">
          {next.map(({ words, to }) => (
            <li key={words}>
              <PlaceLink to={to} go={go}>
                {words}
              </PlaceLink>
            </li>
          ))}
        </ul>
      )}
      {children}
    </section>
  );
}

/** Everything an answer says of a row; what the row has not is left out. */
export function Facts({
  columns,
  row,
  look,
}: {
  readonly columns: ResultTable['columns'];
  readonly row: ResultRow;
  readonly look: CellLook;
}) {
  return (
    <dl className="facts" data-testid="facts">
      {columns.map((column, at) => {
        const value = row[at]!;
        if (value === null) return null;
        const { head, title } = columnWords(column);
        return (
          <div key={column.name} data-fact={column.name} data-value={value}>
            <dt title={title}>{head}</dt>
            <dd>{resultCell(column, value, look)}</dd>
          </div>
        );
      })}
    </dl>
  );
}
