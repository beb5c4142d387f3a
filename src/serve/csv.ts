/** A table as comma-separated values (RFC 4180): a line of names, CRLF at the end of each line. */
import type { ResultTable } from '../query/index.ts';

/** Times stay milliseconds since 1970, what a flow has not is empty, text that is none of these stands in quotes where it must. */
export function tableCsv({ columns, rows }: Pick<ResultTable, 'columns' | 'rows'>): string {
  const lines = [columns.map(({ name }) => name), ...rows];
  return lines.map((line) => `${line.map(cell).join(',')}\r\n`).join('');
}

function cell(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
