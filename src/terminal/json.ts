/** Flows as JSON Lines, for pipes. */
import { type FlowBatch, recordJson } from '../flow/index.ts';

/** Records of a piece of text: an epoch of millions of them is more than fits into one string; few are soon forgotten. */
const PIECE_RECORDS = 16;

/**
 * One line per record of the epoch, in pieces of whole lines: where it was seen, then every field decoded (`decodeRecord`
 * says how each reads).
 *
 * @param accept records to print, by interface name; default all
 */
export function* formatFlowJson(
  batch: FlowBatch,
  accept: (interfaceName: string) => boolean = () => true,
): Generator<string, void> {
  const names = new Map(batch.points.map((point) => [point.ifindex, point.interfaceName]));
  const { agent, epoch, columns } = batch;
  let piece = '';
  let [ifindex, isAccepted, beginning] = [-1, false, ''];
  for (let row = 0; row < batch.length; row++) {
    if (columns.ifindex[row] !== ifindex) {
      ifindex = columns.ifindex[row]!;
      const interfaceName = names.get(ifindex) ?? String(ifindex);
      isAccepted = accept(interfaceName);
      beginning = JSON.stringify({ agent, epoch, interfaceName }).slice(0, -1);
    }
    if (isAccepted) piece += `${beginning},${recordJson(columns, row).slice(1)}\n`;
    if (row % PIECE_RECORDS === PIECE_RECORDS - 1 && piece !== '') {
      yield piece;
      piece = '';
    }
  }
  if (piece !== '') yield piece;
}
