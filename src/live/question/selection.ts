/** The uniflows that a live question is about. */
import {
  type HistoryQuantity,
  parseViewFilter,
  type ResultTable,
  type ViewQuestion,
} from '../../query/index.ts';
import type { Counters } from '../counters.ts';
import type { FittingUniflows } from '../fitting.ts';
import type { UniflowTable } from '../uniflows.ts';

/** Uniflows with traffic in a window that fit a filter, and the tally that counts for each. */
export interface Selection {
  readonly table: UniflowTable;
  readonly counters: Counters;
  readonly uniflows: Uint32Array;
  readonly tallies: Uint32Array;
  readonly length: number;
}

/** Chooses them. */
export function selectUniflows(
  table: UniflowTable,
  { window, filter }: { readonly window: ViewQuestion['window']; readonly filter?: string | undefined },
  fitting: FittingUniflows,
): Selection {
  const counters = table.counters[window];
  const fits = fitting.testOf(table, parseViewFilter(filter ?? ''));
  const uniflows = new Uint32Array(table.length);
  const tallies = new Uint32Array(table.length);
  let length = 0;
  for (let uniflow = 0; uniflow < table.length; uniflow++) {
    const tally = table.counted(uniflow, counters);
    if (tally < 0 || !fits(uniflow)) continue;
    uniflows[length] = uniflow;
    tallies[length++] = tally;
  }
  return { table, counters, uniflows, tallies, length };
}

/** Octets and packets of all of them. */
export function totalOf({ counters, tallies, length }: Selection): ResultTable['total'] {
  let [octets, packets] = [0, 0];
  for (let i = 0; i < length; i++) {
    octets += counters.octets(tallies[i]!);
    packets += counters.packets(tallies[i]!);
  }
  return { octets, packets };
}

/** The columns of sums, as a store has them. */
export function sumColumns(quantity: HistoryQuantity): ResultTable['columns'] {
  return [
    { name: 'octets', kind: 'octets' },
    { name: 'packets', kind: 'packets' },
    ...(quantity === 'payload' ? [{ name: 'payload', kind: 'octets' as const }] : []),
    ...(quantity === 'flows' ? [{ name: 'flows', kind: 'flows' as const }] : []),
  ];
}
