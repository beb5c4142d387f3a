/** Flows as JSON Lines, for pipes. */
import { type FlowBatch, recordJson } from '../flow/index.ts';
import type { RecordTest } from '../query/index.ts';

/** Records of a piece of text: an epoch of millions of them is more than fits into one string; few are soon forgotten. */
const PIECE_RECORDS = 16;

/**
 * One line per record of the epoch, in pieces of whole lines: where it was seen, then every field decoded (`decodeRecord`
 * says how each reads).
 *
 * @param accepts which records; default all
 */
export function* formatFlowJson(batch: FlowBatch, accepts: RecordTest = () => true): Generator<string, void> {
  const names = new Map(batch.points.map((point) => [point.ifindex, point.interfaceName]));
  const { agent, epoch, columns } = batch;
  let piece = '';
  let records = 0;
  let [ifindex, beginning] = [-1, ''];
  for (let row = 0; row < batch.length; row++) {
    if (!accepts(columns, row)) continue;
    if (columns.ifindex[row] !== ifindex) {
      ifindex = columns.ifindex[row]!;
      const interfaceName = names.get(ifindex) ?? String(ifindex);
      beginning = JSON.stringify({ agent, epoch, interfaceName }).slice(0, -1);
    }
    piece += `${beginning},${recordJson(columns, row).slice(1)}\n`;
    if (++records % PIECE_RECORDS > 0) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}
