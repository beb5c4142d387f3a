/** How long the headers of tunnels are, as far as their kinds say. */
import { NETWORK, TUNNEL, type TunnelName } from './protocol.ts';

/** The Ethernet header that begins the outer frame, and each VLAN tag behind it. */
export const ETHERNET_HEADER = 14;
export const VLAN_TAG = 4;
/** Where a tunnel has an outer port, or is always in UDP. */
export const UDP_HEADER = 8;

/** Of the network that carries a tunnel, by NETWORK, without options or extensions. */
export const NETWORK_HEADERS: readonly number[] = Object.keys(NETWORK).map(
  (name) => ({ none: 0, ipv4: 20, ipv6: 40, arp: 0 })[name as keyof typeof NETWORK],
);

/** A tunnel's own header: what stands between IP or UDP and what it carries. */
interface OwnHeader {
  /** Without options and whatever else may be left out. */
  readonly octets: number;
  /** More of them where the tunnel has an identifier. */
  readonly withId?: number;
  /** It is never without UDP. */
  readonly inUdp?: true;
}

const inUdp = (octets: number): OwnHeader => ({ octets, inUdp: true });
/** RFC 2784, and the key of RFC 2890. */
const GRE: OwnHeader = { octets: 4, withId: 4 };

/** By kind, with the document that says so. */
const OWN_HEADERS: Readonly<Record<TunnelName, OwnHeader>> = {
  none: { octets: 0 },
  // RFC 7348 section 5, draft-ietf-nvo3-vxlan-gpe section 3.1, RFC 8926 section 3.4.
  vxlan: inUdp(8),
  'vxlan-gpe': inUdp(8),
  geneve: inUdp(8),
  // RFC 8300 section 2: the base header and the service path.
  nsh: { octets: 8 },
  gre: GRE,
  gretap: GRE,
  // RFC 7637 section 3.2.
  nvgre: { octets: 8 },
  // draft-foschiano-erspan sections 4.1 to 4.3: GRE, from II on with a sequence number, and its own header.
  'erspan-1': { octets: 4 },
  'erspan-2': { octets: 16 },
  'erspan-3': { octets: 20 },
  ipip: { octets: 0 },
  sit: { octets: 0 },
  ip4ip6: { octets: 0 },
  ip6ip6: { octets: 0 },
  // RFC 8754 section 2, with one segment.
  srv6: { octets: 24 },
  // 3GPP TS 29.281 section 5.1.
  'gtp-u': inUdp(8),
  // RFC 3032 section 2.1: one label.
  mpls: { octets: 4 },
  // RFC 2661 section 3.1: without length, sequence and offset.
  l2tp: inUdp(6),
  // RFC 3931 section 4.1.1: the session, no cookie.
  l2tpv3: { octets: 4 },
  // RFC 3378.
  etherip: { octets: 2 },
  eoip: { octets: 8 },
  // RFC 2637 section 4.1: without sequence and acknowledgment.
  pptp: { octets: 8 },
  // RFC 4380 section 5.1.1: neither authentication nor origin.
  teredo: inUdp(0),
  // RFC 2516 section 4, and the protocol of PPP.
  pppoe: { octets: 8 },
  // RFC 9300 section 5.1.
  lisp: inUdp(8),
  // draft-massar-v6ops-ayiya section 3.
  ayiya: inUdp(8),
};

/** The same by the number of the kind. */
export const TUNNEL_HEADERS: readonly OwnHeader[] = Object.entries(TUNNEL)
  .toSorted(([, a], [, b]) => a - b)
  .map(([name]) => OWN_HEADERS[name as TunnelName]);

/** What a packet in a tunnel is known by. */
export interface TunnelledPacket {
  readonly tunnelKind: number;
  readonly tunnelId: number;
  readonly outerNetwork: number;
  /** 0 where there is none, or nobody knows it any more. */
  readonly outerSourcePort: number;
  /** VLAN tags of the outer frame. */
  readonly tags: number;
}

/**
 * Octets of a packet that are not what its outermost tunnel carries: outer Ethernet header with its tags, the network that
 * carries the tunnel, UDP, the tunnel's own header. Options are left out, so it is at least so much.
 */
export function tunnelHeaderOctets(packet: TunnelledPacket): number {
  const { octets, withId = 0, inUdp: isInUdp = false } = TUNNEL_HEADERS[packet.tunnelKind]!;
  return (
    ETHERNET_HEADER +
    VLAN_TAG * packet.tags +
    NETWORK_HEADERS[packet.outerNetwork]! +
    (isInUdp || packet.outerSourcePort !== 0 ? UDP_HEADER : 0) +
    octets +
    (packet.tunnelId === 0 ? 0 : withId)
  );
}
