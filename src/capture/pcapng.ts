/** The block format (draft-ietf-opsawg-pcapng): sections in either byte order, interfaces, packets of three kinds. */
import { BATCH_PACKETS, type Filling } from './batch.ts';
import { type Clock, clockOf, setTime } from './clock.ts';
import {
  type Decoder,
  type Fault,
  type Findings,
  MAX_BLOCK_OCTETS,
  MAX_INTERFACES,
  MAX_PACKET_OCTETS,
  type Step,
  type Window,
} from './decoder.ts';
import { type InterfaceStatistics, newInterface } from './interface.ts';
import { eachOption } from './options.ts';

/** Type of a Section Header Block, the same in both byte orders. */
export const SECTION_HEADER = 0x0a0d_0d0a;

const BLOCK = { interface: 1, obsoletePacket: 2, simplePacket: 3, statistics: 5, enhancedPacket: 6 } as const;
const BYTE_ORDER_MAGIC = 0x1a2b_3c4d;
/** Type and length before the body, and the length again behind it. */
const FRAME_OCTETS = 12;
const IF = { name: 2, description: 3, tsresol: 9, tsoffset: 14 } as const;
const ISB = { received: 4, dropped: 5, accepted: 6, droppedBySystem: 7, delivered: 8 } as const;
const MAX_NAME_CHARACTERS = 256;
/** Octets before the packet: type, length, then interface, time stamp, captured and original length. */
const PACKET_AT = 28;
const SIMPLE_PACKET_AT = 12;
const MICROSECONDS = 6;

/** A decoder for a capture that begins with a Section Header Block. */
export function pcapngDecoder(findings: Findings): Decoder {
  return new PcapngDecoder(findings);
}

/** What is needed of an interface for each of its packets. */
interface Source {
  readonly index: number;
  readonly linkType: number;
  readonly snapLength: number;
  readonly clock: Clock;
}

class PcapngDecoder implements Decoder {
  readonly format = 'pcapng';
  readonly awaited = 'block';
  wanted = FRAME_OCTETS;
  #findings: Findings;
  #littleEndian = true;
  #section = -1;
  /** Interfaces of this section. */
  #sources: Source[] = [];
  #text = new TextDecoder();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  decode(window: Window, batch: Filling): Step {
    const { view, to } = window;
    while (batch.count < BATCH_PACKETS) {
      const { from } = window;
      this.wanted = FRAME_OCTETS;
      if (to - from < FRAME_OCTETS) return 'more';
      // Both byte orders: the section's own is known only from behind the type and the length.
      const isSection = view.getUint32(from) === SECTION_HEADER;
      if (isSection) {
        const littleEndian = view.getUint32(from + 8, true) === BYTE_ORDER_MAGIC;
        if (!littleEndian && view.getUint32(from + 8) !== BYTE_ORDER_MAGIC)
          return { code: 'CAPTURE_BROKEN', reason: 'a section header has no byte-order magic' };
        this.#littleEndian = littleEndian;
      }
      const total = view.getUint32(from + 4, this.#littleEndian);
      if (total < FRAME_OCTETS || total % 4 !== 0)
        return { code: 'CAPTURE_BROKEN', reason: `a block says it is ${total} octets long` };
      if (total > MAX_BLOCK_OCTETS)
        return { code: 'CAPTURE_LIMIT', reason: `a block says it is ${total} octets long` };
      this.wanted = total;
      if (to - from < total) return 'more';
      const again = view.getUint32(from + total - 4, this.#littleEndian);
      if (again !== total)
        return { code: 'CAPTURE_BROKEN', reason: `a block of ${total} octets ends with the length ${again}` };
      const fault = isSection ? this.#header(view, from, total) : this.#block(window, total, batch);
      if (fault) return fault;
      window.from = from + total;
    }
    return 'full';
  }

  #header(view: DataView, at: number, total: number): Fault | undefined {
    if (total < FRAME_OCTETS + 16)
      return { code: 'CAPTURE_BROKEN', reason: `a section header of ${total} octets is too short` };
    const major = view.getUint16(at + 12, this.#littleEndian);
    const minor = view.getUint16(at + 14, this.#littleEndian);
    // 1.2 was written by some and is 1.0 (draft-ietf-opsawg-pcapng, section 4.1).
    if (major !== 1 || (minor !== 0 && minor !== 2))
      return { code: 'CAPTURE_VERSION', reason: `a section is pcapng of version ${major}.${minor}` };
    this.#section++;
    this.#sources = [];
    return undefined;
  }

  #block(window: Window, total: number, batch: Filling): Fault | undefined {
    const { view, from } = window;
    switch (view.getUint32(from, this.#littleEndian)) {
      case BLOCK.enhancedPacket:
        this.#packet(view, from, total, batch);
        return undefined;
      case BLOCK.obsoletePacket:
        this.#packet(view, from, total, batch, true);
        return undefined;
      case BLOCK.simplePacket:
        this.#simplePacket(view, from, total, batch);
        return undefined;
      case BLOCK.interface:
        return this.#interface(window, total);
      case BLOCK.statistics:
        this.#statistics(view, from, total);
        return undefined;
      default:
        this.#findings.counters.skippedBlocks++;
        return undefined;
    }
  }

  #packet(view: DataView, at: number, total: number, batch: Filling, obsolete = false): void {
    const { counters } = this.#findings;
    const littleEndian = this.#littleEndian;
    if (total < PACKET_AT + 4) {
      counters.damagedBlocks++;
      return;
    }
    const number = obsolete ? view.getUint16(at + 8, littleEndian) : view.getUint32(at + 8, littleEndian);
    const source = number < this.#sources.length ? this.#sources[number] : undefined;
    const captured = view.getUint32(at + 20, littleEndian);
    if (!source) counters.undeclaredInterface++;
    else if (captured > total - PACKET_AT - 4) counters.beyondBlock++;
    else if (captured > MAX_PACKET_OCTETS) counters.tooLong++;
    else {
      const high = view.getUint32(at + 12, littleEndian);
      setTime(batch, source.clock, high, view.getUint32(at + 16, littleEndian));
      const row = batch.count++;
      let original = view.getUint32(at + 24, littleEndian);
      if (captured > original) {
        original = captured;
        batch.raised++;
      }
      batch.offsets[row] = at + PACKET_AT;
      batch.capturedLengths[row] = captured;
      batch.originalLengths[row] = original;
      batch.interfaces[row] = source.index;
      batch.linkTypes[row] = source.linkType;
    }
  }

  /** A packet of the section's first interface, without a time: as long as the interface keeps and the block holds. */
  #simplePacket(view: DataView, at: number, total: number, batch: Filling): void {
    const { counters } = this.#findings;
    const source = this.#sources[0];
    const room = total - SIMPLE_PACKET_AT - 4;
    if (room < 0) counters.damagedBlocks++;
    else if (!source) counters.undeclaredInterface++;
    else {
      const original = view.getUint32(at + 8, this.#littleEndian);
      const captured = Math.min(original, room, source.snapLength || room);
      if (captured > MAX_PACKET_OCTETS) {
        counters.tooLong++;
        return;
      }
      const row = batch.count++;
      batch.offsets[row] = at + SIMPLE_PACKET_AT;
      batch.capturedLengths[row] = captured;
      batch.originalLengths[row] = original;
      batch.seconds[row] = Number.NaN;
      batch.nanoseconds[row] = 0;
      batch.interfaces[row] = source.index;
      batch.linkTypes[row] = source.linkType;
    }
  }

  #interface({ view, octets, from }: Window, total: number): Fault | undefined {
    const { counters, interfaces } = this.#findings;
    if (interfaces.length >= MAX_INTERFACES)
      return { code: 'CAPTURE_LIMIT', reason: `it describes more than ${MAX_INTERFACES} interfaces` };
    const littleEndian = this.#littleEndian;
    // Too short for link type and snap length: it still takes its number, so that those behind it keep theirs.
    const isWhole = total >= FRAME_OCTETS + 8;
    const linkType = isWhole ? view.getUint16(from + 8, littleEndian) : 0xffff;
    const snapLength = isWhole ? view.getUint32(from + 12, littleEndian) : 0;
    const texts = new Map<number, string>();
    let tsresol = MICROSECONDS;
    let offsetSeconds = 0;
    const options = { from: from + 16, to: from + total - 4, littleEndian };
    const areWhole = eachOption(view, options, ({ code, at, length }) => {
      if (code === IF.name || code === IF.description) {
        // Four octets of UTF-8 for a character, no more.
        const text = this.#text.decode(octets.subarray(at, at + Math.min(length, 4 * MAX_NAME_CHARACTERS)));
        texts.set(code, text.replace(/\0.*$/s, '').slice(0, MAX_NAME_CHARACTERS));
      } else if (code === IF.tsresol && length === 1) tsresol = view.getUint8(at);
      else if (code === IF.tsoffset && length === 8)
        offsetSeconds = Number(view.getBigInt64(at, littleEndian));
    });
    if (!isWhole || !areWhole) counters.damagedBlocks++;
    const clock = clockOf(tsresol, offsetSeconds);
    this.#sources.push({ index: interfaces.length, linkType, snapLength, clock });
    interfaces.push(
      newInterface({
        linkType,
        snapLength,
        name: texts.get(IF.name),
        description: texts.get(IF.description),
        resolution: clock.resolution,
        offsetSeconds,
        section: this.#section,
      }),
    );
    return undefined;
  }

  #statistics(view: DataView, at: number, total: number): void {
    const { counters, interfaces } = this.#findings;
    const littleEndian = this.#littleEndian;
    const source =
      total < FRAME_OCTETS + 12 ? undefined : this.#sources[view.getUint32(at + 8, littleEndian)];
    if (!source) {
      counters.damagedBlocks++;
      return;
    }
    const found = new Map<number, bigint>();
    const options = { from: at + 20, to: at + total - 4, littleEndian };
    const areWhole = eachOption(view, options, (option) => {
      if (option.length === 8) found.set(option.code, view.getBigUint64(option.at, littleEndian));
    });
    if (!areWhole) counters.damagedBlocks++;
    interfaces[source.index]!.statistics = {
      received: found.get(ISB.received),
      dropped: found.get(ISB.dropped),
      accepted: found.get(ISB.accepted),
      droppedBySystem: found.get(ISB.droppedBySystem),
      delivered: found.get(ISB.delivered),
    } satisfies InterfaceStatistics;
  }
}
