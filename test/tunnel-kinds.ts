/** One of each kind of tunnel, and what else they can look like. */
import type { Tunnel } from './tunnel.ts';
import { outer6, over, SEGMENTS } from './tunnel-surroundings.ts';

/** One of each, for nesting. */
export const TUNNELS: readonly Tunnel[] = [
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
  { name: 'lisp', inside: 'ip', carries: 'packet', add: over(4341, (p, n) => p.lisp({ instance: n })) },
  { name: 'l2tpv3', inside: 'ip', carries: 'frame', add: (p, n) => p.l2tpv3(n, { cookie: 4 }) },
  { name: 'etherip', inside: 'ip', carries: 'frame', add: (p) => p.etherip() },
  { name: 'eoip', inside: 'ip', carries: 'frame', add: (p, n) => p.eoip(n & 0xffff) },
  { name: 'pptp', inside: 'ip', carries: 'packet', add: (p, n) => p.pptp(n & 0xffff, { sequence: 1 }).ppp() },
  { name: 'pppoe', inside: 'link', carries: 'packet', add: (p, n) => p.pppoe(n & 0xffff).ppp() },
];

/** Those that are told only where the meter is set up so. */
export const OPTIONAL_TUNNELS: readonly Tunnel[] = [
  { name: 'nvgre', inside: 'ip', carries: 'frame', add: (p, n) => p.nvgre(n, 5) },
  {
    name: 'gretap with sequence',
    inside: 'ip',
    carries: 'frame',
    add: (p, n) => p.gre({ key: n, sequence: 1 }),
  },
  { name: 'gretap without key', inside: 'ip', carries: 'frame', add: (p) => p.gre() },
  ...(
    [
      ['teredo', {}],
      ['teredo with origin', { origin: true }],
      ['teredo with authentication', { authentication: [3, 5] }],
      ['teredo with both', { authentication: [0, 0], origin: true }],
    ] as const
  ).map(
    ([name, said]): Tunnel => ({
      name,
      inside: 'ip',
      carries: 'ipv6',
      add: over(3544, (p) => p.teredo(said)),
    }),
  ),
  { name: 'ayiya', inside: 'ip', carries: 'packet', add: over(5072, (p) => p.ayiya()) },
  {
    name: 'ayiya without identity or signature',
    inside: 'ip',
    carries: 'packet',
    add: over(5072, (p) => p.ayiya({ identity: 0, signature: 0 })),
  },
];
