/** Flows as JSON Lines, for pipes. */
import { decodeRecord, type FlowBatch } from '../flow/index.ts';

/**
 * One line per record of the epoch: where it was seen, then every field decoded (`decodeRecord` says how each reads).
 *
 * @param accept records to print, by interface name; default all
 */
export function formatFlowJson(
  batch: FlowBatch,
  accept: (interfaceName: string) => boolean = () => true,
): string {
  const names = new Map(batch.points.map((point) => [point.ifindex, point.interfaceName]));
  const lines: string[] = [];
  for (let row = 0; row < batch.length; row++) {
    const interfaceName = names.get(batch.columns.ifindex[row]!) ?? String(batch.columns.ifindex[row]);
    if (!accept(interfaceName)) continue;
    const { agent, epoch } = batch;
    lines.push(`${JSON.stringify({ agent, epoch, interfaceName, ...decodeRecord(batch.columns, row) })}\n`);
  }
  return lines.join('');
}
