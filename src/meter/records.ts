/**
 * From the kernel's keys and counters to columns. The hot path: one pass over 32-bit words, no object per flow.
 *
 * Key and value buffers are what batches filled; the layouts are generated from the object's types, and the object's
 * types are compared with them when it is loaded.
 */
import { type FlowColumns, NETWORK, REMARK } from '../flow/index.ts';
import { stampToMs } from './clock.ts';
import { DeepKey, FlowCounters, Labels, NarrowKey, Network, Trait, WideKey } from './gen/meter.ts';

/** When the stamps of an epoch are turned into times: jiffies and wall time of the same moment, and a jiffy's length. */
export interface StampReference {
  readonly jiffies: bigint;
  readonly nowMs: number;
  readonly tickMs: number;
}

/** The three shapes of a flow key: all IPv4; any addresses; nested tunnels. */
export type KeyShape = 'narrow' | 'wide' | 'deep';

const KEY_SIZE = { narrow: NarrowKey.size, wide: WideKey.size, deep: DeepKey.size } as const;
/** IPv4 in IPv6: 10 zero octets, two of ones. */
const MAPPED_PREFIX_AT = 10;
const ECHO = new Set([8 << 8, 0, 128 << 8, 129 << 8]);

/**
 * Decodes `count` records into `columns` from record `at` on.
 *
 * @param keys keys as the kernel wrote them, `count` × the size of the shape's key
 * @param values counters as the kernel wrote them, `count` × the size of the counters
 */
export function decodeRecords(
  shape: KeyShape,
  keys: Uint8Array,
  values: Uint8Array,
  count: number,
  columns: FlowColumns,
  at: number,
  stamps: StampReference,
): void {
  decodeKeys(shape, keys, count, columns, at);
  decodeCounters(values, count, columns, at, stamps);
}

function decodeKeys(
  shape: KeyShape,
  keys: Uint8Array,
  count: number,
  columns: FlowColumns,
  at: number,
): void {
  const size = KEY_SIZE[shape];
  const words = new Uint32Array(keys.buffer, keys.byteOffset, (count * size) / 4);
  const halves = new Uint16Array(keys.buffer, keys.byteOffset, (count * size) / 2);
  const o = Labels.offsets;
  for (let i = 0; i < count; i++) {
    const byte = i * size;
    const row = at + i;
    const point = words[(byte + o.point) >> 2]!;
    const networks = keys[byte + o.network]!;
    const network = networks & 0x0f;
    const traits = keys[byte + o.traits]!;
    const tunnel = keys[byte + o.tunnel]!;
    const protocol = keys[byte + o.protocol]!;
    columns.ifindex[row] = point >>> 1;
    columns.direction[row] = point & 1;
    columns.tunnelKind[row] = tunnel;
    columns.tunnelId[row] = words[(byte + o.tunnelId) >> 2]!;
    columns.tunnelDepth[row] = tunnel === 0 ? 0 : 1 + (traits >> Trait.TRAIT_DEPTH_SHIFT);
    columns.outerNetwork[row] = networks >> 4;
    columns.network[row] = network;
    columns.protocol[row] = protocol;
    const vlan = (byte + o.vlan) >> 1;
    columns.vlan[row] = halves[vlan]!;
    columns.secondVlan[row] = halves[vlan + 1]!;
    const innerVlan = (byte + o.innerVlan) >> 1;
    columns.innerVlan[row] = halves[innerVlan]!;
    columns.innerSecondVlan[row] = halves[innerVlan + 1]!;
    columns.cast[row] = traits & Trait.TRAIT_BROADCAST ? 2 : traits & Trait.TRAIT_MULTICAST ? 1 : 0;
    columns.fragment[row] =
      traits & Trait.TRAIT_FIRST_FRAGMENT ? 1 : traits & Trait.TRAIT_LATER_FRAGMENT ? 2 : 0;
    columns.remark[row] =
      (traits & Trait.TRAIT_OVERFLOW ? REMARK.overflow : 0) |
      (traits & Trait.TRAIT_NOT_TUNNEL ? REMARK.notTunnel : 0);
    decodePorts(
      columns,
      row,
      network,
      protocol,
      halves[(byte + o.sourcePort) >> 1]!,
      halves[(byte + o.destinationPort) >> 1]!,
    );
    if (shape === 'narrow') decodeNarrowAddresses(columns, row, words, byte >> 2, tunnel, network);
    else {
      decodeWideAddresses(columns, row, keys, byte + WideKey.offsets.addresses);
      if (shape === 'deep')
        columns.nestedTunnelId[row] = words[(byte + DeepKey.offsets.nestedTunnelId) >> 2]!;
    }
  }
}

/** The two port places hold ICMP type and code and the echo identifier, or the ethertype, as parse.h says. */
function decodePorts(
  columns: FlowColumns,
  row: number,
  network: number,
  protocol: number,
  source: number,
  destination: number,
): void {
  if (network === NETWORK.none || network === NETWORK.arp) {
    columns.ethertype[row] = destination;
    return;
  }
  columns.ethertype[row] = network === NETWORK.ipv4 ? 0x0800 : 0x86dd;
  if (protocol === 1 || protocol === 58) {
    columns.icmpTypeCode[row] = destination;
    columns.sourcePort[row] = ECHO.has(destination) ? source : 0;
    return;
  }
  columns.sourcePort[row] = source;
  columns.destinationPort[row] = destination;
}

function decodeNarrowAddresses(
  columns: FlowColumns,
  row: number,
  words: Uint32Array,
  word: number,
  tunnel: number,
  network: number,
): void {
  const o = NarrowKey.offsets;
  if (tunnel !== 0) {
    writeMapped(columns.outerSource, row, words[word + (o.outerSource >> 2)]!);
    writeMapped(columns.outerDestination, row, words[word + (o.outerDestination >> 2)]!);
  }
  if (network !== Network.NETWORK_NONE) {
    writeMapped(columns.source, row, words[word + (o.source >> 2)]!);
    writeMapped(columns.destination, row, words[word + (o.destination >> 2)]!);
  }
}

/** `word`: four address octets as they lay in memory, on a little-endian machine. */
function writeMapped(column: Uint8Array, row: number, word: number): void {
  const at = row * 16;
  column[at + MAPPED_PREFIX_AT] = 0xff;
  column[at + MAPPED_PREFIX_AT + 1] = 0xff;
  column[at + 12] = word & 0xff;
  column[at + 13] = (word >>> 8) & 0xff;
  column[at + 14] = (word >>> 16) & 0xff;
  column[at + 15] = word >>> 24;
}

function decodeWideAddresses(columns: FlowColumns, row: number, keys: Uint8Array, at: number): void {
  const to = row * 16;
  for (let i = 0; i < 16; i++) {
    columns.outerSource[to + i] = keys[at + i]!;
    columns.outerDestination[to + i] = keys[at + 16 + i]!;
    columns.source[to + i] = keys[at + 32 + i]!;
    columns.destination[to + i] = keys[at + 48 + i]!;
  }
}

function decodeCounters(
  values: Uint8Array,
  count: number,
  columns: FlowColumns,
  at: number,
  stamps: StampReference,
): void {
  const size = FlowCounters.size;
  const longs = new BigUint64Array(values.buffer, values.byteOffset, (count * size) / 8);
  const words = new Uint32Array(values.buffer, values.byteOffset, (count * size) / 4);
  const halves = new Uint16Array(values.buffer, values.byteOffset, (count * size) / 2);
  const o = FlowCounters.offsets;
  for (let i = 0; i < count; i++) {
    const byte = i * size;
    const row = at + i;
    const octets = longs[(byte + o.octets) >> 3]!;
    const packets = longs[(byte + o.packets) >> 3]!;
    columns.octets[row] = octets;
    columns.packets[row] = packets;
    columns.wireOctets[row] = octets + longs[(byte + o.extraOctets) >> 3]!;
    columns.wirePackets[row] = packets + longs[(byte + o.extraPackets) >> 3]!;
    columns.payloadOctets[row] = longs[(byte + o.payloadOctets) >> 3]!;
    columns.firstMs[row] = stampToMs(
      words[(byte + o.first) >> 2]!,
      stamps.jiffies,
      stamps.nowMs,
      stamps.tickMs,
    );
    columns.lastMs[row] = stampToMs(
      words[(byte + o.last) >> 2]!,
      stamps.jiffies,
      stamps.nowMs,
      stamps.tickMs,
    );
    columns.longest[row] = words[(byte + o.longest) >> 2]!;
    columns.shortest[row] = halves[(byte + o.shortest) >> 1]!;
    columns.tcpFlags[row] = halves[(byte + o.tcpFlags) >> 1]!;
    columns.outerSourcePort[row] = halves[(byte + o.outerSourcePort) >> 1]!;
    columns.dscp[row] = values[byte + o.dscp]!;
    for (let octet = 0; octet < 6; octet++) {
      columns.destinationMac[row * 6 + octet] = values[byte + o.mac + octet]!;
      columns.sourceMac[row * 6 + octet] = values[byte + o.mac + 6 + octet]!;
    }
  }
}
