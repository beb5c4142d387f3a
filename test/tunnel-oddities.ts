/** What is announced as a tunnel or is one, and carries nothing, lies, or is something else. */
import type { Packet } from '../src/wire/index.ts';
import type { Content } from './tunnel-marks.ts';
import { ip, outer4, outer6, SEGMENTS, udp, type Version } from './tunnel-surroundings.ts';

export const ODD: readonly Content[] = [
  ...[4789, 4790, 6081, 2152, 6635, 1701, 4500, 51_820, 4754, 4341].map((port) => ({
    name: `a few octets to port ${port}`,
    add: (p: Packet, v: Version, n: number) => udp(port)(ip(p, v, n), n).payload(3),
  })),
  ...[4789, 4790, 6081, 2152, 1701, 51_820, 4754, 4341].map((port) => ({
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
  {
    name: 'gre in udp with routing',
    add: (p, v, n) =>
      udp(4754)(ip(p, v, n), n)
        .gre({ routing: true })
        .payload(9),
  },
  {
    name: 'gre in udp, of something',
    add: (p, v, n) =>
      udp(4754)(ip(p, v, n), n)
        .gre({ key: n, protocol: 0x6003 })
        .payload(9),
  },
  {
    name: 'lisp of something',
    add: (p, v, n) =>
      udp(4341)(ip(p, v, n), n)
        .lisp({ generic: true, protocol: 9 })
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
