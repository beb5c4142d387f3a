/**
 * From the kernel's keys and counters to columns. The hot path: one pass over 32-bit words, no object per flow.
 *
 * Columns are taken out of the batch before a loop and 64-bit counters are added as two words: with `columns.x[row]`
 * and BigInt sums a row cost three times as much (bench/drain.ts). Keys and values are the kernel's own memory or what batches filled; the
 * layouts are generated from the object's types, and those are compared with them when the object is loaded. Every
 * machine this runs on is little-endian.
 *
 * What is zero nearly always is not written then: a page never written to is not resident.
 */
import { columnWords, type FlowColumns, REMARK } from '../flow/index.ts';
import { Addresses, FlowCounters, Labels, NarrowKey, Network, Stack, Trait, WideKey } from './gen/meter.ts';

/** When the stamps of an epoch are turned into times: jiffies and wall time of the same moment, and a jiffy's length. */
export interface StampReference {
  readonly jiffies: bigint;
  readonly nowMs: number;
  readonly tickMs: number;
}

/** The two shapes of a flow key: all IPv4 and at most one tunnel; any addresses, nested tunnels, marks. */
export type KeyShape = 'narrow' | 'wide';

/** Keys of a shape and as many counters, `keyStride` and `valueStride` octets from one to the next. */
export interface RawRecords {
  readonly keys: Uint8Array;
  readonly keyStride: number;
  readonly values: Uint8Array;
  readonly valueStride: number;
  readonly count: number;
}

/** Records that go through all passes together, so that they stay in the CPU's cache. */
const BLOCK = 1024;
/** The third word of an IPv4 address in its mapped form. */
const MAPPED_WORD = 0xffff_0000;
/** Words of an address. */
const ADDRESS_WORDS = 4;
/** Half words of a MAC address. */
const MAC_HALVES = 3;
/** Type and code of ICMP and ICMPv6 echo messages: those that have an identifier. */
const ECHO: ReadonlySet<number> = new Set([8 << 8, 0, 128 << 8, 129 << 8]);

/**
 * Decodes records into `columns` from row `first` on; the columns hold zeros there.
 *
 * @param stamps without it the times stay zero: whoever has no jiffies knows them otherwise
 */
export function decodeRecords(
  shape: KeyShape,
  raw: RawRecords,
  columns: FlowColumns,
  first: number,
  stamps: StampReference | undefined,
): void {
  for (let done = 0; done < raw.count; done += BLOCK) {
    const keys = raw.keys.subarray(done * raw.keyStride);
    const values = raw.values.subarray(done * raw.valueStride);
    const count = Math.min(BLOCK, raw.count - done);
    decodeBlock(shape, { ...raw, keys, values, count }, columns, first + done, stamps);
  }
}

function decodeBlock(
  shape: KeyShape,
  raw: RawRecords,
  columns: FlowColumns,
  first: number,
  stamps: StampReference | undefined,
): void {
  decodeLabels(raw, columns, first);
  decodePorts(raw, columns, first);
  if (shape === 'narrow') decodeNarrowAddresses(raw, columns, first);
  else decodeWideAddresses(raw, columns, first);
  if (shape === 'wide') decodeStack(raw, columns, first);
  decodeCounters(raw, columns, first);
  decodeAttributes(raw, columns, first);
  if (stamps) decodeStamps(raw, columns, first, stamps);
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
}

function halvesOf(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
}

function decodeLabels({ keys, keyStride, count }: RawRecords, columns: FlowColumns, first: number): void {
  const { ifindex, direction, tunnelKind, tunnelId, tunnelDepth, outerNetwork, network, protocol } = columns;
  const { vlan, secondVlan, innerVlan, innerSecondVlan, cast, fragment, remark } = columns;
  const words = wordsOf(keys);
  const halves = halvesOf(keys);
  const o = Labels.offsets;
  for (let i = 0; i < count; i++) {
    const byte = i * keyStride;
    const row = first + i;
    const point = words[(byte + o.point) >> 2]!;
    const networks = keys[byte + o.network]!;
    const traits = keys[byte + o.traits]!;
    const tunnel = keys[byte + o.tunnel]!;
    ifindex[row] = point >>> 1;
    direction[row] = point & 1;
    tunnelKind[row] = tunnel;
    tunnelId[row] = words[(byte + o.tunnelId) >> 2]!;
    tunnelDepth[row] = tunnel === 0 ? 0 : 1;
    outerNetwork[row] = networks >> 4;
    network[row] = networks & 0x0f;
    protocol[row] = keys[byte + o.protocol]!;
    const tag = halves[(byte + o.vlan) >> 1]!;
    const secondTag = halves[((byte + o.vlan) >> 1) + 1]!;
    const innerTag = halves[(byte + o.innerVlan) >> 1]!;
    const innerSecondTag = halves[((byte + o.innerVlan) >> 1) + 1]!;
    if (tag !== 0) vlan[row] = tag;
    if (secondTag !== 0) secondVlan[row] = secondTag;
    if (innerTag !== 0) innerVlan[row] = innerTag;
    if (innerSecondTag !== 0) innerSecondVlan[row] = innerSecondTag;
    if (traits === 0) continue;
    cast[row] = traits & Trait.TRAIT_BROADCAST ? 2 : traits & Trait.TRAIT_MULTICAST ? 1 : 0;
    fragment[row] = traits & Trait.TRAIT_FRAGMENT ? 1 : traits & Trait.TRAIT_LATER_FRAGMENT ? 2 : 0;
    remark[row] =
      (traits & Trait.TRAIT_OVERFLOW ? REMARK.overflow : 0) |
      (traits & Trait.TRAIT_NOT_TUNNEL ? REMARK.notTunnel : 0) |
      (traits & Trait.TRAIT_GUESSED ? REMARK.guessed : 0) |
      (traits & Trait.TRAIT_CRITICAL ? REMARK.critical : 0);
  }
}

/** The two port places hold ICMP type and code and the echo identifier, or the ethertype, as parse.h says. */
function decodePorts({ keys, keyStride, count }: RawRecords, columns: FlowColumns, first: number): void {
  const { network, protocol, sourcePort, destinationPort, icmpTypeCode, ethertype } = columns;
  const halves = halvesOf(keys);
  const sourceAt = Labels.offsets.sourcePort >> 1;
  const destinationAt = Labels.offsets.destinationPort >> 1;
  for (let i = 0; i < count; i++) {
    const row = first + i;
    const source = halves[((i * keyStride) >> 1) + sourceAt]!;
    const destination = halves[((i * keyStride) >> 1) + destinationAt]!;
    const kind = network[row]!;
    if (kind === Network.NETWORK_NONE || kind === Network.NETWORK_ARP) {
      ethertype[row] = destination;
      continue;
    }
    ethertype[row] = kind === Network.NETWORK_IPV4 ? 0x0800 : 0x86dd;
    const number = protocol[row]!;
    if (number === 1 || number === 58) {
      icmpTypeCode[row] = destination;
      sourcePort[row] = ECHO.has(destination) ? source : 0;
    } else {
      sourcePort[row] = source;
      destinationPort[row] = destination;
    }
  }
}

function decodeNarrowAddresses(
  { keys, keyStride, count }: RawRecords,
  columns: FlowColumns,
  first: number,
): void {
  const { outerNetwork, network } = columns;
  const outerSource = columnWords(columns.outerSource);
  const outerDestination = columnWords(columns.outerDestination);
  const source = columnWords(columns.source);
  const destination = columnWords(columns.destination);
  const words = wordsOf(keys);
  const o = NarrowKey.offsets;
  for (let i = 0; i < count; i++) {
    const word = (i * keyStride) >> 2;
    const row = first + i;
    const to = row * ADDRESS_WORDS;
    if (outerNetwork[row] !== Network.NETWORK_NONE) {
      outerSource[to + 2] = MAPPED_WORD;
      outerSource[to + 3] = words[word + (o.outerSource >> 2)]!;
      outerDestination[to + 2] = MAPPED_WORD;
      outerDestination[to + 3] = words[word + (o.outerDestination >> 2)]!;
    }
    if (network[row] !== Network.NETWORK_NONE) {
      source[to + 2] = MAPPED_WORD;
      source[to + 3] = words[word + (o.source >> 2)]!;
      destination[to + 2] = MAPPED_WORD;
      destination[to + 3] = words[word + (o.destination >> 2)]!;
    }
  }
}

function decodeWideAddresses(
  { keys, keyStride, count }: RawRecords,
  columns: FlowColumns,
  first: number,
): void {
  const words = wordsOf(keys);
  for (const name of ['outerSource', 'outerDestination', 'source', 'destination'] as const) {
    const column = columnWords(columns[name]);
    const at = (WideKey.offsets.addresses + Addresses.offsets[name]) >> 2;
    for (let i = 0; i < count; i++) {
      const from = ((i * keyStride) >> 2) + at;
      const to = (first + i) * ADDRESS_WORDS;
      for (let word = 0; word < ADDRESS_WORDS; word++) column[to + word] = words[from + word]!;
    }
  }
}

/** The tunnels inside the outermost one, and the mark. */
function decodeStack({ keys, keyStride, count }: RawRecords, columns: FlowColumns, first: number): void {
  const kinds = [columns.tunnel2Kind, columns.tunnel3Kind, columns.tunnel4Kind] as const;
  const ids = [columns.tunnel2Id, columns.tunnel3Id, columns.tunnel4Id] as const;
  const { tunnelDepth, markKind, markId } = columns;
  const words = wordsOf(keys);
  const at = WideKey.offsets.stack;
  const o = Stack.offsets;
  for (let i = 0; i < count; i++) {
    const byte = i * keyStride + at;
    const row = first + i;
    markKind[row] = keys[byte + o.mark]!;
    markId[row] = words[(byte + o.markId) >> 2]!;
    for (let level = 0; level < kinds.length; level++) {
      const kind = keys[byte + o.kind + level]!;
      if (kind === 0) break;
      kinds[level]![row] = kind;
      ids[level]![row] = words[((byte + o.id) >> 2) + level]!;
      tunnelDepth[row] = 2 + level;
    }
  }
}

function decodeCounters(
  { values, valueStride, count }: RawRecords,
  columns: FlowColumns,
  first: number,
): void {
  const octets = columnWords(columns.octets);
  const packets = columnWords(columns.packets);
  const wireOctets = columnWords(columns.wireOctets);
  const wirePackets = columnWords(columns.wirePackets);
  const payloadOctets = columnWords(columns.payloadOctets);
  const words = wordsOf(values);
  const o = FlowCounters.offsets;
  for (let i = 0; i < count; i++) {
    const word = (i * valueStride) >> 2;
    const to = 2 * (first + i);
    const payload = word + (o.payloadOctets >> 2);
    payloadOctets[to] = words[payload]!;
    payloadOctets[to + 1] = words[payload + 1]!;
    copyAndSum(octets, wireOctets, to, words, word + (o.octets >> 2), word + (o.extraOctets >> 2));
    copyAndSum(packets, wirePackets, to, words, word + (o.packets >> 2), word + (o.extraPackets >> 2));
  }
}

/** 64-bit numbers as two words: `copy` becomes the number at `base`, `sum` that plus the number at `extra`. */
function copyAndSum(
  copy: Uint32Array,
  sum: Uint32Array,
  to: number,
  words: Uint32Array,
  base: number,
  extra: number,
): void {
  const low = words[base]!;
  const high = words[base + 1]!;
  copy[to] = low;
  copy[to + 1] = high;
  const lowSum = low + words[extra]!;
  sum[to] = lowSum;
  sum[to + 1] = high + words[extra + 1]! + (lowSum > 0xffff_ffff ? 1 : 0);
}

function decodeAttributes(
  { values, valueStride, count }: RawRecords,
  columns: FlowColumns,
  first: number,
): void {
  const { longest, shortest, tcpFlags, outerSourcePort, dscp } = columns;
  const sourceMac = halvesOf(columns.sourceMac);
  const destinationMac = halvesOf(columns.destinationMac);
  const words = wordsOf(values);
  const halves = halvesOf(values);
  const o = FlowCounters.offsets;
  for (let i = 0; i < count; i++) {
    const byte = i * valueStride;
    const row = first + i;
    longest[row] = words[(byte + o.longest) >> 2]!;
    shortest[row] = halves[(byte + o.shortest) >> 1]!;
    const flags = halves[(byte + o.tcpFlags) >> 1]!;
    if (flags !== 0) tcpFlags[row] = flags;
    outerSourcePort[row] = halves[(byte + o.outerSourcePort) >> 1]!;
    const codePoint = values[byte + o.dscp]!;
    if (codePoint !== 0) dscp[row] = codePoint;
    const mac = (byte + o.mac) >> 1;
    for (let half = 0; half < MAC_HALVES; half++) {
      destinationMac[row * MAC_HALVES + half] = halves[mac + half]!;
      sourceMac[row * MAC_HALVES + half] = halves[mac + MAC_HALVES + half]!;
    }
  }
}

/** A stamp is the low 32 bits of jiffies: its age is right up to 2^32 ticks (49 days at 1000 Hz). */
function decodeStamps(
  { values, valueStride, count }: RawRecords,
  { firstMs, lastMs }: FlowColumns,
  first: number,
  { jiffies, nowMs, tickMs }: StampReference,
): void {
  const words = wordsOf(values);
  const now = Number(jiffies & 0xffff_ffffn);
  const o = FlowCounters.offsets;
  for (let i = 0; i < count; i++) {
    const word = (i * valueStride) >> 2;
    firstMs[first + i] = nowMs - ((now - words[word + (o.first >> 2)]!) >>> 0) * tickMs;
    lastMs[first + i] = nowMs - ((now - words[word + (o.last >> 2)]!) >>> 0) * tickMs;
  }
}
