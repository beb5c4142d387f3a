/** Names for what the records hold as numbers; numbers are IANA's, names the field's. */

/** Network layer of a frame, as the kernel's `enum network` numbers it. */
export const NETWORK = { none: 0, ipv4: 1, ipv6: 2, arp: 3 } as const;

/** Tunnel type, as the kernel's `enum tunnel` numbers it; `none` is plain traffic. */
export const TUNNEL = { none: 0, vxlan: 1 } as const;

/** Name of a tunnel type: the key of {@link TUNNEL}. */
export type TunnelName = keyof typeof TUNNEL;

const TUNNEL_NAMES = Object.entries(TUNNEL) as [TunnelName, number][];

/** Name of a tunnel type number; a number this build does not know is a broken record. */
export function tunnelName(kind: number): TunnelName {
  const found = TUNNEL_NAMES.find(([, number]) => number === kind);
  if (!found)
    throw new RangeError(`tunnel type ${kind} is not one of ${TUNNEL_NAMES.map(([n]) => n).join(', ')}`);
  return found[0];
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

const ETHERTYPES: Readonly<Record<number, string>> = {
  2048: 'IPv4',
  2054: 'ARP',
  32821: 'RARP',
  34525: 'IPv6',
  33024: 'VLAN',
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
