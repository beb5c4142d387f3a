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
export type LiveTable = Pick<ResultTable, 'columns' | 'rows' | 'total' | 'isCut' | 'count'>;

/** Sums of a group: octets, packets, payload octets, uniflows. */
const SUMS = 4;
/** Groups that there is room for before any is found. */
const MOST_ROOM = 32_768;
const QUANTITY_AT: Readonly<Record<HistoryQuantity, number>> = {
  octets: 0,
  packets: 1,
  payload: 2,
  flows: 3,
};

/** The largest groups, in the order that a store gives them. */
export function groupsTable(selection: Selection, { by, quantity, limit }: Grouping): LiveTable {
  const readings = by.map((each) => LIVE_READINGS[each]);
  const { keys, groups } = groupsOf(selection, readings);
  const sums = sumsOf(selection, groups, keys.length);
  const at = QUANTITY_AT[quantity];
  const found = largest(keys.length, limit, (a, b) => {
    const difference = sums[SUMS * a + at]! - sums[SUMS * b + at]!;
    return difference !== 0 ? difference > 0 : isKeyBefore(keys, a, b);
  });
  const shown = at > 1 ? [0, 1, at] : [0, 1];
  return {
    columns: [...by.map((name, i) => ({ name, kind: readings[i]!.kind })), ...sumColumns(quantity)],
    rows: found.map((group) => [
      ...readCells(keys, group, readings),
      ...shown.map((each) => sums[SUMS * group + each]!),
    ]),
    total: totalOf(selection),
    isCut: keys.length > found.length,
    count: keys.length,
  };
}

/** Groups by their keys, and that of each uniflow. */
export interface Groups {
  readonly keys: KeyTable;
  readonly groups: Uint32Array;
}

/** Groups the uniflows by what is read of them. */
export function groupsOf(
  { table, uniflows, length }: Selection,
  readings: readonly LiveDimensionReading[],
): Groups {
  const width = readings.reduce((sum, each) => sum + each.width, 0);
  const keys = new KeyTable(width, Math.max(64, Math.min(length, MOST_ROOM)));
  const groups = new Uint32Array(length);
  for (let i = 0; i < length; i++) {
    let at = 0;
    for (const { write, width } of readings) {
      write(table, uniflows[i]!, keys.probe, at);
      at += width;
    }
    groups[i] = keys.intern();
  }
  return { keys, groups };
}

function sumsOf(
  { counters, tallies, length }: Selection,
  groups: Uint32Array,
  groupCount: number,
): Float64Array {
  const sums = new Float64Array(SUMS * groupCount);
  for (let i = 0; i < length; i++) {
    const at = SUMS * groups[i]!;
    const tally = tallies[i]!;
    sums[at]! += counters.octets(tally);
    sums[at + 1]! += counters.packets(tally);
    sums[at + 2]! += counters.payload(tally);
    sums[at + 3]!++;
  }
  return sums;
}

/** Whether one group comes before another where they are equally large. */
export function isKeyBefore({ words, width }: KeyTable, a: number, b: number): boolean {
  for (let i = 0; i < width; i++) {
    const difference = words[width * a + i]! - words[width * b + i]!;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** The values that a group is told apart by. */
export function readCells(
  { words, width: keyWidth }: KeyTable,
  group: number,
  readings: readonly LiveDimensionReading[],
): Cell[] {
  let at = keyWidth * group;
  return readings.map(({ read, width }) => {
    const cell = read(words, at);
    at += width;
    return cell;
  });
}
