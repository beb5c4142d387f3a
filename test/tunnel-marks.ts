/** Marks: what an IP packet carries that names its flow. */
import type { Packet } from '../src/wire/index.ts';
import { ip, udp, type Version } from './tunnel-surroundings.ts';

/** Something behind the beginning of a packet, over a version of IP. */
export interface Content {
  readonly name: string;
  add(p: Packet, v: Version, n: number): Packet;
}

export const MARKS: readonly Content[] = [
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
