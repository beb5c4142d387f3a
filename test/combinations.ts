/** The cross product of headers the meter must read, as packets. */

import { type Extension, type Packet, packet } from '../src/wire/index.ts';
import { tunnelCombinations } from './tunnel-combinations.ts';

/** A packet with the words that say which headers it has. */
export interface Combination {
  readonly name: string;
  readonly packet: Packet;
}

/** `number` makes addresses, ports and VNIs that no other packet has. */
interface Network {
  readonly name: string;
  readonly isLater?: boolean;
  add(beginning: Packet, number: number, protocol?: number): Packet;
}

interface Transport {
  readonly name: string;
  readonly protocol: number;
  add(beginning: Packet, number: number): Packet;
}

interface Carrier {
  readonly name: string;
  add(beginning: Packet, number: number): Packet;
}

const IPV4_NETWORKS: readonly Network[] = [
  { name: 'ipv4', add: (p, n, protocol) => p.ipv4({ ...ipv4Addresses(n), ...said(protocol), dscp: n & 63 }) },
  {
    name: 'ipv4 with 12 octets of options',
    add: (p, n, protocol) => p.ipv4({ ...ipv4Addresses(n), ...said(protocol), options: 12 }),
  },
  {
    name: 'ipv4 with 40 octets of options',
    add: (p, n, protocol) => p.ipv4({ ...ipv4Addresses(n), ...said(protocol), options: 40 }),
  },
  {
    name: 'first ipv4 fragment',
    add: (p, n, protocol) => p.ipv4({ ...ipv4Addresses(n), ...said(protocol), more: true }),
  },
  {
    name: 'later ipv4 fragment',
    isLater: true,
    add: (p, n, protocol) => p.ipv4({ ...ipv4Addresses(n), ...said(protocol), offset: 1480 }),
  },
  {
    name: 'middle ipv4 fragment',
    isLater: true,
    add: (p, n, protocol) => p.ipv4({ ...ipv4Addresses(n), ...said(protocol), offset: 8, more: true }),
  },
];

const EXTENSION_SETS: readonly (readonly Extension[])[] = [
  [],
  [{ kind: 'hopByHop' }],
  [{ kind: 'hopByHop', octets: 24 }],
  [{ kind: 'routing', octets: 24 }],
  [{ kind: 'authentication', octets: 24 }],
  [{ kind: 'authentication', octets: 12 }],
  [{ kind: 'destinationOptions', octets: 16 }],
  [{ kind: 'mobility' }],
  [{ kind: 'hip', octets: 40 }],
  [{ kind: 'shim6' }],
  [
    { kind: 'hopByHop' },
    { kind: 'destinationOptions' },
    { kind: 'routing', octets: 24 },
    { kind: 'authentication' },
  ],
  [{ kind: 'fragment', more: true }],
  [{ kind: 'hopByHop' }, { kind: 'fragment', more: true }, { kind: 'destinationOptions' }],
  [{ kind: 'fragment' }],
  Array.from({ length: 8 }, () => ({ kind: 'destinationOptions' }) as const),
];

const LATER_SETS: readonly (readonly Extension[])[] = [
  [{ kind: 'fragment', offset: 1448 }],
  [{ kind: 'hopByHop' }, { kind: 'fragment', offset: 8, more: true }],
  // What looks like another header behind it is payload.
  [{ kind: 'fragment', offset: 16 }, { kind: 'destinationOptions' }],
];

const NETWORKS: readonly Network[] = [
  ...IPV4_NETWORKS,
  ...EXTENSION_SETS.map((extensions) => ipv6Network(extensions, false)),
  ...LATER_SETS.map((extensions) => ipv6Network(extensions, true)),
];

const TRANSPORTS: readonly Transport[] = [
  {
    name: 'tcp',
    protocol: 6,
    add: (p, n) => p.tcp({ ...ports(n), flags: n & 0x1ff, options: (n % 11) * 4 }),
  },
  { name: 'udp', protocol: 17, add: (p, n) => p.udp(ports(n)) },
  { name: 'icmp echo', protocol: 1, add: (p, n) => p.icmp({ identifier: n & 0xffff, type: n & 1 ? 8 : 0 }) },
  { name: 'icmp unreachable', protocol: 1, add: (p) => p.icmp({ type: 3, code: 4, identifier: 0 }) },
  {
    name: 'icmpv6 echo',
    protocol: 58,
    add: (p, n) => p.icmpv6({ identifier: n & 0xffff, type: n & 1 ? 128 : 129 }),
  },
  { name: 'icmpv6 solicitation', protocol: 58, add: (p) => p.icmpv6({ type: 135, identifier: 7 }) },
  { name: 'sctp', protocol: 132, add: (p, n) => p.sctp(ports(n)) },
  { name: 'dccp', protocol: 33, add: (p, n) => p.dccp(ports(n)) },
  { name: 'udp-lite', protocol: 136, add: (p, n) => p.udpLite(ports(n)) },
  { name: 'unknown protocol', protocol: 253, add: (p) => p },
];

/** Inner frames that are not IP. */
const OTHERS: readonly { readonly name: string; add(beginning: Packet, number: number): Packet }[] = [
  { name: 'arp request', add: (p, n) => p.arp(ipv4Addresses(n)) },
  { name: 'arp reply', add: (p, n) => p.arp({ ...ipv4Addresses(n), operation: 2 }).pad(60) },
  { name: 'no ip', add: (p, n) => p.payload(n % 50) },
  { name: 'snap, ipv4', add: (p, n) => p.snap().ipv4(ipv4Addresses(n)).udp(ports(n)).payload(9).pad(90) },
  { name: 'snap, ipv6', add: (p, n) => p.snap().ipv6(ipv6Addresses(n)).tcp(ports(n)) },
  { name: 'snap, arp', add: (p, n) => p.snap().arp(ipv4Addresses(n)).pad(80) },
  { name: 'snap, no ip', add: (p, n) => p.snap({ type: 0x809b }).payload(n % 50) },
  { name: 'snap of an organisation', add: (p, n) => p.snap({ organisation: 0x00000c }).payload(n % 50) },
  {
    name: 'snap that says too much',
    add: (p, n) => p.snap({ length: 1400 }).ipv4(ipv4Addresses(n)).udp(ports(n)),
  },
  { name: 'llc', add: (p) => p.snap({ llc: 0x424203 }).payload(35).pad(60) },
];

const CARRIERS: readonly Carrier[] = [
  { name: 'plain', add: (p) => p },
  { name: 'vxlan over ipv4', add: (p, n) => tunnel(p.ipv4(vteps4(n)), n) },
  { name: 'vxlan over ipv6', add: (p, n) => tunnel(p.ipv6(vteps6(n)), n) },
  { name: 'vxlan over ipv4 with options', add: (p, n) => tunnel(p.ipv4({ ...vteps4(n), options: 8 }), n) },
  {
    name: 'vxlan over ipv6 with extension headers',
    add: (p, n) =>
      tunnel(p.ipv6({ ...vteps6(n), extensions: [{ kind: 'hopByHop' }, { kind: 'fragment' }] }), n),
  },
  { name: 'vxlan in a first ipv4 fragment', add: (p, n) => tunnel(p.ipv4({ ...vteps4(n), more: true }), n) },
  ...[2, 5].map((depth) => ({
    name: `${depth} nested tunnels`,
    add: (p: Packet, n: number) => nest(p, n, depth),
  })),
];

/**
 * All combinations: 0 to 2 VLAN tags, every carrier, every network layer with every transport, and what is not IP. The
 * outermost frame of a tunnel has another number of tags than the innermost. Then every other tunnel.
 */
export function combinations(): Combination[] {
  const all: Combination[] = [];
  const push = (
    carrier: Carrier,
    tags: number,
    name: string,
    end: (p: Packet, n: number) => Packet,
  ): void => {
    const number = all.length + 1;
    const outer = tagged(packet().eth(outerMacs(number)), carrier.name === 'plain' ? tags : (tags + 1) % 3);
    const carried = carrier.add(outer, number);
    const inner = carrier.name === 'plain' ? carried : tagged(carried.eth(innerMacs(number)), tags);
    all.push({ name: `${carrier.name}, ${tags} tags, ${name}`, packet: end(inner, number) });
  };
  for (const carrier of CARRIERS) {
    for (const tags of [0, 1, 2]) {
      for (const other of OTHERS) push(carrier, tags, other.name, (p, n) => other.add(p, n));
      for (const network of NETWORKS) {
        for (const transport of TRANSPORTS) {
          push(carrier, tags, `${network.name}, ${transport.name}`, (p, n) => {
            const begun = network.add(p, n, transport.protocol);
            return (network.isLater ? begun : transport.add(begun, n)).payload(8 * (n % 3) + (n & 7));
          });
        }
      }
    }
  }
  return [...all, ...tunnelCombinations()];
}

function ipv6Network(extensions: readonly Extension[], isLater: boolean): Network {
  const kinds = extensions.map(({ kind, octets, offset, more }) =>
    [kind, octets, offset && `at ${offset}`, more && 'more'].filter(Boolean).join(' '),
  );
  return {
    name: `ipv6 ${kinds.join(', ')}`,
    isLater,
    add: (p, n, protocol) => p.ipv6({ ...ipv6Addresses(n), ...said(protocol), extensions, dscp: n & 63 }),
  };
}

function said(protocol: number | undefined): { protocol?: number } {
  return protocol === undefined ? {} : { protocol };
}

function tagged(beginning: Packet, tags: number): Packet {
  if (tags === 0) return beginning;
  return tags === 1 ? beginning.vlan(5) : beginning.qinq(4094).vlan(100);
}

function tunnel(beginning: Packet, number: number): Packet {
  return beginning.udp({ sourcePort: 49_152 + (number % 16_384), destinationPort: 4789 }).vxlan(number);
}

/** Tunnels in tunnels, over IPv4 and IPv6 in turn, on both of the default ports. */
function nest(beginning: Packet, number: number, depth: number): Packet {
  let nested = beginning;
  for (let level = 0; level < depth; level++) {
    // A tag in the midst is neither the outermost frame's nor the innermost's.
    if (level > 0) nested = nested.eth(innerMacs(level)).vlan(70 + level);
    nested = level & 1 ? nested.ipv6(vteps6(level)) : nested.ipv4(vteps4(number));
    nested = nested
      .udp({ sourcePort: 50_000, destinationPort: level & 1 ? 8472 : 4789 })
      .vxlan(number * 8 + level);
  }
  return nested;
}

function ports(number: number): { sourcePort: number; destinationPort: number } {
  return { sourcePort: 10_000 + (number % 20_000), destinationPort: 1 + (number % 1000) };
}

function ipv4Addresses(number: number): { source: string; destination: string } {
  return { source: `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`, destination: '10.255.0.1' };
}

function ipv6Addresses(number: number): { source: string; destination: string } {
  return { source: `fd00::1:${number.toString(16)}`, destination: 'fd00:ffff::1' };
}

function vteps4(number: number): { source: string; destination: string } {
  return { source: '192.0.2.1', destination: `198.51.100.${number & 255}` };
}

function vteps6(number: number): { source: string; destination: string } {
  return { source: '2001:db8::1', destination: `2001:db8:1::${(number & 0xfff).toString(16)}` };
}

function outerMacs(number: number): { source: string; destination: string } {
  const kinds = ['02:00:00:00:00:02', '01:00:5e:00:00:05', 'ff:ff:ff:ff:ff:ff', '33:33:00:00:00:01'];
  return { source: '02:00:00:00:01:01', destination: kinds[number & 3]! };
}

function innerMacs(number: number): { source: string; destination: string } {
  return {
    source: `02:11:00:00:00:${(number & 255).toString(16).padStart(2, '0')}`,
    destination: '02:22:00:00:00:01',
  };
}
