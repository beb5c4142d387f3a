/**
 * Slices: what was added in one stretch of time, so that it can leave a window again.
 *
 * They are the larger part of the view's memory (seventeen hold the last minute), and they are read once, in order. So
 * they are written as numbers of variable length, seven bits an octet, the lowest first (LEB128): five to nine octets
 * an entry where words would take sixteen, and no sum is too large for an entry. Those that wait for long are packed as
 well.
 */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Counters } from './counters.ts';
import type { LedgerSums } from './ledger.ts';
import type { MeasuredTunnels } from './measured-tunnels.ts';

/** Entries by rising tally: distance to the tally before, octets, packets, payload octets. */
export type Slice = Uint8Array<ArrayBuffer>;

/** A stretch of time and what was added in it, as one or more slices. */
export interface Stretch {
  readonly startMs: number;
  endMs: number;
  /** What was in no flow. */
  ledger: LedgerSums;
  measured: MeasuredTunnels;
  parts: Slice[];
  /** Its slices are packed ({@link packSlice}). */
  isPacked?: true;
}

/** A slice in fewer octets, to be kept and not read: flows that go on alike leave next to nothing. */
export function packSlice(slice: Slice): Slice {
  return new Uint8Array(deflateRawSync(slice, { level: constants.Z_BEST_SPEED }));
}

/** The slices of a stretch, to be read. */
export function slicesOf({ parts, isPacked }: Pick<Stretch, 'parts' | 'isPacked'>): Slice[] {
  return isPacked ? parts.map((part) => new Uint8Array(inflateRawSync(part))) : parts;
}

/** Four numbers below 2^53, eight octets each. */
const LONGEST_ENTRY = 32;

/** Writes one slice after the other in a buffer of its own. */
export class SliceWriter {
  #bytes = new Uint8Array(1024);
  #at = 0;
  #tally = 0;

  begin(): void {
    this.#at = this.#tally = 0;
  }

  /** Appends the sums of a tally, which is larger than the one before. */
  append(tally: number, sums: Counters): void {
    if (this.#at + LONGEST_ENTRY > this.#bytes.length) {
      const bytes = new Uint8Array(2 * this.#bytes.length);
      bytes.set(this.#bytes);
      this.#bytes = bytes;
    }
    this.#write(tally - this.#tally);
    this.#write(sums.octets(tally));
    this.#write(sums.packets(tally));
    this.#write(sums.payload(tally));
    this.#tally = tally;
  }

  /** The slice, in memory of its own. */
  end(): Slice {
    return this.#bytes.slice(0, this.#at);
  }

  #write(number: number): void {
    const bytes = this.#bytes;
    let rest = number;
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes[this.#at++] = (rest % 128) | 128;
    bytes[this.#at++] = rest;
  }
}

/** Reads a slice entry by entry: after each {@link next} that says so, the members hold one. */
export class SliceReader {
  tally = 0;
  octets = 0;
  packets = 0;
  payload = 0;
  readonly #bytes: Slice;
  #at = 0;

  constructor(slice: Slice) {
    this.#bytes = slice;
  }

  /** Goes to the next entry, if there is one. */
  next(): boolean {
    if (this.#at >= this.#bytes.length) return false;
    this.tally += this.#read();
    this.octets = this.#read();
    this.packets = this.#read();
    this.payload = this.#read();
    return true;
  }

  #read(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++]!;
    if (byte < 128) return byte;
    let number = byte & 127;
    for (let scale = 128; ; scale *= 128) {
      byte = bytes[this.#at++]!;
      number += (byte & 127) * scale;
      if (byte < 128) return number;
    }
  }
}
