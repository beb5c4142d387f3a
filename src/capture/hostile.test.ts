import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { packet, pcapngBlock, writePcap, writePcapng } from '../wire/index.ts';
import { capture, readAll } from './capture.fixture.ts';
import { BATCH_PACKETS, MAX_BLOCK_OCTETS, MAX_INTERFACES, MAX_PACKET_OCTETS } from './index.ts';

const FRAME = packet().eth().ipv4().udp().payload(8).build();
const SECTION = writePcapng([{ interfaces: [], packets: [] }]);
const ONE = writePcapng([{ interfaces: [{}], packets: [{ octets: FRAME }] }]);
/** Where the packet's block begins in `ONE`. */
const BLOCK = ONE.length - 32 - FRAME.length - 2;

function changed(octets: Uint8Array, change: (view: DataView) => void): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(octets);
  change(new DataView(copy.buffer));
  return copy;
}

function words(...values: readonly number[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value, true);
  return new Uint8Array(view.buffer);
}

async function endOf(octets: Uint8Array) {
  const reading = capture(octets);
  const packets = await readAll(reading);
  const { code, offset, reason } = reading.error ?? {};
  return { packets: packets.length, code, offset, reason, reading };
}

test('a file without octets, and one without packets', async () => {
  assert.equal((await endOf(new Uint8Array(0))).code, 'CAPTURE_EMPTY');
  assert.equal((await endOf(gzipSync(new Uint8Array(0)))).code, 'CAPTURE_EMPTY');
  for (const empty of [writePcap([]), SECTION]) {
    const { packets, code, reading } = await endOf(empty);
    assert.deepEqual({ packets, code }, { packets: 0, code: undefined });
    assert.notEqual(reading.format, undefined);
  }
});

test('a file that ends in the midst of its header says so', async () => {
  for (const whole of [writePcap([]), SECTION])
    for (let length = 4; length < whole.length; length++)
      assert.equal((await endOf(whole.subarray(0, length))).code, 'CAPTURE_TRUNCATED');
});

test('files of other formats are refused by name', async () => {
  const begin = (text: string) => Buffer.from(text.padEnd(40, '\0'), 'latin1');
  assert.match((await endOf(begin('snoop\0\0\0'))).reason!, /snoop/);
  assert.match((await endOf(begin('\xfd7zXZ\0'))).reason!, /xz/);
  assert.match((await endOf(begin('BZh91AY'))).reason!, /bzip2/);
  assert.match((await endOf(begin('\x1c\x00\x01\xac'))).reason!, /IXIA/);
  assert.match((await endOf(begin('hello'))).reason!, /68656c6c, which is no capture/);
});

test('versions that are not read are refused', async () => {
  const pcap = changed(writePcap([FRAME]), (view) => view.setUint16(6, 5, true));
  assert.deepEqual((await endOf(pcap)).reason, 'it is pcap of version 2.5');
  const pcapng = changed(ONE, (view) => view.setUint16(12, 2, true));
  assert.deepEqual((await endOf(pcapng)).reason, 'a section is pcapng of version 2.0');
});

test('pcap before version 2.3 has its two lengths the other way round', async () => {
  const file = changed(writePcap([{ octets: FRAME, originalLength: 77 }]), (view) => {
    view.setUint16(6, 2, true);
    view.setUint32(24 + 8, 77, true);
    view.setUint32(24 + 12, FRAME.length, true);
  });
  const [read] = await readAll(capture(file));
  assert.equal(read?.originalLength, 77);
  assert.equal(read?.octets.length, 2 * FRAME.length);
});

test('a packet longer than any packet ends a pcap file', async () => {
  const lying = changed(writePcap([FRAME, FRAME]), (view) =>
    view.setUint32(24 + 16 + FRAME.length + 8, MAX_PACKET_OCTETS + 1, true),
  );
  const { packets, code, offset, reading } = await endOf(lying);
  assert.deepEqual(
    { packets, code, offset },
    { packets: 1, code: 'CAPTURE_LIMIT', offset: 40 + FRAME.length },
  );
  assert.match(reading.error!.message, /reading test: a packet says .* at octet 90, after 1 packet; /);
});

test('a captured length above the original one raises that, and is counted', async () => {
  for (const file of [
    writePcap([{ octets: FRAME, originalLength: 3 }]),
    writePcapng([{ interfaces: [{}], packets: [{ octets: FRAME, originalLength: 3 }] }]),
  ]) {
    const reading = capture(file);
    const [read] = await readAll(reading);
    assert.equal(read?.originalLength, FRAME.length);
    assert.equal(reading.counters.raisedLengths, 1);
    assert.equal(reading.counters.originalOctets, FRAME.length);
  }
});

test('microseconds beyond a second are carried over', async () => {
  const file = changed(writePcap([FRAME]), (view) => view.setUint32(28, 2_500_000, true));
  assert.equal((await readAll(capture(file)))[0]?.timeNs, 2_500_000_000n);
});

test('a block whose two lengths differ ends the file, with what was before it read', async () => {
  const file = Buffer.concat([ONE, ONE]);
  file.writeUInt32LE(4, file.length - 4);
  const { packets, code, offset } = await endOf(file);
  assert.deepEqual(
    { packets, code, offset },
    { packets: 1, code: 'CAPTURE_BROKEN', offset: ONE.length + BLOCK },
  );
});

test('block lengths that cannot be end the file', async () => {
  for (const total of [0, 8, 11, 33]) {
    const file = changed(ONE, (view) => view.setUint32(BLOCK + 4, total, true));
    assert.equal((await endOf(file)).code, 'CAPTURE_BROKEN', `${total}`);
  }
  for (const total of [MAX_BLOCK_OCTETS + 4, 0xffff_fffc]) {
    const file = changed(ONE, (view) => view.setUint32(BLOCK + 4, total, true));
    assert.equal((await endOf(file)).code, 'CAPTURE_LIMIT', `${total}`);
  }
  const cut = changed(ONE, (view) => view.setUint32(BLOCK + 4, MAX_BLOCK_OCTETS, true));
  assert.equal((await endOf(cut)).code, 'CAPTURE_TRUNCATED');
  const withoutMagic = changed(ONE, (view) => view.setUint32(8, 0x1a2b_3c4e, true));
  assert.equal((await endOf(withoutMagic)).code, 'CAPTURE_BROKEN');
});

test('packets that contradict their block are left out and counted', async () => {
  const data = (captured: number, index = 0) => words(index, 0, 0, captured, captured, 0);
  const file = Buffer.concat([
    ONE,
    pcapngBlock(6, data(9)), // beyond the block
    pcapngBlock(6, data(0xffff_ffff)),
    pcapngBlock(6, data(4, 1)), // of no interface
    pcapngBlock(6, words(0, 0)), // too short
    pcapngBlock(3, words()),
    pcapngBlock(1, words(1)), // an interface without a snap length takes its number
    pcapngBlock(5, words(7, 0, 0)),
    pcapngBlock(6, Buffer.concat([data(MAX_PACKET_OCTETS + 1), new Uint8Array(MAX_PACKET_OCTETS)])),
    pcapngBlock(3, Buffer.concat([words(MAX_PACKET_OCTETS + 1), new Uint8Array(MAX_PACKET_OCTETS + 1)])),
    pcapngBlock(0x0bad, words(1, 2, 3)), // of an unknown type
    pcapngBlock(6, data(4, 1)), // now there is one
    SECTION,
    pcapngBlock(6, data(4)), // a new section has none
    pcapngBlock(3, words(4, 0)),
  ]);
  const { packets, code, reading } = await endOf(file);
  assert.deepEqual({ packets, code }, { packets: 2, code: undefined });
  assert.deepEqual(reading.counters, {
    packets: 2,
    capturedOctets: FRAME.length + 4,
    originalOctets: FRAME.length + 4,
    raisedLengths: 0,
    undeclaredInterface: 3,
    beyondBlock: 2,
    tooLong: 2,
    skippedBlocks: 1,
    damagedBlocks: 4,
  });
});

test('options that run over their block are ignored from there on', async () => {
  const options = Buffer.concat([words(1, 0, 0x0002_0002), Buffer.from('lo\0\0'), words(0x00ff_0003, 0)]);
  const { reading } = await endOf(Buffer.concat([SECTION, pcapngBlock(1, options)]));
  assert.equal(reading.error, undefined);
  assert.equal(reading.interfaces[0]?.name, 'lo');
  assert.equal(reading.interfaces[0]?.description, undefined);
  assert.equal(reading.counters.damagedBlocks, 1);
});

test('more interfaces than can be are refused', async () => {
  const described = pcapngBlock(1, words(1, 0));
  const { code, reading } = await endOf(
    Buffer.concat([SECTION, ...Array(MAX_INTERFACES + 1).fill(described)]),
  );
  assert.equal(code, 'CAPTURE_LIMIT');
  assert.equal(reading.interfaces.length, MAX_INTERFACES);
});

test('interfaces carry what the file says of them, in all sections', async () => {
  const interfaces = [
    { name: 'uplink ä', snapLength: 96, linkType: 276, dropped: 7n },
    { tsresol: 0x80 | 10, offsetSeconds: -5n, linkType: 147 },
  ];
  const section = { interfaces, packets: [{ octets: FRAME, interface: 1, timeNs: 10n ** 18n }] };
  const { reading } = await endOf(writePcapng([section, { ...section, bigEndian: true }]));
  const [uplink, coarse, again] = reading.interfaces;
  assert.equal(uplink?.name, 'uplink ä');
  assert.equal(uplink?.snapLength, 96);
  assert.equal(uplink?.statistics?.dropped, 7n);
  assert.equal(uplink?.statistics?.received, undefined);
  assert.equal(coarse?.resolution, 1024n);
  assert.equal(coarse?.offsetSeconds, -5);
  assert.deepEqual({ ...again }, { ...uplink, section: 1 });
  assert.deepEqual(
    reading.linkTypes().map(({ name, isRead, packets }) => ({ name, isRead, packets })),
    [
      { name: 'USER0', isRead: false, packets: 2 },
      { name: 'LINUX_SLL2', isRead: true, packets: 0 },
    ],
  );
});

test('time stamps of all resolutions keep every nanosecond they hold', async () => {
  for (const [tsresol, high, low, timeNs] of [
    [9, 0xffff_ffff, 0xffff_ffff, 2n ** 64n - 1n],
    [6, 0xffff_ffff, 0xffff_ffff, (2n ** 64n - 1n) * 1_000n],
    [0, 0, 0xffff_ffff, (2n ** 32n - 1n) * 10n ** 9n],
    [3, 400, 1, (400n * 2n ** 32n + 1n) * 10n ** 6n],
    [12, 0xffff_ffff, 0xffff_ffff, (2n ** 64n - 1n) / 1_000n],
    [127, 0xffff_ffff, 0xffff_ffff, 0n],
    [0x80 | 32, 5, 0x8000_0000, 5_500_000_000n],
    [0xff, 0xffff_ffff, 0xffff_ffff, 0n],
  ] as const) {
    const described = pcapngBlock(1, Buffer.concat([words(1, 0, 0x0001_0009, tsresol), words(0)]));
    const file = Buffer.concat([SECTION, described, pcapngBlock(6, words(0, high, low, 0, 0))]);
    assert.equal((await readAll(capture(file)))[0]?.timeNs, timeNs, `resolution ${tsresol}`);
  }
});

test('packets and blocks larger than the buffer are read, from chunks of any size', async () => {
  const large = new Uint8Array(MAX_PACKET_OCTETS).fill(7);
  const comment = pcapngBlock(0x0bad, new Uint8Array(MAX_BLOCK_OCTETS - 12));
  const pcapng = writePcapng([{ interfaces: [{}], packets: [{ octets: FRAME }, { octets: large }] }]);
  for (const lengths of [[1 << 30], [65_536], [1_000, 3]]) {
    assert.equal((await readAll(capture(writePcap([FRAME, large, FRAME]), lengths))).length, 3);
    const reading = capture(Buffer.concat([pcapng, comment, pcapng]), lengths);
    assert.equal((await readAll(reading)).length, 4);
    assert.equal(reading.counters.skippedBlocks, 1);
  }
});

test('many packets come in batches, in order, over many buffers', async () => {
  const packets = Array.from({ length: 3 * BATCH_PACKETS + 5 }, (_, i) => ({
    octets: new Uint8Array(i % 200).fill(i),
    timeNs: BigInt(i) * 1_000n,
  }));
  for (const file of [writePcap(packets), writePcapng([{ interfaces: [{}], packets }])]) {
    const read = await readAll(capture(file, [70_001]));
    assert.equal(read.length, packets.length);
    for (const [i, { octets, timeNs }] of read.entries()) {
      assert.equal(timeNs, BigInt(i) * 1_000n);
      assert.equal(octets, Buffer.from(packets[i]!.octets).toString('hex'));
    }
  }
});

test('what stands behind compressed streams: zeros are padding, frames to be skipped are skipped, else an error', async () => {
  const file = writePcap([FRAME, FRAME]);
  const padded = await endOf(Buffer.concat([gzipSync(file), new Uint8Array(100_000)]));
  assert.deepEqual([padded.packets, padded.code], [2, undefined]);
  const skipped = Buffer.concat([words(0x184d_2a53, 5), Buffer.from('hello')]);
  const zstd = await endOf(Buffer.concat([skipped, zstdCompressSync(file), skipped]));
  assert.deepEqual([zstd.packets, zstd.code], [2, undefined]);
  const garbage = Buffer.from('and so on');
  for (const compressed of [gzipSync(file), zstdCompressSync(file)])
    assert.equal((await endOf(Buffer.concat([compressed, garbage]))).code, 'CAPTURE_COMPRESSION');
});

test('a compressed stream that is cut or damaged loses the piece at hand, no more', async () => {
  const frames = Array.from({ length: 10_000 }, (_, i) => createHash('sha512').update(`${i}`).digest());
  const file = writePcap(frames);
  for (const [compressed, loss] of [
    [gzipSync(file), 1 << 16],
    [zstdCompressSync(file, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }), 3 << 16],
  ] as const) {
    // Digests cannot be compressed: places in the file and in the stream are in proportion.
    for (const at of [100_000, 400_000, compressed.length - 10]) {
      const least = (at / compressed.length) * frames.length - (loss + 4_096) / 80;
      const cut = await endOf(compressed.subarray(0, at));
      assert.ok(cut.packets >= least, `${cut.packets} of ${least}`);
      assert.equal(cut.code, 'CAPTURE_COMPRESSION');
      const damaged = await endOf(
        changed(compressed, (view) => view.setBigUint64(at, ~view.getBigUint64(at))),
      );
      assert.ok(damaged.packets >= least, `${damaged.packets} of ${least}`);
      // Damage that is noticed only by the checksum at the end may come out as packets that lie.
      assert.notEqual(damaged.code, undefined);
    }
  }
});

test('a compressed file of nothing but zeros is no reason to run out of memory', async () => {
  const zeros = gzipSync(new Uint8Array(64 << 20));
  const bomb = Buffer.concat([gzipSync(writePcap([])), zeros, zeros, zeros, zeros]);
  const before = process.memoryUsage().rss;
  let packets = 0;
  const reading = capture(bomb);
  for await (const batch of reading) packets += batch.count;
  assert.equal(packets, (256 << 20) / 16);
  assert.equal(reading.error, undefined);
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 128 << 20, `${grown >> 20} MiB of 256`);
});
