/** Captures for other tools to read, in blocks (draft-ietf-opsawg-pcapng). */
import type { CapturedPacket } from './pcap.ts';

/** An interface to be described. */
export interface PcapngInterface {
  /** LINKTYPE number; default Ethernet. */
  readonly linkType?: number;
  readonly name?: string;
  /** 0: no limit. */
  readonly snapLength?: number;
  /** The option's octet: units of 10^-n seconds, or with 0x80 added of 2^-n; default 9, nanoseconds. */
  readonly tsresol?: number;
  /** Seconds that the file's time stamps are less than the packets' times. */
  readonly offsetSeconds?: bigint;
  /** Packets that were lost, for a statistics block at the section's end. */
  readonly dropped?: bigint;
}

/** A packet of one of the section's interfaces. */
export interface PcapngPacket extends CapturedPacket {
  /** Default 0. */
  readonly interface?: number;
  /** The block it is written in: enhanced (default), simple (no time, interface 0), or the obsolete one. */
  readonly block?: 'enhanced' | 'simple' | 'obsolete';
}

/** A section: its interfaces, then its packets. */
export interface PcapngSection {
  readonly bigEndian?: boolean;
  readonly interfaces: readonly PcapngInterface[];
  readonly packets: readonly PcapngPacket[];
}

const MICROSECONDS_UNSAID = 6;

/** A capture of one section or several. */
export function writePcapng(sections: readonly PcapngSection[]): Uint8Array<ArrayBuffer> {
  const blocks = sections.flatMap((section) => sectionBlocks(section));
  const capture = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    capture.set(block, at);
    at += block.length;
  }
  return capture;
}

/** A block of any type: its frame around the body, which is padded to four octets. */
export function pcapngBlock(type: number, body: Uint8Array, bigEndian = false): Uint8Array<ArrayBuffer> {
  const total = 12 + body.length + (-body.length & 3);
  const block = new Uint8Array(total);
  const view = new DataView(block.buffer);
  view.setUint32(0, type, !bigEndian);
  view.setUint32(4, total, !bigEndian);
  block.set(body, 8);
  view.setUint32(total - 4, total, !bigEndian);
  return block;
}

function sectionBlocks({ bigEndian = false, interfaces, packets }: PcapngSection): Uint8Array[] {
  const block = (type: number, ...parts: readonly Part[]) =>
    pcapngBlock(type, bodyOf(parts, !bigEndian), bigEndian);
  const blocks = [block(0x0a0d_0d0a, u32(0x1a2b_3c4d), u16(1), u16(0), u64(-1n))];
  for (const { linkType = 1, name, snapLength = 0, tsresol = 9, offsetSeconds = 0n } of interfaces) {
    const parts = [u16(linkType), u16(0), u32(snapLength)];
    if (name !== undefined) parts.push(...option(2, new TextEncoder().encode(name)));
    if (tsresol !== MICROSECONDS_UNSAID) parts.push(...option(9, Uint8Array.of(tsresol)));
    if (offsetSeconds !== 0n) parts.push(u16(14), u16(8), u64(offsetSeconds));
    blocks.push(block(1, ...parts, u32(0)));
  }
  for (const packet of packets) {
    const { octets, originalLength = octets.length, timeNs = 0n, interface: index = 0 } = packet;
    if (packet.block === 'simple') {
      blocks.push(block(3, u32(originalLength), octets));
      continue;
    }
    const units = unitsOf(timeNs, interfaces[index]!);
    const time = [u32(Number(units >> 32n)), u32(Number(units & 0xffff_ffffn))];
    const lengths = [u32(octets.length), u32(originalLength)];
    if (packet.block === 'obsolete')
      blocks.push(block(2, u16(index), u16(0xffff), ...time, ...lengths, octets));
    else blocks.push(block(6, u32(index), ...time, ...lengths, octets));
  }
  for (const [index, { dropped }] of interfaces.entries())
    if (dropped !== undefined)
      blocks.push(block(5, u32(index), u64(0n), u16(5), u16(8), u64(dropped), u32(0)));
  return blocks;
}

/** A time in an interface's units, rounded down. */
function unitsOf(timeNs: bigint, { tsresol = 9, offsetSeconds = 0n }: PcapngInterface): bigint {
  const exponent = BigInt(tsresol & 0x7f);
  const perSecond = (tsresol & 0x80 ? 2n : 10n) ** exponent;
  return ((timeNs - offsetSeconds * 1_000_000_000n) * perSecond) / 1_000_000_000n;
}

/** A number of so many octets, or octets as they are. */
type Part = { readonly size: 2 | 4 | 8; readonly value: bigint } | Uint8Array;

function u16(value: number): Part {
  return { size: 2, value: BigInt(value) };
}

function u32(value: number): Part {
  return { size: 4, value: BigInt(value) };
}

function u64(value: bigint): Part {
  return { size: 8, value };
}

function option(code: number, value: Uint8Array): Part[] {
  const padded = new Uint8Array(value.length + (-value.length & 3));
  padded.set(value);
  return [u16(code), u16(value.length), padded];
}

function bodyOf(parts: readonly Part[], little: boolean): Uint8Array {
  const sizeOf = (part: Part) => (part instanceof Uint8Array ? part.length : part.size);
  const body = new Uint8Array(parts.reduce((sum, part) => sum + sizeOf(part), 0));
  const view = new DataView(body.buffer);
  let at = 0;
  for (const part of parts) {
    if (part instanceof Uint8Array) body.set(part, at);
    else if (part.size === 2) view.setUint16(at, Number(part.value), little);
    else if (part.size === 4) view.setUint32(at, Number(part.value), little);
    else view.setBigInt64(at, part.value, little);
    at += sizeOf(part);
  }
  return body;
}
