/** Records that the per-CPU caches still hold when an epoch is retired, each flow once, in the layout of a table's rows. */
import { KeyTable } from '../flow/index.ts';
import type { KeyShape, RawRecords } from '../record/index.ts';
import { FlowCounters } from '../record/index.ts';
import { KEY_SIZE } from './flow-table.ts';

const COUNTER_WORDS = FlowCounters.size >> 2;
/** Words of the counters that add up, each a 64-bit number. */
const SUMS = (['octets', 'packets', 'payloadOctets', 'extraOctets', 'extraPackets'] as const).map(
  (name) => FlowCounters.offsets[name] >> 2,
);

/** Cached records of one shape; emptied by {@link clear} and used again. */
export class CachedRecords {
  readonly #keyWords: number;
  readonly #rowWords: number;
  #keys: KeyTable;
  #rows = new Uint32Array(0);
  /** Two words per record: its key's hash as the kernel has it. */
  #hashes = new Uint32Array(0);

  constructor(shape: KeyShape) {
    this.#keyWords = KEY_SIZE[shape] >> 2;
    this.#rowWords = this.#keyWords + COUNTER_WORDS;
    this.#keys = new KeyTable(this.#keyWords);
  }

  get length(): number {
    return this.#keys.length;
  }

  /** Adds a slot: the hash at word `at` of `words`, the key `key` words further, the counters behind it. */
  add(words: Uint32Array, at: number, key: number): void {
    const first = at + key;
    for (let word = 0; word < this.#keyWords; word++) this.#keys.probe[word] = words[first + word]!;
    const known = this.#keys.length;
    const record = this.#keys.intern();
    if (record === known) {
      this.#reserve();
      this.#hashes[2 * record] = words[at]!;
      this.#hashes[2 * record + 1] = words[at + 1]!;
      this.#rows.set(words.subarray(first, first + this.#rowWords), record * this.#rowWords);
    } else {
      const to = this.#rows.subarray(record * this.#rowWords + this.#keyWords);
      addCounters(to, words.subarray(first + this.#keyWords, first + this.#rowWords));
    }
  }

  /** Calls back with where each record's key stands and its hash. */
  forEach(
    visit: (record: number, words: Uint32Array, at: number, hashLow: number, hashHigh: number) => void,
  ): void {
    for (let record = 0; record < this.length; record++) {
      visit(
        record,
        this.#rows,
        record * this.#rowWords,
        this.#hashes[2 * record]!,
        this.#hashes[2 * record + 1]!,
      );
    }
  }

  /** The records of these numbers, in this order, lent until the next `clear`. */
  records(numbers: readonly number[]): RawRecords {
    const rows = new Uint32Array(numbers.length * this.#rowWords);
    numbers.forEach((number, i) => {
      const from = number * this.#rowWords;
      rows.set(this.#rows.subarray(from, from + this.#rowWords), i * this.#rowWords);
    });
    const bytes = new Uint8Array(rows.buffer);
    const stride = 4 * this.#rowWords;
    const values = bytes.subarray(4 * this.#keyWords);
    return { keys: bytes, keyStride: stride, values, valueStride: stride, count: numbers.length };
  }

  clear(): void {
    if (this.length > 0) this.#keys = new KeyTable(this.#keyWords, this.#keys.capacity);
  }

  #reserve(): void {
    const { capacity } = this.#keys;
    if (this.#hashes.length >= 2 * capacity) return;
    const hashes = new Uint32Array(2 * capacity);
    const rows = new Uint32Array(capacity * this.#rowWords);
    hashes.set(this.#hashes);
    rows.set(this.#rows);
    this.#hashes = hashes;
    this.#rows = rows;
  }
}

/** Adds one record's counters to another's of the same flow, as merge_counts() in flow_table.h does. */
function addCounters(to: Uint32Array, from: Uint32Array): void {
  for (const at of SUMS) {
    const low = to[at]! + from[at]!;
    to[at] = low;
    to[at + 1] = to[at + 1]! + from[at + 1]! + (low > 0xffff_ffff ? 1 : 0);
  }
  const o = FlowCounters.offsets;
  const first = o.first >> 2;
  const last = o.last >> 2;
  const longest = o.longest >> 2;
  const isEarlier = ((from[first]! - to[first]!) | 0) < 0;
  if (((from[last]! - to[last]!) | 0) > 0) to[last] = from[last]!;
  to[longest] = Math.max(to[longest]!, from[longest]!);
  const toHalves = new Uint16Array(to.buffer, to.byteOffset, 2 * COUNTER_WORDS);
  const fromHalves = new Uint16Array(from.buffer, from.byteOffset, 2 * COUNTER_WORDS);
  toHalves[o.shortest >> 1] = Math.min(toHalves[o.shortest >> 1]!, fromHalves[o.shortest >> 1]!);
  toHalves[o.tcpFlags >> 1] = toHalves[o.tcpFlags >> 1]! | fromHalves[o.tcpFlags >> 1]!;
  if (!isEarlier) return;
  to[first] = from[first]!;
  to.set(from.subarray(o.mac >> 2, COUNTER_WORDS), o.mac >> 2);
}
