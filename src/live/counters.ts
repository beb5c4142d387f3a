/**
 * Counters: exact 64-bit sums of octets, packets and payload octets per tally. Sums are two 32-bit limbs, low first: no
 * BigInt on the hot path, nothing is ever rounded.
 */
import { type Slice, SliceReader, type SliceWriter } from './slice.ts';

const LIMB = 4_294_967_296;

/** Octets, packets, payload octets of every tally over one window. */
export class Counters {
  /** Six words per tally: octets low, high; packets low, high; payload octets low, high. */
  words: Uint32Array<ArrayBuffer>;

  constructor(capacity: number) {
    this.words = new Uint32Array(6 * capacity);
  }

  resize(capacity: number): void {
    const words = new Uint32Array(6 * capacity);
    words.set(this.words);
    this.words = words;
  }

  /** Adds to measure 0 (octets), 1 (packets) or 2 (payload octets). */
  add(tally: number, measure: number, low: number, high: number): void {
    const { words } = this;
    const at = 6 * tally + 2 * measure;
    const sum = words[at]! + low;
    words[at] = sum;
    words[at + 1] = words[at + 1]! + high + (sum >= LIMB ? 1 : 0);
  }

  #subtract(tally: number, measure: number, sum: number): void {
    const { words } = this;
    const at = 6 * tally + 2 * measure;
    const rest = words[at]! - (sum % LIMB);
    words[at] = rest;
    words[at + 1] = words[at + 1]! - Math.floor(sum / LIMB) - (rest < 0 ? 1 : 0);
  }

  /** Adds all measures of a tally of other counters. */
  addTally(tally: number, from: Counters, other: number): void {
    for (let measure = 0; measure < 3; measure++) {
      const at = 6 * other + 2 * measure;
      this.add(tally, measure, from.words[at]!, from.words[at + 1]!);
    }
  }

  clear(tally: number): void {
    this.words.fill(0, 6 * tally, 6 * tally + 6);
  }

  /** Adds what a slice holds to `tallyOf` each of its tallies; those that have none any more are left out. */
  addSlice(slice: Slice, tallyOf?: Uint32Array): void {
    const entries = new SliceReader(slice);
    while (entries.next()) {
      const tally = tallyOf ? tallyOf[entries.tally]! : entries.tally;
      if (tally === NO_TALLY) continue;
      this.add(tally, 0, entries.octets % LIMB, Math.floor(entries.octets / LIMB));
      this.add(tally, 1, entries.packets % LIMB, Math.floor(entries.packets / LIMB));
      this.add(tally, 2, entries.payload % LIMB, Math.floor(entries.payload / LIMB));
    }
  }

  /** Takes what a slice holds away. */
  subtractSlice(slice: Slice): void {
    const entries = new SliceReader(slice);
    while (entries.next()) {
      this.#subtract(entries.tally, 0, entries.octets);
      this.#subtract(entries.tally, 1, entries.packets);
      this.#subtract(entries.tally, 2, entries.payload);
    }
  }

  /** Everything there is of the first `count` tallies as a slice; leaves zeros. */
  moveToSlice(count: number, writer: SliceWriter): Slice {
    writer.begin();
    for (let tally = 0; tally < count; tally++) {
      if (!this.any(tally)) continue;
      writer.append(tally, this);
      this.clear(tally);
    }
    return writer.end();
  }

  /** Whether the tally saw anything. */
  any(tally: number): boolean {
    const { words } = this;
    const at = 6 * tally;
    return (words[at]! | words[at + 1]! | words[at + 2]! | words[at + 3]!) !== 0;
  }

  /** The named conversion to a number for views: exact up to 2^53. */
  octets(tally: number): number {
    return this.words[6 * tally]! + this.words[6 * tally + 1]! * LIMB;
  }
  packets(tally: number): number {
    return this.words[6 * tally + 2]! + this.words[6 * tally + 3]! * LIMB;
  }

  payload(tally: number): number {
    return this.words[6 * tally + 4]! + this.words[6 * tally + 5]! * LIMB;
  }

  /** A measure as the 64-bit number it is. */
  exact(tally: number, measure: 0 | 1 | 2): bigint {
    const at = 6 * tally + 2 * measure;
    return (BigInt(this.words[at + 1]!) << 32n) | BigInt(this.words[at]!);
  }
}

/** In the place of the number of a tally that was dropped. */
export const NO_TALLY = 0xffffffff;
