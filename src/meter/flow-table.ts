/** A flow table of the kernel (bpf/flow_table.h), read from its memory: no system call per flow, nothing is copied. */
import { MapWindow } from '../bpf/index.ts';
import type { KeyShape, RawRecords } from '../record/index.ts';
import { FlowCounters, IndexLine, NarrowKey, RowSource, Shape, WideKey } from '../record/index.ts';
import type { MapSource } from './map-source.ts';

/** Layout of one shape's rows: a key, the counters right behind it. In octets. */
export const KEY_SIZE = { narrow: NarrowKey.size, wide: WideKey.size } as const;

/** Rows that are shown at once to be cleared. */
const CLEARED_ROWS = 8192;

/** As LINE_PLACES in flow_table.h. */
const LINE_PLACES = IndexLine.counts.places;

/** Row numbers that follow each other and all hold a record. */
export interface RowRun {
  readonly first: number;
  readonly count: number;
}

/** Sizes of a table's halves: rows, and places of its index. */
export interface TableSize {
  readonly capacity: number;
  readonly indexBits: number;
}

/** The size for so many flows: an index of which at most half is in use. */
export function tableSize(capacity: number): TableSize {
  return { capacity, indexBits: Math.max(4, Math.ceil(Math.log2(2 * capacity))) };
}

/** One shape's table, both halves. Owned by who made it; the object stays the caller's. */
export class FlowTable implements Disposable {
  readonly #object: MapSource;
  readonly #shape: KeyShape;
  readonly #size: TableSize;
  readonly #rowWords: number;
  readonly #keyWords: number;
  readonly #rows: MapWindow;
  readonly #index: MapWindow;
  readonly #words: Uint32Array;
  readonly #indexWords: Uint32Array;
  /** Where in the windows row 0 and place 0 of the half in hand are, in words. */
  #base = 0;
  #indexBase = 0;
  #used = 0;
  /** Where that half begins in the maps, in octets. */
  #rowsAt = 0;
  #indexAt = 0;

  constructor(object: MapSource, shape: KeyShape, size: TableSize) {
    this.#object = object;
    this.#shape = shape;
    this.#size = size;
    this.#keyWords = KEY_SIZE[shape] >> 2;
    this.#rowWords = (KEY_SIZE[shape] + FlowCounters.size) >> 2;
    this.#rows = MapWindow.open(object.map(`${shape}_rows`), 4 * this.#rowWords * size.capacity);
    this.#index = MapWindow.open(object.map(`${shape}_index`), 4 * 2 ** size.indexBits);
    this.#words = new Uint32Array(this.#rows.buffer);
    this.#indexWords = new Uint32Array(this.#index.buffer);
  }

  /** Takes a retired half in hand, until {@link hide}. @param epoch the epoch that was retired */
  show(parity: 0 | 1, epoch: bigint): void {
    this.#used = this.#rowsOf(parity, epoch);
    if (this.#used === 0) return;
    const rowSize = 4 * this.#rowWords;
    const indexSize = 4 * 2 ** this.#size.indexBits;
    this.#rowsAt = parity * this.#size.capacity * rowSize;
    this.#indexAt = parity * indexSize;
    this.#base = this.#rows.show(this.#rowsAt, this.#used * rowSize) >> 2;
    this.#indexBase = this.#index.show(this.#indexAt, indexSize) >> 2;
  }

  /** Rows that were taken in the half in hand, of those there are: a CPU takes several at a time. */
  get fill(): { readonly used: number; readonly capacity: number } {
    return { used: this.#used, capacity: this.#size.capacity };
  }

  /** The rows in hand that hold a record; those between them were taken by a CPU that did not need them. */
  runs(): RowRun[] {
    const runs: RowRun[] = [];
    const packets = this.#base + this.#keyWords + (FlowCounters.offsets.packets >> 2);
    const isUsed = (row: number): boolean => {
      const at = packets + row * this.#rowWords;
      return this.#words[at] !== 0 || this.#words[at + 1] !== 0;
    };
    for (let row = 0; row < this.#used; ) {
      const first = row;
      while (row < this.#used && isUsed(row)) row++;
      if (row > first) runs.push({ first, count: row - first });
      while (row < this.#used && !isUsed(row)) row++;
    }
    return runs;
  }

  /** The memory of a run of rows, lent until {@link hide}. */
  records({ first, count }: RowRun): RawRecords {
    const rowSize = 4 * this.#rowWords;
    const bytes = new Uint8Array(this.#rows.buffer, 4 * this.#base + first * rowSize, count * rowSize);
    return {
      keys: bytes,
      keyStride: rowSize,
      values: bytes.subarray(KEY_SIZE[this.#shape]),
      valueStride: rowSize,
      count,
    };
  }

  /** The row of a flow, or −1: its key stands at `at` in `key`, its hash as two words in front of that. */
  find(key: Uint32Array, at: number, hashLow: number, hashHigh: number): number {
    if (this.#used === 0) return -1;
    const mask = 2 ** this.#size.indexBits - 1;
    const start = hashHigh >>> (32 - this.#size.indexBits);
    const tag = (((hashHigh << 20) | (hashLow >>> 12)) & ~mask) >>> 0;
    for (let probe = 0; probe < LINE_PLACES; probe++) {
      const word =
        this.#indexWords[this.#indexBase + (start & -LINE_PLACES) + ((start + probe) % LINE_PLACES)]!;
      if (word === 0) return -1;
      const row = (word & mask) - 1;
      if ((word & ~mask) >>> 0 === tag && this.#hasKey(row, key, at)) return row;
    }
    return -1;
  }

  #hasKey(row: number, key: Uint32Array, at: number): boolean {
    const base = this.#base + row * this.#rowWords;
    for (let word = 0; word < this.#keyWords; word++) {
      if (this.#words[base + word] !== key[at + word]) return false;
    }
    return true;
  }

  /** Lets go of the memory in hand; its half is still to be cleared. */
  hide(): void {
    this.#rows.hide();
    this.#index.hide();
  }

  /** Empties the half that was in hand, a part at a time. */
  clear(): void {
    if (this.#used === 0) return;
    const rowSize = 4 * this.#rowWords;
    const packets = this.#keyWords + (FlowCounters.offsets.packets >> 2);
    for (let first = 0; first < this.#used; first += CLEARED_ROWS) {
      const count = Math.min(CLEARED_ROWS, this.#used - first);
      const base = this.#rows.show(this.#rowsAt + first * rowSize, count * rowSize) >> 2;
      for (let at = base + packets; at < base + count * this.#rowWords; at += this.#rowWords) {
        this.#words[at] = 0;
        this.#words[at + 1] = 0;
      }
    }
    const indexBase = this.#index.show(this.#indexAt, 4 * 2 ** this.#size.indexBits) >> 2;
    this.#indexWords.fill(0, indexBase, indexBase + 2 ** this.#size.indexBits);
    this.#used = 0;
    this.hide();
  }

  [Symbol.dispose](): void {
    this.#rows[Symbol.dispose]();
    this.#index[Symbol.dispose]();
  }

  /** Rows that were taken in an epoch, from the first on. */
  #rowsOf(parity: 0 | 1, epoch: bigint): number {
    const place = 2 * Shape[`SHAPE_${this.#shape.toUpperCase() as Uppercase<KeyShape>}`] + parity;
    const value = this.#object.map('row_sources').lookup(new Uint8Array(new Uint32Array([place]).buffer))!;
    const view = new DataView(value.buffer);
    if (view.getBigUint64(RowSource.offsets.epoch, true) !== epoch) return 0;
    return Math.min(view.getUint32(RowSource.offsets.next, true), this.#size.capacity);
  }
}
