/** What only some meters see: tunnels that are switched on, packets without an Ethernet header, packets in pieces. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Packet, packet } from '../src/wire/index.ts';
import { settleAll, Trial } from './trial.ts';
import { OPTIONAL, optionalCombinations } from './tunnel-combinations.ts';

const trial = new Trial(OPTIONAL);
after(() => trial[Symbol.dispose]());

test('Teredo and NVGRE are tunnels where they are switched on', async () => {
  const all = optionalCombinations();
  assert.ok(all.length > 4);
  const wrong = await settleAll(trial, all, (each) =>
    trial.run(each.packet.build(), each.packet.model(OPTIONAL)),
  );
  assert.deepEqual(wrong, []);
});

/** IP without a frame around it. */
const BARE = { ipv4: packet().ipv4(), ipv6: packet().ipv6() } as const;

test('packets without an Ethernet header become the same records without MAC addresses', async () => {
  const contents: readonly ((p: Packet) => Packet)[] = [
    (p) => p.tcp().payload(40),
    (p) => p.udp().payload(40),
    (p) => p.gre({ key: 7 }).ipv4().udp().payload(30),
    (p) => p.ipv6().tcp().payload(9),
    (p) => p.udp({ destinationPort: 4789 }).vxlan(77).eth().ipv4().tcp(),
    (p) => p.esp(0x1234).payload(40),
  ];
  for (const egress of [false, true]) {
    for (const beginning of Object.values(BARE)) {
      for (const content of contents) {
        const each = content(beginning);
        trial.run(each.build(), each.model(OPTIONAL), { bare: true, egress });
      }
    }
    await trial.settle();
  }
});

test('a super-packet without an Ethernet header counts as its segments, without what stands in front', async () => {
  for (const [beginning, ip] of [
    [BARE.ipv4, 20],
    [BARE.ipv6, 40],
  ] as const) {
    const each = beginning.tcp().payload(3000);
    const headers = ip + 20;
    const wire = { packets: 3, octets: 3000 + 3 * headers, longest: headers + 1400, shortest: headers + 200 };
    const skb = { gsoSize: 1400, gsoSegs: 3 };
    trial.run(each.build(), each.model(OPTIONAL), { bare: true, skb, wire });
  }
  await trial.settle();
});

test('what is no IP behind a bare beginning is in the ledger without what stands in front', async () => {
  const bytes = BARE.ipv6.udp().payload(40).build();
  bytes[0] = 0x55;
  trial.run(bytes, { reason: 'ipv6_version', level: 0 }, { bare: true });
  await trial.settle();
});

test('a later piece has the ports of the first, whatever came between', async () => {
  const outer = packet().eth().ipv4().udp({ destinationPort: 4789 }).vxlan(9).eth();
  for (const beginning of [packet().eth(), outer]) {
    const first = beginning
      .ipv4({ identification: 77, more: true })
      .udp({ sourcePort: 1111, destinationPort: 2222 })
      .payload(32);
    const later = beginning.ipv4({ identification: 77, offset: 40, protocol: 17 }).payload(50);
    const stranger = beginning.ipv4({ identification: 78, offset: 40, protocol: 17 }).payload(50);
    trial.run(later.build(), later.model());
    trial.run(first.build(), first.model());
    trial.run(stranger.build(), stranger.model());
    const joined = later.model().record!;
    const ports = { sourcePort: 1111, destinationPort: 2222, fragment: 1 };
    for (let i = 0; i < 3; i++) trial.run(later.build(), { record: { ...joined, ...ports } });
    const { length } = await trial.settle();
    assert.equal(length, 2, 'one flow with ports, one without');
  }
});

test('pieces of IPv6 join too, and tenants with the same addresses do not share ports', async () => {
  const of = (vni: number): Packet => packet().eth().ipv4().udp({ destinationPort: 4789 }).vxlan(vni).eth();
  const first = of(1)
    .ipv6({ extensions: [{ kind: 'fragment', more: true }] })
    .tcp({ sourcePort: 10, destinationPort: 20 })
    .payload(32);
  const later = (vni: number): Packet =>
    of(vni)
      .ipv6({ extensions: [{ kind: 'fragment', offset: 64 }], protocol: 6 })
      .payload(8);
  trial.run(first.build(), first.model());
  const joined = { ...later(1).model().record!, sourcePort: 10, destinationPort: 20, fragment: 1 };
  trial.run(later(1).build(), { record: joined });
  trial.run(later(2).build(), later(2).model());
  await trial.settle();
});
