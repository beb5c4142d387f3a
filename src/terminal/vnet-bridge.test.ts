import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VirtualBridge } from '../query/index.ts';
import { formatBridge } from './vnet-bridge.ts';

const traffic = (packets: number) => ({
  received: { packets, octets: packets * 1024 },
  sent: { packets: 0, octets: 0 },
});

const BRIDGE: VirtualBridge = {
  kind: 'bridge',
  name: 'green',
  pid: 1,
  hostname: 'host',
  namespace: 'h1',
  startedMs: 0,
  nowMs: 0,
  outcomes: [
    { name: 'forwarded-peer', isDrop: false, packets: 2, octets: 2048 },
    { name: 'spoofed', isDrop: true, packets: 1, octets: 60 },
    { name: 'too-large', isDrop: true, packets: 0, octets: 0 },
  ],
  events: [{ atMs: 0, kind: 'moved', words: 'VNI 7: 02:00:00:00:00:01 moved' }],
  mode: 'mesh',
  tunnel: { kind: 'vxlan', device: 'tsvx0', port: 4789, address: '10.0.0.1', mtu: 1450 },
  segments: [{ vni: 7, group: null, mtu: 1450 }],
  ports: [{ name: 't0', ifindex: 3, vni: 7, kind: 'direct', bridge: null, present: false, ...traffic(3) }],
  peers: [{ vni: 7, address: '10.0.0.2', isConfigured: true, idleMs: 1999, ...traffic(2) }],
  table: { capacity: 16, used: 1 },
  notices: [
    { name: 'learned', count: 4 },
    { name: 'table-full', count: 0 },
  ],
  entries: [
    {
      vni: 7,
      mac: '02:00:00:00:00:01',
      port: null,
      peer: '10.0.0.2',
      isStatic: true,
      idleMs: null,
      moves: 1,
      ...traffic(1),
    },
  ],
};

test('a bridge as text: a table of each kind, drops marked, what is nothing left out', () => {
  assert.equal(
    formatBridge(BRIDGE),
    `Bridge "green" on h1: mesh over vxlan tsvx0 (UDP 4789), from 10.0.0.1

VNI  MTU   GROUP
7    1450  -

PORT       VNI  KIND    BRIDGE  RX PACKETS  RX OCTETS  TX PACKETS  TX OCTETS
t0 (gone)  7    direct  -       3           3.00 KiB   0           0

PEER      VNI  KNOWN BY       IDLE  RX PACKETS  RX OCTETS  TX PACKETS  TX OCTETS
10.0.0.2  7    configuration  1 s   2           2.00 KiB   0           0

MAC                       VNI  WHERE     IDLE  MOVES  RX PACKETS  RX OCTETS  TX PACKETS  TX OCTETS
02:00:00:00:00:01 static  7    10.0.0.2  -     1      1           1.00 KiB   0           0
1 of 16 addresses

OUTCOME            PACKETS  OCTETS
forwarded-peer     2        2.00 KiB
spoofed (dropped)  1        60

learned 4

1970-01-01T00:00:00.000Z VNI 7: 02:00:00:00:00:01 moved
`,
  );
});

test('a bridge without tunnels says so', () => {
  const local = { ...BRIDGE, tunnel: { ...BRIDGE.tunnel, device: '', port: null, address: '' } };
  assert.match(formatBridge(local), /^Bridge "green" on h1: segments of this host alone\n/);
});
