/**
 * Counters: exact 64-bit sums of octets, packets and payload octets per tally, and slices of time that can be
 * taken away again. Sums are two 32-bit limbs, low first: no BigInt on the hot path, nothing is ever rounded.
 */
import { grownCapacity } from '../flow/index.ts';

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

  #subtract(tally: number, measure: number, low: number): void {
    const { words } = this;
    const at = 6 * tally + 2 * measure;
    const rest = words[at]! - low;
    words[at] = rest;
    if (rest < 0) words[at + 1] = words[at + 1]! - 1;
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

  /** Takes a slice's entries away. */
  subtractSlice(slice: Slice): void {
    const { entries } = slice;
    for (let at = 0; at < 4 * slice.length; at += 4) {
      const tally = entries[at]!;
      if (tally === NO_TALLY) continue;
      this.#subtract(tally, 0, entries[at + 1]!);
      this.#subtract(tally, 1, entries[at + 2]!);
      this.#subtract(tally, 2, entries[at + 3]!);
    }
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

  /** A measure as the 64-bit number it is. */
  exact(tally: number, measure: 0 | 1 | 2): bigint {
    const at = 6 * tally + 2 * measure;
    return (BigInt(this.words[at + 1]!) << 32n) | BigInt(this.words[at]!);
  }
}

/** Entry of a slice whose tally was dropped. */
export const NO_TALLY = 0xffffffff;

/**
 * What was added in one stretch of time, so that it can leave again. Four words per entry: tally, octets, packets,
 * payload octets; a sum beyond 32 bits takes several entries of the same tally (34 Gbit/s in one flow and second).
 */
export class Slice {
  readonly startMs: number;
  endMs: number;
  entries: Uint32Array<ArrayBuffer>;
  length = 0;

  constructor(startMs: number, endMs: number, capacity: number) {
    this.startMs = startMs;
    this.endMs = endMs;
    this.entries = new Uint32Array(4 * Math.max(capacity, 16));
  }

  /** Appends a tally's sums; returns the number of the last entry. */
  append(tally: number, from: Counters): number {
    const at = 6 * tally;
    let octets = from.octets(tally);
    let packets = from.packets(tally);
    let payload = from.words[at + 4]! + from.words[at + 5]! * LIMB;
    do {
      const o = Math.min(octets, LIMB - 1);
      const p = Math.min(packets, LIMB - 1);
      const y = Math.min(payload, LIMB - 1);
      this.#push(tally, o, p, y);
      octets -= o;
      packets -= p;
      payload -= y;
    } while (octets > 0 || packets > 0 || payload > 0);
    return this.length - 1;
  }

  /** Adds to the tally's entry if it has one at `position` and the sum fits, else appends; returns the entry. */
  merge(tally: number, position: number, from: Counters): number {
    const { entries } = this;
    const at = 4 * position;
    if (position < this.length && entries[at] === tally) {
      const octets = entries[at + 1]! + from.octets(tally);
      const packets = entries[at + 2]! + from.packets(tally);
      const payload = entries[at + 3]! + from.words[6 * tally + 4]! + from.words[6 * tally + 5]! * LIMB;
      if (octets < LIMB && packets < LIMB && payload < LIMB) {
        entries[at + 1] = octets;
        entries[at + 2] = packets;
        entries[at + 3] = payload;
        return position;
      }
    }
    return this.append(tally, from);
  }

  /** Gives back room that will not be used any more. */
  trim(): void {
    if (this.entries.length > 4 * this.length) this.entries = this.entries.slice(0, 4 * this.length);
  }

  /** Renumbers tallies after the table was compacted. */
  renumber(map: Uint32Array): void {
    for (let at = 0; at < 4 * this.length; at += 4) {
      const tally = this.entries[at]!;
      if (tally !== NO_TALLY) this.entries[at] = map[tally]!;
    }
  }

  #push(tally: number, octets: number, packets: number, payload: number): void {
    let at = 4 * this.length;
    if (at === this.entries.length) {
      const entries = new Uint32Array(4 * grownCapacity(this.length));
      entries.set(this.entries);
      this.entries = entries;
    }
    this.entries[at++] = tally;
    this.entries[at++] = octets;
    this.entries[at++] = packets;
    this.entries[at] = payload;
    this.length++;
  }
}
