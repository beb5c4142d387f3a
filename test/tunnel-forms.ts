/** The forms that tunnels of one kind have beside the usual one: options, cookies, other carriers. */
import type { Tunnel } from './tunnel.ts';
import { outer6, over, SEGMENTS } from './tunnel-surroundings.ts';

export const FORMS: readonly Tunnel[] = [
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
    name: 'gre in udp',
    inside: 'ip',
    carries: 'ethertype',
    add: over(4754, (p, n) => p.gre({ checksum: true, key: n })),
  },
  { name: 'gretap in udp', inside: 'ip', carries: 'frame', add: over(4754, (p) => p.gre()) },
  { name: 'erspan 3 in udp', inside: 'ip', carries: 'frame', add: over(4754, (p) => p.erspan(3, 9)) },
  { name: 'lisp without instance', inside: 'ip', carries: 'packet', add: over(4341, (p) => p.lisp()) },
  {
    name: 'lisp with next protocol',
    inside: 'ip',
    carries: 'next',
    add: over(4341, (p, n) => p.lisp({ instance: n, generic: true })),
  },
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
