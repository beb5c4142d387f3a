/** The classic format (draft-ietf-opsawg-pcap), with micro- or nanoseconds, and with Kuznetzov's longer records. */
import { BATCH_PACKETS, type Filling } from './batch.ts';
import {
  type Decoder,
  type Fault,
  type Findings,
  MAX_PACKET_OCTETS,
  type Step,
  type Window,
} from './decoder.ts';
import { newInterface } from './interface.ts';

const HEADER_OCTETS = 24;

/** What the first four octets, read big-endian, say of the rest. */
interface Variant {
  readonly littleEndian: boolean;
  /** Nanoseconds in a unit of the time stamps' second half. */
  readonly unit: 1 | 1_000;
  readonly recordOctets: 16 | 24;
}

const VARIANTS: ReadonlyMap<number, Variant> = new Map([
  [0xa1b2_c3d4, { littleEndian: false, unit: 1_000, recordOctets: 16 }],
  [0xd4c3_b2a1, { littleEndian: true, unit: 1_000, recordOctets: 16 }],
  [0xa1b2_3c4d, { littleEndian: false, unit: 1, recordOctets: 16 }],
  [0x4d3c_b2a1, { littleEndian: true, unit: 1, recordOctets: 16 }],
  // Kuznetzov's patched libpcap: interface index, protocol and packet type behind each record header.
  [0xa1b2_cd34, { littleEndian: false, unit: 1_000, recordOctets: 24 }],
  [0x34cd_b2a1, { littleEndian: true, unit: 1_000, recordOctets: 24 }],
]);

/** Whether a capture that begins with these four octets, read big-endian, is decoded here. */
export function isPcap(magic: number): boolean {
  return VARIANTS.has(magic);
}

/** A decoder for a capture that begins with a magic number of this format. */
export function pcapDecoder(findings: Findings): Decoder {
  return new PcapDecoder(findings);
}

class PcapDecoder implements Decoder {
  readonly format = 'pcap';
  wanted = HEADER_OCTETS;
  #findings: Findings;
  #variant: Variant | undefined;
  #linkType = 0;
  #minor = 4;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  get awaited(): string {
    return this.#variant ? 'packet' : 'file header';
  }

  decode(window: Window, batch: Filling): Step {
    if (!this.#variant) {
      if (window.to - window.from < HEADER_OCTETS) return 'more';
      const fault = this.#header(window);
      if (fault) return fault;
    }
    return this.#records(window, batch, this.#variant!);
  }

  #header(window: Window): Fault | undefined {
    const { view, from } = window;
    const variant = VARIANTS.get(view.getUint32(from))!;
    const { littleEndian, unit, recordOctets } = variant;
    const major = view.getUint16(from + 4, littleEndian);
    const minor = view.getUint16(from + 6, littleEndian);
    if (major !== 2 || minor > 4)
      return { code: 'CAPTURE_VERSION', reason: `it is pcap of version ${major}.${minor}` };
    this.#variant = variant;
    this.#minor = minor;
    this.wanted = recordOctets;
    this.#linkType = view.getUint16(from + (littleEndian ? 20 : 22), littleEndian); // above: length of the FCS
    this.#findings.interfaces.push(
      newInterface({
        linkType: this.#linkType,
        snapLength: view.getUint32(from + 16, littleEndian),
        resolution: unit === 1 ? 1_000_000_000n : 1_000_000n,
      }),
    );
    window.from += HEADER_OCTETS;
    return undefined;
  }

  /** The hot loop: 16 octets of header, four loads, eight stores. */
  #records(window: Window, batch: Filling, { littleEndian, unit, recordOctets }: Variant): Step {
    const { view, to } = window;
    const { offsets, capturedLengths, originalLengths, seconds, nanoseconds, interfaces, linkTypes } = batch;
    const linkType = this.#linkType;
    const swapped = this.#minor < 3;
    const fractions = 1e9 / unit;
    let { from } = window;
    let { count } = batch;
    let step: Step = 'full';
    for (; count < BATCH_PACKETS; count++) {
      if (to - from < recordOctets) {
        this.wanted = recordOctets;
        step = 'more';
        break;
      }
      let captured = view.getUint32(from + 8, littleEndian);
      let original = view.getUint32(from + 12, littleEndian);
      // Before version 2.3 the two stood the other way round, in 2.3 either way (libpcap, sf-pcap.c).
      if (swapped || (captured > original && this.#minor === 3)) [captured, original] = [original, captured];
      if (captured > MAX_PACKET_OCTETS) {
        step = { code: 'CAPTURE_LIMIT', reason: `a packet says it is ${captured} octets long` };
        break;
      }
      if (to - from < recordOctets + captured) {
        this.wanted = recordOctets + captured;
        step = 'more';
        break;
      }
      if (captured > original) {
        original = captured;
        batch.raised++;
      }
      let whole = view.getUint32(from, littleEndian);
      let fraction = view.getUint32(from + 4, littleEndian);
      if (fraction >= fractions) {
        whole += Math.floor(fraction / fractions);
        fraction %= fractions;
      }
      offsets[count] = from + recordOctets;
      capturedLengths[count] = captured;
      originalLengths[count] = original;
      seconds[count] = whole;
      nanoseconds[count] = fraction * unit;
      interfaces[count] = 0;
      linkTypes[count] = linkType;
      from += recordOctets + captured;
    }
    window.from = from;
    batch.count = count;
    return step;
  }
}
