/** The head of a long table: sorts, and has its columns moved and made wider. */
import { type KeyboardEvent, type PointerEvent, useRef } from 'react';
import { boundedWidth, type Sort } from '../sheet.ts';

interface HeadColumn {
  readonly id: string;
  readonly head: string;
  readonly title?: string | undefined;
  readonly width: number;
  readonly isNumeric: boolean;
}

interface GridHeadProps {
  readonly columns: readonly HeadColumn[];
  readonly sort: Sort;
  readonly onSort: (column: string) => void;
  readonly onMove: (column: string, to: number) => void;
  readonly onResize: (column: string, width: number) => void;
  /** While an edge is dragged. */
  readonly onStretch: (column: string, width: number) => void;
}

/** What a key makes a column wider by, CSS pixels. */
const WIDER = 16;
const DRAGGED = 'application/x-column';

/** Clicking a head sorts; dragging it moves its column, dragging its edge makes it wider. Keys: Shift and Ctrl with arrows. */
export function GridHead({ columns, sort, onSort, onMove, onResize, onStretch }: GridHeadProps) {
  const onKeyDown = (event: KeyboardEvent, { id, width }: HeadColumn, at: number): void => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (way === undefined || event.shiftKey === event.ctrlKey) return;
    event.preventDefault();
    if (event.shiftKey) onMove(id, at + way);
    else onResize(id, boundedWidth(width + way * WIDER));
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table cannot have rows that are not there
    // biome-ignore lint/a11y/useFocusableInteractive: its buttons are
    <div className="grid-row grid-head" role="row" aria-rowindex={1}>
      {columns.map((column, at) => {
        const isLead = column.id === sort.column;
        return (
          // biome-ignore lint/a11y/useSemanticElements: see above
          // biome-ignore lint/a11y/useFocusableInteractive: see above
          <div
            key={column.id}
            role="columnheader"
            className={column.isNumeric ? 'grid-cell numeric' : 'grid-cell'}
            data-column={column.id}
            aria-sort={isLead ? (sort.descending ? 'descending' : 'ascending') : 'none'}
            draggable
            onDragStart={(event) => event.dataTransfer.setData(DRAGGED, column.id)}
            onDragOver={(event) => {
              if (event.dataTransfer.types.includes(DRAGGED)) event.preventDefault();
            }}
            onDrop={(event) => onMove(event.dataTransfer.getData(DRAGGED), at)}
          >
            <button
              type="button"
              title={column.title}
              onClick={() => onSort(column.id)}
              onKeyDown={(event) => onKeyDown(event, column, at)}
            >
              {column.head}
              <span className="sort-sign" aria-hidden="true">
                {isLead ? (sort.descending ? '↓' : '↑') : ''}
              </span>
            </button>
            <Edge
              width={column.width}
              onStretch={(width) => onStretch(column.id, width)}
              onResize={(width) => onResize(column.id, width)}
            />
          </div>
        );
      })}
    </div>
  );
}

interface EdgeProps {
  readonly width: number;
  readonly onStretch: (width: number) => void;
  readonly onResize: (width: number) => void;
}

/** The right edge of a head. */
function Edge({ width, onStretch, onResize }: EdgeProps) {
  const begun = useRef<{ readonly x: number; readonly width: number }>(undefined);
  const dragged = (event: PointerEvent, tell: (width: number) => void): void => {
    if (begun.current) tell(boundedWidth(begun.current.width + event.clientX - begun.current.x));
  };
  return (
    <span
      className="grid-edge"
      aria-hidden="true"
      draggable
      onDragStart={(event) => {
        event.preventDefault();
        event.stopPropagation();
      }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        begun.current = { x: event.clientX, width };
      }}
      onPointerMove={(event) => dragged(event, onStretch)}
      onPointerUp={(event) => {
        dragged(event, onResize);
        begun.current = undefined;
      }}
    />
  );
}
