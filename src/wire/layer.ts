/** The headers a packet is built of, as plain values, and how many octets each takes. */

import { type TunnelLayer, tunnelOctets } from './tunnel-layer.ts';

/** IPv6 extension headers by name, with their IANA protocol number. */
export const EXTENSION = {
  hopByHop: 0,
  routing: 43,
  /** A routing header of type 4 (RFC 8754). */
  segmentRouting: 43,
  fragment: 44,
  authentication: 51,
  destinationOptions: 60,
  mobility: 135,
  hip: 139,
  shim6: 140,
} as const;

/** One IPv6 extension header. */
export interface Extension {
  readonly kind: keyof typeof EXTENSION;
  /** Length in octets, a multiple of 8 (authentication: of 4), at least 8; default the shortest that says something. */
  readonly octets?: number;
  /** Of a fragment header: the offset in octets, a multiple of 8. */
  readonly offset?: number;
  /** Of a fragment header: more fragments follow. */
  readonly more?: boolean;
  /** Of an authentication header; default 0. */
  readonly spi?: number;
  /** Of a segment routing header: the segments, the last one first, and how many are left. */
  readonly segments?: readonly string[];
  readonly segmentsLeft?: number;
}

export interface EthLayer {
  readonly kind: 'eth';
  readonly source: string;
  readonly destination: string;
  /** Ethertype where no header that has one of its own follows. */
  readonly type: number;
}

/** LLC and SNAP (IEEE 802 clause 9): the Ethernet header before it says a length. */
export interface SnapLayer {
  readonly kind: 'snap';
  /** First three octets; aaaa03 is SNAP. */
  readonly llc: number;
  readonly organisation: number;
  /** Ethertype where no header that has one of its own follows. */
  readonly type: number;
  /** In the Ethernet header, where it is not that of what follows. */
  readonly length?: number;
}

export interface VlanLayer {
  readonly kind: 'vlan';
  readonly vid: number;
  readonly priority: number;
  /** Ethertype that announces the tag. */
  readonly tpid: number;
}

export interface Ipv4Layer {
  readonly kind: 'ipv4';
  readonly source: string;
  readonly destination: string;
  readonly dscp: number;
  readonly ttl: number;
  readonly identification: number;
  /** Octets of options, a multiple of 4, at most 40. */
  readonly options: number;
  /** Fragment offset in octets, a multiple of 8. */
  readonly offset: number;
  readonly more: boolean;
  /** Where no header that has a protocol number of its own follows. */
  readonly protocol: number;
}

export interface Ipv6Layer {
  readonly kind: 'ipv6';
  readonly source: string;
  readonly destination: string;
  readonly dscp: number;
  readonly hopLimit: number;
  readonly flowLabel: number;
  readonly extensions: readonly Extension[];
  /** Where no header that has a protocol number of its own follows. */
  readonly protocol: number;
}

export interface TcpLayer {
  readonly kind: 'tcp';
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly flags: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly window: number;
  /** Octets of options, a multiple of 4, at most 40. */
  readonly options: number;
}

/** UDP, UDP-Lite, SCTP (common header), DCCP (short sequence numbers): all that is told of them are ports. */
export interface PortsLayer {
  readonly kind: 'udp' | 'udpLite' | 'sctp' | 'dccp';
  readonly sourcePort: number;
  readonly destinationPort: number;
}

export interface IcmpLayer {
  readonly kind: 'icmp' | 'icmpv6';
  readonly type: number;
  readonly code: number;
  readonly identifier: number;
  readonly sequence: number;
}

export interface ArpLayer {
  readonly kind: 'arp';
  readonly operation: number;
  readonly source: string;
  readonly destination: string;
  readonly sourceMac: string;
  readonly destinationMac: string;
}

export interface PayloadLayer {
  readonly kind: 'payload';
  readonly octets: Uint8Array;
}

/** Octets behind everything the headers tell of: what a short frame is filled up with. */
export interface PaddingLayer {
  readonly kind: 'padding';
  readonly octets: number;
}

export type Layer =
  | EthLayer
  | VlanLayer
  | SnapLayer
  | Ipv4Layer
  | Ipv6Layer
  | TcpLayer
  | PortsLayer
  | IcmpLayer
  | ArpLayer
  | TunnelLayer
  | PayloadLayer
  | PaddingLayer;

export type LayerKind = Layer['kind'];

const FIXED_OCTETS = {
  eth: 14,
  vlan: 4,
  snap: 8,
  udp: 8,
  udpLite: 8,
  sctp: 12,
  dccp: 12,
  icmp: 8,
  icmpv6: 8,
  arp: 28,
};

/** IP protocol number of the layers that have one. */
export const PROTOCOL: Readonly<Partial<Record<LayerKind, number>>> = {
  icmp: 1,
  tcp: 6,
  ipv4: 4,
  udp: 17,
  dccp: 33,
  ipv6: 41,
  gre: 47,
  eoip: 47,
  pptp: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  etherip: 97,
  l2tpv3: 115,
  sctp: 132,
  udpLite: 136,
  mpls: 137,
  eth: 143,
};

/** Ethertype of the layers that have one. */
export function ethertypeOf(layer: Layer | undefined): number | undefined {
  if (layer?.kind === 'vlan') return layer.tpid;
  if (layer?.kind === 'ipv4') return 0x0800;
  if (layer?.kind === 'ipv6') return 0x86dd;
  if (layer?.kind === 'arp') return 0x0806;
  if (layer?.kind === 'mpls') return layer.multicast ? 0x8848 : 0x8847;
  if (layer?.kind === 'pppoe') return 0x8864;
  if (layer?.kind === 'nsh') return 0x894f;
  // Only GRE says these.
  if (layer?.kind === 'ppp') return 0x880b;
  if (layer?.kind === 'erspan') return layer.version === 3 ? 0x22eb : 0x88be;
  return undefined;
}

/** The protocol number behind an IP header: that of the next header, or what the IP header says. */
export function protocolBehind(next: Layer | undefined, said: number): number {
  return (next && PROTOCOL[next.kind]) ?? said;
}

/** Octets of an extension header. */
export function extensionOctets(extension: Extension): number {
  if (extension.kind === 'segmentRouting') return 8 + 16 * (extension.segments?.length ?? 0);
  return extension.octets ?? (extension.kind === 'authentication' ? 24 : 8);
}

/** Octets a layer takes in the frame. */
export function layerOctets(layer: Layer): number {
  switch (layer.kind) {
    case 'ipv4':
    case 'tcp':
      return 20 + layer.options;
    case 'ipv6':
      return layer.extensions.reduce((sum, extension) => sum + extensionOctets(extension), 40);
    case 'payload':
      return layer.octets.byteLength;
    case 'padding':
      return layer.octets;
    case 'eth':
    case 'vlan':
    case 'snap':
    case 'udp':
    case 'udpLite':
    case 'sctp':
    case 'dccp':
    case 'icmp':
    case 'icmpv6':
    case 'arp':
      return FIXED_OCTETS[layer.kind];
    default:
      return tunnelOctets(layer);
  }
}
