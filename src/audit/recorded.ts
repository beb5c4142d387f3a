/** What of an epoch is in flow records, per observation point. */
import { columnWords, type FlowBatch, REMARK } from '../flow/index.ts';
import type { ExactCount } from './span.ts';

/** Of one observation point. */
export interface RecordedSums {
  /** Frames and octets as the stack held them. */
  readonly recorded: ExactCount;
  /** The same on the wire. */
  readonly wire: ExactCount;
  /** Part of `recorded` that lost its detail because the flow cache was full. */
  readonly overflow: ExactCount;
}

/** Of all records of a point, and of those without detail. */
interface Limbs {
  readonly all: Float64Array;
  readonly overflow: Float64Array;
}

/** Packets and octets, as held and on the wire, each as two limbs that are added apart: they stay far below 2^53, so that sums are exact. */
const LIMBS = 8;

/** By observation point, `2 * ifindex + direction`; exact. */
export function recordedSums(batch: Pick<FlowBatch, 'length' | 'columns'>): Map<number, RecordedSums> {
  const { ifindex, direction, remark, packets, octets, wirePackets, wireOctets } = batch.columns;
  const sums = new Map<number, Limbs>();
  const columns = [packets, octets, wirePackets, wireOctets].map((column) => columnWords(column));
  let lastKey = -1;
  let sum: Limbs = { all: new Float64Array(0), overflow: new Float64Array(0) };
  for (let row = 0; row < batch.length; row++) {
    const key = 2 * ifindex[row]! + direction[row]!;
    if (key !== lastKey) {
      sum = sums.get(key) ?? { all: new Float64Array(LIMBS), overflow: new Float64Array(LIMBS) };
      sums.set(key, sum);
      lastKey = key;
    }
    addLimbs(sum.all, columns, row);
    if (remark[row]! & REMARK.overflow) addLimbs(sum.overflow, columns, row);
  }
  return new Map(
    [...sums].map(([key, { all, overflow }]) => [
      key,
      { recorded: countAt(all, 0), wire: countAt(all, 2), overflow: countAt(overflow, 0) },
    ]),
  );
}

function addLimbs(sums: Float64Array, columns: readonly Uint32Array[], row: number): void {
  for (let i = 0; i < columns.length; i++) {
    sums[2 * i]! += columns[i]![2 * row]!;
    sums[2 * i + 1]! += columns[i]![2 * row + 1]!;
  }
}

/** Packets and behind them octets. */
function countAt(limbs: Float64Array, index: number): ExactCount {
  return { packets: fromLimbs(limbs, index), octets: fromLimbs(limbs, index + 1) };
}

function fromLimbs(sums: Float64Array, index: number): bigint {
  return BigInt(sums[2 * index]!) + (BigInt(sums[2 * index + 1]!) << 32n);
}
