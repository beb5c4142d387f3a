/** The headers of tunnels and of what marks a flow, as plain values, and how many octets each takes. */

/** RFC 7348. */
export interface VxlanLayer {
  readonly kind: 'vxlan';
  readonly vni: number;
  /** First octet; 8 is "the VNI is valid". */
  readonly flags: number;
}

/** draft-ietf-nvo3-vxlan-gpe. */
export interface VxlanGpeLayer {
  readonly kind: 'vxlanGpe';
  readonly vni: number;
  /** First octet; 8 is "the VNI is valid", 4 "a next protocol is said", 0x30 the version. */
  readonly flags: number;
  /** Next protocol where no header that has one follows. */
  readonly protocol: number;
}

/** RFC 8300. */
export interface NshLayer {
  readonly kind: 'nsh';
  readonly path: number;
  readonly index: number;
  /** Octets of metadata, a multiple of 4. */
  readonly metadata: number;
  readonly version: number;
  /** In words, where it is not the header's. */
  readonly length?: number;
  /** Next protocol where no header that has one follows. */
  readonly protocol: number;
}

/** RFC 8926. */
export interface GeneveLayer {
  readonly kind: 'geneve';
  readonly vni: number;
  /** Octets of options, a multiple of 4, at most 252. */
  readonly options: number;
  readonly critical: boolean;
  readonly version: number;
  /** In words, where it is not that of the options. */
  readonly length?: number;
  /** Protocol type where no header that has an ethertype follows. */
  readonly protocol: number;
}

/** RFC 2784, RFC 2890; RFC 1701 for routing. */
export interface GreLayer {
  readonly kind: 'gre';
  readonly checksum: boolean;
  readonly key?: number;
  readonly sequence?: number;
  readonly routing: boolean;
  readonly version: number;
  /** Protocol type where no header that has an ethertype follows. */
  readonly protocol: number;
}

/** draft-foschiano-erspan: type I has no header, II stands behind GRE with a sequence number. */
export interface ErspanLayer {
  readonly kind: 'erspan';
  readonly version: 1 | 2 | 3;
  readonly id: number;
  /** Of type III: a platform specific subheader of 8 octets follows. */
  readonly platform: boolean;
}

/** MikroTik's EoIP: GRE in form only. */
export interface EoipLayer {
  readonly kind: 'eoip';
  readonly id: number;
  /** Payload length, where it is not the payload's. */
  readonly length?: number;
}

/** RFC 2637 section 4.1: GRE version 1. */
export interface PptpLayer {
  readonly kind: 'pptp';
  readonly call: number;
  readonly sequence?: number;
  readonly acknowledgment?: number;
  /** Payload length, where it is not the payload's. */
  readonly length?: number;
}

/** RFC 1661, RFC 1662: what stands before a packet on a PPP link. */
export interface PppLayer {
  readonly kind: 'ppp';
  /** Address and control field, ff 03, stand before. */
  readonly framed: boolean;
  /** The protocol field is one octet. */
  readonly compressed: boolean;
  /** Where no header that has a number of its own follows. */
  readonly protocol: number;
}

/** 3GPP TS 29.281. */
export interface GtpuLayer {
  readonly kind: 'gtpu';
  readonly teid: number;
  readonly message: number;
  readonly version: number;
  /** Protocol type: 1 GTP, 0 GTP'. */
  readonly type: number;
  readonly sequence?: number;
  /** N-PDU number. */
  readonly npdu?: number;
  /** Octets of each extension header, multiples of 4; 0 is one that lies. */
  readonly extensions: readonly number[];
}

/** RFC 3032: a whole stack of labels. */
export interface MplsLayer {
  readonly kind: 'mpls';
  readonly labels: readonly number[];
  /** Announced as multicast (RFC 5332). */
  readonly multicast: boolean;
}

/** RFC 2661. */
export interface L2tpLayer {
  readonly kind: 'l2tp';
  readonly tunnel: number;
  readonly id: number;
  readonly control: boolean;
  readonly version: number;
  /** The length field is there. */
  readonly lengthy: boolean;
  /** Ns and Nr are there. */
  readonly sequenced: boolean;
  /** Octets of offset padding; none: no offset field. */
  readonly offset?: number;
}

/** RFC 3931: over UDP there are four octets more before the session. */
export interface L2tpv3Layer {
  readonly kind: 'l2tpv3';
  readonly id: number;
  /** Octets: 0, 4 or 8. */
  readonly cookie: number;
  /** The default L2-specific sublayer, 4 octets. */
  readonly sublayer: boolean;
  readonly overUdp: boolean;
  readonly control: boolean;
}

/** RFC 3378. */
export interface EtheripLayer {
  readonly kind: 'etherip';
  /** Both octets; 0x3000 is version 3. */
  readonly version: number;
}

/** RFC 4380 section 5.1.1. */
export interface TeredoLayer {
  readonly kind: 'teredo';
  /** Octets of client identifier and of authentication value, where there is an authentication header. */
  readonly authentication?: readonly [identifier: number, value: number];
  readonly origin: boolean;
}

/** RFC 9300, RFC 9305. */
export interface LispLayer {
  readonly kind: 'lisp';
  /** Instance; without one the I bit is clear. */
  readonly instance?: number;
  /** A next protocol is said (P), which Ethernet, NSH and MPLS need. */
  readonly generic: boolean;
  /** Next protocol where no header that has one follows. */
  readonly protocol: number;
}

/** draft-massar-v6ops-ayiya. */
export interface AyiyaLayer {
  readonly kind: 'ayiya';
  /** Octets of the identity as a power of two. */
  readonly identity: number;
  /** Words of the signature. */
  readonly signature: number;
  /** 1: a packet to be forwarded. */
  readonly opcode: number;
  /** Next header where none that has a protocol number follows. */
  readonly protocol: number;
}

/** RFC 2516; ppp() follows. */
export interface PppoeLayer {
  readonly kind: 'pppoe';
  readonly id: number;
  readonly version: number;
  readonly code: number;
  /** Payload length, where it is not the payload's. */
  readonly length?: number;
}

/** RFC 4302. */
export interface AhLayer {
  readonly kind: 'ah';
  readonly spi: number;
  /** Of the whole header, a multiple of 4, at least 12. */
  readonly octets: number;
  /** Next header where none that has a protocol number follows. */
  readonly protocol: number;
}

/** RFC 4303: in IP, or behind UDP (RFC 3948). */
export interface EspLayer {
  readonly kind: 'esp';
  readonly spi: number;
  readonly sequence: number;
}

/** WireGuard's messages, each with the least octets it has. */
export interface WireguardLayer {
  readonly kind: 'wireguard';
  /** 1 initiation, 2 response, 3 cookie reply, 4 transport data. */
  readonly type: number;
  /** Sender of an initiation, else receiver. */
  readonly index: number;
  /** The three octets behind the type. */
  readonly reserved: number;
}

export type TunnelLayer =
  | VxlanLayer
  | VxlanGpeLayer
  | NshLayer
  | GeneveLayer
  | GreLayer
  | ErspanLayer
  | EoipLayer
  | PptpLayer
  | PppLayer
  | GtpuLayer
  | MplsLayer
  | L2tpLayer
  | L2tpv3Layer
  | EtheripLayer
  | TeredoLayer
  | LispLayer
  | AyiyaLayer
  | PppoeLayer
  | AhLayer
  | EspLayer
  | WireguardLayer;

const WIREGUARD_OCTETS: Readonly<Record<number, number>> = { 1: 148, 2: 92, 3: 64 };
/** Transport data: header 16, tag 16. */
const WIREGUARD_LEAST = 32;

/** Octets a header takes in the frame. */
export function tunnelOctets(layer: TunnelLayer): number {
  const when = (there: unknown, octets: number): number =>
    there === undefined || there === false ? 0 : octets;
  switch (layer.kind) {
    case 'nsh':
      return 8 + layer.metadata;
    case 'geneve':
      return 8 + layer.options;
    case 'gre':
      return 4 + when(layer.checksum || layer.routing, 4) + when(layer.key, 4) + when(layer.sequence, 4);
    case 'erspan':
      return layer.version === 3 ? 12 + when(layer.platform, 8) : 8 * (layer.version - 1);
    case 'pptp':
      return 8 + when(layer.sequence, 4) + when(layer.acknowledgment, 4);
    case 'ppp':
      return when(layer.framed, 2) + (layer.compressed ? 1 : 2);
    case 'gtpu':
      return gtpuOptions(layer) ? layer.extensions.reduce((sum, octets) => sum + Math.max(4, octets), 12) : 8;
    case 'mpls':
      return 4 * layer.labels.length;
    case 'l2tp':
      return (
        6 +
        when(layer.lengthy, 2) +
        when(layer.sequenced, 4) +
        (layer.offset === undefined ? 0 : 2 + layer.offset)
      );
    case 'l2tpv3':
      return l2tpv3Begin(layer) + layer.cookie + when(layer.sublayer, 4);
    case 'etherip':
      return 2;
    case 'teredo': {
      const { authentication } = layer;
      return (authentication ? 13 + authentication[0] + authentication[1] : 0) + when(layer.origin, 8);
    }
    case 'ayiya':
      return 8 + 2 ** layer.identity + 4 * layer.signature;
    case 'pppoe':
      return 6;
    case 'ah':
      return layer.octets;
    case 'wireguard':
      return WIREGUARD_OCTETS[layer.type] ?? WIREGUARD_LEAST;
    default:
      return 8;
  }
}

/** Octets of L2TPv3 up to the cookie: what tells the session. */
export function l2tpv3Begin({ overUdp }: L2tpv3Layer): number {
  return overUdp ? 8 : 4;
}

/** The flags of GTP-U that make its header four octets longer: E 4, S 2, PN 1. */
export function gtpuOptions({ extensions, sequence, npdu }: GtpuLayer): number {
  return (extensions.length > 0 ? 4 : 0) | (sequence === undefined ? 0 : 2) | (npdu === undefined ? 0 : 1);
}
