/** Captures for the tests of this module. */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { type PcapngPacket, type PcapngSection, writePcap, writePcapng } from '../wire/index.ts';
import { Capture, type CaptureOptions, packetTimeNs } from './index.ts';

/** A packet as it was read, on its own. */
export interface ReadPacket {
  readonly octets: string;
  readonly originalLength: number;
  readonly timeNs: bigint | undefined;
  readonly interface: number;
  readonly linkType: number;
}

/** Reads all packets, copied, and checks what holds of every batch. */
export async function readAll(capture: Capture): Promise<ReadPacket[]> {
  const packets: ReadPacket[] = [];
  for await (const batch of capture) {
    if (batch.count === 0) throw new Error('a batch is empty');
    if (batch.before !== packets.length) throw new Error(`${batch.before} is not ${packets.length}`);
    for (let i = 0; i < batch.count; i++) {
      const at = batch.offsets[i]!;
      const end = at + batch.capturedLengths[i]!;
      if (end > batch.octets.length) throw new Error('a packet is longer than its batch');
      if (batch.capturedLengths[i]! > batch.originalLengths[i]!) throw new Error('longer than on the wire');
      if (batch.nanoseconds[i]! > 999_999_999) throw new Error('more nanoseconds than in a second');
      packets.push({
        octets: Buffer.from(batch.octets.subarray(at, end)).toString('hex'),
        originalLength: batch.originalLengths[i]!,
        timeNs: packetTimeNs(batch, i),
        interface: batch.interfaces[i]!,
        linkType: batch.linkTypes[i]!,
      });
    }
  }
  const { counters } = capture;
  const sums = capture.interfaces.reduce((sum, each) => sum + each.packets, 0);
  if (counters.packets !== packets.length || sums !== packets.length) throw new Error('wrongly counted');
  return packets;
}

/** Reads octets in chunks of these lengths, used in turn. */
export function capture(
  octets: Uint8Array,
  lengths: readonly number[] = [octets.length || 1],
  options: CaptureOptions = {},
): Capture {
  return Capture.of(chunked(octets, lengths), { path: 'test', ...options });
}

function* chunked(octets: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (let i = 0; at < octets.length; i++) {
    const length = lengths[i % lengths.length]!;
    yield octets.slice(at, at + length);
    at += length;
  }
}

/** A file, and what must be read from it. */
export interface Sample {
  readonly name: string;
  readonly file: Uint8Array;
  readonly packets: readonly ReadPacket[];
}

const packets = (linkTypes: number, kinds: readonly NonNullable<PcapngPacket['block']>[]) =>
  fc.array(
    fc
      .record({
        octets: fc.uint8Array({ maxLength: 90 }),
        cut: fc.integer({ min: 0, max: 2_000 }),
        timeNs: fc
          .bigInt({ min: 2n ** 33n * 10n ** 9n - 1n, max: 2n ** 63n })
          .map((ns) => ns % 4_294_967_296_000_000_000n),
        interface: fc.nat(linkTypes - 1),
        block: fc.constantFrom(...kinds),
      })
      .map(({ cut, ...rest }) => ({ ...rest, originalLength: rest.octets.length + cut })),
    { maxLength: 12 },
  );

const anyPcap: fc.Arbitrary<Sample> = fc
  .record({
    packets: packets(1, ['enhanced']),
    bigEndian: fc.boolean(),
    variant: fc.constantFrom('microseconds', 'nanoseconds', 'kuznetzov'),
    linkType: fc.constantFrom(0, 1, 101, 147),
  })
  .map(({ packets, bigEndian, variant, linkType }) => ({
    name: `pcap ${variant}${bigEndian ? ' big-endian' : ''}`,
    file: writePcap(packets, {
      bigEndian,
      linkType,
      nanoseconds: variant === 'nanoseconds',
      kuznetzov: variant === 'kuznetzov',
    }),
    packets: packets.map(({ octets, originalLength, timeNs }) => ({
      octets: Buffer.from(octets).toString('hex'),
      originalLength,
      timeNs: variant === 'nanoseconds' ? timeNs : timeNs - (timeNs % 1_000n),
      interface: 0,
      linkType,
    })),
  }));

const anySection: fc.Arbitrary<PcapngSection> = fc
  .array(
    fc.record({
      linkType: fc.constantFrom(0, 1, 101, 113, 276, 147),
      name: fc.string({ maxLength: 16 }).map((name) => name.replaceAll('\0', '')),
      tsresol: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom(0x80, 0x80 | 10, 0x80 | 31)),
      offsetSeconds: fc.bigInt({ min: -(2n ** 20n), max: 0n }),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .chain((interfaces) =>
    fc.record({
      bigEndian: fc.boolean(),
      interfaces: fc.constant(interfaces),
      packets: packets(interfaces.length, ['enhanced', 'obsolete', 'simple']),
    }),
  );

const anyPcapng: fc.Arbitrary<Sample> = fc
  .array(anySection, { minLength: 1, maxLength: 3 })
  .map((sections) => {
    const expected: ReadPacket[] = [];
    let base = 0;
    for (const { interfaces, packets } of sections) {
      for (const { octets, originalLength = 0, timeNs = 0n, interface: index = 0, block } of packets) {
        const number = block === 'simple' ? 0 : index;
        const source = interfaces[number]!;
        // A simple packet is as long as it says, or as its block, padding and all.
        const room = octets.length + (-octets.length & 3);
        const padded = Buffer.concat([octets, Buffer.alloc(3)]).subarray(0, Math.min(originalLength, room));
        expected.push({
          octets: (block === 'simple' ? padded : Buffer.from(octets)).toString('hex'),
          originalLength,
          timeNs:
            block === 'simple' ? undefined : rounded(timeNs, source.tsresol ?? 9, source.offsetSeconds ?? 0n),
          interface: base + number,
          linkType: source.linkType ?? 1,
        });
      }
      base += interfaces.length;
    }
    return { name: `pcapng of ${sections.length} sections`, file: writePcapng(sections), packets: expected };
  });

/** A time as an interface's units can hold it. */
function rounded(timeNs: bigint, tsresol: number, offsetSeconds: bigint): bigint {
  const perSecond = (tsresol & 0x80 ? 2n : 10n) ** BigInt(tsresol & 0x7f);
  const units = ((timeNs - offsetSeconds * 1_000_000_000n) * perSecond) / 1_000_000_000n;
  const whole = units / perSecond;
  return (whole + offsetSeconds) * 1_000_000_000n + ((units % perSecond) * 1_000_000_000n) / perSecond;
}

/** Any small capture, uncompressed. */
export const anySample: fc.Arbitrary<Sample> = fc.oneof(anyPcap, anyPcapng);

/** Lengths of chunks, often of one octet. */
export const anyLengths: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.constant([1]),
  fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 8 }),
  fc.constant([1 << 20]),
);

/** The ways a file can be stored. */
export const STORED = {
  plain: (octets: Uint8Array) => octets,
  gzip: (octets: Uint8Array): Uint8Array => gzipSync(octets),
  zstd: (octets: Uint8Array): Uint8Array => zstdCompressSync(octets),
  /** Two members, as `cat a.gz b.gz` makes. */
  'gzip twice': (octets: Uint8Array): Uint8Array => {
    const middle = octets.length >> 1;
    return Buffer.concat([gzipSync(octets.subarray(0, middle)), gzipSync(octets.subarray(middle))]);
  },
  'zstd twice': (octets: Uint8Array): Uint8Array => {
    const middle = octets.length >> 1;
    return Buffer.concat([
      zstdCompressSync(octets.subarray(0, middle)),
      zstdCompressSync(octets.subarray(middle)),
    ]);
  },
} as const;
