/** The headers a packet is built of, as plain values, and how many octets each takes. */

/** IPv6 extension headers by name, with their IANA protocol number. */
export const EXTENSION = {
  hopByHop: 0,
  routing: 43,
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
}

export interface EthLayer {
  readonly kind: 'eth';
  readonly source: string;
  readonly destination: string;
  /** Ethertype where no header that has one of its own follows. */
  readonly type: number;
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

export interface VxlanLayer {
  readonly kind: 'vxlan';
  readonly vni: number;
  /** First octet; 8 is "the VNI is valid". */
  readonly flags: number;
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
  | Ipv4Layer
  | Ipv6Layer
  | TcpLayer
  | PortsLayer
  | IcmpLayer
  | ArpLayer
  | VxlanLayer
  | PayloadLayer
  | PaddingLayer;

export type LayerKind = Layer['kind'];

const FIXED_OCTETS = {
  eth: 14,
  vlan: 4,
  udp: 8,
  udpLite: 8,
  sctp: 12,
  dccp: 12,
  icmp: 8,
  icmpv6: 8,
  arp: 28,
  vxlan: 8,
};

/** IP protocol number of the layers that have one. */
export const PROTOCOL: Readonly<Partial<Record<LayerKind, number>>> = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  dccp: 33,
  icmpv6: 58,
  sctp: 132,
  udpLite: 136,
};

/** Ethertype of the layers that have one. */
export function ethertypeOf(layer: Layer | undefined): number | undefined {
  if (layer?.kind === 'vlan') return layer.tpid;
  if (layer?.kind === 'ipv4') return 0x0800;
  if (layer?.kind === 'ipv6') return 0x86dd;
  if (layer?.kind === 'arp') return 0x0806;
  return undefined;
}

/** Octets of an extension header. */
export function extensionOctets(extension: Extension): number {
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
    default:
      return FIXED_OCTETS[layer.kind];
  }
}
