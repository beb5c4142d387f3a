/** A table as comma-separated values (RFC 4180): a line of names, CRLF at the end of each line. */
import type { ResultTable } from './history.ts';
import { formatMoment } from './question/print.ts';

/** Numbers are plain, times as ISO 8601 has them, what a flow has not is empty; text stands in quotes where it must. */
export function tableCsv({ columns, rows }: Pick<ResultTable, 'columns' | 'rows'>): string {
  const lines = [
    columns.map(({ name }) => text(name)),
    ...rows.map((row) =>
      row.map((cell, i) => {
        if (cell === null) return '';
        if (typeof cell === 'string') return text(cell);
        return columns[i]!.kind === 'time' ? formatMoment(cell) : String(cell);
      }),
    ),
  ];
  return lines.map((cells) => `${cells.join(',')}\r\n`).join('');
}

function text(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
