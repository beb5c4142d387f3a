/** Every tunnel and every mark the meter must read: alone, in pairs and deeper, and what only looks like one, as packets. */
import { type Packet, type PacketModelOptions, packet } from '../src/wire/index.ts';

/** A packet with the words that say which headers it has. */
export interface TunnelCombination {
  readonly name: string;
  readonly packet: Packet;
}

type Version = 4 | 6;

/** What a tunnel stands in: an IP packet, or anything with an ethertype; and what may stand in it. */
interface Tunnel {
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

/** The set-up of the meter in which {@link optionalCombinations} hold. */
export const OPTIONAL: PacketModelOptions = { nvgre: true, ports: { teredo: [3544] } };

const udp = (port: number) => (p: Packet, n: number) =>
  p.udp({ sourcePort: 49_152 + (n % 16_384), destinationPort: port });
/** A tunnel over UDP. */
const over = (port: number, add: (p: Packet, n: number) => Packet) => (p: Packet, n: number) =>
  add(udp(port)(p, n), n);

/** One of each, for nesting. */
const TUNNELS: readonly Tunnel[] = [
  { name: 'vxlan', inside: 'ip', carries: 'frame', add: over(4789, (p, n) => p.vxlan(n)) },
  { name: 'vxlan-gpe', inside: 'ip', carries: 'next', add: over(4790, (p, n) => p.vxlanGpe(n)) },
  { name: 'nsh', inside: 'link', carries: 'next', add: (p, n) => p.nsh(n, { metadata: 16 }) },
  {
    name: 'geneve',
    inside: 'ip',
    carries: 'ethertype',
    add: over(6081, (p, n) => p.geneve(n, { options: 4 * (n % 3) })),
  },
  { name: 'gre with key', inside: 'ip', carries: 'ethertype', add: (p, n) => p.gre({ key: n }) },
  { name: 'gretap', inside: 'ip', carries: 'frame', add: (p, n) => p.gre({ key: 7 * n }) },
  { name: 'erspan 1', inside: 'ip', carries: 'frame', add: (p) => p.erspan(1) },
  { name: 'erspan 2', inside: 'ip', carries: 'frame', add: (p, n) => p.erspan(2, n & 1023) },
  { name: 'erspan 3', inside: 'ip', carries: 'frame', add: (p, n) => p.erspan(3, n & 1023) },
  { name: 'ip in ip', inside: 'ip', carries: 'packet', add: (p) => p },
  {
    name: 'srv6',
    inside: 'ip',
    versions: [6],
    carries: 'packet',
    ip: (p, n) => p.ipv6({ ...outer6(n), extensions: [SEGMENTS] }),
    add: (p) => p,
  },
  { name: 'gtp-u', inside: 'ip', carries: 'packet', add: over(2152, (p, n) => p.gtpu(n)) },
  { name: 'mpls', inside: 'link', carries: 'packet', add: (p, n) => p.mpls([16 + n, 3]) },
  { name: 'l2tp', inside: 'ip', carries: 'packet', add: over(1701, (p, n) => p.l2tp(n & 0xffff, 7).ppp()) },
  { name: 'l2tpv3', inside: 'ip', carries: 'frame', add: (p, n) => p.l2tpv3(n, { cookie: 4 }) },
  { name: 'etherip', inside: 'ip', carries: 'frame', add: (p) => p.etherip() },
  { name: 'eoip', inside: 'ip', carries: 'frame', add: (p, n) => p.eoip(n & 0xffff) },
  { name: 'pptp', inside: 'ip', carries: 'packet', add: (p, n) => p.pptp(n & 0xffff, { sequence: 1 }).ppp() },
  { name: 'pppoe', inside: 'link', carries: 'packet', add: (p, n) => p.pppoe(n & 0xffff).ppp() },
];

/** Other forms of them. */
const FORMS: readonly Tunnel[] = [
  { name: 'vxlan on the old port', inside: 'ip', carries: 'frame', add: over(8472, (p, n) => p.vxlan(n)) },
  {
    name: 'vxlan-gpe without next protocol',
    inside: 'ip',
    carries: 'frame',
    add: over(4790, (p, n) => p.vxlanGpe(n, { flags: 8 })),
  },
  { name: 'nsh without metadata', inside: 'link', carries: 'next', add: (p, n) => p.nsh(n) },
  { name: 'nsh with a list', inside: 'link', carries: 'next', add: (p, n) => p.nsh(n, { metadata: 20 }) },
  {
    name: 'geneve with critical options',
    inside: 'ip',
    carries: 'frame',
    add: over(6081, (p, n) => p.geneve(n, { options: 8, critical: true })),
  },
  {
    name: 'geneve with all options',
    inside: 'ip',
    carries: 'frame',
    add: over(6081, (p, n) => p.geneve(n, { options: 252 })),
  },
  { name: 'gre', inside: 'ip', carries: 'ethertype', add: (p) => p.gre() },
  {
    name: 'gre with all fields',
    inside: 'ip',
    carries: 'ethertype',
    add: (p, n) => p.gre({ checksum: true, key: n, sequence: n }),
  },
  { name: 'gre with sequence', inside: 'ip', carries: 'ethertype', add: (p) => p.gre({ sequence: 5 }) },
  { name: 'gre with ppp', inside: 'ip', carries: 'packet', add: (p) => p.gre().ppp() },
  {
    name: 'erspan 3 with subheader',
    inside: 'ip',
    carries: 'frame',
    add: (p) => p.erspan(3, 9, { platform: true }),
  },
  {
    name: 'srv6 with a frame',
    inside: 'ip',
    versions: [6],
    carries: 'frame',
    ip: (p, n) => p.ipv6({ ...outer6(n), extensions: [SEGMENTS] }),
    add: (p) => p,
  },
  {
    name: 'gtp-u with sequence',
    inside: 'ip',
    carries: 'packet',
    add: over(2152, (p, n) => p.gtpu(n, { sequence: 1 })),
  },
  {
    name: 'gtp-u with extensions',
    inside: 'ip',
    carries: 'packet',
    add: over(2152, (p, n) => p.gtpu(n, { sequence: 1, npdu: 2, extensions: [4, 8] })),
  },
  {
    name: 'gtp-u with eight extensions',
    inside: 'ip',
    carries: 'packet',
    add: over(2152, (p, n) => p.gtpu(n, { extensions: Array.from({ length: 8 }, () => 4) })),
  },
  {
    name: 'mpls multicast',
    inside: 'link',
    carries: 'packet',
    add: (p, n) => p.mpls([16 + n], { multicast: true }),
  },
  {
    name: 'mpls of eight labels',
    inside: 'link',
    carries: 'packet',
    add: (p, n) => p.mpls([n, 16, 17, 18, 19, 20, 21, 22]),
  },
  { name: 'mpls explicit null', inside: 'link', carries: 'ipv4', add: (p, n) => p.mpls([16 + n, 0]) },
  { name: 'mpls explicit null of ipv6', inside: 'link', carries: 'ipv6', add: (p, n) => p.mpls([16 + n, 2]) },
  { name: 'mpls in ip', inside: 'ip', carries: 'packet', add: (p, n) => p.mpls([16 + n]) },
  { name: 'mpls in udp', inside: 'ip', carries: 'packet', add: over(6635, (p, n) => p.mpls([16 + n])) },
  {
    name: 'l2tp with all fields',
    inside: 'ip',
    carries: 'packet',
    add: over(1701, (p, n) =>
      p.l2tp(n & 0xffff, 8, { lengthy: true, sequenced: true, offset: 6 }).ppp({ framed: true }),
    ),
  },
  {
    name: 'l2tp with compressed ppp',
    inside: 'ip',
    carries: 'packet',
    add: over(1701, (p, n) => p.l2tp(n & 0xffff, 9, { lengthy: true }).ppp({ compressed: true })),
  },
  ...([0, 8] as const).flatMap((cookie): Tunnel[] => [
    {
      name: `l2tpv3 with ${cookie} octets of cookie`,
      inside: 'ip',
      carries: 'frame',
      add: (p, n) => p.l2tpv3(n, { cookie, sublayer: cookie === 8 }),
    },
    {
      name: `l2tpv3 over udp with ${cookie} octets of cookie`,
      inside: 'ip',
      carries: 'frame',
      add: over(1701, (p, n) => p.l2tpv3(n, { cookie, sublayer: true })),
    },
  ]),
  {
    name: 'pptp with acknowledgment',
    inside: 'ip',
    carries: 'packet',
    add: (p, n) =>
      p.pptp(n & 0xffff, { sequence: 1, acknowledgment: 2 }).ppp({ framed: true, compressed: true }),
  },
];

const SEGMENTS = { kind: 'segmentRouting', segments: ['fd00:5::1', 'fd00:5::2'], segmentsLeft: 1 } as const;

/** Marks: what an IP packet carries that names its flow. */
const MARKS: readonly { readonly name: string; add(p: Packet, v: Version, n: number): Packet }[] = [
  { name: 'esp', add: (p, v, n) => ip(p, v, n).esp(n).payload(40) },
  { name: 'esp cut', add: (p, v, n) => ip(p, v, n, 50).payload(7) },
  { name: 'ah, tcp', add: (p, v, n) => ip(p, v, n).ah(n).tcp().payload(9) },
  {
    name: 'ah, esp',
    add: (p, v, n) =>
      ip(p, v, n)
        .ah(n)
        .esp(n + 1)
        .payload(24),
  },
  {
    name: 'ah, ip in ip',
    add: (p, v, n) =>
      ip(ip(p, v, n).ah(n), 4, n)
        .udp()
        .payload(2),
  },
  { name: 'ah, gre', add: (p, v, n) => ip(ip(p, v, n).ah(n).gre({ key: n }), 6, n).udp() },
  {
    name: 'esp in udp',
    add: (p, v, n) =>
      udp(4500)(ip(p, v, n), n)
        .esp(n)
        .payload(40),
  },
  { name: 'ike', add: (p, v, n) => udp(4500)(ip(p, v, n), n).payload(new Uint8Array(32)) },
  { name: 'keepalive', add: (p, v, n) => udp(4500)(ip(p, v, n), n).payload(Uint8Array.of(0xff)) },
  ...[1, 2, 3, 4].map((type) => ({
    name: `wireguard ${type}`,
    add: (p: Packet, v: Version, n: number) => udp(51_820)(ip(p, v, n), n).wireguard(type, n),
  })),
  {
    name: 'wireguard with data',
    add: (p, v, n) =>
      udp(51_820)(ip(p, v, n), n)
        .wireguard(4, n)
        .payload(64),
  },
];

/** What is announced as a tunnel or is one, and carries nothing, lies, or is something else. */
const ODD: readonly { readonly name: string; add(p: Packet, v: Version, n: number): Packet }[] = [
  ...[4789, 4790, 6081, 2152, 6635, 1701, 4500, 51_820].map((port) => ({
    name: `a few octets to port ${port}`,
    add: (p: Packet, v: Version, n: number) => udp(port)(ip(p, v, n), n).payload(3),
  })),
  ...[4789, 4790, 6081, 2152, 1701, 51_820].map((port) => ({
    name: `something else to port ${port}`,
    add: (p: Packet, v: Version, n: number) =>
      udp(port)(ip(p, v, n), n).payload(Uint8Array.from([0xc1, 0xff, 9, 9, 9, 9, 9, 9, 9])),
  })),
  {
    name: 'vxlan without VNI',
    add: (p, v, n) =>
      udp(4789)(ip(p, v, n), n)
        .vxlan(n, { flags: 0 })
        .eth()
        .payload(9),
  },
  {
    name: 'vxlan-gpe version 1',
    add: (p, v, n) =>
      udp(4790)(ip(p, v, n), n)
        .vxlanGpe(n, { flags: 0x1c })
        .payload(9),
  },
  {
    name: 'vxlan-gpe of something',
    add: (p, v, n) =>
      udp(4790)(ip(p, v, n), n)
        .vxlanGpe(n, { protocol: 9 })
        .payload(9),
  },
  {
    name: 'geneve version 1',
    add: (p, v, n) =>
      udp(6081)(ip(p, v, n), n)
        .geneve(n, { version: 1 })
        .eth()
        .payload(9),
  },
  {
    name: 'geneve options beyond',
    add: (p, v, n) =>
      udp(6081)(ip(p, v, n), n)
        .geneve(n, { length: 40 })
        .eth()
        .payload(9),
  },
  {
    name: 'geneve of something',
    add: (p, v, n) =>
      udp(6081)(ip(p, v, n), n)
        .geneve(n, { protocol: 0x1234 })
        .payload(9),
  },
  { name: 'gre with routing', add: (p, v, n) => ip(p, v, n).gre({ routing: true }).ipv4().payload(9) },
  { name: 'gre version 2', add: (p, v, n) => ip(p, v, n).gre({ version: 2 }).payload(9) },
  { name: 'gre keepalive', add: (p, v, n) => ip(p, v, n).gre({ protocol: 0 }) },
  { name: 'gre of something', add: (p, v, n) => ip(p, v, n).gre({ key: n, protocol: 0x6003 }).payload(9) },
  ...[
    [4, 19],
    [41, 39],
    [47, 3],
    [97, 1],
    [115, 3],
    [137, 3],
  ].map(([protocol, octets]) => ({
    name: `${octets} octets behind protocol ${protocol}`,
    add: (p: Packet, v: Version, n: number) => ip(p, v, n, protocol).payload(octets!),
  })),
  { name: 'ah cut', add: (p, _, n) => ip(p, 4, n, 51).payload(7) },
  { name: 'gre payload', add: (p, v, n) => ip(p, v, n, 47).payload(12) },
  {
    name: 'eoip keepalive',
    add: (p, v, n) =>
      ip(p, v, n)
        .eoip(n & 0xffff)
        .payload(0),
  },
  { name: 'pptp acknowledgment', add: (p, v, n) => ip(p, v, n).pptp(n & 0xffff, { acknowledgment: 4 }) },
  {
    name: 'pptp of lcp',
    add: (p, v, n) =>
      ip(p, v, n)
        .pptp(n & 0xffff, { sequence: 4 })
        .ppp()
        .payload(8),
  },
  {
    name: 'gtp-u echo',
    add: (p, v, n) =>
      udp(2152)(ip(p, v, n), n)
        .gtpu(n, { message: 1, sequence: 3 })
        .payload(2),
  },
  {
    name: 'gtp version 2',
    add: (p, v, n) =>
      udp(2152)(ip(p, v, n), n)
        .gtpu(n, { version: 2 })
        .payload(2),
  },
  {
    name: "gtp'",
    add: (p, v, n) =>
      udp(2152)(ip(p, v, n), n)
        .gtpu(n, { type: 0 })
        .payload(2),
  },
  {
    name: 'gtp-u of something',
    add: (p, v, n) =>
      udp(2152)(ip(p, v, n), n)
        .gtpu(n)
        .payload(20),
  },
  {
    name: 'gtp-u extension of no length',
    add: (p, v, n) =>
      udp(2152)(ip(p, v, n), n)
        .gtpu(n, { extensions: [0] })
        .ipv4(),
  },
  {
    name: 'gtp-u with nine extensions',
    add: (p, v, n) =>
      udp(2152)(ip(p, v, n), n)
        .gtpu(n, { extensions: Array.from({ length: 9 }, () => 4) })
        .ipv4(),
  },
  { name: 'mpls of nine labels', add: (p, _, n) => p.mpls([n, 1, 3, 4, 5, 6, 7, 8, 9]).ipv4() },
  { name: 'mpls of a frame', add: (p, v, n) => ip(p.mpls([16 + n]).eth(), v, n).udp() },
  { name: 'mpls of nothing', add: (p, _, n) => p.mpls([16 + n]) },
  { name: 'nsh version 1', add: (p, _, n) => p.nsh(n, { version: 1 }).ipv4() },
  { name: 'nsh too short', add: (p, _, n) => p.nsh(n, { length: 1 }).ipv4() },
  { name: 'nsh too long', add: (p, _, n) => p.nsh(n, { length: 40 }).ipv4() },
  { name: 'nsh of something', add: (p, _, n) => p.nsh(n).payload(7) },
  {
    name: 'l2tp control',
    add: (p, v, n) =>
      udp(1701)(ip(p, v, n), n)
        .l2tp(1, 2, { control: true, lengthy: true, sequenced: true })
        .payload(8),
  },
  {
    name: 'l2tpv3 control over udp',
    add: (p, v, n) =>
      udp(1701)(ip(p, v, n), n)
        .l2tpv3(9, { control: true })
        .payload(8),
  },
  {
    name: 'l2tp version 1',
    add: (p, v, n) =>
      udp(1701)(ip(p, v, n), n)
        .l2tp(1, 2, { version: 1 })
        .payload(8),
  },
  {
    name: 'l2tp of lcp',
    add: (p, v, n) =>
      udp(1701)(ip(p, v, n), n)
        .l2tp(1, 2)
        .ppp({ framed: true })
        .payload(8),
  },
  { name: 'l2tpv3 control', add: (p, v, n) => ip(p, v, n).l2tpv3(0).payload(8) },
  { name: 'l2tpv3 of something', add: (p, v, n) => ip(p, v, n).l2tpv3(n).payload(60) },
  { name: 'etherip version 4', add: (p, v, n) => ip(p, v, n).etherip({ version: 0x4000 }).eth().payload(8) },
  { name: 'pppoe version 2', add: (p, _, n) => p.pppoe(n, { version: 0x21 }).ppp().ipv4() },
  { name: 'pppoe code 9', add: (p, _, n) => p.pppoe(n, { code: 9 }).ppp().payload(20) },
  { name: 'pppoe too long', add: (p, _, n) => p.pppoe(n, { length: 400 }).ppp().ipv4() },
  { name: 'pppoe with padding', add: (p, _, n) => p.pppoe(n).ppp().ipv4().udp().pad(80) },
  { name: 'pppoe of ipcp', add: (p, _, n) => p.pppoe(n).ppp({ protocol: 0x8021 }).payload(20) },
  { name: 'frame in ip', add: (p, v, n) => ip(p, v, n).eth().payload(8) },
  {
    name: 'segment routing',
    add: (p, _, n) =>
      p
        .ipv6({ ...outer6(n), extensions: [SEGMENTS] })
        .udp()
        .payload(4),
  },
  {
    name: 'later fragment of a tunnel',
    add: (p, _, n) => p.ipv4({ ...outer4(n), offset: 800, protocol: 47 }).payload(30),
  },
  {
    name: 'first fragment of a tunnel',
    add: (p, v, n) =>
      ip(p.ipv4({ ...outer4(n), more: true }).gre({ key: 4 }), v, n)
        .udp()
        .payload(3),
  },
];

/** Two to five of them, by how far apart in the list. */
const DEEP: readonly (readonly number[])[] = [
  [1, 5],
  [4, 9],
  [2, 6, 11],
  [5, 8, 13],
  [1, 2, 3, 4],
];

/** All of them that hold as a meter is set up unless told otherwise. */
export function tunnelCombinations(): TunnelCombination[] {
  const made = new Maker();
  for (const tunnel of [...TUNNELS, ...FORMS]) made.alone(tunnel);
  for (const outer of TUNNELS) for (const inner of TUNNELS) made.stack([outer, inner], made.count % 3);
  for (const steps of DEEP) {
    for (let i = 0; i < TUNNELS.length; i++) {
      const chosen = [0, ...steps].map((step) => TUNNELS[(i + step) % TUNNELS.length]!);
      made.stack(chosen, made.count % 3);
    }
  }
  for (const mark of [...MARKS, ...ODD]) {
    for (const version of [4, 6] as const) {
      made.push(`${mark.name} over ipv${version}`, (n) => mark.add(frame(n, n % 3), version, n));
      made.push(`${mark.name} over ipv${version} in vxlan`, (n) =>
        mark.add(
          over(4789, (p) => p.vxlan(n))(ip(frame(n, 1), 4, n), n)
            .eth(MACS)
            .vlan(8),
          version,
          n,
        ),
      );
    }
  }
  return made.all;
}

/** Those that hold where the meter is set up as {@link OPTIONAL} says. */
export function optionalCombinations(): TunnelCombination[] {
  const made = new Maker();
  made.alone({ name: 'nvgre', inside: 'ip', carries: 'frame', add: (p, n) => p.nvgre(n, 5) });
  made.alone({
    name: 'gretap with sequence',
    inside: 'ip',
    carries: 'frame',
    add: (p, n) => p.gre({ key: n, sequence: 1 }),
  });
  made.alone({ name: 'gretap without key', inside: 'ip', carries: 'frame', add: (p) => p.gre() });
  for (const [name, said] of [
    ['teredo', {}],
    ['teredo with origin', { origin: true }],
    ['teredo with authentication', { authentication: [3, 5] }],
    ['teredo with both', { authentication: [0, 0], origin: true }],
  ] as const) {
    made.alone({ name, inside: 'ip', carries: 'ipv6', add: over(3544, (p) => p.teredo(said)) });
  }
  made.push('something else to the port of teredo', (n) => udp(3544)(ip(frame(n, 0), 4, n), n).payload(40));
  return made.all;
}

/** Packets without a link layer, as a tun device hands them over. */
export function bareCombinations(): TunnelCombination[] {
  const made = new Maker();
  for (const version of [4, 6] as const) {
    made.push(`bare ipv${version}`, (n) => ip(packet(), version, n).tcp().payload(5));
    made.push(`bare ipv${version}, gre`, (n) => ip(ip(packet(), version, n).gre({ key: n }), 6, n).udp());
    made.push(`bare ipv${version}, vxlan`, (n) =>
      ip(over(4789, (p) => p.vxlan(n))(ip(packet(), version, n), n).eth(), 4, n).udp(),
    );
  }
  return made.all;
}

const MACS = { source: '02:11:00:00:00:01', destination: '02:22:00:00:00:01' } as const;

class Maker {
  readonly all: TunnelCombination[] = [];

  get count(): number {
    return this.all.length;
  }

  push(name: string, build: (n: number) => Packet): void {
    this.all.push({ name, packet: build(this.count + 1) });
  }

  /** In every way one can stand in a frame, with every way to go on. */
  alone(tunnel: Tunnel): void {
    for (const version of tunnel.inside === 'link'
      ? ([4] as const)
      : (tunnel.versions ?? ([4, 6] as const))) {
      for (const end of endsOf(tunnel)) {
        for (const tags of [0, 1, 2]) {
          const where = tunnel.inside === 'link' ? '' : ` over ipv${version}`;
          this.push(`${tunnel.name}${where}, ${tags} tags, ${end.name}`, (n) =>
            end.add(begin(frame(n, tags), tunnel, { n, version }), n),
          );
        }
      }
    }
  }

  /** One in another, over IPv4 and IPv6 in turn; nothing where one cannot stand in the other. */
  stack(tunnels: readonly Tunnel[], tags: number): void {
    for (const [i, inner] of tunnels.entries()) if (i > 0 && !fits(tunnels[i - 1]!, inner)) return;
    this.push(`${tunnels.map(({ name }) => name).join(' in turn ')}, ${tags} tags`, (n) => {
      let p = frame(n, tags);
      for (const [level, tunnel] of tunnels.entries()) {
        const outside = tunnels[level - 1];
        if (outside?.carries === 'frame') {
          p = p.eth({ ...MACS, source: `02:11:00:00:00:${10 + level}` });
          if ((n + level) % 3 === 0) p = p.vlan(70 + level);
        }
        const isSix = outside?.carries === 'ipv6' || (outside?.carries !== 'ipv4' && (n + level) % 2 === 0);
        p = begin(p, tunnel, { n: n + level, version: isSix ? 6 : 4 });
      }
      const ends = endsOf(tunnels.at(-1)!);
      return ends[n % ends.length]!.add(p, n);
    });
  }
}

function fits({ name, carries }: Tunnel, inner: Tunnel): boolean {
  if (inner.inside === 'ip' || carries === 'frame' || carries === 'ethertype') return true;
  // PPP and a next protocol name MPLS; a packet guessed by its first bits is IP.
  if (inner.name === 'mpls') return carries === 'next' || /^(l2tp|pptp|pppoe)/.test(name);
  return inner.name === 'nsh' && carries === 'next';
}

function begin(p: Packet, tunnel: Tunnel, { n, version }: { n: number; version: Version }): Packet {
  if (tunnel.inside === 'link') return tunnel.add(p, n);
  const chosen = tunnel.versions?.[0] ?? version;
  return tunnel.add(tunnel.ip ? tunnel.ip(p, n) : ip(p, chosen, n), n);
}

interface End {
  readonly name: string;
  add(p: Packet, n: number): Packet;
}

const END4: End = {
  name: 'ipv4 tcp',
  add: (p, n) =>
    p
      .ipv4({ ...inner4(n), dscp: n & 63 })
      .tcp({ sourcePort: 30_000 + n, destinationPort: 9 })
      .payload(n & 7),
};
const END6: End = {
  name: 'ipv6 udp',
  add: (p, n) =>
    p
      .ipv6(inner6(n))
      .udp({ sourcePort: 40_000 + n, destinationPort: 9 })
      .payload(n & 7),
};

function endsOf({ name, carries }: Tunnel): End[] {
  // L2TPv3 is not told by tags announced as 0x9100.
  const tpid = name.startsWith('l2tpv3') ? 0x88a8 : 0x9100;
  const framed = [END4, END6].map(({ name: end, add }, i) => ({
    name: `frame, ${i + 1} tags, ${end}`,
    add: (p: Packet, n: number) => add(i ? p.eth(MACS).vlan(9, { tpid }).vlan(10) : p.eth(MACS).vlan(5), n),
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

/** Ethernet and so many tags, the outer one of two as providers once announced it. */
function frame(n: number, tags: number): Packet {
  const begun = packet().eth({
    source: '02:00:00:00:01:01',
    destination: n & 1 ? '02:00:00:00:00:02' : '01:00:5e:00:00:05',
  });
  if (tags === 0) return begun;
  return tags === 1 ? begun.vlan(6) : begun.vlan(4000, { tpid: 0x9100 }).vlan(100);
}

function ip(p: Packet, version: Version, n: number, protocol = 253): Packet {
  return version === 4 ? p.ipv4({ ...outer4(n), protocol }) : p.ipv6({ ...outer6(n), protocol });
}

function outer4(n: number): { source: string; destination: string } {
  return { source: '192.0.2.1', destination: `198.51.${(n >> 8) & 255}.${n & 255}` };
}

function outer6(n: number): { source: string; destination: string } {
  return { source: '2001:db8::1', destination: `2001:db8:1::${n.toString(16)}` };
}

function inner4(n: number): { source: string; destination: string } {
  return { source: `10.0.${(n >> 8) & 255}.${n & 255}`, destination: '10.255.0.1' };
}

function inner6(n: number): { source: string; destination: string } {
  return { source: `fd00::1:${n.toString(16)}`, destination: 'fd00:ffff::1' };
}
