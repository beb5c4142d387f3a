import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { batchOf, type RecordWords } from '../flow/batch.fixture.ts';
import type { FlowBatch, ObservationPoint } from '../flow/index.ts';
import { REMARK } from '../flow/index.ts';
import { type ReadFamily, readExposition } from './exposition.fixture.ts';
import { writeExposition } from './exposition.ts';
import { LABEL_GROUP_NAMES, type LabelGroup } from './labels.ts';
import { Traffic } from './traffic.ts';

const EVERY: readonly LabelGroup[] = LABEL_GROUP_NAMES;

function read(traffic: Traffic): Map<string, ReadFamily> {
  return readExposition(writeExposition(traffic.families(), 'text/plain').text, 'prometheus');
}

/** Values of a traffic family, by the values of its labels. */
function series(
  traffic: Traffic,
  name = 'traffic_wire_octets',
  suffix: '_total' | '' = '_total',
): Record<string, number> {
  const { samples } = read(traffic).get(`tunnelscope_${name}${suffix}`)!;
  return Object.fromEntries(samples.map(({ labels, value }) => [Object.values(labels).join(' '), value]));
}

const UDP: RecordWords = {
  between: ['10.0.0.1', '10.0.0.2'],
  ports: [1000, 53],
  octets: 100,
  packets: 1,
  wireOctets: 140,
  wirePackets: 2,
  payloadOctets: 60,
};
const TUNNELLED: RecordWords = { ...UDP, protocol: 6, tunnel: ['172.16.0.1', '172.16.0.2', 7], direction: 1 };

test('traffic is told apart by interface, direction, protocol, tunnel and VNI', () => {
  const traffic = new Traffic();
  traffic.write(batchOf([UDP, { ...UDP, ports: [2000, 53] }, TUNNELLED]));
  assert.deepEqual(series(traffic), {
    'eth0 true ingress UDP none ': 280,
    'eth0 true egress TCP vxlan 7': 140,
  });
  assert.deepEqual(Object.values(series(traffic, 'traffic_wire_packets')), [4, 2]);
  assert.deepEqual(Object.values(series(traffic, 'traffic_payload_octets')), [120, 60]);
  assert.deepEqual(Object.values(series(traffic, 'traffic_packets')), [2, 1]);
  traffic.write(batchOf([UDP], { epoch: 2 }));
  assert.equal(series(traffic)['eth0 true ingress UDP none '], 420);
});

test('hosts and flows are labels only where they are asked for', () => {
  const traffic = new Traffic({ labels: ['hosts', 'flows'] });
  traffic.write(
    batchOf([UDP, TUNNELLED, { octets: 60, packets: 1, macs: ['02:00:00:00:00:01', '02:00:00:00:00:02'] }]),
  );
  assert.deepEqual(series(traffic), {
    '10.0.0.1 10.0.0.2 10.0.0.1 10.0.0.2 1000 53': 140,
    '172.16.0.1 172.16.0.2 10.0.0.1 10.0.0.2 1000 53': 140,
    '    0 0': 60,
  });
  const { samples } = read(traffic).get('tunnelscope_traffic_wire_octets_total')!;
  assert.deepEqual(Object.keys(samples[0]!.labels), [
    'source_host',
    'destination_host',
    'src',
    'dst',
    'sport',
    'dport',
  ]);
});

test('fields of different meaning and one name are one series', () => {
  const traffic = new Traffic({ labels: ['protocol', 'vni'] });
  const plain = { octets: 1, packets: 1 };
  traffic.write(
    batchOf([
      { ...plain, between: ['10.0.0.1', '10.0.0.2'], protocol: 4 },
      { ...plain, between: ['10.0.0.1', '10.0.0.2'], protocol: 94 },
      { ...plain, ethertype: 0x8100 },
      { ...plain, ethertype: 0x9100 },
      { ...plain, ethertype: 0x10 },
      { ...plain, ethertype: 0x20 },
      { ...UDP, tunnel: ['172.16.0.1', '172.16.0.2', 7], octets: 1 },
      { ...UDP, tunnels: [['gre', 7]], octets: 1 },
      { ...plain, remark: REMARK.overflow },
    ]),
  );
  const found = series(traffic, 'traffic_packets');
  assert.deepEqual(found, { 'IPIP ': 2, 'VLAN ': 2, 'LLC ': 2, 'UDP 7': 2, 'overflow ': 1 });
});

test('what finds no room counts as other at its place, and is never more than the bound', () => {
  const traffic = new Traffic({ labels: ['interface', 'direction', 'flows'], maxSeries: 5 });
  const flow = (port: number, direction: 0 | 1 = 0): RecordWords => ({
    ...UDP,
    ports: [port, 53],
    direction,
  });
  traffic.write(batchOf([flow(1), flow(2), flow(3), flow(4), flow(5, 1)]));
  assert.deepEqual(series(traffic), {
    'eth0 true ingress 10.0.0.1 10.0.0.2 1 53': 140,
    'eth0 true ingress 10.0.0.1 10.0.0.2 2 53': 140,
    'eth0 true ingress other other other other': 280,
    'eth0 true egress other other other other': 140,
  });
  assert.deepEqual(series(traffic, 'traffic_other_series', ''), { '': 2 });
  const points: ObservationPoint[] = [7, 8].map((ifindex) => ({
    ifindex,
    direction: 0,
    interfaceName: `veth${ifindex}`,
    primary: false,
  }));
  traffic.write(
    batchOf(
      [
        { ...flow(1), ifindex: 7 },
        { ...flow(1), ifindex: 8 },
      ],
      { epoch: 2, points },
    ),
  );
  assert.equal(series(traffic)['other other other other other other other'], 280);
  assert.equal(Object.keys(series(traffic)).length, 5);
});

test('an interface named other is not taken for what found no room', () => {
  const traffic = new Traffic({ labels: ['interface'], maxSeries: 2 });
  const points: ObservationPoint[] = ['other', 'eth1'].map((interfaceName, i) => ({
    ifindex: 2 + i,
    direction: 0,
    interfaceName,
    primary: true,
  }));
  traffic.write(batchOf([UDP, { ...UDP, ifindex: 3 }], { points }));
  assert.deepEqual(series(traffic), { 'other true': 140, 'other other': 140 });
});

test('a series that was idle goes; what it had is told, and its return begins at 0', () => {
  const traffic = new Traffic({ labels: ['protocol'], idleMs: 5000 });
  traffic.write(batchOf([UDP, { ...UDP, protocol: 6 }]));
  for (let epoch = 2; epoch <= 6; epoch++) traffic.write(batchOf([UDP], { epoch }));
  assert.deepEqual(series(traffic), { UDP: 840, TCP: 140 });
  traffic.write(batchOf([UDP], { epoch: 7 }));
  assert.deepEqual(series(traffic), { UDP: 980 });
  assert.deepEqual(series(traffic, 'expired_wire_octets'), { '': 140 });
  traffic.write(batchOf([{ ...UDP, protocol: 6 }], { epoch: 8 }));
  assert.deepEqual(series(traffic), { UDP: 980, TCP: 140 });
});

test('interfaces that come and go for ever stay apart, and those that are here are counted on', () => {
  const traffic = new Traffic({ labels: ['interface'], idleMs: 1500 });
  const lasting = { ifindex: 2, direction: 0, interfaceName: 'eth0', primary: true } as const;
  for (let epoch = 1; epoch <= 30; epoch++) {
    const points = Array.from({ length: 100 }, (_, i) => {
      const ifindex = 100 * epoch + i;
      return { ifindex, direction: 0, interfaceName: `veth${ifindex}`, primary: false } as const;
    });
    const records = [
      { ifindex: 2, octets: 1, packets: 1 },
      { ifindex: 100 * epoch, octets: 2, packets: 1 },
    ];
    traffic.write(batchOf(records, { epoch, points: [lasting, ...points] }));
  }
  assert.deepEqual(series(traffic), { 'eth0 true': 30, 'veth2900 false': 2, 'veth3000 false': 2 });
  assert.deepEqual(series(traffic, 'expired_wire_octets'), { '': 56 });
});

const arbitraryRecord = fc.record({
  ifindex: fc.constantFrom(2, 3),
  direction: fc.constantFrom(0 as const, 1 as const),
  protocol: fc.constantFrom(1, 6, 17, 4, 94),
  ports: fc.tuple(fc.nat(5), fc.nat(5)),
  between: fc.constantFrom(['10.0.0.1', '10.0.0.2'] as const, ['fd00::1', '::'] as const),
  octets: fc.nat(1e6),
  packets: fc.nat(1000),
  wireOctets: fc.bigInt(0n, 2n ** 40n),
  payloadOctets: fc.nat(1e6),
});
const arbitraryBatches = fc.array(
  fc.record({ records: fc.array(arbitraryRecord, { maxLength: 12 }), gapMs: fc.nat(4000) }),
  { minLength: 1, maxLength: 12 },
);

test('over any epochs and labels all series and what expired are the traffic, no counter falls, and the bound holds', () => {
  fc.assert(
    fc.property(
      arbitraryBatches,
      fc.subarray([...EVERY]),
      fc.integer({ min: 1, max: 12 }),
      (epochs, labels, maxSeries) => {
        const traffic = new Traffic({ labels, maxSeries, idleMs: 3000 });
        const wanted = { traffic_wire_octets: 0, traffic_packets: 0, traffic_payload_octets: 0 };
        let before: Record<string, number> = {};
        let startMs = 0;
        for (const [i, { records, gapMs }] of epochs.entries()) {
          startMs += 1000 + gapMs;
          const points = pointsOf([2, 3]);
          const batch: FlowBatch = batchOf(records, { epoch: i + 1, startMs, points });
          traffic.write(batch);
          for (const record of records) {
            wanted.traffic_wire_octets += Number(record.wireOctets);
            wanted.traffic_packets += record.packets;
            wanted.traffic_payload_octets += record.payloadOctets;
          }
          for (const [name, sum] of Object.entries(wanted)) {
            const kept = Object.values(series(traffic, name)).reduce((total, value) => total + value, 0);
            const [gone] = Object.values(series(traffic, name.replace('traffic', 'expired')));
            assert.equal(kept + gone!, sum, name);
          }
          const now = series(traffic, 'traffic_packets');
          assert.ok(Object.keys(now).length <= maxSeries);
          for (const [labelled, value] of Object.entries(now)) assert.ok(value >= (before[labelled] ?? 0));
          before = now;
        }
      },
    ),
    { numRuns: 200 },
  );
});

function pointsOf(ifindexes: readonly number[]): ObservationPoint[] {
  return ifindexes.flatMap((ifindex) =>
    ([0, 1] as const).map((direction) => ({
      ifindex,
      direction,
      interfaceName: `eth${ifindex}`,
      primary: ifindex === 2,
    })),
  );
}
