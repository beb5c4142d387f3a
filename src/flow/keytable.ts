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
  /** Leading words of each key that stand together. */
  readonly near: number;
  /** The key to look for; the caller writes all `width` words before each call. Its content survives the call. */
  readonly probe: Uint32Array<ArrayBuffer>;
  #words: Uint32Array<ArrayBuffer>;
  /** The other words of each key; never written to where they are zero. */
  #far: Uint32Array<ArrayBuffer>;
  #heads: Int32Array<ArrayBuffer>;
  #length = 0;

  /**
   * @param near how many leading words stand together; the others should be zero in most keys, because those cost no
   *   resident memory (pages that are never written to)
   */
  constructor(width: number, capacity = 64, near: number = width) {
    this.width = width;
    this.near = near;
    this.probe = new Uint32Array(width);
    this.#words = new Uint32Array(near * capacity);
    this.#far = new Uint32Array((width - near) * capacity);
    this.#heads = new Int32Array(headsFor(capacity));
  }

  /** Number of keys held. */
  get length(): number {
    return this.#length;
  }

  /** Keys there is room for before the columns grow; columns kept beside the table follow this. */
  get capacity(): number {
    return this.#words.length / this.near;
  }

  /** The near words of all keys, `near` words each. Lent: replaced and emptied when the table grows, so do not keep it over an `intern`. */
  get words(): Uint32Array<ArrayBuffer> {
    return this.#words;
  }

  /** A word of a key, near or far. */
  word(id: number, at: number): number {
    const { near, width } = this;
    return at < near ? this.#words[near * id + at]! : this.#far[(width - near) * id + at - near]!;
  }

  /** Makes a key of another table of the same width the probed one. */
  load(from: KeyTable, id: number): void {
    for (let at = 0; at < this.width; at++) this.probe[at] = from.word(id, at);
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
    this.#store(id);
    this.#length = id + 1;
    return id;
  }

  /** Gives the memory back at once; the table is of no use then. */
  free(): void {
    freeBuffers([this.#words.buffer, this.#far.buffer, this.#heads.buffer]);
  }

  #equals(id: number): boolean {
    const { probe, near, width } = this;
    const words = this.#words;
    const base = id * near;
    for (let i = 0; i < near; i++) if (words[base + i] !== probe[i]) return false;
    const far = this.#far;
    const farBase = id * (width - near) - near;
    for (let i = near; i < width; i++) if (far[farBase + i] !== probe[i]) return false;
    return true;
  }

  #store(id: number): void {
    const { probe, near, width } = this;
    for (let i = 0; i < near; i++) this.#words[id * near + i] = probe[i]!;
    const farBase = id * (width - near) - near;
    for (let i = near; i < width; i++) if (probe[i] !== 0) this.#far[farBase + i] = probe[i]!;
  }

  #grow(): void {
    const capacity = grownCapacity(this.capacity);
    const words = new Uint32Array(capacity * this.near);
    words.set(this.#words);
    const old = [this.#words.buffer, this.#far.buffer];
    this.#words = words;
    const far = new Uint32Array(capacity * (this.width - this.near));
    for (let at = 0; at < this.#far.length; at++) if (this.#far[at] !== 0) far[at] = this.#far[at]!;
    this.#far = far;
    freeBuffers(old);
    const size = headsFor(capacity);
    if (size === this.#heads.length) return;
    const heads = new Int32Array(size);
    const key = new Uint32Array(this.width);
    for (let id = 0; id < this.#length; id++) {
      for (let i = 0; i < this.width; i++) key[i] = this.word(id, i);
      let at = hash(key, 0, this.width) & (size - 1);
      while (heads[at] !== 0) at = (at + 1) & (size - 1);
      heads[at] = id + 1;
    }
    freeBuffers([this.#heads.buffer]);
    this.#heads = heads;
  }
}

/** Gives memory that nobody reads any more back at once: what is left to the garbage collector stays for some time. */
export function freeBuffers(buffers: ArrayBuffer[]): void {
  // Node before 22 cannot transfer a buffer by itself; a clone that nobody keeps takes them along.
  if (typeof buffers[0]?.transfer !== 'function') structuredClone(buffers, { transfer: buffers });
  else for (const buffer of buffers) buffer.transfer(0);
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
