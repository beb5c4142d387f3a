/** Cells whose numbers change with every update: React makes them once, and empty; their text is written here. */
import { memo } from 'react';
import type { Quantity } from '../../../src/flow/index.ts';
import { type Attributes, writeAttributes } from './attributes.ts';

/** What a cell says. */
export interface Figure extends Quantity {
  /** Length of its bar in percent, where it has one. */
  readonly bar?: number;
}

/** An empty cell for a figure: a number with its unit, or with its bar. */
export const FigureCell = memo(function FigureCell({ hasBar }: { readonly hasBar: boolean }) {
  return hasBar ? (
    <td className="numeric">
      <span className="share">
        <span className="bar" aria-hidden="true">
          <span />
        </span>
        <span className="number" />
      </span>
    </td>
  ) : (
    <td className="numeric">
      <span className="amount">
        <span className="number" />
        <span className="unit" />
      </span>
    </td>
  );
});

/** A figure cell's texts and bar. */
interface CellMark {
  readonly number: Text;
  readonly unit: Text | undefined;
  readonly bar: HTMLElement | undefined;
}

interface RowMark {
  readonly cells: readonly CellMark[];
  figures: readonly Figure[];
}

/** The rows there are, as long as they live, with what was written last. */
const marks = new WeakMap<Element, RowMark>();

/**
 * Writes what is not there yet: attributes, and figures from left to right. The row belongs to React, what stands in
 * its figure cells to this function alone.
 */
export function writeRow(row: Element, attributes: Attributes, figures: readonly Figure[]): void {
  writeAttributes(row, attributes);
  let mark = marks.get(row);
  if (!mark) {
    mark = { cells: [...row.querySelectorAll('.number')].map(cellMark), figures: [] };
    marks.set(row, mark);
  }
  const last = mark.figures;
  mark.figures = figures;
  for (let i = 0; i < mark.cells.length; i++) writeCell(mark.cells[i]!, last[i], figures[i]!);
}

function cellMark(number: Element): CellMark {
  const unit = number.nextElementSibling;
  return {
    number: textIn(number),
    unit: unit ? textIn(unit) : undefined,
    bar: number.previousElementSibling?.firstElementChild as HTMLElement | undefined,
  };
}

function textIn(element: Element): Text {
  const text = document.createTextNode('');
  element.append(text);
  return text;
}

function writeCell({ number, unit, bar }: CellMark, last: Figure | undefined, next: Figure): void {
  if (next.number !== last?.number) number.data = next.number;
  if (unit && next.unit !== last?.unit) unit.data = next.unit === '' ? '' : ` ${next.unit}`;
  if (bar && next.bar !== last?.bar) bar.style.width = `${next.bar}%`;
}
