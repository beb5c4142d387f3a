/** Answers of virtual networks for tests: hosts with bridges in a full mesh, a gateway, a relay. */
import type { VirtualBridge, VirtualGateway, VirtualNetwork, VirtualNetworks, VirtualRelay } from './vnet.ts';

const NOW_MS = 1_790_000_000_000;

const head = (name: string, namespace: string) => ({
  name,
  pid: 7,
  hostname: 'lab',
  namespace,
  startedMs: NOW_MS - 60_000,
  nowMs: NOW_MS,
  outcomes: [
    { name: 'forwarded-to-peer', isDrop: false, packets: 120, octets: 12_000 },
    { name: 'unknown-segment', isDrop: true, packets: 3, octets: 300 },
  ],
  events: [{ atMs: NOW_MS - 5000, kind: 'moved', words: '02:00:00:00:00:01 moved' }],
});

/** Both ways, and rates in octets per second where there are. */
const traffic = (received: number, sent: number, rated = true) => ({
  received: { packets: received, octets: 100 * received },
  sent: { packets: sent, octets: 100 * sent },
  ...(rated && {
    rates: {
      received: { packetRate: received, octetRate: 100 * received },
      sent: { packetRate: sent, octetRate: 100 * sent },
    },
  }),
});

/** Address of a host's tunnel end, from 0. */
export const underlayOf = (host: number): string => `172.16.1.${100 + host}`;
/** The MAC that lives behind a host in a segment. */
export const macOf = (host: number, segment: number): string =>
  `02:00:00:00:${segment.toString(16).padStart(2, '0')}:${host.toString(16).padStart(2, '0')}`;

/** One bridge of so many hosts that know each other in so many segments. */
export function bridgeOf(host: number, hosts: number, segments: number): VirtualBridge {
  const vnis = Array.from({ length: segments }, (_, i) => 10_000 + i);
  const others = Array.from({ length: hosts }, (_, i) => i).filter((each) => each !== host);
  return {
    ...head(`bridge-${host}`, `ts-host${host}`),
    kind: 'bridge',
    mode: 'mesh',
    tunnel: { kind: 'vxlan', device: 'tsvx0', port: 4789, address: underlayOf(host), mtu: 1500 },
    segments: vnis.map((vni) => ({ vni, group: null, mtu: 1450 })),
    ports: vnis.map((vni, i) => ({
      name: `veth${i}`,
      ifindex: 10 + i,
      vni,
      kind: 'bridge' as const,
      bridge: `br${i}`,
      present: true,
      ...traffic(50 + i, 70 + host),
    })),
    peers: vnis.flatMap((vni, i) =>
      others.map((other) => ({
        vni,
        address: underlayOf(other),
        isConfigured: true,
        idleMs: 20,
        ...traffic(1000 * (i + 1) + other * 10 + host, 1000 * (i + 1) + host * 10 + other),
      })),
    ),
    table: { capacity: 10_240, used: segments * hosts },
    entries: vnis.flatMap((vni, i) =>
      [host, ...others].map((each) => ({
        vni,
        mac: macOf(each, i),
        port: each === host ? `veth${i}` : null,
        peer: each === host ? null : underlayOf(each),
        isStatic: false,
        idleMs: 1200,
        moves: each === 2 ? 1 : 0,
        ...traffic(5 + each, 6 + host),
      })),
    ),
  };
}

/** A full mesh; `described`: how many of the hosts answer, the others are known as peers only. */
export function meshOf(hosts: number, segments: number, described: number = hosts): VirtualBridge[] {
  return Array.from({ length: described }, (_, host) => bridgeOf(host, hosts, segments));
}

/** The same where unknown and broadcast frames go to a group of their segment. */
export function multicastOf(hosts: number, segments: number): VirtualBridge[] {
  return meshOf(hosts, segments).map((bridge) => ({
    ...bridge,
    mode: 'multicast',
    peers: [
      ...bridge.peers.map((peer) => ({ ...peer, isConfigured: false })),
      ...bridge.segments.map(({ vni }, i) => ({
        vni,
        address: `239.1.1.${i + 1}`,
        isConfigured: true,
        idleMs: 20,
        ...traffic(0, 1),
      })),
    ],
  }));
}

/** Clients in VLANs, each with a worker of its own. */
export function gatewayOf(clients: number): VirtualGateway {
  return {
    ...head('gateway', 'ts-gateway'),
    kind: 'gateway',
    trunk: 'eth0',
    clients: Array.from({ length: clients }, (_, i) => ({
      mac: macOf(i, 255),
      worker: `veth${i + 1}`,
      tags: i === 2 ? null : [{ vid: 5 + i, pcp: 0, dei: false, protocol: 0x8100 }],
      isLearned: i === 0,
      allowed: i === 1 ? [5, 6] : null,
      idleMs: i === 2 ? null : 300,
      moves: i,
      ...traffic(40 + i, 30 + i),
    })),
  };
}

/** Cables one after the other, both ways each. */
export function relayOf(cables: number): VirtualRelay {
  const none = { packets: 0, octets: 0 };
  return {
    ...head('relay', 'ts-pem'),
    kind: 'relay',
    cables: Array.from({ length: cables }, (_, i) => [
      [`v${2 * i}`, `v${2 * i + 1}`],
      [`v${2 * i + 1}`, `v${2 * i}`],
    ])
      .flat()
      .map(([from = '', to = '']) => ({
        from,
        to,
        counts: {
          ipv4: { packets: 4, octets: 392 },
          ipv6: none,
          arp: { packets: 2, octets: 84 },
          other: none,
        },
        rate: { packetRate: 6, octetRate: 476 },
      })),
  };
}

/** All of these as one answer. */
export function networksOf(...functions: readonly VirtualNetwork[]): VirtualNetworks {
  return { nowMs: NOW_MS, functions: [...functions], unanswered: [] };
}
