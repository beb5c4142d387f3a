/**
 * FlowBatch: the flow records of one epoch as columns. Everything after the kernel speaks this and nothing else.
 *
 * A record is a *uniflow* (source to destination as on the wire) seen at one *observation point*. All columns have
 * one entry per record, except address columns (16 octets per record) and MAC columns (6 octets per record).
 */
import { freeBuffers } from './keytable.ts';
import { copyMeasurements, type MeasurementBatch, measurementBuffers } from './measurement.ts';
import { copySockets, type SocketBatch, socketBuffers } from './socket.ts';
import type { TunnelMeasures } from './tunnel-measures.ts';

/** Unit and meaning of each column; the only list of fields there is. Sinks map it with `satisfies Record<FieldName, …>`. */
export const FIELDS = {
  ifindex: { bits: 32, key: true, meaning: 'interface of the observation point' },
  direction: { bits: 8, key: true, meaning: '0 ingress (received by the interface), 1 egress (sent by it)' },
  tunnelKind: { bits: 8, key: true, meaning: 'outermost tunnel, 0 when there is none (TUNNEL)' },
  tunnelId: {
    bits: 32,
    key: true,
    meaning: 'identifier of the outermost tunnel: VNI, key, TEID, label, … (TUNNEL); 0 without one',
  },
  tunnelDepth: { bits: 8, key: true, meaning: 'number of nested tunnels, 0 for plain traffic, at most 4' },
  tunnel2Kind: { bits: 8, key: true, meaning: 'tunnel inside the outermost one, as tunnelKind' },
  tunnel2Id: { bits: 32, key: true, meaning: 'its identifier, as tunnelId' },
  tunnel3Kind: { bits: 8, key: true, meaning: 'tunnel inside that one, as tunnelKind' },
  tunnel3Id: { bits: 32, key: true, meaning: 'its identifier, as tunnelId' },
  tunnel4Kind: { bits: 8, key: true, meaning: 'tunnel inside that one, as tunnelKind' },
  tunnel4Id: { bits: 32, key: true, meaning: 'its identifier, as tunnelId' },
  markKind: {
    bits: 8,
    key: true,
    meaning: 'protocol that names an encrypted or routed flow without being a tunnel level, else 0 (MARK)',
  },
  markId: { bits: 32, key: true, meaning: 'what it names the flow by: SPI, index, segments left; else 0' },
  outerNetwork: {
    bits: 8,
    key: true,
    meaning: 'network layer of the first packet that carries a tunnel in IP; 0 where none does (NETWORK)',
  },
  outerSource: {
    bits: 128,
    key: true,
    meaning: 'source address of that packet; zero without',
  },
  outerDestination: {
    bits: 128,
    key: true,
    meaning: 'destination address of that packet; zero without',
  },
  network: { bits: 8, key: true, meaning: 'network layer of the innermost frame (NETWORK)' },
  source: {
    bits: 128,
    key: true,
    meaning: 'source address of the innermost frame; of ARP the sender protocol address',
  },
  destination: {
    bits: 128,
    key: true,
    meaning: 'destination address of the innermost frame; of ARP the target protocol address',
  },
  protocol: {
    bits: 8,
    key: true,
    meaning: 'IP protocol of the innermost frame; of ARP the operation (1 request, 2 reply)',
  },
  sourcePort: { bits: 16, key: true, meaning: 'source port; ICMP echo identifier for echo messages; else 0' },
  destinationPort: { bits: 16, key: true, meaning: 'destination port; else 0' },
  icmpTypeCode: {
    bits: 16,
    key: true,
    meaning: 'ICMP or ICMPv6 type in the high octet, code in the low; else 0',
  },
  ethertype: {
    bits: 16,
    key: true,
    meaning: 'ethertype of the innermost frame (after its VLAN tags); 0 where it has none (802.3 with LLC)',
  },
  vlan: {
    bits: 16,
    key: true,
    meaning: 'outermost VLAN tag of the outermost frame as vid | 0x8000, 0 without a tag',
  },
  secondVlan: { bits: 16, key: true, meaning: 'second VLAN tag (QinQ) of the outermost frame, as vlan' },
  innerVlan: {
    bits: 16,
    key: true,
    meaning: 'outermost VLAN tag of the innermost frame of a tunnel, as vlan',
  },
  innerSecondVlan: {
    bits: 16,
    key: true,
    meaning: 'second VLAN tag of the innermost frame of a tunnel, as vlan',
  },
  cast: {
    bits: 8,
    key: true,
    meaning: 'destination MAC of the outermost frame: 0 unicast, 1 multicast, 2 broadcast',
  },
  fragment: {
    bits: 8,
    key: true,
    meaning:
      '0 whole, 1 fragment whose ports are known (the first, or attributed to it), 2 later fragment without ports',
  },
  remark: {
    bits: 8,
    key: true,
    meaning: 'REMARK bits: overflow record, a tunnel port without its tunnel, contents guessed, …',
  },
  octets: { bits: 64, key: false, meaning: 'octets of the frames as the stack held them (skb->len)' },
  packets: { bits: 64, key: false, meaning: 'frames as the stack held them; a super-packet is one' },
  wireOctets: {
    bits: 64,
    key: false,
    meaning: 'octets on the wire: every segment with its headers, tags included',
  },
  wirePackets: { bits: 64, key: false, meaning: 'packets on the wire: every segment of a super-packet' },
  payloadOctets: {
    bits: 64,
    key: false,
    meaning: 'octets behind the innermost transport header, padding excluded',
  },
  firstMs: { bits: 64, key: false, meaning: 'time of the first packet, Unix epoch, milliseconds' },
  lastMs: { bits: 64, key: false, meaning: 'time of the last packet, Unix epoch, milliseconds' },
  tcpFlags: {
    bits: 16,
    key: false,
    meaning: 'OR of the TCP flags of all packets (octets 13 and 14 of the header, 9 bits)',
  },
  dscp: { bits: 8, key: false, meaning: 'DSCP of the innermost IP header of the first packet' },
  outerSourcePort: {
    bits: 16,
    key: false,
    meaning: 'UDP source port of the outermost packet, the first one: the entropy of the tunnel; else 0',
  },
  shortest: {
    bits: 16,
    key: false,
    meaning: 'shortest packet on the wire, octets; 65535 means that or more',
  },
  longest: { bits: 32, key: false, meaning: 'longest packet on the wire, octets' },
  sourceMac: { bits: 48, key: false, meaning: 'source MAC of the innermost frame of the first packet' },
  destinationMac: {
    bits: 48,
    key: false,
    meaning: 'destination MAC of the innermost frame of the first packet',
  },
} as const satisfies Record<string, { bits: number; key: boolean; meaning: string }>;

/** Name of a field of a flow record. */
export type FieldName = keyof typeof FIELDS;

type ColumnOf<Bits extends number> = Bits extends 8
  ? Uint8Array<ArrayBuffer>
  : Bits extends 16
    ? Uint16Array<ArrayBuffer>
    : Bits extends 32
      ? Uint32Array<ArrayBuffer>
      : Bits extends 64
        ? BigUint64Array<ArrayBuffer>
        : Uint8Array<ArrayBuffer>;

type Time = 'firstMs' | 'lastMs';

/**
 * The columns of a batch. Counters are BigUint64Array; the two times are Float64Array; addresses are 16 octets,
 * MACs 6 octets per record.
 */
export type FlowColumns = {
  readonly [Name in FieldName]: Name extends Time
    ? Float64Array<ArrayBuffer>
    : ColumnOf<(typeof FIELDS)[Name]['bits']>;
};

/** The columns of the tunnels of a record, outermost first. */
export const TUNNEL_COLUMNS = [
  { kind: 'tunnelKind', id: 'tunnelId' },
  { kind: 'tunnel2Kind', id: 'tunnel2Id' },
  { kind: 'tunnel3Kind', id: 'tunnel3Id' },
  { kind: 'tunnel4Kind', id: 'tunnel4Id' },
] as const;

/** Bits of the `remark` column. */
export const REMARK = {
  /** The flow cache was full: this record holds all octets of its tunnel that found no place, detail is lost. */
  overflow: 1,
  /** Announced as a tunnel (by UDP port, IP protocol or ethertype), but is not that tunnel: kept as a plain flow. */
  notTunnel: 2,
  /** What a tunnel carries was guessed, because its header does not say: MPLS by the first nibble, L2TPv3. */
  guessed: 4,
  /** Geneve with the C bit: options that whoever ends the tunnel must understand (RFC 8926 section 3.4). */
  critical: 8,
} as const;

/** What an interface takes as one packet. */
export interface LinkRoom {
  /** Its MTU: octets behind the link's own header, VLAN tags not counted. */
  readonly mtu: number;
  /** Octets of that header as lengths of packets have it: 14 of Ethernet, 0 where packets begin with IP. */
  readonly header: number;
}

/** One place where packets are seen: an interface in one direction. */
export interface ObservationPoint {
  readonly ifindex: number;
  /** 0 ingress, 1 egress. */
  readonly direction: 0 | 1;
  readonly interfaceName: string;
  /** Bound to a device driver or carrying the default route: totals count here by default. */
  readonly primary: boolean;
  /** As it was lately; absent where nobody knows: in captures. */
  readonly link?: LinkRoom | undefined;
}

/** What one observation point saw in one epoch that is *not* in a flow record, by reason. */
export interface LedgerLine {
  readonly ifindex: number;
  readonly direction: 0 | 1;
  /** Name of the reason, e.g. `ipv4_truncated`; the kernel's enum in lower case. */
  readonly reason: string;
  /** 0: the outermost frame, 1: the frame inside the first tunnel, and so on. */
  readonly level: number;
  readonly packets: bigint;
  readonly octets: bigint;
  /** On the wire, where that was measured: of what the rules exclude. Anything else is one frame each. */
  readonly wire?: { readonly packets: bigint; readonly octets: bigint };
}

/** Everything one observation point saw in one epoch, counted before anything else was done with the packet. */
export interface SeenLine {
  readonly ifindex: number;
  readonly direction: 0 | 1;
  /** Frames and octets as the stack held them. */
  readonly packets: bigint;
  readonly octets: bigint;
}

/** What an interface itself has counted in one direction since it was made, in units of its own; see docs/audit.md. */
export interface CounterValues {
  readonly packets: bigint;
  readonly octets: bigint;
  /** What it and (egress) its queue say they dropped; not in `packets`. */
  readonly dropped: bigint;
  /** Egress: packets in its queue now, past the hook and not yet counted. */
  readonly waiting: bigint;
}

/** Readings just before and just after a moment: what was counted at that moment lies between them. */
export interface CounterReading {
  readonly before: CounterValues;
  readonly after: CounterValues;
}

/** An interface's own counters around the beginning and the end of an epoch, at one observation point. */
export interface CounterLine {
  readonly ifindex: number;
  readonly direction: 0 | 1;
  /** What device it is, which says what it counts: `veth`, `vxlan`, `loopback`, `hardware`, …; empty when not known. */
  readonly kind: string;
  /** Around the beginning: the end of the epoch before, or the moment the programs were attached. */
  readonly begin: CounterReading;
  /** Around the end; undefined when the interface was gone by then. */
  readonly end: CounterReading | undefined;
  /** Names of programs of others that run before ours and after it; undefined where the hook does not say (clsact). */
  readonly programs: { readonly before: readonly string[]; readonly after: readonly string[] } | undefined;
}

/**
 * One epoch, final and immutable. Lent: its columns go back to where they came from and are written to again, so
 * whoever needs it for longer than a call keeps a copy ({@link copyBatch}).
 *
 * For each observation point: seen = sum of the records (overflow records included) + sum of the ledger lines,
 * in packets and in octets.
 */
export interface FlowBatch {
  /** Rises by one per epoch from 1 since this agent began. */
  readonly epoch: number;
  /** Random per start of an agent: (agent, epoch) names an epoch for good. */
  readonly agent: string;
  /** The epoch's bounds, Unix epoch, milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  /** Number of records. */
  readonly length: number;
  readonly columns: FlowColumns;
  readonly points: readonly ObservationPoint[];
  readonly seen: readonly SeenLine[];
  readonly ledger: readonly LedgerLine[];
  /** Of the points whose interface tells what it counted. */
  readonly counters: readonly CounterLine[];
  /** What was measured of flows, where anything is. */
  readonly measurements?: MeasurementBatch | undefined;
  /** What of it is left where an epoch is on its way to a store: sums by tunnel. Nobody's to change. */
  readonly tunnels?: TunnelMeasures | undefined;
  /** What the host's own TCP sockets knew at the end, where they are asked. */
  readonly sockets?: SocketBatch | undefined;
}

/** Yields the epochs of one meter until aborted; ends normally after a last drain. */
export interface FlowSource {
  batches(options: { readonly signal: AbortSignal }): AsyncIterable<FlowBatch>;
}

/** Takes epochs. A rejected write is a failure of that sink alone. */
export interface FlowSink {
  readonly name: string;
  /** Takes one in; the batch is lent until this returns or, of a promise, until that is settled. */
  write(batch: FlowBatch): Promise<void> | void;
  close(): Promise<void> | void;
}

/** Empty columns for `length` records, all zero. */
export function createColumns(length: number): FlowColumns {
  return mapFields((name, bits) => {
    const column = columnType(name, bits);
    return new column(entries(column, bits, length));
  });
}

/** Of every so many records one more fits, so that a little growth finds room. */
const SLACK = 8;
/** Columns that would hold more than so many times what is asked for are given up. */
const WASTE = 4;
/** Too few records to care about waste. */
const FEW = 4096;

/**
 * Columns for `length` records, all zero, in the buffers of columns that nobody reads any more: an epoch needs about
 * as much as the one before, and memory that is asked for anew each time stays with the process twice.
 *
 * @param old taken over, not to be used again; too small or much too large for `length` they are left alone
 * @returns views of those buffers, or of new ones that are an eighth larger than needed
 */
export function reuseColumns(old: FlowColumns | undefined, length: number): FlowColumns {
  // The column of one octet per record tells for how many there is room.
  const room = old?.direction.buffer.byteLength ?? -1;
  const fits = length <= room && room <= Math.max(FEW, WASTE * length);
  const capacity = fits ? room : length + Math.ceil(length / SLACK);
  return mapFields((name, bits) => {
    const column = columnType(name, bits);
    const buffer = fits
      ? old![name].buffer
      : new ArrayBuffer(column.BYTES_PER_ELEMENT * entries(column, bits, capacity));
    const view = new column(buffer, 0, entries(column, bits, length));
    if (fits) new Uint8Array(buffer, 0, view.byteLength).fill(0);
    return view;
  });
}

/**
 * A copy that the caller owns.
 *
 * @param old a copy that is not needed any more; its buffers are used where they fit
 */
export function copyBatch(batch: FlowBatch, old?: FlowBatch): FlowBatch {
  const columns = reuseColumns(old?.columns, batch.length);
  for (const name of Object.keys(FIELDS) as FieldName[]) {
    // Equal types under equal names, which the type of a union of names cannot say.
    (columns[name] as Uint8Array).set(batch.columns[name] as Uint8Array);
  }
  return {
    ...batch,
    columns,
    ...(batch.measurements && { measurements: copyMeasurements(batch.measurements) }),
    ...(batch.sockets && { sockets: copySockets(batch.sockets) }),
  };
}

/** Octets a batch holds on to: its buffers, room for more records included. */
export function batchOctets(batch: FlowBatch): number {
  return batchBuffers(batch).reduce((sum, buffer) => sum + buffer.byteLength, 0);
}

/** All buffers of a batch, for handing it to another thread without a copy. */
export function batchBuffers({ columns, measurements, sockets }: FlowBatch): ArrayBuffer[] {
  return [...transferables(columns), ...measurementBuffers(measurements), ...socketBuffers(sockets)];
}

/** As {@link freeColumns}, of all that a batch holds. */
export function freeBatch(batch: FlowBatch): void {
  freeBuffers(batchBuffers(batch));
}

/** The buffers behind the columns, each once: several columns may lie in one. */
export function transferables(columns: FlowColumns): ArrayBuffer[] {
  return [...new Set(Object.values(columns).map((column) => column.buffer))];
}

/**
 * Gives the memory of columns that nobody reads any more back at once; they are empty from then on. What is left to the
 * garbage collector stays with the process for some epochs.
 */
export function freeColumns(columns: FlowColumns): void {
  freeBuffers(transferables(columns));
}

type ColumnType =
  | Float64ArrayConstructor
  | Uint8ArrayConstructor
  | Uint16ArrayConstructor
  | Uint32ArrayConstructor
  | BigUint64ArrayConstructor;

function mapFields(make: (name: FieldName, bits: number) => ArrayBufferView): FlowColumns {
  const columns: Record<string, ArrayBufferView> = {};
  for (const [name, { bits }] of Object.entries(FIELDS)) columns[name] = make(name as FieldName, bits);
  return columns as unknown as FlowColumns;
}

function columnType(name: FieldName, bits: number): ColumnType {
  if (name === 'firstMs' || name === 'lastMs') return Float64Array;
  switch (bits) {
    case 16:
      return Uint16Array;
    case 32:
      return Uint32Array;
    case 64:
      return BigUint64Array;
    default:
      return Uint8Array;
  }
}

/** Elements that `length` records take: addresses and MACs take several. */
function entries(column: ColumnType, bits: number, length: number): number {
  return (length * bits) / (8 * column.BYTES_PER_ELEMENT);
}
