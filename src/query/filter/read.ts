/** How each field of the filter language is read from a record. */
import {
  hasPorts,
  hasTunnelId,
  isIcmp,
  NETWORK,
  TUNNEL,
  TUNNEL_COLUMNS,
  type TunnelName,
} from '../../flow/index.ts';
import type { FilterField } from './fields.ts';
import { ABSENT, ARP_CODE, NONE_CODE } from './value-type.ts';
import type { AddressView, Views } from './views.ts';

/** One value of a field as its code; `ABSENT` where the flow has none. */
export type ReadNumber = (views: Views, row: number) => number;

/** A field of a record: several numbers of which one must fit, a set of bits, or addresses. */
export type FieldReader =
  | { readonly kind: 'numbers'; readonly read: readonly ReadNumber[] }
  | { readonly kind: 'bits'; readonly read: ReadNumber }
  | {
      readonly kind: 'addresses';
      readonly views: readonly AddressView[];
      /** Not 0 where the flow has these addresses. */
      readonly has: ReadNumber;
    };

const numbers = (...read: ReadNumber[]): FieldReader => ({ kind: 'numbers', read });

/** The field of a flow that is in a tunnel; else nothing. */
const inTunnel =
  (read: ReadNumber): ReadNumber =>
  (v, row) =>
    v.columns.tunnelDepth[row] === 0 ? ABSENT : read(v, row);

const hasInner: ReadNumber = ({ columns }, row) => columns.network[row]!;
const hasOuter: ReadNumber = ({ columns }, row) => columns.outerNetwork[row]!;
const hasTunnelled: ReadNumber = ({ columns }, row) =>
  columns.tunnelDepth[row] === 0 ? 0 : columns.network[row]!;

const isIp = ({ columns }: Views, row: number): boolean =>
  columns.network[row] === NETWORK.ipv4 || columns.network[row] === NETWORK.ipv6;
/** A later fragment has neither ports nor ICMP type. */
const LATER_FRAGMENT = 2;
const showsTransport = (v: Views, row: number): boolean =>
  isIp(v, row) && v.columns.fragment[row] !== LATER_FRAGMENT;

const sport: ReadNumber = (v, row) =>
  showsTransport(v, row) && hasPorts(v.columns.protocol[row]!) ? v.columns.sourcePort[row]! : ABSENT;
const dport: ReadNumber = (v, row) =>
  showsTransport(v, row) && hasPorts(v.columns.protocol[row]!) ? v.columns.destinationPort[row]! : ABSENT;
const icmp =
  (shift: number): ReadNumber =>
  (v, row) =>
    showsTransport(v, row) && isIcmp(v.columns.protocol[row]!)
      ? (v.columns.icmpTypeCode[row]! >> shift) & 0xff
      : ABSENT;

const proto: ReadNumber = (v, row) => {
  if (isIp(v, row)) return v.columns.protocol[row]!;
  return v.columns.network[row] === NETWORK.arp ? ARP_CODE : ABSENT;
};

/** The outermost tunnel of plain traffic is `none`; levels beyond the innermost are nothing. */
const tunnelKinds = TUNNEL_COLUMNS.map(
  ({ kind }, level): ReadNumber =>
    ({ columns }, row) =>
      level === 0 || level < columns.tunnelDepth[row]! ? columns[kind][row]! : ABSENT,
);

const HAS_ID = Object.keys(TUNNEL).map((name) => hasTunnelId(name as TunnelName));
const tunnelIds = TUNNEL_COLUMNS.map(
  ({ kind, id }, level): ReadNumber =>
    ({ columns }, row) =>
      level < columns.tunnelDepth[row]! && HAS_ID[columns[kind][row]!] ? columns[id][row]! : ABSENT,
);

const TAGGED = 0x8000;
const VID = 0xfff;
type VlanColumn = 'vlan' | 'secondVlan' | 'innerVlan' | 'innerSecondVlan';
const vlan =
  (column: VlanColumn, without: number): ReadNumber =>
  ({ columns }, row) => {
    const tag = columns[column][row]!;
    return tag & TAGGED ? tag & VID : without;
  };

/** Six octets are fewer than the 53 bits a number holds. */
const mac =
  (column: 'sourceMac' | 'destinationMac'): ReadNumber =>
  ({ columns }, row) => {
    let address = 0;
    for (let i = 6 * row; i < 6 * row + 6; i++) address = 256 * address + columns[column][i]!;
    return address;
  };

const HIGH_WORD = 2 ** 32;
/** Rounded beyond 2^53, where filters have no numbers. */
const counter =
  (view: 'wireOctets' | 'wirePackets' | 'payloadOctets'): ReadNumber =>
  (v, row) =>
    v[view][2 * row]! + HIGH_WORD * v[view][2 * row + 1]!;

/** Every field. */
export const FIELD_READERS = {
  src: { kind: 'addresses', views: ['source'], has: hasInner },
  dst: { kind: 'addresses', views: ['destination'], has: hasInner },
  host: { kind: 'addresses', views: ['source', 'destination'], has: hasInner },
  sport: numbers(sport),
  dport: numbers(dport),
  port: numbers(sport, dport),
  proto: numbers(proto),
  network: numbers(({ columns }, row) => columns.network[row]!),
  tunnel: numbers(...tunnelKinds),
  vni: numbers(...tunnelIds),
  depth: numbers(({ columns }, row) => columns.tunnelDepth[row]!),
  'outer.src': { kind: 'addresses', views: ['outerSource'], has: hasOuter },
  'outer.dst': { kind: 'addresses', views: ['outerDestination'], has: hasOuter },
  'outer.host': { kind: 'addresses', views: ['outerSource', 'outerDestination'], has: hasOuter },
  'outer.network': numbers(({ columns }, row) => columns.outerNetwork[row]!),
  'outer.sport': numbers(({ columns }, row) => columns.outerSourcePort[row]! || ABSENT),
  'inner.src': { kind: 'addresses', views: ['source'], has: hasTunnelled },
  'inner.dst': { kind: 'addresses', views: ['destination'], has: hasTunnelled },
  'inner.host': { kind: 'addresses', views: ['source', 'destination'], has: hasTunnelled },
  'inner.sport': numbers(inTunnel(sport)),
  'inner.dport': numbers(inTunnel(dport)),
  'inner.port': numbers(inTunnel(sport), inTunnel(dport)),
  'inner.proto': numbers(inTunnel(proto)),
  vlan: numbers(vlan('vlan', NONE_CODE), vlan('secondVlan', ABSENT)),
  'inner.vlan': numbers(inTunnel(vlan('innerVlan', NONE_CODE)), inTunnel(vlan('innerSecondVlan', ABSENT))),
  iface: numbers(({ columns }, row) => columns.ifindex[row]!),
  direction: numbers(({ columns }, row) => columns.direction[row]!),
  ethertype: numbers(({ columns }, row) => columns.ethertype[row]!),
  'icmp.type': numbers(icmp(8)),
  'icmp.code': numbers(icmp(0)),
  'src.mac': numbers(mac('sourceMac')),
  'dst.mac': numbers(mac('destinationMac')),
  mac: numbers(mac('sourceMac'), mac('destinationMac')),
  dscp: numbers((v, row) => (isIp(v, row) ? v.columns.dscp[row]! : ABSENT)),
  mark: numbers(({ columns }, row) => columns.markKind[row]!),
  'mark.id': numbers(({ columns }, row) => (columns.markKind[row] === 0 ? ABSENT : columns.markId[row]!)),
  fragment: numbers(({ columns }, row) => columns.fragment[row]!),
  cast: numbers(({ columns }, row) => columns.cast[row]!),
  remark: { kind: 'bits', read: ({ columns }, row) => columns.remark[row]! },
  octets: numbers(counter('wireOctets')),
  packets: numbers(counter('wirePackets')),
  payload: numbers(counter('payloadOctets')),
  shortest: numbers(({ columns }, row) => columns.shortest[row]!),
  longest: numbers(({ columns }, row) => columns.longest[row]!),
  duration: numbers(({ columns }, row) => columns.lastMs[row]! - columns.firstMs[row]!),
  'tcp.flags': { kind: 'bits', read: ({ columns }, row) => columns.tcpFlags[row]! },
} as const satisfies Record<FilterField, FieldReader>;
