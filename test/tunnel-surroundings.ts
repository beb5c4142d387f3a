/** What stands around tunnels in packets: frames and IP headers of their own addresses, and what tunnels end with. */
import { type Packet, packet } from '../src/wire/index.ts';

export type Version = 4 | 6;

/** MACs of frames in tunnels. */
export const MACS = { source: '02:11:00:00:00:01', destination: '02:22:00:00:00:01' } as const;

/** A segment routing header with a segment to go. */
export const SEGMENTS = {
  kind: 'segmentRouting',
  segments: ['fd00:5::1', 'fd00:5::2'],
  segmentsLeft: 1,
} as const;

/** UDP to a port. */
export const udp = (port: number) => (p: Packet, n: number) =>
  p.udp({ sourcePort: 49_152 + (n % 16_384), destinationPort: port });

/** A tunnel over UDP. */
export const over = (port: number, add: (p: Packet, n: number) => Packet) => (p: Packet, n: number) =>
  add(udp(port)(p, n), n);

/** What a packet ends with. */
export interface End {
  readonly name: string;
  add(p: Packet, n: number): Packet;
}

export const END4: End = {
  name: 'ipv4 tcp',
  add: (p, n) =>
    p
      .ipv4({ ...inner4(n), dscp: n & 63 })
      .tcp({ sourcePort: 30_000 + n, destinationPort: 9 })
      .payload(n & 7),
};

export const END6: End = {
  name: 'ipv6 udp',
  add: (p, n) =>
    p
      .ipv6(inner6(n))
      .udp({ sourcePort: 40_000 + n, destinationPort: 9 })
      .payload(n & 7),
};

/** Ethernet and so many tags, the outer one of two as providers once announced it. */
export function frame(n: number, tags: number): Packet {
  const begun = packet().eth({
    source: '02:00:00:00:01:01',
    destination: n & 1 ? '02:00:00:00:00:02' : '01:00:5e:00:00:05',
  });
  if (tags === 0) return begun;
  return tags === 1 ? begun.vlan(6) : begun.vlan(4000, { tpid: 0x9100 }).vlan(100);
}

export function ip(p: Packet, version: Version, n: number, protocol = 253): Packet {
  return version === 4 ? p.ipv4({ ...outer4(n), protocol }) : p.ipv6({ ...outer6(n), protocol });
}

export function outer4(n: number): { source: string; destination: string } {
  return { source: '192.0.2.1', destination: `198.51.${(n >> 8) & 255}.${n & 255}` };
}

export function outer6(n: number): { source: string; destination: string } {
  return { source: '2001:db8::1', destination: `2001:db8:1::${n.toString(16)}` };
}

export function inner4(n: number): { source: string; destination: string } {
  return { source: `10.0.${(n >> 8) & 255}.${n & 255}`, destination: '10.255.0.1' };
}

export function inner6(n: number): { source: string; destination: string } {
  return { source: `fd00::1:${n.toString(16)}`, destination: 'fd00:ffff::1' };
}
