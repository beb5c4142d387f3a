/** Headers that lie, through the programs in the kernel: a named reason, or a record that invents nothing. */
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { REMARK } from '../src/flow/index.ts';
import { type Model, type Packet, packet, type Verdict } from '../src/wire/index.ts';
import { Trial } from './trial.ts';

const trial = new Trial();
afterEach(async () => void (await trial.settle()));
after(() => trial[Symbol.dispose]());

const plain4 = packet().eth().ipv4().udp().payload(30);
const plain6 = packet().eth().ipv6().udp().payload(30);
const tunnel = packet().eth().ipv4().udp({ destinationPort: 4789 }).vxlan(77).eth();
/** The same lie in the outermost frame and in a tunnel. */
const BEGINNINGS = [
  { level: 0, beginning: packet().eth() },
  { level: 0, beginning: packet().eth().vlan(9) },
  { level: 1, beginning: tunnel },
];

/** The record the builder describes, with what the lie changes. */
function recordOf(from: Packet, changes: Partial<Model> = {}): Verdict {
  const { record } = from.model();
  assert.ok(record, from.toString());
  return { record: { ...record, ...changes } };
}

/** Runs `ipv4` or `ipv6` packets with octets of the innermost such header changed, at every beginning. */
function lie(
  end: (p: Packet) => Packet,
  kind: 'ipv4' | 'ipv6' | 'udp' | 'tcp' | 'arp',
  octets: Record<number, number>,
  reason: string,
): void {
  for (const { level, beginning } of BEGINNINGS) {
    const whole = end(beginning);
    const frame = whole.build();
    const isOuterToo = level === 1 && (kind === 'ipv4' || kind === 'udp');
    const at = whole.at(kind, isOuterToo ? 1 : 0);
    for (const [offset, value] of Object.entries(octets)) frame[at + Number(offset)] = value;
    trial.run(frame, { reason, level });
  }
}

test('an IPv4 header length below five words is refused', () => {
  for (const words of [0, 1, 4])
    lie((p) => p.ipv4().udp().payload(30), 'ipv4', { 0: 0x40 | words }, 'ipv4_header_length');
});

test('an IPv4 header longer than the packet is refused', () => {
  lie((p) => p.ipv4().udp(), 'ipv4', { 0: 0x4f }, 'ipv4_total_length');
  lie((p) => p.ipv4({ protocol: 253 }).payload(20).pad(200), 'ipv4', { 0: 0x4f }, 'ipv4_total_length');
  // Total length 0 claims nothing; the header must fit all the same.
  lie((p) => p.ipv4({ protocol: 253 }).payload(20), 'ipv4', { 0: 0x4f, 2: 0, 3: 0 }, 'ipv4_truncated');
});

test('another version than the ethertype says is refused', () => {
  for (const version of [0, 5, 6, 15])
    lie((p) => p.ipv4().udp(), 'ipv4', { 0: (version << 4) | 5 }, 'ipv4_version');
  for (const version of [0, 4, 7, 15])
    lie((p) => p.ipv6().udp(), 'ipv6', { 0: version << 4 }, 'ipv6_version');
});

test('an IPv4 total length beyond the frame, or shorter than the header, is refused', () => {
  lie((p) => p.ipv4().udp().payload(30), 'ipv4', { 2: 0xff, 3: 0xff }, 'ipv4_total_length');
  lie((p) => p.ipv4().udp().payload(30), 'ipv4', { 3: 59 }, 'ipv4_total_length');
  for (const length of [1, 19])
    lie((p) => p.ipv4().udp().payload(30), 'ipv4', { 3: length }, 'ipv4_total_length');
});

test('an IPv4 total length that ends within the transport header leaves no ports', () => {
  for (let length = 20; length < 28; length++) {
    lie((p) => p.ipv4().udp().payload(30), 'ipv4', { 3: length }, 'udp_truncated');
  }
  for (let length = 20; length < 40; length++) {
    lie((p) => p.ipv4().tcp().payload(30), 'ipv4', { 3: length }, 'tcp_truncated');
  }
});

test('a total length or payload length of 0 means the length of the frame', () => {
  for (const each of [plain4, plain6]) trial.run(each.withoutLengths().build(), recordOf(each));
});

test('a total length shorter than the frame makes the rest padding', () => {
  const frame = packet().eth().ipv4({ protocol: 253 }).payload(30).build();
  frame[17] = 35;
  const { record } = packet().eth().ipv4({ protocol: 253 }).payload(15).model();
  trial.run(frame, { record: record! });
});

test('an IPv6 payload length beyond the frame is refused, a short one cuts the transport header', () => {
  lie((p) => p.ipv6().udp().payload(30), 'ipv6', { 4: 0xff, 5: 0xff }, 'ipv6_payload_length');
  lie((p) => p.ipv6().udp().payload(30), 'ipv6', { 5: 39 }, 'ipv6_payload_length');
  for (let length = 1; length < 8; length++) {
    lie((p) => p.ipv6().udp().payload(30), 'ipv6', { 5: length }, 'udp_truncated');
  }
});

test('a UDP length below its header, or beyond the IP packet, is refused', () => {
  for (const length of [1, 7])
    lie((p) => p.ipv4().udp().payload(30), 'udp', { 4: 0, 5: length }, 'udp_length');
  lie((p) => p.ipv4().udp().payload(30), 'udp', { 4: 0, 5: 39 }, 'udp_length');
  lie((p) => p.ipv4().udp().payload(30), 'udp', { 4: 0xff, 5: 0xff }, 'udp_length');
});

test('a UDP length of 0, or shorter than the IP packet, keeps the payload of the IP packet', () => {
  for (const length of [0, 8, 20]) {
    const frame = plain4.build();
    frame[plain4.at('udp') + 5] = length;
    trial.run(frame, recordOf(plain4));
  }
});

test('a TCP data offset below five words, or beyond the packet, is refused', () => {
  for (const words of [0, 4])
    lie((p) => p.ipv4().tcp().payload(30), 'tcp', { 12: words << 4 }, 'tcp_header_length');
  lie((p) => p.ipv4().tcp().payload(39), 'tcp', { 12: 0xf0 }, 'tcp_header_length');
  const within = packet().eth().ipv4().tcp().payload(40);
  const frame = within.build();
  frame[within.at('tcp') + 12] = 0xf0;
  trial.run(frame, recordOf(within, { payloadOctets: 0n }));
});

test('a VXLAN header without the I flag leaves a plain UDP flow with a remark', () => {
  for (const flags of [0, 0xf7]) {
    const each = packet().eth().ipv4().udp({ destinationPort: 4789 }).vxlan(5, { flags }).eth().arp();
    const verdict = each.model();
    assert.equal(verdict.record?.remark, REMARK.notTunnel);
    assert.equal(verdict.record?.tunnelKind, 0);
    assert.equal(verdict.record?.payloadOctets, BigInt(each.length - 42));
    trial.run(each.build(), verdict);
    const nested = tunnel.carry(
      packet().ipv6().udp({ destinationPort: 8472 }).vxlan(6, { flags }).eth().arp(),
    );
    assert.equal(nested.model().record?.tunnelDepth, 1);
    trial.run(nested.build(), nested.model());
  }
});

test('reserved bits of a VXLAN header do not matter', () => {
  const each = tunnel.ipv4().tcp();
  const frame = each.build();
  frame.set([0xff, 1, 2, 3], each.at('vxlan'));
  frame[each.at('vxlan') + 7] = 0xff;
  trial.run(frame, each.model());
});

test('a UDP datagram on a VXLAN port with fewer than eight octets is no tunnel', () => {
  for (let octets = 0; octets < 8; octets++) {
    const each = packet().eth().ipv4().udp({ destinationPort: 4789 }).payload(new Uint8Array(octets).fill(8));
    assert.equal(each.model().record?.remark, REMARK.notTunnel);
    trial.run(each.build(), each.model());
  }
});

test('a VXLAN port as source port makes no tunnel', () => {
  const each = packet().eth().ipv4().udp({ sourcePort: 4789, destinationPort: 9 }).vxlan(5).eth().arp();
  assert.equal(each.model().record?.tunnelKind, 0);
  assert.equal(each.model().record?.remark, 0);
  trial.run(each.build(), each.model());
});

test('a VXLAN header with nothing, or too little, behind it is in the ledger at the inner level', () => {
  for (let octets = 0; octets < 14; octets++) {
    const each = packet().eth().ipv4().udp({ destinationPort: 4789 }).vxlan(5).payload(octets);
    trial.run(each.build(), { reason: 'ethernet_truncated', level: 1 });
  }
});

test('an IPv6 extension header beyond the packet is refused', () => {
  for (const kind of [
    'hopByHop',
    'routing',
    'authentication',
    'destinationOptions',
    'mobility',
    'hip',
    'shim6',
  ] as const) {
    for (const beginning of [packet().eth(), tunnel]) {
      const each = beginning
        .ipv6({ extensions: [{ kind, octets: 8 }] })
        .udp()
        .payload(30);
      const frame = each.build();
      frame[each.at('ipv6') + 41] = 255;
      trial.run(frame, { reason: 'ipv6_extension_truncated', level: beginning === tunnel ? 1 : 0 });
    }
  }
});

test('nine extension headers are one too many, eight are not', () => {
  for (const [count, level] of [
    [8, 0],
    [9, 0],
    [9, 1],
    [12, 0],
  ] as const) {
    const extensions = Array.from({ length: count }, () => ({ kind: 'destinationOptions' }) as const);
    const each = (level === 1 ? tunnel : packet().eth()).ipv6({ extensions }).udp();
    const verdict = each.model();
    if (count === 8) assert.ok(verdict.record);
    else assert.deepEqual(verdict, { reason: 'ipv6_extension_depth', level });
    trial.run(each.build(), verdict);
  }
});

test('five VLAN tags are one too many, four are not and the first two are kept', () => {
  for (const beginning of [packet().eth(), tunnel]) {
    const four = beginning.qinq(1).qinq(2).vlan(3).vlan(4);
    trial.run(four.ipv4().udp().build(), four.ipv4().udp().model());
    assert.equal(
      four.ipv4().model().record?.[beginning === tunnel ? 'innerSecondVlan' : 'secondVlan'],
      2 | 0x8000,
    );
    const five = four.vlan(5).ipv4().udp();
    assert.deepEqual(five.model(), { reason: 'vlan_depth', level: beginning === tunnel ? 1 : 0 });
    trial.run(five.build(), five.model());
  }
});

test('a header that begins more than 2047 octets into the frame is not looked for', () => {
  for (const octets of [1976, 1984, 2000]) {
    const each = packet()
      .eth()
      .ipv6({ extensions: [{ kind: 'destinationOptions', octets }, { kind: 'hopByHop' }] })
      .udp();
    trial.run(each.build(), each.model());
    trial.run(each.carry(packet().payload(900)).build(), each.carry(packet().payload(900)).model());
  }
  const far = packet()
    .eth()
    .ipv6({ extensions: [{ kind: 'hip', octets: 2000 }] })
    .udp();
  assert.deepEqual(far.model(), { reason: 'header_offset', level: 0 });
  const beyond = packet()
    .eth()
    .ipv6({ extensions: [{ kind: 'hip', octets: 1984 }] })
    .udp({ destinationPort: 4789 })
    .vxlan(1)
    .eth()
    .arp();
  assert.deepEqual(beyond.model(), { reason: 'header_offset', level: 1 });
  const edge = packet()
    .eth()
    .ipv6({ extensions: [{ kind: 'hip', octets: 1992 }] })
    .udp({ destinationPort: 4789 })
    .vxlan(1)
    .eth()
    .arp();
  assert.deepEqual(edge.model(), { reason: 'header_offset', level: 0 });
  for (const each of [far, beyond, edge]) trial.run(each.build(), each.model());
});

test('ARP of another kind than Ethernet and IPv4 keeps its ethertype only', () => {
  const each = packet().eth().arp();
  for (const [offset, value] of [
    [1, 6],
    [2, 0x86],
    [4, 8],
    [5, 16],
  ] as const) {
    const frame = each.build();
    frame[14 + offset] = value;
    const { record } = packet().eth({ type: 0x0801 }).model();
    trial.run(frame, { record: { ...record!, ethertype: 0x0806 } });
  }
});

test('802.3 frames of any length without SNAP are one record, which has no ethertype', async () => {
  for (const octets of [35, 38, 1400]) {
    const each = packet().eth().snap({ llc: 0x424203 }).payload(octets).pad(60);
    assert.equal(each.model().record?.ethertype, 0);
    trial.run(each.build(), each.model());
  }
  assert.equal((await trial.settle()).length, 1);
});
