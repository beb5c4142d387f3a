/**
 * KeyTable: keys of a fixed number of 32-bit words to dense numbers 0, 1, 2, … in order of first sight.
 *
 * Open addressing with linear probing over typed arrays: no object and no string per key, which is what lets a
 * hundred thousand flows be looked up per epoch without garbage.
 */

const SEED = Math.floor(Math.random() * 0xffffffff) >>> 0;

/** Interns fixed-width keys. Fill {@link KeyTable.probe}, then call `intern` or `find`. */
export class KeyTable {
  /** Words per key. */
  readonly width: number;
  /** The key to look for; the caller writes all `width` words before each call. Its content survives the call. */
  readonly probe: Uint32Array<ArrayBuffer>;
  #words: Uint32Array<ArrayBuffer>;
  #heads: Int32Array<ArrayBuffer>;
  #length = 0;

  constructor(width: number, capacity = 64) {
    this.width = width;
    this.probe = new Uint32Array(width);
    this.#words = new Uint32Array(width * capacity);
    this.#heads = new Int32Array(headsFor(capacity));
  }

  /** Number of keys held. */
  get length(): number {
    return this.#length;
  }

  /** Keys there is room for before the columns grow; columns kept beside the table follow this. */
  get capacity(): number {
    return this.#words.length / this.width;
  }

  /** All keys, `width` words each. Lent: replaced when the table grows, so do not keep it over an `intern`. */
  get words(): Uint32Array<ArrayBuffer> {
    return this.#words;
  }

  /** Number of the probed key, or −1. */
  find(): number {
    const heads = this.#heads;
    const mask = heads.length - 1;
    for (let at = hash(this.probe, 0, this.width) & mask; ; at = (at + 1) & mask) {
      const id = heads[at]! - 1;
      if (id < 0 || this.#equals(id)) return id;
    }
  }

  /** Number of the probed key; a new key gets the number that `length` was before the call. */
  intern(): number {
    const heads = this.#heads;
    const mask = heads.length - 1;
    let at = hash(this.probe, 0, this.width) & mask;
    for (; ; at = (at + 1) & mask) {
      const id = heads[at]! - 1;
      if (id < 0) break;
      if (this.#equals(id)) return id;
    }
    const id = this.#length;
    if (id === this.capacity) {
      this.#grow();
      return this.intern();
    }
    heads[at] = id + 1;
    this.#words.set(this.probe, id * this.width);
    this.#length = id + 1;
    return id;
  }

  #equals(id: number): boolean {
    const { probe, width } = this;
    const words = this.#words;
    const base = id * width;
    for (let i = 0; i < width; i++) if (words[base + i] !== probe[i]) return false;
    return true;
  }

  #grow(): void {
    const capacity = grownCapacity(this.capacity);
    const words = new Uint32Array(capacity * this.width);
    words.set(this.#words);
    this.#words = words;
    const size = headsFor(capacity);
    if (size === this.#heads.length) return;
    const heads = new Int32Array(size);
    for (let id = 0; id < this.#length; id++) {
      let at = hash(words, id * this.width, this.width) & (size - 1);
      while (heads[at] !== 0) at = (at + 1) & (size - 1);
      heads[at] = id + 1;
    }
    this.#heads = heads;
  }
}

/** The next capacity of a growing column: doubles while small, then by a quarter, because memory is the limit. */
export function grownCapacity(capacity: number): number {
  return capacity < 32_768 ? capacity * 2 : Math.ceil(capacity * 1.25);
}

/** A power of two that keeps the load at or below a half, so that probe chains stay short. */
function headsFor(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(capacity, 8) * 2));
}

/** Seeded per process: nobody outside can choose addresses that all collide. */
function hash(words: Uint32Array, offset: number, width: number): number {
  let h = SEED;
  for (let i = 0; i < width; i++) {
    h = Math.imul(h ^ words[offset + i]!, 0x9e3779b1);
    h ^= h >>> 15;
  }
  h = Math.imul(h ^ (h >>> 13), 0x85ebca6b);
  return h ^ (h >>> 16);
}

/** The 32-bit words of a column in memory order (address, counter columns): a view, or a copy where it is not aligned. */
export function columnWords(
  column: Uint8Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>,
): Uint32Array<ArrayBuffer> {
  if (column.byteOffset % 4 === 0) {
    return new Uint32Array(column.buffer, column.byteOffset, column.byteLength / 4);
  }
  return new Uint32Array(column.buffer.slice(column.byteOffset, column.byteOffset + column.byteLength));
}
