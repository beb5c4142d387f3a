/** The captures of test/captures: small files of packets of ours, with every tunnel and every way a file can be written. */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type CapturedPacket, type PacketModelOptions, writePcap, writePcapng } from '../src/wire/index.ts';
import { fragmentPackets, plainPackets, taggedPackets } from './own-packets.ts';
import { begin, endsOf, type Tunnel } from './tunnel.ts';
import { OPTIONAL, type TunnelCombination, tunnelCombinations } from './tunnel-combinations.ts';
import { FORMS } from './tunnel-forms.ts';
import { OPTIONAL_TUNNELS, TUNNELS } from './tunnel-kinds.ts';
import { type Content, MARKS } from './tunnel-marks.ts';
import { ODD } from './tunnel-oddities.ts';
import { frame, ip } from './tunnel-surroundings.ts';

/** A capture to be committed. */
export interface OwnCapture {
  /** The file's name. */
  readonly name: string;
  /** In the order of the file. */
  readonly packets: readonly TunnelCombination[];
  /** How the meter must be set up; default as it is unless told otherwise. */
  readonly options: PacketModelOptions;
  /** The file's octets, without compression. */
  readonly octets: Uint8Array<ArrayBuffer>;
}

/** What {@link OPTIONAL} is in words of the command line. */
export const OPTIONAL_WORDS = [
  '--nvgre',
  '--tunnel-ports',
  'teredo=3544',
  '--tunnel-ports',
  'ayiya=5072',
] as const;

/** Packs a file as its name says. The packing is not ours: another version of zlib may write other octets. */
export function packed({ name, octets }: OwnCapture): Uint8Array {
  if (name.endsWith('.gz')) return gzipSync(octets, { level: 9 });
  return name.endsWith('.zst') ? zstdCompressSync(octets) : octets;
}

type Writer = (frames: readonly CapturedPacket[]) => Uint8Array<ArrayBuffer>;

const pcap: Writer = (frames) => writePcap(frames);

/** Octets that {@link cut} leaves of each packet: all headers, and less than all of the payload. */
const SNAP_OCTETS = 128;

/** All of them. */
export function ownCaptures(): OwnCapture[] {
  const of = (
    name: string,
    packets: readonly TunnelCombination[],
    write: Writer = pcap,
    options: PacketModelOptions = {},
  ): OwnCapture => {
    const frames = packets.map((each, i) => ({ octets: each.packet.build(), timeNs: timeOf(i) }));
    const octets = write(frames);
    return { name, packets, options, octets };
  };
  return [
    ...TUNNELS.map((tunnel) => of(`${fileName(tunnel.name)}.pcap`, alone(tunnel))),
    ...OPTIONAL_TUNNELS.map((tunnel) => of(`${fileName(tunnel.name)}.pcap`, alone(tunnel), pcap, OPTIONAL)),
    of('forms.pcapng', FORMS.flatMap(oneEach), pcapng),
    of('nested.pcap.zst', nested()),
    of('marks.pcap', contents(MARKS), (frames) => writePcap(frames, { nanoseconds: true })),
    of('oddities.pcap.gz', contents(ODD)),
    of('tags.pcap', taggedPackets(), (frames) => writePcap(frames, { bigEndian: true })),
    of('fragments.pcap', fragmentPackets()),
    of('plain.pcapng', plainPackets(), interfaces),
    of('raw.pcap', plainPackets(), (frames) => writePcap(frames.map(bare), { linkType: 101 })),
    of('sll.pcap', plainPackets(), (frames) => writePcap(frames.map(cooked), { linkType: 113 })),
    of('sll2.pcap', plainPackets(), (frames) => writePcap(frames.map(cooked2), { linkType: 276 })),
    of('cut.pcap.gz', withPayload(), (frames) => writePcap(frames.map(cut))),
  ];
}

/** A microsecond and a nanosecond beyond each millisecond, so that all units of time differ. */
function timeOf(i: number): bigint {
  return 1_700_000_000_000_000_000n + BigInt(i) * 1_001_001n;
}

function fileName(name: string): string {
  return name.replaceAll(' ', '-');
}

/** Over both versions of IP, with every way to go on. */
function alone(tunnel: Tunnel): TunnelCombination[] {
  const versions = tunnel.inside === 'link' ? ([4] as const) : (tunnel.versions ?? ([4, 6] as const));
  return versions.flatMap((version, i) =>
    endsOf(tunnel).map((end, j) => {
      const n = 1 + 16 * i + j;
      const where = tunnel.inside === 'link' ? '' : ` over ipv${version}`;
      return {
        name: `${tunnel.name}${where}, ${end.name}`,
        packet: end.add(begin(frame(n, 0), tunnel, { n, version }), n),
      };
    }),
  );
}

function oneEach(tunnel: Tunnel, i: number): TunnelCombination[] {
  const of = alone(tunnel);
  return [of[i % of.length]!];
}

/** Every seventh of the pairs, and all that are deeper; those too deep are in no flow. */
function nested(): TunnelCombination[] {
  const stacks = tunnelCombinations().filter(({ name }) => name.includes(' in turn '));
  return stacks.filter(({ name }, i) => i % 7 === 0 || name.split(' in turn ').length > 2);
}

function contents(all: readonly Content[]): TunnelCombination[] {
  return all.flatMap(({ name, add }, i) =>
    ([4, 6] as const).map((version, j) => {
      const n = 1 + 2 * i + j;
      return { name: `${name} over ipv${version}`, packet: add(frame(n, 0), version, n) };
    }),
  );
}

/** One of each kind, with more behind than is kept. */
function withPayload(): TunnelCombination[] {
  return TUNNELS.flatMap((tunnel, i) => {
    const n = 1 + i;
    const begun = begin(frame(n, 0), tunnel, { n, version: tunnel.versions?.[0] ?? 4 });
    const framed = tunnel.carries === 'frame' ? begun.eth() : begun;
    const whole = ip(framed, 4, n)
      .udp({ sourcePort: 1000 + n })
      .payload(600);
    return [{ name: `${tunnel.name}, cut`, packet: whole }];
  });
}

function cut({ octets, ...rest }: CapturedPacket): CapturedPacket {
  return { ...rest, octets: octets.subarray(0, SNAP_OCTETS), originalLength: octets.length };
}

const pcapng: Writer = (frames) => writePcapng([{ interfaces: [{ name: 'eth0' }], packets: frames }]);

/** Two interfaces of two link types and units of time; every second packet is of the one without a link layer. */
const interfaces: Writer = (frames) =>
  writePcapng([
    {
      bigEndian: true,
      interfaces: [
        { name: 'eth0', snapLength: 262_144 },
        { name: 'tun0', linkType: 101, tsresol: 6 },
      ],
      packets: frames.map((each, i) => (i % 2 === 0 || !isIp(each) ? each : { ...bare(each), interface: 1 })),
    },
  ]);

const ETHERNET_OCTETS = 14;

function isIp({ octets }: CapturedPacket): boolean {
  return /^(0800|86dd)$/.test(Buffer.from(octets.subarray(12, ETHERNET_OCTETS)).toString('hex'));
}

/** Without the Ethernet header. */
function bare({ octets, ...rest }: CapturedPacket): CapturedPacket {
  return { ...rest, octets: octets.subarray(ETHERNET_OCTETS) };
}

/** Linux cooked capture: packet type, ARPHRD, length of the address, the address, the ethertype. */
function cooked({ octets, ...rest }: CapturedPacket, i: number): CapturedPacket {
  const header = Uint8Array.of(0, direction(i), 0, 1, 0, 6, ...octets.subarray(6, 12), 0, 0);
  return { ...rest, octets: joined(header, octets.subarray(12)) };
}

/** Its version 2: ethertype, zeros, interface, ARPHRD, packet type, length of the address, the address. */
function cooked2({ octets, ...rest }: CapturedPacket, i: number): CapturedPacket {
  const header = [...octets.subarray(12, 14), 0, 0, 0, 0, 0, 3, 0, 1, direction(i), 6];
  const address = [...octets.subarray(6, 12), 0, 0];
  return { ...rest, octets: joined(Uint8Array.of(...header, ...address), octets.subarray(ETHERNET_OCTETS)) };
}

/** To us, or sent by us. */
function direction(i: number): number {
  return i % 2 === 0 ? 0 : 4;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
