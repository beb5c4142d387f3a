/**
 * The per-CPU flow caches of a retired epoch: what is still in them is added to what the hash holds, by hand, because
 * nobody writes to either any more. A flow that several CPUs saw has the same place on each.
 */
import { type BpfMap, batchCursor, lookupBatch } from '../bpf/index.ts';
import { FlowCounters, NarrowKey, NarrowSlot, WideKey, WideSlot } from './gen/meter.ts';

/** Sizes of a slot of either cache; the counters stand right behind the key. */
const SLOTS = {
  narrow: { size: NarrowSlot.size, keySize: NarrowKey.size },
  wide: { size: WideSlot.size, keySize: WideKey.size },
} as const;

/** Places one batch call reads. */
const BATCH_PLACES = 128;

/** Takes records that the hash does not hold; the bytes are lent for the call. */
export type RecordTaker = (key: Uint8Array, counters: Uint8Array) => void;

/** One cache, of one shape; serves both halves. */
export class FlowCache {
  readonly #slot: { readonly size: number; readonly keySize: number };
  readonly #places: number;
  readonly #keys: Uint8Array;
  readonly #values: Uint8Array<ArrayBuffer>;
  readonly #empty: Uint8Array;
  readonly #found = new Uint8Array(FlowCounters.size);
  readonly #place = new Uint32Array(1);
  #used: number[] = [];

  /**
   * @param map either half of the cache; both have the same shape
   * @param places how many of its places the programs use, from the first
   */
  constructor(shape: keyof typeof SLOTS, map: BpfMap, places: number) {
    this.#slot = SLOTS[shape];
    this.#places = places;
    this.#keys = new Uint8Array(4 * BATCH_PLACES);
    this.#values = new Uint8Array(map.valueBytes * BATCH_PLACES);
    this.#empty = new Uint8Array(map.valueBytes);
  }

  /** Adds every cached record to `hash` where that has the flow, and gives it to `take` where it has not. */
  fold(cache: BpfMap, hash: BpfMap, take: RecordTaker): void {
    this.#used = [];
    const cursor = batchCursor(cache);
    for (let first = 0; first < this.#places; ) {
      const { count, status } = lookupBatch(cache, cursor, this.#keys, this.#values, BATCH_PLACES);
      for (let i = 0; i < count && first + i < this.#places; i++) {
        const records = this.#recordsOf(i * cache.valueBytes, cache);
        if (records.length > 0) this.#used.push(first + i);
        for (const at of records) this.#foldRecord(at, hash, take);
      }
      first += count;
      if (status === 'end') return;
    }
  }

  /** Empties the places that {@link fold} found in use. */
  clear(cache: BpfMap): void {
    for (const place of this.#used) {
      this.#place[0] = place;
      cache.update(new Uint8Array(this.#place.buffer), this.#empty);
    }
  }

  /** Where the different records of one place begin, each with those of the same flow on other CPUs added to it. */
  #recordsOf(place: number, cache: BpfMap): number[] {
    const records: number[] = [];
    const words = new Uint32Array(this.#values.buffer);
    for (let at = place; at < place + cache.valueBytes; at += cache.valueStride) {
      const packets = (at + this.#slot.keySize + FlowCounters.offsets.packets) >> 2;
      if (words[packets] === 0 && words[packets + 1] === 0) continue;
      const same = records.find((each) => this.#sameKey(words, each, at));
      if (same === undefined) records.push(at);
      else addCounters(this.#countersAt(same), this.#countersAt(at));
    }
    return records;
  }

  #sameKey(words: Uint32Array, a: number, b: number): boolean {
    for (let word = 0; word < this.#slot.keySize >> 2; word++) {
      if (words[(a >> 2) + word] !== words[(b >> 2) + word]) return false;
    }
    return true;
  }

  #foldRecord(at: number, hash: BpfMap, take: RecordTaker): void {
    const key = this.#values.subarray(at, at + this.#slot.keySize);
    const counters = this.#countersAt(at);
    if (!hash.lookupInto(key, this.#found)) {
      take(key, counters);
      return;
    }
    addCounters(this.#found, counters);
    hash.update(key, this.#found);
  }

  #countersAt(at: number): Uint8Array {
    return this.#values.subarray(at + this.#slot.keySize, at + this.#slot.size);
  }
}

const SUMS = ['octets', 'packets', 'payloadOctets', 'extraOctets', 'extraPackets'] as const;

/** Adds one record of a flow to another, as move_to_hash() in meter.bpf.c does; attributes are those of the earlier. */
function addCounters(to: Uint8Array, from: Uint8Array): void {
  const into = new DataView(to.buffer, to.byteOffset, FlowCounters.size);
  const add = new DataView(from.buffer, from.byteOffset, FlowCounters.size);
  const o = FlowCounters.offsets;
  for (const name of SUMS) {
    into.setBigUint64(o[name], into.getBigUint64(o[name], true) + add.getBigUint64(o[name], true), true);
  }
  const isEarlier = ((add.getUint32(o.first, true) - into.getUint32(o.first, true)) | 0) < 0;
  const isLater = ((add.getUint32(o.last, true) - into.getUint32(o.last, true)) | 0) > 0;
  if (isLater) into.setUint32(o.last, add.getUint32(o.last, true), true);
  into.setUint32(o.longest, Math.max(into.getUint32(o.longest, true), add.getUint32(o.longest, true)), true);
  into.setUint16(
    o.shortest,
    Math.min(into.getUint16(o.shortest, true), add.getUint16(o.shortest, true)),
    true,
  );
  into.setUint16(o.tcpFlags, into.getUint16(o.tcpFlags, true) | add.getUint16(o.tcpFlags, true), true);
  if (!isEarlier) return;
  into.setUint32(o.first, add.getUint32(o.first, true), true);
  to.set(from.subarray(o.mac, FlowCounters.size), o.mac);
}
