/** The fields of the filter language: the only list of them. */
import type { FieldName } from '../../flow/index.ts';
import { VALUE_TYPES, type ValueType } from './value-type.ts';

/** One field: how it is called, what it takes, and which columns of a record it reads. */
export interface FieldDefinition {
  /** Other names for it. */
  readonly aliases: readonly string[];
  readonly type: ValueType;
  readonly columns: readonly FieldName[];
  readonly meaning: string;
  /** Grows with the packets of a period: a sum, or what any packet had. Says nothing of totals over many periods. */
  readonly isOfPeriod?: true;
}

const T = VALUE_TYPES;

/** In the order in which people are told of them. */
const FILTER_FIELDS = {
  src: {
    aliases: ['source'],
    type: T.address,
    columns: ['source', 'network'],
    meaning: 'source address of the innermost flow; of ARP the sender',
  },
  dst: {
    aliases: ['destination'],
    type: T.address,
    columns: ['destination', 'network'],
    meaning: 'destination address of the innermost flow; of ARP the target',
  },
  host: {
    aliases: ['net'],
    type: T.address,
    columns: ['source', 'destination', 'network'],
    meaning: 'either of these two',
  },
  sport: {
    aliases: ['sourcePort'],
    type: T.port,
    columns: ['sourcePort', 'network', 'protocol', 'fragment'],
    meaning: 'source port of the innermost flow',
  },
  dport: {
    aliases: ['destinationPort'],
    type: T.port,
    columns: ['destinationPort', 'network', 'protocol', 'fragment'],
    meaning: 'destination port of the innermost flow',
  },
  port: {
    aliases: [],
    type: T.port,
    columns: ['sourcePort', 'destinationPort', 'network', 'protocol', 'fragment'],
    meaning: 'either of these two',
  },
  proto: {
    aliases: ['protocol'],
    type: T.protocol,
    columns: ['protocol', 'network'],
    meaning: 'IP protocol of the innermost flow, or arp',
  },
  network: {
    aliases: [],
    type: T.network,
    columns: ['network'],
    meaning: 'network layer of the innermost flow',
  },
  tunnel: {
    aliases: [],
    type: T.tunnel,
    columns: ['tunnelKind', 'tunnel2Kind', 'tunnel3Kind', 'tunnel4Kind', 'tunnelDepth'],
    meaning: 'kind of any of the tunnels around the flow',
  },
  vni: {
    aliases: ['id'],
    type: T.word,
    columns: ['tunnelId', 'tunnel2Id', 'tunnel3Id', 'tunnel4Id', 'tunnelDepth'],
    meaning: 'identifier of any of them: VNI, key, TEID, label, …',
  },
  depth: {
    aliases: ['tunnelDepth'],
    type: T.octet,
    columns: ['tunnelDepth'],
    meaning: 'number of nested tunnels',
  },
  'outer.src': {
    aliases: ['outerSource'],
    type: T.address,
    columns: ['outerSource', 'outerNetwork'],
    meaning: 'source address of the packet that carries the outermost tunnel',
  },
  'outer.dst': {
    aliases: ['outerDestination'],
    type: T.address,
    columns: ['outerDestination', 'outerNetwork'],
    meaning: 'destination address of that packet',
  },
  'outer.host': {
    aliases: ['outer.net'],
    type: T.address,
    columns: ['outerSource', 'outerDestination', 'outerNetwork'],
    meaning: 'either of these two',
  },
  'outer.network': {
    aliases: ['outerNetwork'],
    type: T.network,
    columns: ['outerNetwork'],
    meaning: 'network layer of that packet; none where nothing is tunnelled in IP',
  },
  'outer.sport': {
    aliases: ['outerSourcePort'],
    type: T.port,
    columns: ['outerSourcePort'],
    meaning: 'UDP source port of that packet, the first of a period',
  },
  'inner.src': inner('src', T.address, ['source', 'network']),
  'inner.dst': inner('dst', T.address, ['destination', 'network']),
  'inner.host': inner('host', T.address, ['source', 'destination', 'network'], ['inner.net']),
  'inner.sport': inner('sport', T.port, ['sourcePort']),
  'inner.dport': inner('dport', T.port, ['destinationPort']),
  'inner.port': inner('port', T.port, ['sourcePort', 'destinationPort']),
  'inner.proto': inner('proto', T.protocol, ['protocol', 'network'], ['inner.protocol']),
  vlan: {
    aliases: [],
    type: T.vlan,
    columns: ['vlan', 'secondVlan'],
    meaning: 'VLAN of either tag of the outermost frame; none without a tag',
  },
  'inner.vlan': {
    aliases: ['innerVlan'],
    type: T.vlan,
    columns: ['innerVlan', 'innerSecondVlan', 'tunnelDepth'],
    meaning: 'VLAN of either tag of the innermost frame, of flows in a tunnel',
  },
  iface: {
    aliases: ['interface', 'interfaceName'],
    type: T.interface,
    columns: ['ifindex'],
    meaning: 'interface where the flow was seen; of captures what the file calls it, or the file',
  },
  direction: {
    aliases: ['dir'],
    type: T.direction,
    columns: ['direction'],
    meaning: 'ingress: received by that interface; egress: sent',
  },
  ethertype: {
    aliases: [],
    type: T.ethertype,
    columns: ['ethertype'],
    meaning: 'ethertype of the innermost frame',
  },
  'icmp.type': {
    aliases: [],
    type: T.octet,
    columns: ['icmpTypeCode', 'network', 'protocol', 'fragment'],
    meaning: 'type of ICMP or ICMPv6',
  },
  'icmp.code': {
    aliases: [],
    type: T.octet,
    columns: ['icmpTypeCode', 'network', 'protocol', 'fragment'],
    meaning: 'code of ICMP or ICMPv6',
  },
  'src.mac': {
    aliases: ['sourceMac'],
    type: T.mac,
    columns: ['sourceMac'],
    meaning: 'source MAC of the innermost frame, the first of a period',
  },
  'dst.mac': {
    aliases: ['destinationMac'],
    type: T.mac,
    columns: ['destinationMac'],
    meaning: 'destination MAC of that frame',
  },
  mac: { aliases: [], type: T.mac, columns: ['sourceMac', 'destinationMac'], meaning: 'either of these two' },
  dscp: {
    aliases: [],
    type: T.dscp,
    columns: ['dscp', 'network'],
    meaning: 'DSCP of the innermost IP header, the first of a period',
  },
  mark: {
    aliases: [],
    type: T.mark,
    columns: ['markKind'],
    meaning: 'protocol that names an encrypted or routed flow without being a tunnel',
  },
  'mark.id': {
    aliases: ['spi'],
    type: T.word,
    columns: ['markId', 'markKind'],
    meaning: 'what it names the flow by: SPI, index, segments left',
  },
  fragment: {
    aliases: [],
    type: T.fragment,
    columns: ['fragment'],
    meaning: 'whole packets, fragments whose ports are known, and later ones without',
  },
  cast: { aliases: [], type: T.cast, columns: ['cast'], meaning: 'destination MAC of the outermost frame' },
  remark: {
    aliases: [],
    type: T.remark,
    columns: ['remark'],
    meaning: 'what is odd: the flow cache was full, a tunnel port without its tunnel, …',
  },
  octets: {
    aliases: ['bytes', 'wireOctets'],
    type: T.octets,
    columns: ['wireOctets'],
    meaning: 'octets on the wire',
    isOfPeriod: true,
  },
  packets: {
    aliases: ['wirePackets'],
    type: T.count,
    columns: ['wirePackets'],
    meaning: 'packets on the wire',
    isOfPeriod: true,
  },
  payload: {
    aliases: ['payloadOctets'],
    type: T.octets,
    columns: ['payloadOctets'],
    meaning: 'octets behind the innermost transport header',
    isOfPeriod: true,
  },
  shortest: {
    aliases: [],
    type: T.octets,
    columns: ['shortest'],
    meaning: 'octets of the shortest packet on the wire',
    isOfPeriod: true,
  },
  longest: {
    aliases: [],
    type: T.octets,
    columns: ['longest'],
    meaning: 'octets of the longest packet on the wire',
    isOfPeriod: true,
  },
  duration: {
    aliases: [],
    type: T.duration,
    columns: ['firstMs', 'lastMs'],
    meaning: 'time from the first packet to the last',
    isOfPeriod: true,
  },
  'tcp.flags': {
    aliases: ['tcpFlags'],
    type: T.tcpFlags,
    columns: ['tcpFlags'],
    meaning: 'TCP flag that any of the packets had',
    isOfPeriod: true,
  },
} as const satisfies Record<string, FieldDefinition>;

/** Name of a field, as it is written. */
export type FilterField = keyof typeof FILTER_FIELDS;

/** The field of that name, without the details of which one it is. */
export function fieldDefinition(field: FilterField): FieldDefinition {
  return FILTER_FIELDS[field];
}

/** Every field, in the table's order. */
export const FILTER_FIELD_NAMES: readonly FilterField[] = Object.keys(FILTER_FIELDS) as FilterField[];

const BY_NAME: ReadonlyMap<string, FilterField> = new Map(
  FILTER_FIELD_NAMES.flatMap((field) =>
    [field, ...fieldDefinition(field).aliases].map((name): [string, FilterField] => [
      name.toLowerCase(),
      field,
    ]),
  ),
);

/** The field that a word names, by name or alias, in any case. */
export function fieldNamed(word: string): FilterField | undefined {
  return BY_NAME.get(word.toLowerCase());
}

/** The same as a field without prefix, but only of flows in a tunnel. */
function inner<const Type extends ValueType>(
  field: string,
  type: Type,
  columns: readonly FieldName[],
  aliases: readonly string[] = [],
): FieldDefinition & { readonly type: Type } {
  return { aliases, type, columns: [...columns, 'tunnelDepth'], meaning: `${field} of flows in a tunnel` };
}
