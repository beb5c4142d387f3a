import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { decodeRecord, type FlowBatch } from '../flow/index.ts';
import { type CapturedPacket, type Packet, packet, writePcap, writePcapng } from '../wire/index.ts';
import { CaptureSource, type CaptureSourceOptions, ReplayMeter } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-replay-'));
after(() => rmSync(directory, { recursive: true }));

const MACS = { source: '02:00:00:00:00:01', destination: '02:00:00:00:00:02' };

function flow(number: number): Packet {
  return packet()
    .eth(MACS)
    .ipv4({ source: `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`, destination: '10.255.0.1' })
    .udp({ sourcePort: 1000, destinationPort: 9 })
    .payload(4);
}

const second = (time: number): bigint => BigInt(Math.round(time * 1000)) * 1_000_000n;

function written(name: string, octets: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, octets);
  return path;
}

async function read(
  paths: readonly string[],
  options: Partial<CaptureSourceOptions> = {},
): Promise<{ batches: FlowBatch[]; source: CaptureSource }> {
  const source = new CaptureSource({ paths, ...options });
  const batches: FlowBatch[] = [];
  for await (const batch of source.batches({ signal: new AbortController().signal }))
    batches.push(structuredClone(batch));
  return { batches, source };
}

/** Packets of a batch: seen, and in records and ledger. */
function counted({ seen, ledger, columns }: FlowBatch): [seen: bigint, explained: bigint] {
  const sum = (lines: readonly { readonly packets: bigint }[]): bigint =>
    lines.reduce((all, line) => all + line.packets, 0n);
  return [sum(seen), sum(ledger) + columns.packets.reduce((all, packets) => all + packets, 0n)];
}

test('a file is one epoch, from its first packet to its last', async () => {
  const frame = packet()
    .eth(MACS)
    .ipv6({ source: 'fd00::1', destination: 'fd00::2' })
    .udp({ sourcePort: 5000, destinationPort: 4789 })
    .vxlan(42)
    .eth(MACS)
    .ipv4({ source: '10.0.0.1', destination: '10.0.0.2' })
    .tcp({ sourcePort: 1000, destinationPort: 80, flags: 0x12 })
    .payload(7)
    .build();
  const packets = [11.5, 10.25, 12].map((time) => ({ octets: frame, timeNs: second(time) }));
  const { batches } = await read([written('one.pcap', writePcap(packets, { nanoseconds: true }))]);
  assert.equal(batches.length, 1);
  const [batch] = batches as [FlowBatch];
  assert.deepEqual([batch.startMs, batch.endMs, batch.length, batch.ledger.length], [10_250, 12_000, 1, 0]);
  const record = decodeRecord(batch.columns, 0);
  assert.deepEqual(record.tunnels, [{ kind: 'vxlan', id: 42 }]);
  assert.deepEqual([record.source, record.destinationPort, record.outerSource], ['10.0.0.1', 80, 'fd00::1']);
  assert.deepEqual([record.packets, record.octets, record.payloadOctets], [3, 3 * frame.length, 21]);
  assert.deepEqual([batch.columns.firstMs[0], batch.columns.lastMs[0]], [10_250, 12_000]);
  assert.deepEqual(
    [record.tcpFlags, record.outerSourcePort, record.shortest, record.longest],
    [0x12, 5000, frame.length, frame.length],
  );
  assert.equal(batch.points[0]!.interfaceName, 'one.pcap');
});

test('epochs follow the time of the file; what comes late counts in the epoch under way', async () => {
  const times = [100.2, 100.9, 101.1, 100.95, 105.5, 105.6, 106];
  const packets = times.map((time, i) => ({ octets: flow(i).build(), timeNs: second(time) }));
  const { batches } = await read([written('epochs.pcap', writePcap(packets))], { windowMs: 1000 });
  assert.deepEqual(
    batches.map(({ epoch, startMs, endMs, length }) => [epoch, startMs, endMs, length]),
    [
      [1, 100_000, 101_000, 2],
      [2, 101_000, 102_000, 2],
      [3, 105_000, 106_000, 2],
      [4, 106_000, 107_000, 1],
    ],
  );
});

test('packets without a time are of the time of those before them', async () => {
  const meter = new ReplayMeter();
  const octets = flow(1).build();
  const column = { offsets: [0], capturedLengths: [octets.length], originalLengths: [octets.length] };
  const of = (seconds: number): Parameters<ReplayMeter['load']>[0] => ({
    octets,
    count: 1,
    before: 0,
    offsets: Uint32Array.from(column.offsets),
    capturedLengths: Uint32Array.from(column.capturedLengths),
    originalLengths: Uint32Array.from(column.originalLengths),
    seconds: Float64Array.of(seconds),
    nanoseconds: Uint32Array.of(0),
    interfaces: Uint16Array.of(0),
    linkTypes: Uint16Array.of(1),
  });
  for (const seconds of [Number.NaN, 5, Number.NaN, 1e30, -1e30, Number.POSITIVE_INFINITY]) {
    meter.load(of(seconds));
    assert.equal(meter.run(0, 1), 1);
  }
  const { columns, firstMs, lastMs } = meter.drain();
  assert.deepEqual([columns.packets[0], columns.firstMs[0], columns.lastMs[0]], [6n, 0, 5000]);
  assert.deepEqual([firstMs, lastMs], [5000, 5000]);
});

test('many flows stay apart, and the table serves again when it was emptied', async () => {
  const count = 70_000;
  const packets = Array.from({ length: count }, (_, i) => flow(i).build());
  const path = written('many.pcap', writePcap(packets));
  const { batches } = await read([path, path]);
  for (const batch of batches) {
    assert.equal(batch.length, count);
    assert.deepEqual(counted(batch), [BigInt(count), BigInt(count)]);
    const sources = new Set(
      Array.from({ length: count }, (_, row) => batch.columns.source.slice(16 * row, 16 * row + 16).join()),
    );
    assert.equal(sources.size, count);
  }
  assert.deepEqual(
    batches.map(({ columns }) => columns.ifindex[0]),
    [1, 2],
  );
});

test('beyond the capacity flows lose detail and no packet', async () => {
  const packets = Array.from({ length: 1000 }, (_, i) => flow(i).build());
  const { batches } = await read([written('full.pcap', writePcap(packets))], { flowCapacity: 100 });
  const [batch] = batches as [FlowBatch];
  assert.equal(batch.length, 101);
  assert.deepEqual(decodeRecord(batch.columns, 100).remark, ['overflow']);
  assert.equal(batch.columns.packets[100], 900n);
  assert.deepEqual(counted(batch), [1000n, 1000n]);
});

test('of packets cut by the snap length the headers count, and their length on the wire', async () => {
  const frame = flow(1).payload(1000).build();
  const cut = (octets: number): CapturedPacket => ({
    octets: frame.subarray(0, octets),
    originalLength: frame.length,
  });
  const { batches } = await read([written('cut.pcap', writePcap([cut(60), cut(42), cut(41), cut(20)]))]);
  const [batch] = batches as [FlowBatch];
  assert.deepEqual(
    [batch.length, batch.columns.packets[0], batch.columns.octets[0]],
    [1, 2n, BigInt(2 * frame.length)],
  );
  assert.deepEqual(
    batch.ledger.map(({ reason, octets }) => [reason, octets]),
    [
      ['udp_truncated', BigInt(frame.length)],
      ['ipv4_truncated', BigInt(frame.length)],
    ],
  );
});

test('every link type that is read gives the same flow', async () => {
  const ip = flow(7).build().subarray(14);
  const of = (...octets: readonly number[]): Uint8Array => Uint8Array.of(...octets, ...ip);
  const cooked = [0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
  const cases: readonly (readonly [linkType: number, octets: Uint8Array, direction: number])[] = [
    [0, of(2, 0, 0, 0), 0],
    [0, of(0, 0, 0, 2), 0],
    [101, of(), 0],
    [108, of(0, 0, 0, 2), 0],
    [113, of(0, 0, ...cooked, 8, 0), 0],
    [113, of(0, 4, ...cooked, 8, 0), 1],
    [228, of(), 0],
    [276, of(8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0), 1],
  ];
  for (const [linkType, octets, direction] of cases) {
    const { batches } = await read([written('link.pcap', writePcap([octets], { linkType }))]);
    const [batch] = batches as [FlowBatch];
    const record = decodeRecord(batch.columns, 0);
    assert.deepEqual(
      [record.source, record.destination, record.sourcePort, record.ethertype, batch.columns.direction[0]],
      ['10.0.0.7', '10.255.0.1', 1000, 0x0800, direction],
      `link type ${linkType}`,
    );
    if (linkType === 113) assert.equal(record.sourceMac, '02:00:00:00:00:01');
  }
});

test('later fragments count in the flow of their first one, when that came before and not long ago', async () => {
  const fragment = (identification: number, offset: number, vni?: number): Uint8Array => {
    let p = packet().eth(MACS);
    if (vni !== undefined)
      p = p
        .ipv4({ source: '172.16.1.1', destination: '172.16.1.2' })
        .udp({ sourcePort: 5000, destinationPort: 4789 })
        .vxlan(vni)
        .eth(MACS);
    p = p.ipv4({
      source: '10.0.0.1',
      destination: '10.0.0.2',
      protocol: 17,
      identification,
      offset,
      more: offset === 0,
    });
    return (offset === 0 ? p.udp({ sourcePort: 1000, destinationPort: 9 }) : p).payload(24).build();
  };
  const at = (time: number, octets: Uint8Array): CapturedPacket => ({ octets, timeNs: second(time) });
  const packets = [
    at(1, fragment(7, 1480)), // before its first one
    at(2, fragment(7, 0)),
    at(3, fragment(7, 1480)),
    at(3, fragment(8, 1480)), // of another datagram
    at(4, fragment(7, 1480, 42)), // of another tenant
    at(33, fragment(7, 2960)), // too late
  ];
  const { batches } = await read([written('fragments.pcap', writePcap(packets))]);
  const [batch] = batches as [FlowBatch];
  const records = Array.from({ length: batch.length }, (_, row) => decodeRecord(batch.columns, row));
  assert.deepEqual(
    records.map(({ fragment: kind, sourcePort, packets: count, tunnels }) => [
      kind,
      sourcePort,
      count,
      (tunnels as readonly unknown[]).length,
    ]),
    [
      ['fragmentWithoutPorts', 0, 3, 0],
      ['fragment', 1000, 2, 0],
      ['fragmentWithoutPorts', 0, 1, 1],
    ],
  );
  const { batches: apart } = await read([join(directory, 'fragments.pcap')], { attributeFragments: false });
  assert.equal(apart[0]!.columns.packets[0], 4n);
});

test('the table of fragments forgets the oldest, and never mixes datagrams up', async () => {
  const fragment = (i: number, offset: number): Uint8Array => {
    const p = packet()
      .eth(MACS)
      .ipv4({
        source: '10.0.0.1',
        destination: `10.1.0.${i & 3}`,
        protocol: 17,
        identification: i,
        offset,
        more: offset === 0,
      });
    return (offset === 0 ? p.udp({ sourcePort: 1000 + i, destinationPort: 9 }) : p).payload(24).build();
  };
  const count = 20_000;
  const first = Array.from({ length: count }, (_, i) => fragment(i, 0));
  const later = Array.from({ length: count }, (_, i) => fragment(i, 1448));
  const { batches } = await read([written('crowd.pcap', writePcap([...first, ...later]))]);
  const { columns, length } = batches[0]!;
  let attributed = 0;
  for (let row = 0; row < length; row++) {
    if (columns.fragment[row] === 2) continue;
    assert.ok(columns.packets[row]! <= 2n);
    if (columns.packets[row] === 2n) attributed++;
  }
  assert.ok(attributed > 3000 && attributed <= 4096, `${attributed} found their first`);
});

test('frames of other links are counted, not read', async () => {
  const path = written('wireless.pcap', writePcap([flow(1).build(), flow(2).build()], { linkType: 105 }));
  const { batches, source } = await read([path]);
  assert.deepEqual(
    batches[0]!.ledger.map(({ reason, packets }) => [reason, packets]),
    [['link_unknown', 2n]],
  );
  assert.deepEqual(
    source.unread.map(({ name, packets }) => [name, packets]),
    [['IEEE802_11', 2]],
  );
});

test('a broken file counts up to there, and does not stop the next', async () => {
  const whole = writePcap([flow(1).build(), flow(2).build()]);
  const broken = written('broken.pcap', whole.subarray(0, whole.length - 3));
  const next = written('next.pcap', whole);
  const { batches, source } = await read([broken, join(directory, 'missing.pcap'), next]);
  assert.deepEqual(
    batches.map(({ length }) => length),
    [1, 2],
  );
  assert.deepEqual(
    source.errors.map(({ code }) => code),
    ['CAPTURE_TRUNCATED', 'CAPTURE_MISSING'],
  );
  assert.equal(source.progress.packets, 3);
});

test('how far reading is counts all files, the missing ones too', async () => {
  const whole = writePcap([flow(1).build(), flow(2).build()]);
  const paths = ['one.pcap', 'two.pcap'].map((name) => written(name, whole));
  const source = new CaptureSource({ paths: [paths[0]!, join(directory, 'missing.pcap'), paths[1]!] });
  const shares: [file: number, consumed: number, total: number | undefined][] = [];
  for await (const _ of source.batches({ signal: new AbortController().signal })) {
    const { file, consumed, total } = source.progress;
    shares.push([file, consumed, total]);
  }
  const size = whole.length;
  assert.deepEqual(shares, [
    [1, size, 2 * size],
    [3, 2 * size, 2 * size],
  ]);
});

test('each interface of a file is a point of its own, by its name', async () => {
  const path = written(
    'interfaces.pcapng',
    writePcapng([
      {
        interfaces: [{ linkType: 1, name: 'eth0' }, { linkType: 101 }],
        packets: [
          { interface: 0, octets: flow(1).build() },
          { interface: 1, octets: flow(1).build().subarray(14) },
        ],
      },
    ]),
  );
  const { batches } = await read([path]);
  const [batch] = batches as [FlowBatch];
  assert.deepEqual([...batch.columns.ifindex], [1, 2]);
  assert.deepEqual(
    batch.points.map(({ interfaceName }) => interfaceName),
    ['eth0', 'eth0', 'interfaces.pcapng:1', 'interfaces.pcapng:1'],
  );
});

test('a single packet is parsed without being counted', () => {
  const meter = new ReplayMeter();
  assert.equal(meter.parse(flow(1).build()).status, 'reason_none');
  assert.equal(meter.parse(flow(1).build().subarray(0, 20)).status, 'ipv4_truncated');
  assert.equal(meter.parse(new Uint8Array(0)).status, 'ethernet_truncated');
  assert.equal(meter.drain().length, 0);
});
