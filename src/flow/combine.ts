/** Two records of one flow and epoch become one. */
import type { FlowColumns } from './batch.ts';

/** Adds record `from` of `other` to record `to`: counters add up, attributes are those of the earlier. */
export function addRecord(columns: FlowColumns, to: number, other: FlowColumns, from: number): void {
  for (const name of ['octets', 'packets', 'wireOctets', 'wirePackets', 'payloadOctets'] as const) {
    columns[name][to] = columns[name][to]! + other[name][from]!;
  }
  columns.tcpFlags[to] = columns.tcpFlags[to]! | other.tcpFlags[from]!;
  columns.lastMs[to] = Math.max(columns.lastMs[to]!, other.lastMs[from]!);
  columns.longest[to] = Math.max(columns.longest[to]!, other.longest[from]!);
  columns.shortest[to] = Math.min(columns.shortest[to]!, other.shortest[from]!);
  if (other.firstMs[from]! >= columns.firstMs[to]!) return;
  for (const name of ['firstMs', 'dscp', 'outerSourcePort'] as const) columns[name][to] = other[name][from]!;
  for (const name of ['sourceMac', 'destinationMac'] as const) {
    columns[name].set(other[name].subarray(6 * from, 6 * from + 6), 6 * to);
  }
}
