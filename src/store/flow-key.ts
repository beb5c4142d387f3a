/** The words by which records are told apart while they are folded. */
import { columnWords, type FlowBatch, type FlowColumns } from '../flow/index.ts';

/** Words of a uniflow's key; those behind `near` are zero in most. */
export const UNIFLOW_WORDS = { width: 28, near: 13 } as const;
/** Words of a row's key: uniflow, point, DSCP with the outer source port, and the two MACs in three. */
export const ROW_WORDS = 6;

/** Writes the key of a record's uniflow into `probe`. */
export function uniflowReader(batch: FlowBatch, probe: Uint32Array): (row: number) => void {
  const c = batch.columns;
  const addresses = [c.source, c.destination, c.outerSource, c.outerDestination].map(columnWords);
  return (row) => {
    probe[0] = (c.sourcePort[row]! << 16) | c.destinationPort[row]!;
    // The last 8 octets of each address are near, the first 8, zero in IPv4, are not.
    for (let nth = 0; nth < 4; nth++) {
      const words = addresses[nth]!;
      probe[1 + 2 * nth] = words[4 * row + 2]!;
      probe[2 + 2 * nth] = words[4 * row + 3]!;
      probe[13 + 2 * nth] = words[4 * row]!;
      probe[14 + 2 * nth] = words[4 * row + 1]!;
    }
    probe[9] = c.tunnelId[row]!;
    probe[10] = octets(c.tunnelKind[row]!, c.tunnelDepth[row]!, c.outerNetwork[row]!, c.network[row]!);
    probe[11] = octets(c.protocol[row]!, c.cast[row]!, c.fragment[row]!, c.remark[row]!);
    probe[12] = (c.icmpTypeCode[row]! << 16) | c.ethertype[row]!;
    probe[21] = octets(c.tunnel2Kind[row]!, c.tunnel3Kind[row]!, c.tunnel4Kind[row]!, c.markKind[row]!);
    probe[22] = c.tunnel2Id[row]!;
    probe[23] = c.tunnel3Id[row]!;
    probe[24] = c.tunnel4Id[row]!;
    probe[25] = c.markId[row]!;
    probe[26] = (c.vlan[row]! << 16) | c.secondVlan[row]!;
    probe[27] = (c.innerVlan[row]! << 16) | c.innerSecondVlan[row]!;
  };
}

/** Writes what tells rows of one uniflow apart beside the point. */
export function writeRowKey(c: FlowColumns, row: number, probe: Uint32Array): void {
  const { sourceMac: from, destinationMac: to } = c;
  const at = 6 * row;
  probe[2] = (c.dscp[row]! << 16) | c.outerSourcePort[row]!;
  probe[3] = octets(from[at]!, from[at + 1]!, from[at + 2]!, from[at + 3]!);
  probe[4] = octets(from[at + 4]!, from[at + 5]!, to[at]!, to[at + 1]!);
  probe[5] = octets(to[at + 2]!, to[at + 3]!, to[at + 4]!, to[at + 5]!);
}

function octets(a: number, b: number, c: number, d: number): number {
  return a | (b << 8) | (c << 16) | (d << 24);
}
