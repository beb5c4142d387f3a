/** What the view of flows asks. */
import type { Dimension, HistoryQuantity } from '../../../../src/query/index.ts';
import type { TimelessQuestion } from '../../asking.ts';
import { readSort } from '../../sheet.ts';

/** How many rows can be asked for. */
export const MOST_ROWS: readonly number[] = [1000, 10_000, 100_000];

/** Reads how many rows are wanted. */
export function readRows(text: string | undefined): number {
  return MOST_ROWS.find((each) => String(each) === text) ?? MOST_ROWS[0]!;
}

/** Quantities by which the largest can be told, by their columns; else it is octets. */
const QUANTITY: Readonly<Record<string, HistoryQuantity>> = { packets: 'packets', payload: 'payload' };

/** The question of the address: single flows, or groups; the largest by what the table is sorted by, where that can be. */
export function flowsQuestion(
  { by, rows, sort }: { by: readonly Dimension[]; rows: number; sort: string | undefined },
  filter: string | undefined,
): TimelessQuestion {
  const { column, descending } = readSort(sort, { column: 'octets', descending: true });
  const quantity = (descending && QUANTITY[column]) || 'octets';
  const common = { ...(filter !== undefined && { filter }), quantity };
  return by.length === 0
    ? { ask: 'flows', ...common, limit: rows }
    : { ask: 'top', by: [...by], ...common, limit: Math.min(rows, 10_000) };
}
