/** Super-packets through the programs in the kernel: what they count on the wire is what segmentation makes. */
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { type Packet, packet } from '../src/wire/index.ts';
import { Trial, type WireTruth } from './trial.ts';

const trial = new Trial();
afterEach(async () => void (await trial.settle()));
after(() => trial[Symbol.dispose]());

const vxlan4 = packet().eth().ipv4().udp({ destinationPort: 4789 }).vxlan(42).eth();
const vxlan6 = packet().eth().vlan(3).ipv6().udp({ destinationPort: 4789 }).vxlan(43).eth().vlan(4);
/** Everything up to the payload that is to be cut into segments. */
const HEADERS: readonly Packet[] = [
  packet().eth().ipv4().tcp(),
  packet().eth().qinq(8).vlan(9).ipv4({ options: 4 }).tcp({ options: 12 }),
  packet().eth().ipv6().tcp({ options: 32 }),
  packet()
    .eth()
    .ipv6({ extensions: [{ kind: 'hopByHop' }] })
    .tcp(),
  packet().eth().ipv4().udp(),
  packet().eth().ipv6().udp(),
  vxlan4.ipv4().tcp({ options: 12 }),
  vxlan4.ipv6().tcp(),
  vxlan4.ipv4().udp(),
  vxlan6.ipv4().tcp(),
  vxlan6.ipv6({ extensions: [{ kind: 'destinationOptions' }] }).tcp({ options: 40 }),
  vxlan4.ipv4().udp({ destinationPort: 4789 }).vxlan(7).eth().ipv4().tcp(),
];

/** Segmentation from first principles: every `size` octets of payload become a packet of their own, built anew. */
function segments(headers: Packet, payload: number, size: number): Packet[] {
  const made: Packet[] = [];
  for (let at = 0; at < payload; at += size) made.push(headers.payload(Math.min(size, payload - at)));
  return made;
}

function truthOf(made: readonly Packet[]): WireTruth {
  const lengths = made.map((each) => each.build().byteLength);
  return {
    packets: lengths.length,
    octets: lengths.reduce((sum, length) => sum + length, 0),
    longest: Math.max(...lengths),
    shortest: Math.min(...lengths),
  };
}

test('a super-packet counts as the packets segmentation makes of it, plain and in tunnels', () => {
  for (const headers of HEADERS) {
    for (const [payload, gsoSize] of [
      [3000, 1448],
      [2896, 1448],
      [2897, 1448],
      [1449, 1448],
      [3000, 536],
      [3000, 1],
      [64, 8],
    ] as const) {
      const made = segments(headers, payload, gsoSize);
      const whole = headers.payload(payload);
      const skb = { gsoSize, gsoSegs: made.length };
      trial.run(whole.build(), whole.model(), { skb, wire: truthOf(made), egress: true });
    }
  }
});

test('the number of segments is computed where the sender left it out', () => {
  for (const headers of HEADERS) {
    const wire = truthOf(segments(headers, 3001, 1400));
    const whole = headers.payload(3001);
    trial.run(whole.build(), whole.model(), { skb: { gsoSize: 1400 }, wire });
  }
});

test('a super-packet without length fields counts as one with them', () => {
  for (const headers of HEADERS) {
    const whole = headers.payload(3000).withoutLengths();
    const wire = truthOf(segments(headers, 3000, 1400));
    trial.run(whole.build(), whole.model(), { skb: { gsoSize: 1400, gsoSegs: 3 }, wire });
  }
});

test('a segment size that the payload does not fill changes nothing', () => {
  for (const headers of HEADERS) {
    for (const payload of [0, 1, 999, 1000]) {
      const whole = headers.payload(payload);
      trial.run(whole.build(), whole.model(), { skb: { gsoSize: 1000, gsoSegs: 1 } });
      trial.run(whole.build(), whole.model(), { skb: { gsoSize: 1000 } });
    }
  }
});

test('tunnel packets aggregated by their outer UDP header count as the tunnel packets they were', async () => {
  for (const [count, shorter] of [
    [2, 0],
    [3, 0],
    [3, 100],
    [5, 1],
  ] as const) {
    for (const inner of [
      packet().eth().ipv4().tcp({ options: 12 }),
      packet().eth().ipv4().udp(),
      packet().eth().ipv6().tcp(),
    ]) {
      const outer = packet().eth().ipv4().udp({ destinationPort: 4789, sourcePort: 55_555 });
      const one = outer.vxlan(42).carry(inner.payload(500));
      const last = outer.vxlan(42).carry(inner.payload(500 - shorter));
      const made = [...Array<Packet>(count - 1).fill(one), last];
      const datagrams = made.map((each) => each.build().subarray(outer.length));
      const whole = outer.payload(Buffer.concat(datagrams));
      const { record } = one.model();
      assert.ok(record);
      const payloadOctets = BigInt(500 * count - shorter);
      trial.run(
        whole.build(),
        { record: { ...record, payloadOctets } },
        {
          skb: { gsoSize: datagrams[0]!.byteLength, gsoSegs: count },
          wire: truthOf(made),
        },
      );
      await trial.settle();
    }
  }
});

test('super-packets and single packets of a flow add up in one record', async () => {
  const headers = packet().eth().ipv4().tcp();
  const made = segments(headers, 3000, 1000);
  trial.run(headers.payload(3000).build(), headers.payload(3000).model(), {
    skb: { gsoSize: 1000, gsoSegs: 3 },
    wire: truthOf(made),
  });
  trial.run(headers.build(), headers.model());
  const epoch = await trial.settle();
  assert.equal(epoch.length, 1);
  assert.equal(epoch.columns.packets[0], 2n);
  assert.equal(epoch.columns.wirePackets[0], 4n);
  assert.equal(epoch.columns.shortest[0], 54);
  assert.equal(epoch.columns.longest[0], 1054);
});

test('a lying number of segments does not make the counters run over', async () => {
  const headers = packet().eth().ipv4().tcp();
  const whole = headers.payload(1000);
  for (const gsoSegs of [2, 1000, 65_535]) {
    trial.run(whole.build(), undefined, { skb: { gsoSize: 100, gsoSegs } });
    const { columns } = await trial.drain();
    assert.equal(columns.octets[0], 1054n);
    assert.equal(columns.wirePackets[0], BigInt(gsoSegs));
    assert.ok(columns.longest[0]! <= 1054 && columns.shortest[0]! <= columns.longest[0]!);
  }
});
