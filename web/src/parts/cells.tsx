/** Cells of answers, as the tables of the views show them. */
import type { ReactNode } from 'react';
import type { ResultTable } from '../../../src/query/index.ts';
import {
  type Cell,
  columnWords,
  isNumeric,
  quantityOf,
  type Reading,
  type ResultRow,
  stampWords,
} from '../result.ts';
import type { Paint } from '../segments.ts';
import type { ShownColumn } from '../sheet.ts';
import { Amount } from './Amount.tsx';
import { AddressText, SegmentText } from './Named.tsx';
import { Swatch } from './Paints.tsx';
import type { GridColumn } from './VirtualTable.tsx';

type ResultColumn = ResultTable['columns'][number];

/** What cells are drawn with. */
export interface CellLook extends Reading {
  readonly paints: ReadonlyMap<string, Paint>;
}

/** What a column of addresses is wider where some have names, CSS pixels. */
const NAME_WIDTH = 44;

/** A cell of an answer, by its column. */
export function resultCell(column: ResultColumn, value: Cell, look: CellLook): ReactNode {
  if (value === null) return <span className="quiet">–</span>;
  if (column.name === 'segment' && typeof value === 'string') {
    return (
      <>
        <Swatch paints={look.paints} segment={value} />
        <SegmentText segment={value} />
      </>
    );
  }
  if (typeof value === 'string') {
    return column.kind === 'address' || column.kind === 'mac' ? <AddressText address={value} /> : value;
  }
  if (column.kind === 'time') return stampWords(value);
  if (column.name === 'headroom' && value < 0)
    return (
      <span className="no-room" title="Does not fit: it is dropped, or goes in fragments">
        <span aria-hidden="true">▲ </span>
        <span className="unseen">does not fit: </span>
        <Amount quantity={quantityOf(column, value, look)} />
      </span>
    );
  return <Amount quantity={quantityOf(column, value, look)} />;
}

/** The columns that are shown, of those of an answer. */
export function resultColumns(
  columns: ResultTable['columns'],
  shown: readonly ShownColumn[],
  look: CellLook & { readonly hasNames: boolean },
): GridColumn<ResultRow>[] {
  return shown.flatMap(({ id, width }): GridColumn<ResultRow>[] => {
    const at = columns.findIndex(({ name }) => name === id);
    const column = columns[at];
    if (!column) return [];
    const words = columnWords(column);
    const isRate = look.units === 'rate' && (id === 'octets' || id === 'payload');
    return [
      {
        id,
        head: isRate && id === 'octets' ? 'Rate' : words.head,
        title: words.title,
        width: width ?? words.width + (look.hasNames && column.kind === 'address' ? NAME_WIDTH : 0),
        isNumeric: isNumeric(column.kind),
        cell: (row) => resultCell(column, row[at]!, look),
        value: (row) => row[at]!,
      },
    ];
  });
}
