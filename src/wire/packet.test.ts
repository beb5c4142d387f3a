import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Packet, packet, writePcap } from './index.ts';

/** Fields tshark is asked for; of nested frames it lists all, from the outside in. */
const FIELDS = [
  'eth.src',
  'eth.dst',
  'vlan.id',
  'ieee8021ad.id',
  'ip.src',
  'ip.dst',
  'ip.dsfield.dscp',
  'ipv6.src',
  'ipv6.dst',
  'ipv6.tclass.dscp',
  'tcp.srcport',
  'tcp.dstport',
  'tcp.flags',
  'tcp.len',
  'udp.srcport',
  'udp.dstport',
  'sctp.srcport',
  'sctp.dstport',
  'dccp.srcport',
  'dccp.dstport',
  'icmp.type',
  'icmp.code',
  'icmp.ident',
  'icmpv6.type',
  'icmpv6.echo.identifier',
  'vxlan.vni',
  'arp.opcode',
  'arp.src.proto_ipv4',
  'arp.dst.proto_ipv4',
  'ip.flags.mf',
  'frame.len',
  'eth.type',
] as const;

/** Fields that judge checksums: 1 good, 2 unverified, 3 not present. */
const CHECKSUMS = ['ip', 'tcp', 'udp', 'icmp', 'icmpv6', 'sctp', 'dccp'].map(
  (name) => `${name}.checksum.status`,
);

type Decoded = Record<string, string[]>;

function hasTshark(): boolean {
  try {
    execFileSync('tshark', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The frames as tshark reads them. */
function decode(frames: readonly Uint8Array[]): Decoded[] {
  const directory = mkdtempSync(join(tmpdir(), 'wire-'));
  try {
    const path = join(directory, 'frames.pcap');
    writeFileSync(path, writePcap(frames));
    const names = [...FIELDS, ...CHECKSUMS, '_ws.malformed'];
    const checked = ['ip', 'tcp', 'udp', 'udplite'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]);
    const preferences = [...checked, '-o', 'sctp.checksum:crc-32c'];
    const words = [
      '-n',
      '-r',
      path,
      ...preferences,
      '-o',
      'ip.defragment:FALSE',
      '-o',
      'ipv6.defragment:FALSE',
    ];
    const text = execFileSync(
      'tshark',
      [...words, '-T', 'fields', '-E', 'aggregator=;', ...names.flatMap((name) => ['-e', name])],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    // Booleans are 0 and 1 before tshark 4.2.
    return text
      .replaceAll('True', '1')
      .replaceAll('False', '0')
      .split('\n')
      .slice(0, -1)
      .map((line) =>
        Object.fromEntries(
          line.split('\t').map((value, i) => [names[i]!, value === '' ? [] : value.split(';')]),
        ),
      );
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const tunnel = packet()
  .eth({ source: '02:00:00:00:0a:01', destination: '02:00:00:00:0a:02' })
  .vlan(7)
  .ipv4({ source: '192.0.2.1', destination: '192.0.2.2', dscp: 46 })
  .udp({ sourcePort: 50_001, destinationPort: 4789 })
  .vxlan(0xabcdef)
  .eth({ source: '02:00:00:00:0b:01', destination: '02:00:00:00:0b:02' });
const tunnel6 = packet()
  .eth()
  .ipv6({ source: '2001:db8::1', destination: '2001:db8::2' })
  .udp({ destinationPort: 4789 })
  .vxlan(5)
  .eth();
const ends: ((beginning: Packet) => Packet)[] = [
  (p) =>
    p
      .ipv4({ dscp: 10 })
      .tcp({ sourcePort: 1234, destinationPort: 443, flags: 0x112, options: 12 })
      .payload(33),
  (p) => p.ipv4({ options: 8 }).udp({ sourcePort: 5000, destinationPort: 5001 }).payload(101),
  (p) => p.ipv4().icmp({ identifier: 77 }).payload(56),
  (p) => p.ipv4().icmp({ type: 0, identifier: 78 }).payload(55),
  (p) => p.ipv4().sctp({ sourcePort: 36_412, destinationPort: 36_413 }),
  (p) => p.ipv4().dccp({ sourcePort: 6000, destinationPort: 6001 }).payload(11),
  (p) => p.ipv4().udpLite({ sourcePort: 7000, destinationPort: 7001 }).payload(13),
  (p) => p.ipv4({ offset: 1480, protocol: 17 }).payload(99),
  (p) => p.ipv4({ more: true }).udp().payload(96),
  (p) => p.ipv6({ dscp: 34 }).tcp({ sourcePort: 4321, destinationPort: 80, flags: 0x02 }),
  (p) =>
    p
      .ipv6({ extensions: [{ kind: 'hopByHop' }, { kind: 'destinationOptions', octets: 16 }] })
      .udp()
      .payload(40),
  (p) =>
    p
      .ipv6({ extensions: [{ kind: 'routing', octets: 24 }] })
      .icmpv6({ identifier: 99 })
      .payload(56),
  (p) =>
    p
      .ipv6({ extensions: [{ kind: 'authentication' }] })
      .tcp()
      .payload(10),
  (p) =>
    p
      .ipv6({ extensions: [{ kind: 'fragment' }] })
      .udp()
      .payload(8),
  (p) => p.ipv6({ extensions: [{ kind: 'fragment', offset: 1448 }], protocol: 6 }).payload(20),
  (p) => p.ipv6().udpLite().payload(9),
  (p) => p.arp({ operation: 2, source: '10.1.2.3', destination: '10.3.2.1' }).pad(60),
  (p) => p.payload(50),
  (p) => p.vlan(300).ipv4().udp().payload(1),
  (p) => p.qinq(200).vlan(201).ipv6().udp().payload(1),
];
const built = [
  packet().eth(),
  tunnel,
  tunnel6,
  tunnel.ipv4().udp({ destinationPort: 4789 }).vxlan(9).eth(),
].flatMap((beginning) => ends.map((end) => end(beginning)));

test('tshark reads from the built packets what was put in, and finds every checksum good', (t) => {
  if (!hasTshark()) return t.skip('tshark, the second opinion, is not installed');
  const decoded = decode(built.map((each) => each.build()));
  assert.equal(decoded.length, built.length);
  for (const [i, each] of built.entries()) {
    const found = decoded[i]!;
    const name = each.toString();
    assert.deepEqual(found, { ...found, ...expectedOf(each) }, name);
    assert.deepEqual(found['_ws.malformed'], [], name);
    for (const status of CHECKSUMS) {
      for (const value of found[status]!) assert.match(value, /^[123]$/, `${status} of ${name}`);
    }
  }
  for (const status of CHECKSUMS) {
    assert.ok(
      decoded.some((each) => each[status]!.includes('1')),
      `tshark verified some ${status}`,
    );
  }
});

test('the model says of the innermost headers what tshark reads last', (t) => {
  if (!hasTshark()) return t.skip('tshark, the second opinion, is not installed');
  const decoded = decode(built.map((each) => each.build()));
  for (const [i, each] of built.entries()) {
    const { record } = each.model();
    assert.ok(record, each.toString());
    const found = decoded[i]!;
    const last = (name: string): string | undefined => found[name]!.at(-1);
    assert.equal(record.sourceMac, found['eth.src']!.at(-1));
    assert.equal(record.tunnelDepth, found['vxlan.vni']!.length);
    if (record.tunnelDepth > 0) assert.equal(record.tunnelId, Number(found['vxlan.vni']![0]));
    if (record.tunnelDepth > 1) assert.equal(record.tunnel2Id, Number(last('vxlan.vni')));
    if (record.network === 1) assert.equal(record.source, last('ip.src'));
    if (record.network === 2) assert.equal(record.destination, last('ipv6.dst'));
    if (record.network === 3) assert.equal(record.source, last('arp.src.proto_ipv4'));
    if (record.network === 1) assert.equal(record.dscp, Number(last('ip.dsfield.dscp')));
    if (record.protocol === 6 && record.fragment === 0) {
      assert.equal(record.tcpFlags, Number(last('tcp.flags')));
      assert.equal(record.payloadOctets, BigInt(last('tcp.len')!));
    }
    if (record.protocol === 17 && record.fragment === 0 && record.network !== 3) {
      assert.equal(record.destinationPort, Number(last('udp.dstport')));
    }
    if (record.protocol === 1 && record.network === 1)
      assert.equal(record.sourcePort, Number(last('icmp.ident')));
  }
});

test('a frame has the length its headers tell, and padding is behind it', () => {
  const bare = packet().eth().ipv4().udp().payload(2);
  const frame = bare.pad(60).build();
  assert.equal(bare.length, 44);
  assert.equal(frame.byteLength, 60);
  assert.equal(new DataView(frame.buffer).getUint16(16), 30);
  assert.equal(bare.pad(60).model().record?.payloadOctets, 2n);
});

test('where a header begins is known by its kind and number', () => {
  assert.equal(tunnel.ipv4().at('ipv4'), 18);
  assert.equal(tunnel.ipv4().at('ipv4', 1), 68);
  assert.throws(() => tunnel.at('tcp'), /0 tcp headers/);
});

test('an address that is none is refused when the packet is built', () => {
  assert.throws(() => packet().eth().ipv4({ source: 'fd00::1' }).build(), /no IPv4 address/);
  assert.throws(() => packet().eth({ source: '1:2:3' }).build(), /no MAC address/);
});

/** What tshark should list, layer by layer. */
function expectedOf(each: Packet): Decoded {
  const expected: Decoded = Object.fromEntries(FIELDS.map((name) => [name, []]));
  const push = (name: string, value: string | number): void => void expected[name]!.push(String(value));
  for (const layer of each.layers) {
    if (layer.kind === 'eth') {
      push('eth.src', layer.source);
      push('eth.dst', layer.destination);
    } else if (layer.kind === 'vlan') push(layer.tpid === 0x88a8 ? 'ieee8021ad.id' : 'vlan.id', layer.vid);
    else if (layer.kind === 'ipv4') {
      push('ip.src', layer.source);
      push('ip.dst', layer.destination);
      push('ip.dsfield.dscp', layer.dscp);
      push('ip.flags.mf', layer.more ? 1 : 0);
    } else if (layer.kind === 'ipv6') {
      push('ipv6.src', layer.source);
      push('ipv6.dst', layer.destination);
      push('ipv6.tclass.dscp', layer.dscp);
    } else if (layer.kind === 'tcp') {
      push('tcp.srcport', layer.sourcePort);
      push('tcp.dstport', layer.destinationPort);
      push('tcp.flags', `0x${layer.flags.toString(16).padStart(4, '0')}`);
    } else if ('sourcePort' in layer) {
      const name = layer.kind === 'udpLite' ? 'udp' : layer.kind;
      push(`${name}.srcport`, layer.sourcePort);
      push(`${name}.dstport`, layer.destinationPort);
    } else if (layer.kind === 'icmp') {
      push('icmp.type', layer.type);
      push('icmp.code', layer.code);
    } else if (layer.kind === 'icmpv6') {
      push('icmpv6.type', layer.type);
      push('icmpv6.echo.identifier', `0x${layer.identifier.toString(16).padStart(4, '0')}`);
    } else if (layer.kind === 'vxlan') push('vxlan.vni', layer.vni);
    else if (layer.kind === 'arp') {
      push('arp.opcode', layer.operation);
      push('arp.src.proto_ipv4', layer.source);
      push('arp.dst.proto_ipv4', layer.destination);
    }
  }
  push('frame.len', each.length);
  for (const name of FIELDS) if (expected[name]!.length === 0) delete expected[name];
  return expected;
}
