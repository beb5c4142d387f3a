/** Names for what the records hold as numbers; numbers are IANA's, names the field's. */

/** Network layer of a frame, as the kernel's `enum network` numbers it. */
export const NETWORK = { none: 0, ipv4: 1, ipv6: 2, arp: 3 } as const;

/**
 * Tunnel type, as the kernel's `enum tunnel` numbers it; `none` is plain traffic. What the identifier of each is stands
 * in {@link TUNNEL_IDS}.
 */
export const TUNNEL = {
  none: 0,
  vxlan: 1,
  'vxlan-gpe': 2,
  nsh: 3,
  geneve: 4,
  gre: 5,
  gretap: 6,
  nvgre: 7,
  'erspan-1': 8,
  'erspan-2': 9,
  'erspan-3': 10,
  ipip: 11,
  sit: 12,
  ip4ip6: 13,
  ip6ip6: 14,
  srv6: 15,
  'gtp-u': 16,
  mpls: 17,
  l2tp: 18,
  l2tpv3: 19,
  etherip: 20,
  eoip: 21,
  pptp: 22,
  teredo: 23,
  pppoe: 24,
  lisp: 25,
  ayiya: 26,
} as const;

/** Name of a tunnel type: the key of {@link TUNNEL}. */
export type TunnelName = keyof typeof TUNNEL;

/** What names an encrypted or routed flow without being a tunnel level, as the kernel's `enum mark` numbers it. */
export const MARK = {
  none: 0,
  esp: 1,
  ah: 2,
  'esp-udp': 3,
  'wireguard-initiation': 4,
  'wireguard-response': 5,
  'wireguard-cookie': 6,
  'wireguard-data': 7,
  'segment-routing': 8,
} as const;

/** Name of a mark: the key of {@link MARK}. */
export type MarkName = keyof typeof MARK;

const TUNNEL_NAMES = Object.keys(TUNNEL) as TunnelName[];
const MARK_NAMES = Object.keys(MARK) as MarkName[];

/** Name of a tunnel type number; a number this build does not know is a broken record. */
export function tunnelName(kind: number): TunnelName {
  const found = TUNNEL_NAMES[kind];
  if (found === undefined)
    throw new RangeError(`tunnel type ${kind} is not one of ${TUNNEL_NAMES.join(', ')}`);
  return found;
}

/** Name of a mark number; a number this build does not know is a broken record. */
export function markName(kind: number): MarkName {
  const found = MARK_NAMES[kind];
  if (found === undefined) throw new RangeError(`mark ${kind} is not one of ${MARK_NAMES.join(', ')}`);
  return found;
}

/** Whether a word is the name of a tunnel type. */
export function isTunnelName(name: string): name is TunnelName {
  return Object.hasOwn(TUNNEL, name);
}

/** How an identifier reads: a word before it and its digits; `none` where the tunnel has none. */
interface Identifier {
  readonly word: string;
  readonly digits: 'decimal' | 'hexadecimal' | 'halves' | 'none';
  /** What is said for 0, where that means there was none. */
  readonly without?: string;
}

const VNI: Identifier = { word: 'VNI', digits: 'decimal' };
/** RFC 2890: GRE has a key or not. */
const key = (without: string): Identifier => ({ word: 'key', digits: 'decimal', without });
const nothing = (word: string): Identifier => ({ word, digits: 'none' });

/** The identifier of each tunnel type, in the words of the documents that define it. */
const TUNNEL_IDS: Readonly<Record<TunnelName, Identifier>> = {
  none: nothing('plain traffic'),
  vxlan: VNI,
  'vxlan-gpe': VNI,
  nsh: { word: 'service path', digits: 'decimal' },
  geneve: VNI,
  gre: key('GRE'),
  gretap: key('GRETAP'),
  nvgre: VNI,
  'erspan-1': nothing('ERSPAN'),
  'erspan-2': { word: 'ERSPAN session', digits: 'decimal' },
  'erspan-3': { word: 'ERSPAN session', digits: 'decimal' },
  ipip: nothing('IPIP'),
  sit: nothing('SIT'),
  ip4ip6: nothing('IP4IP6'),
  ip6ip6: nothing('IP6IP6'),
  srv6: { word: 'SRv6 segments left', digits: 'decimal' },
  'gtp-u': { word: 'TEID', digits: 'hexadecimal' },
  mpls: { word: 'label', digits: 'decimal' },
  l2tp: { word: 'L2TP', digits: 'halves' },
  l2tpv3: { word: 'L2TPv3 session', digits: 'decimal' },
  etherip: nothing('EtherIP'),
  eoip: { word: 'EoIP', digits: 'decimal' },
  pptp: { word: 'call', digits: 'decimal' },
  teredo: nothing('Teredo'),
  pppoe: { word: 'session', digits: 'decimal' },
  lisp: { word: 'LISP instance', digits: 'decimal' },
  ayiya: nothing('AYIYA'),
};

const MARK_IDS: Readonly<Record<MarkName, Identifier>> = {
  none: nothing(''),
  esp: { word: 'ESP SPI', digits: 'hexadecimal' },
  ah: { word: 'AH SPI', digits: 'hexadecimal' },
  'esp-udp': { word: 'ESP in UDP SPI', digits: 'hexadecimal' },
  'wireguard-initiation': { word: 'WireGuard initiation, sender', digits: 'hexadecimal' },
  'wireguard-response': { word: 'WireGuard response, receiver', digits: 'hexadecimal' },
  'wireguard-cookie': { word: 'WireGuard cookie, receiver', digits: 'hexadecimal' },
  'wireguard-data': { word: 'WireGuard, receiver', digits: 'hexadecimal' },
  'segment-routing': { word: 'segments left', digits: 'decimal' },
};

/** A tunnel in words: `VNI 5001`, `TEID 0x1a2b`, `key 5`, `label 100`, `L2TP 3/7`, `IPIP`. */
export function tunnelWords(kind: number, id: number): string {
  return identifierWords(TUNNEL_IDS[tunnelName(kind)], id);
}

/** A mark in words: `ESP SPI 0x1a2b`, `WireGuard, receiver 0x7`. */
export function markWords(kind: number, id: number): string {
  return identifierWords(MARK_IDS[markName(kind)], id);
}

/** The identifier of a tunnel alone, as {@link tunnelWords} writes it; empty where the type has none. */
export function tunnelIdText(name: TunnelName, id: number): string {
  const identifier = TUNNEL_IDS[name];
  return id === 0 && identifier.without !== undefined ? '' : digitsOf(identifier, id);
}

/** Whether tunnels of this type have an identifier at all. */
export function hasTunnelId(name: TunnelName): boolean {
  return TUNNEL_IDS[name].digits !== 'none';
}

function identifierWords(identifier: Identifier, id: number): string {
  if (id === 0 && identifier.without !== undefined) return identifier.without;
  return `${identifier.word} ${digitsOf(identifier, id)}`.trimEnd();
}

function digitsOf({ digits }: Identifier, id: number): string {
  switch (digits) {
    case 'decimal':
      return String(id);
    case 'hexadecimal':
      return `0x${id.toString(16)}`;
    case 'halves':
      return `${id >>> 16}/${id & 0xffff}`;
    case 'none':
      return '';
  }
}

/** IANA protocol numbers with a name worth printing (IANA "Assigned Internet Protocol Numbers"). */
const PROTOCOLS: Readonly<Record<number, string>> = {
  0: 'HOPOPT',
  1: 'ICMP',
  2: 'IGMP',
  4: 'IPIP',
  6: 'TCP',
  8: 'EGP',
  9: 'IGP',
  12: 'PUP',
  17: 'UDP',
  22: 'IDP',
  29: 'TP',
  33: 'DCCP',
  41: 'IPV6',
  46: 'RSVP',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'ICMPV6',
  88: 'EIGRP',
  89: 'OSPF',
  94: 'IPIP',
  97: 'ETHERIP',
  103: 'PIM',
  108: 'IPCOMP',
  112: 'VRRP',
  115: 'L2TP',
  132: 'SCTP',
  136: 'UDPLITE',
  137: 'MPLS-IN-IP',
  255: 'RAW',
};

/** Name of an IP protocol number, or the number itself where it has none. */
export function protocolName(protocol: number): string {
  return PROTOCOLS[protocol] ?? String(protocol);
}

/** The numbers of each protocol that has a name, by that name: some names stand for two. */
export function protocolNumbers(): Map<string, number[]> {
  return numbersByName(PROTOCOLS);
}

const ETHERTYPES: Readonly<Record<number, string>> = {
  2048: 'IPv4',
  2054: 'ARP',
  32821: 'RARP',
  34525: 'IPv6',
  33024: 'VLAN',
  35151: 'NSH',
  37120: 'VLAN',
  34887: 'MPLS',
  34888: 'MPLS',
  34915: 'PPPoE',
  34916: 'PPPoE',
  34984: 'QinQ',
  35020: 'LLDP',
  35045: 'MACsec',
  34958: 'EAPOL',
  34825: 'LACP',
};

/**
 * Name of an ethertype, else its four hexadecimal digits. Values below 0x600 are 802.3 lengths: those frames
 * are named by their form, `LLC`.
 */
export function ethertypeName(ethertype: number): string {
  if (ethertype < 0x600) return 'LLC';
  return ETHERTYPES[ethertype] ?? `0x${ethertype.toString(16).padStart(4, '0')}`;
}

/** The numbers of each ethertype that has a name, by that name: some names stand for several. */
export function ethertypeNumbers(): Map<string, number[]> {
  return numbersByName(ETHERTYPES);
}

function numbersByName(names: Readonly<Record<number, string>>): Map<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const [number, name] of Object.entries(names))
    numbers.set(name, [...(numbers.get(name) ?? []), Number(number)]);
  return numbers;
}

/** The protocol word of a record: ARP, an ethertype's name, or the IP protocol's name. */
export function transportName(network: number, protocol: number, ethertype: number): string {
  if (network === NETWORK.arp) return 'ARP';
  if (network === NETWORK.none) return ethertypeName(ethertype);
  return protocolName(protocol);
}

/** Whether a protocol has ports in the record (TCP, UDP, DCCP, SCTP, UDP-Lite). */
export function hasPorts(protocol: number): boolean {
  return protocol === 6 || protocol === 17 || protocol === 33 || protocol === 132 || protocol === 136;
}

/** Whether a protocol has ICMP type and code in the record. */
export function isIcmp(protocol: number): boolean {
  return protocol === 1 || protocol === 58;
}
