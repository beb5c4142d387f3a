import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { DecodedRecord } from '../src/flow/index.ts';
import {
  labDown,
  labUp,
  loadProfile,
  loadTopology,
  namespaceOf,
  type StreamLedger,
  startTraffic,
  type Topology,
  type TrafficProfile,
} from '../src/lab/index.ts';
import { type Metered, meterDuring, sumOf } from './metering.ts';

const PREFIX = 'tslt-';

/** Octets VXLAN puts in front of an inner frame: Ethernet 14, IP 20 or 40, UDP 8, VXLAN 8. */
const OUTER = { 4: 50, 6: 70 } as const;

function ipOctets(address: string): number {
  return address.includes(':') ? 40 : 20;
}

/** Meters one host of a standing lab while a profile runs to its end. */
async function run(
  topology: Topology,
  profile: TrafficProfile,
  host = 'host0',
): Promise<{ metered: Metered; streams: readonly StreamLedger[] }> {
  let streams: readonly StreamLedger[] = [];
  const metered = await meterDuring({ namespace: namespaceOf(PREFIX, host) }, async () => {
    const traffic = await startTraffic(topology, profile, { prefix: PREFIX });
    ({ streams } = await traffic.finished);
  });
  assert.deepEqual(metered.ledger, [], 'nothing is left unexplained by a flow');
  return { metered, streams };
}

/** The records of one direction of a stream; exactly that stream's, by addresses, VNI and ports. */
function recordsOf(
  records: readonly DecodedRecord[],
  stream: StreamLedger,
  direction: 'forward' | 'backward',
): DecodedRecord[] {
  const [from, to, fromPort, toPort] =
    direction === 'forward'
      ? [stream.source, stream.destination, stream.sourcePort, stream.destinationPort]
      : [stream.destination, stream.source, stream.destinationPort, stream.sourcePort];
  const protocols = { ping: [1, 58], udp: [17], bulk: [6], requests: [6] }[stream.kind];
  return records.filter(
    (record) =>
      record.source === from &&
      record.destination === to &&
      isIn(record, stream.vni) &&
      record.network !== 'arp' &&
      protocols.includes(Number(record.protocol)) &&
      (stream.kind === 'ping' ||
        ((fromPort === undefined || record.sourcePort === fromPort) &&
          (toPort === undefined || record.destinationPort === toPort))),
  );
}

/** Whether a decoded record's only tunnel is VXLAN with this VNI; without one, that there is none. */
function isIn({ tunnels }: Readonly<Record<string, unknown>>, vni: number | undefined): boolean {
  return isDeepStrictEqual(tunnels, vni === undefined ? [] : [{ kind: 'vxlan', id: vni }]);
}

/** UDP streams and pings: packet for packet, octet for octet, as the stack and as the wire count. */
function assertFrames(metered: Metered, stream: StreamLedger): void {
  for (const direction of ['forward', 'backward'] as const) {
    const { packets, octets, tunnelOctets } = stream.frames![direction];
    const wanted = stream.vni === undefined ? octets : tunnelOctets;
    let records = recordsOf(metered.records, stream, direction);
    if (stream.kind === 'ping') {
      const types = direction === 'forward' ? [8, 128] : [0, 129];
      records = records.filter((record) => types.includes((record.icmpTypeCode as { type: number }).type));
    }
    const sum = sumOf(records, {});
    assert.deepEqual(
      { packets: sum.wirePackets, octets: sum.wireOctets, payload: sum.payloadOctets },
      { packets, octets: wanted, payload: stream[direction].sent.octets },
      `${stream.kind} ${stream.source} → ${stream.destination} ${direction}`,
    );
  }
}

/** Segments a host's TCP sent again since its namespace was made; segments are at most `mss` octets of payload. */
function retransmitted(host: string): number {
  const words = ['netns', 'exec', namespaceOf(PREFIX, host), 'cat', '/proc/net/snmp'];
  const [names, values] = execFileSync('ip', words, { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.split(' '));
  return Number(values![names!.indexOf('RetransSegs')]);
}

/**
 * TCP: payload octet for octet (what the kernel says it sent again is on the wire twice), and wire octets = payload +
 * headers of every segment. All segments carry 12 octets of options (timestamps), the SYN 20.
 */
function assertTcp(metered: Metered, stream: StreamLedger, again: number, underlay: 4 | 6): void {
  const records = recordsOf(metered.records, stream, 'forward');
  const sum = sumOf(records, {});
  const headers = OUTER[underlay] + 14 + ipOctets(stream.source) + 32;
  const excess = sum.payloadOctets - stream.forward.sent.octets;
  const mss = 1514 - headers;
  assert.ok(
    excess >= 0 && excess <= again * mss && (again > 0 || excess === 0),
    `payload of ${stream.source} → ${stream.destination}: ${excess} octets more than sent, ${again} segments sent again`,
  );
  if (again === 0) {
    const expected = sum.payloadOctets + sum.wirePackets * headers + 8;
    assert.equal(sum.wireOctets, expected, 'every segment with its headers');
  }
  for (const { longest } of records)
    assert.ok(Number(longest) <= 1514, `longest packet ${longest} fits the underlay`);
}

/** Switches segmentation and receive offloads of every device of a host but its loopback. */
function offloads(host: string, state: 'on' | 'off'): void {
  const namespace = namespaceOf(PREFIX, host);
  const links: readonly { readonly ifname: string }[] = JSON.parse(
    execFileSync('ip', ['-n', namespace, '-j', 'link', 'show'], { encoding: 'utf8' }),
  );
  const words = ['tso', 'gso', 'gro'].flatMap((name) => [name, state]);
  for (const { ifname } of links.filter(({ ifname }) => ifname !== 'lo')) {
    execFileSync('ip', ['netns', 'exec', namespace, 'ethtool', '-K', ifname, ...words], { stdio: 'ignore' });
  }
}

for (const name of ['overlay', 'overlay6'] as const) {
  describe(`${name}: what the generators sent is what the records say`, () => {
    const topology = loadTopology(name, { hosts: 3, segments: 2 });
    const vni = topology.segments[0]!.vni;
    before(() => labUp(topology, { prefix: PREFIX }));
    after(() => labDown({ prefix: PREFIX }));

    test('pings of every size: an inner ping of N octets is N + 92 on an IPv4 underlay', async () => {
      const sizes = [128, 768, 1024];
      const { metered, streams } = await run(topology, {
        title: 'pings',
        streams: sizes.map((size, i) => ({
          kind: 'ping',
          vni: topology.segments[i % 2]!.vni,
          from: 'host0',
          to: i === 2 ? 'host2' : 'host1',
          size,
          perSecond: 20,
          count: 5,
        })),
      });
      for (const [i, stream] of streams.entries()) {
        assertFrames(metered, stream);
        const { tunnelOctets, packets } = stream.frames!.forward;
        if (name === 'overlay') assert.equal(tunnelOctets / packets, sizes[i]! + 92);
      }
    });

    test('UDP at a rate, in both directions, on the overlay and on the underlay', async () => {
      const { metered, streams } = await run(topology, {
        title: 'udp',
        streams: [
          { kind: 'udp', vni, from: 'host0', to: 'host1', size: 700, perSecond: 2000, count: 2000 },
          { kind: 'udp', vni, from: 'host2', to: 'host0', size: 64, perSecond: 2000, count: 2000 },
          { kind: 'udp', from: 'host0', to: 'host1', size: 333, perSecond: 1000, count: 500 },
        ],
      });
      for (const stream of streams) assertFrames(metered, stream);
    });

    for (const state of ['on', 'off'] as const) {
      test(`TCP transfers and requests, segmentation offload ${state}`, async () => {
        for (const host of ['host0', 'host1']) offloads(host, state);
        const before = { host0: retransmitted('host0'), host1: retransmitted('host1') };
        const { metered, streams } = await run(topology, {
          title: 'tcp',
          streams: [
            {
              kind: 'bulk',
              vni,
              from: 'host0',
              to: 'host1',
              octets: 20_000_000,
              octetsPerSecond: 15_000_000,
            },
            { kind: 'bulk', vni, from: 'host1', to: 'host0', octets: 5_000_000, octetsPerSecond: 4_000_000 },
            {
              kind: 'requests',
              vni,
              from: 'host0',
              to: 'host1',
              requestOctets: 300,
              responseOctets: 5000,
              perSecond: 50,
              count: 40,
            },
          ],
        });
        for (const stream of streams.filter(({ kind }) => kind === 'bulk')) {
          const sender = stream.from as 'host0' | 'host1';
          assertTcp(metered, stream, retransmitted(sender) - before[sender], topology.underlay);
        }
        const requests = streams.find(({ kind }) => kind === 'requests')!;
        for (const direction of ['forward', 'backward'] as const) {
          const sum = sumOf(recordsOf(metered.records, requests, direction), {});
          assert.ok(sum.payloadOctets >= requests[direction].sent.octets, `requests ${direction}`);
        }
        const bulk = sumOf(recordsOf(metered.records, streams[0]!, 'forward'), {});
        if (state === 'on')
          assert.ok(bulk.wirePackets > 2 * bulk.packets, 'super-packets were seen and counted as segments');
        else assert.equal(bulk.wirePackets, bulk.packets);
      });
    }
  });
}

describe('every shipped profile', () => {
  const topology = loadTopology('overlay', { hosts: 4, segments: 4 });
  before(() => labUp(topology, { prefix: PREFIX }));
  after(() => labDown({ prefix: PREFIX }));

  for (const name of ['pings', 'rates', 'requests', 'mixed']) {
    test(`${name}: exact on the first host`, async () => {
      let streams: readonly StreamLedger[] = [];
      const metered = await meterDuring({ namespace: namespaceOf(PREFIX, 'host0') }, async (epochs) => {
        const traffic = await startTraffic(topology, loadProfile(name), { prefix: PREFIX });
        await epochs(6);
        ({ streams } = await traffic.stop());
      });
      assert.deepEqual(metered.ledger, []);
      const here = streams.filter((stream) => stream.from === 'host0' || stream.to === 'host0');
      assert.ok(here.length > 0);
      for (const stream of here) {
        if (stream.frames) assertFrames(metered, stream);
        else {
          const { payloadOctets } = sumOf(recordsOf(metered.records, stream, 'forward'), {});
          assert.equal(
            payloadOctets,
            stream.forward.sent.octets,
            `${stream.kind} ${stream.source} → ${stream.destination}`,
          );
        }
      }
    });
  }
});

test('two tenants with the same addresses stay two', async (t) => {
  const topology = loadTopology('tenants');
  await labUp(topology, { prefix: PREFIX });
  t.after(() => labDown({ prefix: PREFIX }));
  const [one, two] = topology.segments;
  const { metered, streams } = await run(topology, {
    title: 'tenants',
    streams: [
      {
        kind: 'udp',
        vni: one!.vni,
        from: 'host0',
        to: 'host1',
        size: 100,
        perSecond: 500,
        count: 300,
        port: 7000,
      },
      {
        kind: 'udp',
        vni: two!.vni,
        from: 'host0',
        to: 'host1',
        size: 900,
        perSecond: 500,
        count: 200,
        port: 7000,
      },
    ],
  });
  assert.equal(streams[0]!.source, streams[1]!.source, 'the tenants use the same addresses');
  for (const stream of streams) assertFrames(metered, stream);
});

test('two hosts see twelve packets of a ping of two: one ARP exchange and two echoes on each', async (t) => {
  const topology = loadTopology('pair');
  await labUp(topology, { prefix: PREFIX });
  t.after(() => labDown({ prefix: PREFIX }));
  const ping: TrafficProfile = {
    title: 'two',
    streams: [{ kind: 'ping', from: 'host0', to: 'host1', size: 56, perSecond: 5, count: 2 }],
  };
  let packets = 0;
  await meterDuring({ namespace: namespaceOf(PREFIX, 'host1') }, async () => {
    const { metered } = await run(topology, ping);
    packets += sumOf(metered.records, {}).wirePackets;
  }).then((other) => {
    packets += sumOf(other.records, {}).wirePackets;
  });
  assert.equal(packets, 12);
});
