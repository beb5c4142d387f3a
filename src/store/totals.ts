/** Rows of a period as totals: what is left of them when nobody asks who spoke. Most series are answered from these. */
import { setImmediate } from 'node:timers/promises';
import { columnWords, createColumns, FIELDS, freeBuffers, freeColumns, KeyTable } from '../flow/index.ts';
import type { RowColumns } from './append.ts';
import { TOTAL_FIELDS } from './columns.ts';
import { joinWords } from './fold.ts';

type TotalField = (typeof TOTAL_FIELDS)[number];
type SumField = Extract<TotalField, 'wireOctets' | 'wirePackets' | 'payloadOctets'>;

const isSum = (name: TotalField): name is SumField => !FIELDS[name].key;
const SUMS = TOTAL_FIELDS.filter(isSum);
const KEYS = TOTAL_FIELDS.filter((name): name is Exclude<TotalField, SumField> => !isSum(name));
/** Words of a total's key: point, whether it counts, and one for each field. */
const KEY_WORDS = 2 + KEYS.length;
/** Rows that are added up before others have their turn: some milliseconds. */
const ROWS_A_TURN = 16_384;

/** Totals of rows; free them after use. */
export async function totalsOf({ length, columns, points, counted }: RowColumns): Promise<RowColumns> {
  const totals = new KeyTable(KEY_WORDS);
  const totalOf = new Uint32Array(length);
  const { probe } = totals;
  const keys = KEYS.map((name) => columns[name]);
  for (let row = 0; row < length; row++) {
    probe[0] = points[row]!;
    probe[1] = counted[row]!;
    for (let nth = 0; nth < keys.length; nth++) probe[2 + nth] = keys[nth]![row]!;
    totalOf[row] = totals.intern();
    if (row % ROWS_A_TURN === ROWS_A_TURN - 1) await setImmediate();
  }
  const summed = createColumns(totals.length);
  const from = SUMS.map((name) => columnWords(columns[name]));
  const own = SUMS.map((name) => columnWords(summed[name]));
  for (let row = 0; row < length; row++) joinWords(own, totalOf[row]!, from, row);
  const words = (at: number): number[] =>
    Array.from({ length: totals.length }, (_, total) => totals.word(total, at));
  for (const [nth, name] of KEYS.entries()) summed[name].set(words(2 + nth));
  const answer = {
    length: totals.length,
    columns: summed,
    points: Uint32Array.from(words(0)),
    counted: Uint8Array.from(words(1)),
  };
  totals.free();
  freeBuffers([totalOf.buffer]);
  return answer;
}

/** Gives the memory of totals back at once. */
export function freeTotals({ columns }: RowColumns): void {
  freeColumns(columns);
}
