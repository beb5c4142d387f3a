/**
 * Counters: exact 64-bit sums of octets, packets and payload octets per tally. Sums are two 32-bit limbs: no BigInt on the
 * hot path, nothing is ever rounded.
 *
 * The high limbs stand apart, and are written to only when they change: a page never written to is not resident, and
 * few flows carry 4 GB in a window.
 */
import { freeBuffers } from '../flow/index.ts';
import { type Slice, SliceReader, type SliceWriter } from './slice.ts';

const LIMB = 4_294_967_296;

/** Octets, packets, payload octets of every tally over one window. */
export class Counters {
  /** Three words per tally each: octets, packets, payload octets. */
  #low: Uint32Array<ArrayBuffer>;
  #high: Uint32Array<ArrayBuffer>;

  constructor(capacity: number) {
    this.#low = new Uint32Array(3 * capacity);
    this.#high = new Uint32Array(3 * capacity);
  }

  resize(capacity: number): void {
    const low = new Uint32Array(3 * capacity);
    low.set(this.#low);
    const high = new Uint32Array(3 * capacity);
    for (let at = 0; at < this.#high.length; at++) if (this.#high[at] !== 0) high[at] = this.#high[at]!;
    freeBuffers([this.#low.buffer, this.#high.buffer]);
    this.#low = low;
    this.#high = high;
  }

  /** Adds to measure 0 (octets), 1 (packets) or 2 (payload octets). */
  add(tally: number, measure: number, low: number, high: number): void {
    const at = 3 * tally + measure;
    const sum = this.#low[at]! + low;
    this.#low[at] = sum;
    const carried = high + (sum >= LIMB ? 1 : 0);
    if (carried !== 0) this.#high[at] = this.#high[at]! + carried;
  }

  #subtract(tally: number, measure: number, sum: number): void {
    const at = 3 * tally + measure;
    const rest = this.#low[at]! - (sum % LIMB);
    this.#low[at] = rest;
    const borrowed = Math.floor(sum / LIMB) + (rest < 0 ? 1 : 0);
    if (borrowed !== 0) this.#high[at] = this.#high[at]! - borrowed;
  }

  /** Adds all measures of a tally of other counters. */
  addTally(tally: number, from: Counters, other: number): void {
    for (let measure = 0; measure < 3; measure++) {
      const at = 3 * other + measure;
      this.add(tally, measure, from.#low[at]!, from.#high[at]!);
    }
  }

  clear(tally: number): void {
    for (let at = 3 * tally; at < 3 * tally + 3; at++) {
      this.#low[at] = 0;
      if (this.#high[at] !== 0) this.#high[at] = 0;
    }
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
    const at = 3 * tally;
    return (this.#low[at]! | this.#low[at + 1]! | this.#high[at]! | this.#high[at + 1]!) !== 0;
  }

  /** The named conversion to a number for views: exact up to 2^53. */
  octets(tally: number): number {
    return this.#low[3 * tally]! + this.#high[3 * tally]! * LIMB;
  }
  packets(tally: number): number {
    return this.#low[3 * tally + 1]! + this.#high[3 * tally + 1]! * LIMB;
  }
  payload(tally: number): number {
    return this.#low[3 * tally + 2]! + this.#high[3 * tally + 2]! * LIMB;
  }

  /** Compares a measure of two tallies, exactly: negative where the first has less. */
  compare(measure: 0 | 1 | 2, a: number, b: number): number {
    const [first, second] = [3 * a + measure, 3 * b + measure];
    return this.#high[first]! - this.#high[second]! || this.#low[first]! - this.#low[second]!;
  }

  /** A measure as the 64-bit number it is. */
  exact(tally: number, measure: 0 | 1 | 2): bigint {
    const at = 3 * tally + measure;
    return (BigInt(this.#high[at]!) << 32n) | BigInt(this.#low[at]!);
  }
}

/** In the place of the number of a tally that was dropped. */
export const NO_TALLY = 0xffffffff;
