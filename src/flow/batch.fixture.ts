/** For tests: batches from plain records, with what is not said filled in consistently. */
import { parseAddress } from './address.ts';
import {
  type CounterLine,
  createColumns,
  FIELDS,
  type FlowBatch,
  type FlowColumns,
  type LedgerLine,
  type ObservationPoint,
  TUNNEL_COLUMNS,
} from './batch.ts';
import { MARK, type MarkName, NETWORK, TUNNEL, type TunnelName } from './protocol.ts';

/** A record in words; addresses and MACs as text, counters as numbers. Wire counters default to the stack's. */
export interface RecordWords {
  readonly ifindex?: number;
  readonly direction?: 0 | 1;
  /** Outer source, outer destination, VNI: the record is tunnelled (VXLAN). */
  readonly tunnel?: readonly [source: string, destination: string, vni: number];
  /** The whole stack of tunnels, outermost first, where it is not one of VXLAN; `tunnel` still says the outer addresses. */
  readonly tunnels?: readonly (readonly [kind: TunnelName, id: number])[];
  readonly mark?: readonly [kind: MarkName, id: number];
  /** Inner addresses; none for a frame without addresses. */
  readonly between?: readonly [source: string, destination: string];
  readonly ports?: readonly [source: number, destination: number];
  readonly protocol?: number;
  readonly arp?: boolean;
  readonly ethertype?: number;
  readonly macs?: readonly [source: string, destination: string];
  readonly icmp?: readonly [type: number, code: number];
  readonly vlan?: number;
  readonly cast?: number;
  readonly fragment?: number;
  readonly remark?: number;
  readonly octets: number | bigint;
  readonly packets: number | bigint;
  readonly wireOctets?: number | bigint;
  readonly wirePackets?: number | bigint;
  readonly payloadOctets?: number | bigint;
  readonly firstMs?: number;
  readonly lastMs?: number;
}

/** What surrounds the records of an epoch. */
export interface EpochWords {
  readonly epoch?: number;
  readonly agent?: string;
  readonly startMs?: number;
  readonly endMs?: number;
  readonly points?: readonly ObservationPoint[];
  readonly ledger?: readonly LedgerLine[];
  readonly counters?: readonly CounterLine[];
}

/** Names of the members of a decoded record: the tunnels are one list, the mark is one object. */
export const MEMBERS: readonly string[] = [
  ...new Set(
    Object.keys(FIELDS).map((name) => (/^tunnel/.test(name) ? 'tunnels' : name.replace(/^mark.*/, 'mark'))),
  ),
];

/** Both directions of interface 2, primary. */
export const ETH0: readonly ObservationPoint[] = ([0, 1] as const).map((direction) => ({
  ifindex: 2,
  direction,
  interfaceName: 'eth0',
  primary: true,
}));

/** A batch in which everything seen is in the records or the ledger. */
export function batchOf(records: readonly RecordWords[], around: EpochWords = {}): FlowBatch {
  const epoch = around.epoch ?? 1;
  const startMs = around.startMs ?? epoch * 1000;
  const endMs = around.endMs ?? startMs + 1000;
  const columns = createColumns(records.length);
  for (const [row, record] of records.entries())
    fill(columns, row, { firstMs: startMs, lastMs: endMs, ...record });
  const points = around.points ?? ETH0;
  const ledger = around.ledger ?? [];
  const seen = points.map(({ ifindex, direction }) => {
    const line = { ifindex, direction, packets: 0n, octets: 0n };
    for (let row = 0; row < records.length; row++) {
      if (columns.ifindex[row] !== ifindex || columns.direction[row] !== direction) continue;
      line.packets += columns.packets[row]!;
      line.octets += columns.octets[row]!;
    }
    for (const lost of ledger) {
      if (lost.ifindex !== ifindex || lost.direction !== direction) continue;
      line.packets += lost.packets;
      line.octets += lost.octets;
    }
    return line;
  });
  const agent = around.agent ?? 'agent';
  const counters = around.counters ?? [];
  return { epoch, agent, startMs, endMs, length: records.length, columns, points, seen, ledger, counters };
}

function fill(c: FlowColumns, row: number, record: RecordWords): void {
  c.ifindex[row] = record.ifindex ?? 2;
  c.direction[row] = record.direction ?? 0;
  const tunnels = record.tunnels ?? (record.tunnel ? [['vxlan', record.tunnel[2]] as const] : []);
  c.tunnelDepth[row] = tunnels.length;
  for (const [level, [kind, id]] of tunnels.entries()) {
    const { kind: kinds, id: ids } = TUNNEL_COLUMNS[level]!;
    c[kinds][row] = TUNNEL[kind];
    c[ids][row] = id;
  }
  if (record.mark) {
    c.markKind[row] = MARK[record.mark[0]];
    c.markId[row] = record.mark[1];
  }
  if (record.tunnel) {
    c.outerNetwork[row] = networkOf(record.tunnel[0]);
    putAddresses(c.outerSource, c.outerDestination, row, [record.tunnel[0], record.tunnel[1]]);
  }
  if (record.between) {
    c.network[row] = record.arp ? NETWORK.arp : networkOf(record.between[0]);
    putAddresses(c.source, c.destination, row, record.between);
  }
  c.ethertype[row] = record.ethertype ?? [0x88cc, 0x0800, 0x86dd, 0x0806][c.network[row]!]!;
  c.protocol[row] = record.protocol ?? (record.arp ? 1 : record.between ? 17 : 0);
  [c.sourcePort[row], c.destinationPort[row]] = record.ports ?? [0, 0];
  if (record.icmp) c.icmpTypeCode[row] = (record.icmp[0] << 8) | record.icmp[1];
  c.vlan[row] = record.vlan === undefined ? 0 : record.vlan | 0x8000;
  c.cast[row] = record.cast ?? 0;
  c.fragment[row] = record.fragment ?? 0;
  c.remark[row] = record.remark ?? 0;
  c.octets[row] = BigInt(record.octets);
  c.packets[row] = BigInt(record.packets);
  c.wireOctets[row] = BigInt(record.wireOctets ?? record.octets);
  c.wirePackets[row] = BigInt(record.wirePackets ?? record.packets);
  c.payloadOctets[row] = BigInt(record.payloadOctets ?? 0);
  c.firstMs[row] = record.firstMs ?? 0;
  c.lastMs[row] = record.lastMs ?? 0;
  for (const [i, column] of [c.sourceMac, c.destinationMac].entries()) {
    const mac = record.macs?.[i];
    if (mac) column.set(Buffer.from(mac.replaceAll(':', ''), 'hex'), 6 * row);
  }
}

function networkOf(address: string): number {
  return address.includes(':') ? NETWORK.ipv6 : NETWORK.ipv4;
}

function putAddresses(
  source: Uint8Array,
  destination: Uint8Array,
  row: number,
  pair: readonly [string, string],
): void {
  source.set(parseAddress(pair[0])!, 16 * row);
  destination.set(parseAddress(pair[1])!, 16 * row);
}
