/** A kind of tunnel as packets have it: what it stands in, what its header is, what stands in it. */
import type { Packet } from '../src/wire/index.ts';
import { END4, END6, type End, inner4, ip, MACS, type Version } from './tunnel-surroundings.ts';

/** What a tunnel stands in: an IP packet, or anything with an ethertype; and what may stand in it. */
export interface Tunnel {
  readonly name: string;
  readonly inside: 'ip' | 'link';
  /** Versions of IP it stands in; default both. */
  readonly versions?: readonly Version[];
  /** A frame; a packet (of one version); what has an ethertype; what has a next protocol of NSH. */
  readonly carries: 'frame' | 'packet' | 'ipv4' | 'ipv6' | 'ethertype' | 'next';
  /** Adds its header, behind IP unless `ip` says otherwise; `n` makes identifiers. */
  add(beginning: Packet, n: number): Packet;
  /** The IP header in which it stands, where it is none of the ordinary ones. */
  ip?(beginning: Packet, n: number): Packet;
}

/** Whether the other can stand in the one. */
export function fits({ name, carries }: Tunnel, inner: Tunnel): boolean {
  if (inner.inside === 'ip' || carries === 'frame' || carries === 'ethertype') return true;
  // PPP and a next protocol name MPLS; a packet guessed by its first bits is IP.
  if (inner.name === 'mpls') return carries === 'next' || /^(l2tp|pptp|pppoe)/.test(name);
  return inner.name === 'nsh' && carries === 'next';
}

/** Adds a tunnel, and the IP header it stands in. */
export function begin(p: Packet, tunnel: Tunnel, { n, version }: { n: number; version: Version }): Packet {
  if (tunnel.inside === 'link') return tunnel.add(p, n);
  const chosen = tunnel.versions?.[0] ?? version;
  return tunnel.add(tunnel.ip ? tunnel.ip(p, n) : ip(p, chosen, n), n);
}

/** What may stand in a tunnel in the end. */
export function endsOf({ carries }: Tunnel): End[] {
  const framed = [END4, END6].map(({ name: end, add }, i) => ({
    name: `frame, ${i + 1} tags, ${end}`,
    add: (p: Packet, n: number) =>
      add(i ? p.eth(MACS).vlan(9, { tpid: 0x9100 }).vlan(10) : p.eth(MACS).vlan(5), n),
  }));
  const plain: End[] = [
    { name: 'frame, ipv4 tcp', add: (p, n) => END4.add(p.eth(MACS), n) },
    {
      name: 'frame, arp',
      add: (p, n) =>
        p
          .eth(MACS)
          .arp(inner4(n))
          .pad(p.length + 60),
    },
  ];
  switch (carries) {
    case 'frame':
      return [...plain, ...framed];
    case 'ipv4':
      return [END4];
    case 'ipv6':
      return [END6];
    case 'packet':
      return [END4, END6];
    default:
      return [END4, END6, ...plain];
  }
}
