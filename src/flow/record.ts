/** One record of a batch as plain values for text formats: the one place that says how each field reads outside. */
import { formatAddress, formatMac } from './address.ts';
import type { FieldName, FlowColumns } from './batch.ts';
import { REMARK, TUNNEL_COLUMNS } from './batch.ts';
import { hasTunnelId, isIcmp, MARK, markName, NETWORK, tunnelName } from './protocol.ts';

/** A tunnel or mark: its kind by name and its identifier, `null` where the kind has none. */
export interface Named {
  readonly kind: string;
  readonly id: number | null;
}

/** A field as JSON holds it. */
export type FieldValue =
  | string
  | number
  | null
  | readonly string[]
  | readonly Named[]
  | Named
  | { readonly type: number; readonly code: number };

const NETWORK_NAMES = Object.keys(NETWORK);

/** Names of the values of the `direction`, `cast` and `fragment` columns, by value. */
export const DIRECTIONS = ['ingress', 'egress'] as const;
export const CASTS = ['unicast', 'multicast', 'broadcast'] as const;
export const FRAGMENTS = ['whole', 'fragment', 'fragmentWithoutPorts'] as const;

const REMARKS = Object.entries(REMARK);

type Reader = (columns: FlowColumns, row: number) => FieldValue;

/** Members that several fields make up together. */
const JOINED = {
  tunnels: (c, i) =>
    TUNNEL_COLUMNS.slice(0, c.tunnelDepth[i]!).map(({ kind, id }) => tunnelOf(c[kind][i]!, c[id][i]!)),
  mark: (c, i) => (c.markKind[i] === MARK.none ? null : { kind: markName(c.markKind[i]!), id: c.markId[i]! }),
} satisfies Record<string, Reader>;

type JoinedName = keyof typeof JOINED;

/**
 * How each field reads: tunnels as a list from the outside in, the mark as its kind and identifier or `null`, addresses and MACs as text (`null` where the frame has none), enumerations by name, VLANs as
 * their VID or `null`, ICMP as type and code or `null`, remarks as a list of names, times as ISO 8601 with
 * milliseconds in UTC, counters as numbers while they are safe integers and as decimal strings beyond.
 */
const READERS = {
  ifindex: (c, i) => c.ifindex[i]!,
  direction: (c, i) => DIRECTIONS[c.direction[i]!] ?? c.direction[i]!,
  tunnelKind: 'tunnels',
  tunnelId: 'tunnels',
  tunnelDepth: 'tunnels',
  tunnel2Kind: 'tunnels',
  tunnel2Id: 'tunnels',
  tunnel3Kind: 'tunnels',
  tunnel3Id: 'tunnels',
  tunnel4Kind: 'tunnels',
  tunnel4Id: 'tunnels',
  markKind: 'mark',
  markId: 'mark',
  outerNetwork: (c, i) => NETWORK_NAMES[c.outerNetwork[i]!] ?? c.outerNetwork[i]!,
  outerSource: (c, i) => addressText(c.outerSource, i, c.outerNetwork[i]!),
  outerDestination: (c, i) => addressText(c.outerDestination, i, c.outerNetwork[i]!),
  network: (c, i) => NETWORK_NAMES[c.network[i]!] ?? c.network[i]!,
  source: (c, i) => addressText(c.source, i, c.network[i]!),
  destination: (c, i) => addressText(c.destination, i, c.network[i]!),
  protocol: (c, i) => c.protocol[i]!,
  sourcePort: (c, i) => c.sourcePort[i]!,
  destinationPort: (c, i) => c.destinationPort[i]!,
  icmpTypeCode: (c, i) =>
    isIp(c.network[i]!) && isIcmp(c.protocol[i]!) && c.fragment[i] !== 2
      ? { type: c.icmpTypeCode[i]! >> 8, code: c.icmpTypeCode[i]! & 0xff }
      : null,
  ethertype: (c, i) => c.ethertype[i]!,
  vlan: (c, i) => vlanOf(c.vlan[i]!),
  secondVlan: (c, i) => vlanOf(c.secondVlan[i]!),
  innerVlan: (c, i) => vlanOf(c.innerVlan[i]!),
  innerSecondVlan: (c, i) => vlanOf(c.innerSecondVlan[i]!),
  cast: (c, i) => CASTS[c.cast[i]!] ?? c.cast[i]!,
  fragment: (c, i) => FRAGMENTS[c.fragment[i]!] ?? c.fragment[i]!,
  remark: (c, i) => remarkNames(c.remark[i]!),
  octets: (c, i) => counterValue(c.octets[i]!),
  packets: (c, i) => counterValue(c.packets[i]!),
  wireOctets: (c, i) => counterValue(c.wireOctets[i]!),
  wirePackets: (c, i) => counterValue(c.wirePackets[i]!),
  payloadOctets: (c, i) => counterValue(c.payloadOctets[i]!),
  firstMs: (c, i) => timeText(c.firstMs[i]!),
  lastMs: (c, i) => timeText(c.lastMs[i]!),
  tcpFlags: (c, i) => c.tcpFlags[i]!,
  dscp: (c, i) => c.dscp[i]!,
  outerSourcePort: (c, i) => c.outerSourcePort[i]!,
  shortest: (c, i) => c.shortest[i]!,
  longest: (c, i) => c.longest[i]!,
  sourceMac: (c, i) => formatMac(c.sourceMac, 6 * i),
  destinationMac: (c, i) => formatMac(c.destinationMac, 6 * i),
} satisfies Record<FieldName, Reader | JoinedName>;

/** Name of a member of a decoded record. */
type MemberName =
  | JoinedName
  | { [Name in FieldName]: (typeof READERS)[Name] extends JoinedName ? never : Name }[FieldName];

/** Each member once, where its first field stands, and how it begins in JSON. */
const MEMBERS: readonly { readonly name: MemberName; readonly json: string; readonly read: Reader }[] = [
  ...new Map(
    Object.entries(READERS).map(([name, reader]): [MemberName, Reader] =>
      typeof reader === 'string' ? [reader, JOINED[reader]] : [name as MemberName, reader],
    ),
  ),
].map(([name, read]) => ({ name, json: `"${name}":`, read }));

/** Every field of one record, decoded. */
export type DecodedRecord = Readonly<Record<MemberName, FieldValue>>;

/** Decodes record `row`; see the readers above for what each field becomes. */
export function decodeRecord(columns: FlowColumns, row: number): DecodedRecord {
  const record: Partial<Record<MemberName, FieldValue>> = {};
  for (const { name, read } of MEMBERS) record[name] = read(columns, row);
  return record as DecodedRecord;
}

/** The decoded record as JSON text, octet by octet what `JSON.stringify` makes of {@link decodeRecord}. */
export function recordJson(columns: FlowColumns, row: number): string {
  let text = '';
  for (const { json, read } of MEMBERS) {
    const value = read(columns, row);
    text += `${text === '' ? '{' : ','}${json}${valueJson(value)}`;
  }
  return `${text}}`;
}

function valueJson(value: FieldValue): string {
  if (typeof value === 'number') return String(value);
  // Addresses, names, times, digits: nothing in them has to be escaped.
  if (typeof value === 'string') return `"${value}"`;
  if (value === null) return 'null';
  return Array.isArray(value) && value.length === 0 ? '[]' : JSON.stringify(value);
}

/** A 64-bit counter for JSON: a number while it is a safe integer, else its decimal digits as a string. */
export function counterValue(counter: bigint): number | string {
  return counter <= Number.MAX_SAFE_INTEGER ? Number(counter) : counter.toString();
}

/** The VID of a VLAN column's value, or `null` where there was no tag. */
export function vlanOf(value: number): number | null {
  return value & 0x8000 ? value & 0x0fff : null;
}

function tunnelOf(kind: number, id: number): Named {
  const name = tunnelName(kind);
  return { kind: name, id: hasTunnelId(name) ? id : null };
}

function isIp(network: number): boolean {
  return network === NETWORK.ipv4 || network === NETWORK.ipv6;
}

/** `::` is an address like any other: packets that look for duplicates come from it. */
function addressText(column: Uint8Array, row: number, network: number): string | null {
  return network === NETWORK.none ? null : formatAddress(column, 16 * row);
}

/** The last second that was written, and its text up to the milliseconds: records of an epoch share few seconds. */
let [writtenSecond, secondText] = [Number.NaN, ''];

function timeText(milliseconds: number): string {
  const whole = Math.trunc(milliseconds);
  const second = Math.floor(whole / 1000);
  if (second !== writtenSecond) {
    secondText = new Date(1000 * second).toISOString().slice(0, -'000Z'.length);
    writtenSecond = second;
  }
  return `${secondText}${String(whole - 1000 * second).padStart(3, '0')}Z`;
}

function remarkNames(bits: number): readonly string[] {
  return bits === 0 ? [] : REMARKS.filter(([, bit]) => bits & bit).map(([name]) => name);
}
