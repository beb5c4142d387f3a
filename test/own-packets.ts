/** Packets of the committed captures beside tunnels, marks and oddities: plain ones, tags, pieces. */
import { type Packet, packet } from '../src/wire/index.ts';
import type { TunnelCombination } from './tunnel-combinations.ts';
import { END4, END6, inner4, inner6, ip, MACS, over } from './tunnel-surroundings.ts';

const TRANSPORTS: readonly (readonly [name: string, (p: Packet, n: number) => Packet])[] = [
  ['tcp', (p, n) => p.tcp({ sourcePort: 1000 + n, destinationPort: 80 })],
  ['udp', (p, n) => p.udp({ sourcePort: 1000 + n, destinationPort: 9 })],
  ['sctp', (p, n) => p.sctp({ sourcePort: 1000 + n, destinationPort: 9 })],
  ['dccp', (p, n) => p.dccp({ sourcePort: 1000 + n, destinationPort: 9 })],
  ['udp-lite', (p, n) => p.udpLite({ sourcePort: 1000 + n, destinationPort: 9 })],
];

/** IPv4 and IPv6 with every transport, ICMP, and a tunnel: all begin with an Ethernet header without tags. */
export function plainPackets(): TunnelCombination[] {
  const begun = packet().eth(MACS);
  const all: TunnelCombination[] = [];
  for (const [i, [name, add]] of TRANSPORTS.entries()) {
    const n = 2 * i;
    all.push({ name: `ipv4, ${name}`, packet: add(begun.ipv4(inner4(n)), n).payload(8) });
    all.push({ name: `ipv6, ${name}`, packet: add(begun.ipv6(inner6(n + 1)), n + 1).payload(8) });
  }
  all.push(
    { name: 'ipv4, icmp echo', packet: begun.ipv4(inner4(20)).icmp({ identifier: 7 }).payload(40) },
    { name: 'ipv6, icmpv6 echo', packet: begun.ipv6(inner6(21)).icmpv6({ identifier: 8 }).payload(40) },
    { name: 'ipv4 of an unknown protocol', packet: begun.ipv4(inner4(22)).payload(20) },
    { name: 'ipv6 with options', packet: END6.add(begun.ipv6(inner6(23)), 23) },
    { name: 'vxlan', packet: END4.add(vxlan(ip(begun, 4, 24), 24).eth(MACS), 24) },
    { name: 'gre', packet: END6.add(ip(begun, 6, 25).gre({ key: 25 }), 25) },
  );
  return all;
}

const vxlan = over(4789, (p, n) => p.vxlan(n));

/** One tag and two, of every announcement, outside and inside a tunnel. */
export function taggedPackets(): TunnelCombination[] {
  const begun = packet().eth(MACS);
  const tags: readonly (readonly [name: string, (p: Packet) => Packet])[] = [
    ['a tag', (p) => p.vlan(5)],
    ['a priority tag', (p) => p.vlan(0, { priority: 5 })],
    ['a service tag and a tag', (p) => p.qinq(4094).vlan(100)],
    ['two tags', (p) => p.vlan(7).vlan(8)],
    ['tags announced as once', (p) => p.vlan(9, { tpid: 0x9100 }).vlan(10)],
  ];
  return tags.flatMap(([name, add], i) => {
    const n = 1 + 3 * i;
    return [
      { name: `${name}, ipv4`, packet: END4.add(add(begun), n) },
      { name: `${name}, vxlan`, packet: END6.add(vxlan(ip(add(begun), 4, n + 1), n + 1).eth(MACS), n + 1) },
      {
        name: `${name} in vxlan`,
        packet: END4.add(add(vxlan(ip(begun, 6, n + 2), n + 2).eth(MACS)), n + 2),
      },
    ];
  });
}

/** Datagrams in pieces, plain and inside tunnels; tunnel packets in pieces; pieces without their first. */
export function fragmentPackets(): TunnelCombination[] {
  const begun = packet().eth(MACS);
  const all: TunnelCombination[] = [];
  const piece4 = (p: Packet, n: number, offset: number, more: boolean): Packet => {
    const piece = p.ipv4({ ...inner4(n), protocol: 17, identification: 700 + n, offset, more });
    return (offset === 0 ? piece.udp({ sourcePort: 1000 + n, destinationPort: 9 }) : piece).payload(32);
  };
  const piece6 = (p: Packet, n: number, offset: number, more: boolean): Packet => {
    const extensions = [{ kind: 'fragment', offset, more }] as const;
    const piece = p.ipv6({ ...inner6(n), protocol: 17, extensions });
    return (offset === 0 ? piece.udp({ sourcePort: 1000 + n, destinationPort: 9 }) : piece).payload(32);
  };
  const carriers: readonly (readonly [name: string, (n: number) => Packet])[] = [
    ['plain', () => begun],
    ['in vxlan', (n) => vxlan(ip(begun, 4, n), n).eth(MACS)],
    ['in gre over ipv6', (n) => ip(begun, 6, n).gre({ key: n })],
  ];
  for (const [i, [name, carry]] of carriers.entries()) {
    const n = 1 + 4 * i;
    for (const [version, piece] of [
      ['ipv4', piece4],
      ['ipv6', piece6],
    ] as const) {
      const at = version === 'ipv4' ? n : n + 1;
      all.push({ name: `first piece of ${version} ${name}`, packet: piece(carry(at), at, 0, true) });
      all.push({ name: `middle piece of ${version} ${name}`, packet: piece(carry(at), at, 40, true) });
      all.push({ name: `last piece of ${version} ${name}`, packet: piece(carry(at), at, 72, false) });
      const lost = at + 2;
      all.push({ name: `${version} ${name} without its first`, packet: piece(carry(lost), lost, 72, false) });
    }
  }
  const outer = { source: '192.0.2.1', destination: '198.51.100.1', identification: 9 } as const;
  all.push(
    {
      name: 'first piece of a tunnel',
      packet: END4.add(begun.ipv4({ ...outer, more: true }).gre({ key: 4 }), 30),
    },
    {
      name: 'last piece of a tunnel',
      packet: begun.ipv4({ ...outer, offset: 800, protocol: 47 }).payload(30),
    },
  );
  return all;
}
