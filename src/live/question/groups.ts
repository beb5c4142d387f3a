/** The largest groups of uniflows. */
import { KeyTable } from '../../flow/index.ts';
import type { HistoryQuantity, LiveDimension, ResultTable } from '../../query/index.ts';
import { type Cell, LIVE_READINGS, type LiveDimensionReading } from './dimensions.ts';
import { largest } from './largest.ts';
import { type Selection, sumColumns, totalOf } from './selection.ts';

/** How uniflows are grouped, and which groups are wanted. */
export interface Grouping {
  readonly by: readonly LiveDimension[];
  readonly quantity: HistoryQuantity;
  readonly limit: number;
}

/** The table of an answer, without what it stands on. */
export type LiveTable = Pick<ResultTable, 'columns' | 'rows' | 'total' | 'isCut'>;

/** Sums of a group: octets, packets, payload octets, uniflows. */
const SUMS = 4;
const QUANTITY_AT: Readonly<Record<HistoryQuantity, number>> = {
  octets: 0,
  packets: 1,
  payload: 2,
  flows: 3,
};

/** The largest groups, in the order that a store gives them. */
export function groupsTable(selection: Selection, { by, quantity, limit }: Grouping): LiveTable {
  const readings = by.map((each) => LIVE_READINGS[each]);
  const { keys, sums } = groupsOf(selection, readings);
  const at = QUANTITY_AT[quantity];
  const found = largest(keys.length, limit, (a, b) => {
    const difference = sums[SUMS * a + at]! - sums[SUMS * b + at]!;
    return difference !== 0 ? difference > 0 : isKeyBefore(keys, a, b);
  });
  const shown = at > 1 ? [0, 1, at] : [0, 1];
  return {
    columns: [...by.map((name, i) => ({ name, kind: readings[i]!.kind })), ...sumColumns(quantity)],
    rows: found.map((group) => [
      ...cellsOf(keys.words, keys.width * group, readings),
      ...shown.map((each) => sums[SUMS * group + each]!),
    ]),
    total: totalOf(selection),
    isCut: keys.length > found.length,
  };
}

function groupsOf(
  { table, counters, uniflows, tallies, length }: Selection,
  readings: readonly LiveDimensionReading[],
): { readonly keys: KeyTable; readonly sums: Float64Array } {
  const keys = new KeyTable(readings.reduce((width, each) => width + each.width, 0));
  const groups = new Uint32Array(length);
  for (let i = 0; i < length; i++) {
    let at = 0;
    for (const { write, width } of readings) {
      write(table, uniflows[i]!, keys.probe, at);
      at += width;
    }
    groups[i] = keys.intern();
  }
  const sums = new Float64Array(SUMS * keys.length);
  for (let i = 0; i < length; i++) {
    const at = SUMS * groups[i]!;
    const tally = tallies[i]!;
    sums[at]! += counters.octets(tally);
    sums[at + 1]! += counters.packets(tally);
    sums[at + 2]! += counters.payload(tally);
    sums[at + 3]!++;
  }
  return { keys, sums };
}

function isKeyBefore({ words, width }: KeyTable, a: number, b: number): boolean {
  for (let i = 0; i < width; i++) {
    const difference = words[width * a + i]! - words[width * b + i]!;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function cellsOf(words: Uint32Array, from: number, readings: readonly LiveDimensionReading[]): Cell[] {
  let at = from;
  return readings.map(({ read, width }) => {
    const cell = read(words, at);
    at += width;
    return cell;
  });
}
