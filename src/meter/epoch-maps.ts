/**
 * The maps of an epoch, doubled by parity: the programs write to one half while the other, retired, is read and cleared.
 */
import { type BpfMap, type BpfObject, batchCursor, deleteBatch, lookupBatch } from '../bpf/index.ts';
import { createColumns, type FlowColumns, type LedgerLine, type SeenLine } from '../flow/index.ts';
import { FlowCache } from './flow-cache.ts';
import { Control, LedgerCounters, LedgerKey, Reason } from './gen/meter.ts';
import { decodeRecords, type KeyShape, type StampReference } from './records.ts';
import { pointOf, SeenPlaces, SeenSum } from './seen.ts';

/** The maps that hold flow records and the shape of their keys; overflow records have the wide key. */
const RECORD_MAPS = [
  { name: 'narrow', shape: 'narrow' },
  { name: 'wide', shape: 'wide' },
  { name: 'deep', shape: 'deep' },
  { name: 'overflow', shape: 'wide' },
] as const satisfies readonly { name: string; shape: KeyShape }[];

/** Elements one batch call asks for. */
const BATCH_ELEMENTS = 4096;

const REASON_NAMES: readonly string[] = Object.entries(Reason)
  .sort(([, a], [, b]) => a - b)
  .map(([name]) => name.toLowerCase());

/** What a retired epoch held. Owned by the receiver. */
export interface RetiredEpoch {
  readonly length: number;
  readonly columns: FlowColumns;
  readonly seen: readonly SeenLine[];
  readonly ledger: readonly LedgerLine[];
}

/** Raw elements of one map, in buffers that are kept from epoch to epoch and grow with the flows. */
class ElementBuffer {
  keys: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  values: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  count = 0;
  /** How many of them are elements of the map; the others were added. */
  #stored = 0;

  /** Reads all of `map`, replacing what was here. Nobody may write to it meanwhile. */
  fill(map: BpfMap): void {
    this.count = 0;
    const cursor = batchCursor(map);
    let room = BATCH_ELEMENTS;
    for (;;) {
      this.#reserve(map, this.count + room);
      const batch = lookupBatch(
        map,
        cursor,
        this.keys.subarray(this.count * map.keySize),
        this.values.subarray(this.count * map.valueBytes),
        room,
      );
      this.count += batch.count;
      this.#stored = this.count;
      if (batch.status === 'end') return;
      if (batch.status === 'grow') room *= 2;
    }
  }

  /** Adds an element that the map does not have. */
  add(map: BpfMap, key: Uint8Array, value: Uint8Array): void {
    this.#reserve(map, this.count + 1);
    this.keys.set(key, this.count * map.keySize);
    this.values.set(value, this.count * map.valueBytes);
    this.count++;
  }

  clear(map: BpfMap): void {
    deleteBatch(map, this.keys, this.#stored);
    this.count = this.#stored = 0;
  }

  #reserve(map: BpfMap, elements: number): void {
    if (this.keys.byteLength >= elements * map.keySize) return;
    const capacity = Math.max(elements, Math.ceil((this.keys.byteLength / map.keySize) * 1.5));
    this.keys = grown(this.keys, capacity * map.keySize);
    this.values = grown(this.values, capacity * map.valueBytes);
  }
}

function grown(old: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  bytes.set(old);
  return bytes;
}

/** Flips, reads and clears the doubled maps of a loaded meter object. */
export class EpochMaps {
  readonly #object: BpfObject;
  readonly #control: BigUint64Array;
  readonly #buffers = new Map<string, ElementBuffer>();
  readonly #places: SeenPlaces;
  readonly #caches = new Map<string, FlowCache>();

  /**
   * @param object the loaded meter object; stays the caller's
   * @param control the 64-bit words of `struct control` in mapped memory; stay the caller's
   * @param cachePlaces places of each per-CPU flow cache; 0 when the caches are off
   */
  constructor(object: BpfObject, control: BigUint64Array, cachePlaces: number) {
    this.#object = object;
    this.#control = control;
    this.#places = new SeenPlaces(object.map('seen_0'));
    if (cachePlaces === 0) return;
    for (const shape of ['narrow', 'wide'] as const) {
      this.#caches.set(shape, new FlowCache(shape, object.map(`${shape}_cache_0`), cachePlaces));
    }
  }

  /**
   * Ends the current epoch. When this resolves no program can write to the retired maps any more: updating an array of
   * maps waits for all running programs (kernel/bpf/syscall.c, maybe_wait_bpf_programs).
   *
   * @returns parity of the retired epoch
   */
  async flip(): Promise<0 | 1> {
    const at = Control.offsets.epoch >> 3;
    const retired = this.#control[at]!;
    this.#control[at] = retired + 1n;
    const parity = Number(retired & 1n) as 0 | 1;
    const slot = new Uint8Array(new Uint32Array([parity]).buffer);
    await this.#object.map('narrow').updateInnerAsync(slot, this.#map('narrow', parity));
    return parity;
  }

  /** Reads a retired half. The maps keep their elements until {@link clear}. */
  read(parity: 0 | 1, stamps: StampReference): RetiredEpoch {
    let length = 0;
    for (const { name } of RECORD_MAPS) length += this.#fillRecords(name, parity).count;
    const columns = createColumns(length);
    let at = 0;
    for (const { name, shape } of RECORD_MAPS) {
      const raw = this.#buffer(name);
      decodeRecords(shape, raw, columns, at, stamps);
      at += raw.count;
    }
    const ledger = this.#fill('ledger', parity);
    const crowded = this.#fill('seen_crowded', parity);
    const sum = new SeenSum();
    this.#places.read(this.#map('seen', parity), sum);
    sum.add(crowded.values, crowded.count, this.#map('seen_crowded', parity).valueBytes);
    const lines = sum.result();
    return { length, columns, seen: lines.seen, ledger: [...decodeLedger(ledger), ...lines.unledgered] };
  }

  /** Empties the retired half that {@link read} read last. */
  clear(parity: 0 | 1): void {
    for (const [name, buffer] of this.#buffers) buffer.clear(this.#map(name, parity));
    this.#places.clear(this.#map('seen', parity));
    for (const [name, cache] of this.#caches) cache.clear(this.#map(`${name}_cache`, parity));
  }

  #map(name: string, parity: 0 | 1): BpfMap {
    return this.#object.map(`${name}_${parity}`);
  }

  #buffer(name: string): ElementBuffer {
    let buffer = this.#buffers.get(name);
    if (!buffer) {
      buffer = new ElementBuffer();
      this.#buffers.set(name, buffer);
    }
    return buffer;
  }

  /** All records of a shape: those of the hash, with what its cache still holds. */
  #fillRecords(name: string, parity: 0 | 1): ElementBuffer {
    const hash = this.#map(name, parity);
    const extra: { key: Uint8Array; counters: Uint8Array }[] = [];
    this.#caches.get(name)?.fold(this.#map(`${name}_cache`, parity), hash, (key, counters) => {
      extra.push({ key: key.slice(), counters: counters.slice() });
    });
    const buffer = this.#fill(name, parity);
    for (const { key, counters } of extra) buffer.add(hash, key, counters);
    return buffer;
  }

  #fill(name: string, parity: 0 | 1): ElementBuffer {
    const buffer = this.#buffer(name);
    buffer.fill(this.#map(name, parity));
    return buffer;
  }
}

function decodeLedger({ keys, values, count }: ElementBuffer): LedgerLine[] {
  const words = new Uint32Array(keys.buffer);
  const halves = new Uint16Array(keys.buffer);
  const longs = new BigUint64Array(values.buffer);
  const lines: LedgerLine[] = [];
  for (let i = 0; i < count; i++) {
    const key = i * LedgerKey.size;
    const value = i * LedgerCounters.size;
    lines.push({
      ...pointOf(words[(key + LedgerKey.offsets.point) >> 2]!),
      reason: reasonName(halves[(key + LedgerKey.offsets.reason) >> 1]!),
      level: halves[(key + LedgerKey.offsets.level) >> 1]!,
      packets: longs[(value + LedgerCounters.offsets.packets) >> 3]!,
      octets: longs[(value + LedgerCounters.offsets.octets) >> 3]!,
    });
  }
  return lines;
}

function reasonName(reason: number): string {
  return REASON_NAMES[reason] ?? `reason_${reason}`;
}
