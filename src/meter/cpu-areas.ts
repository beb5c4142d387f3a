/** What each CPU has for itself (struct cpu_area): what it saw, and its flow caches. Read and emptied one CPU at a time. */
import { MapWindow, possibleCpus } from '../bpf/index.ts';
import { CpuArea, FlowCounters, NarrowSlot, SeenCounters, WideSlot } from '../record/index.ts';
import type { CachedRecords } from './cached-records.ts';
import type { MapSource } from './map-source.ts';
import type { SeenSum } from './seen.ts';

/** Of each cache: size of a slot, and where in it key and counters stand. In octets. */
const SLOTS = {
  narrow: { size: NarrowSlot.size, key: NarrowSlot.offsets.key, counters: NarrowSlot.offsets.counters },
  wide: { size: WideSlot.size, key: WideSlot.offsets.key, counters: WideSlot.offsets.counters },
} as const;

/** The shapes that have a cache. */
export type CachedShape = keyof typeof SLOTS;

/** Places of each cache and CPU that there are at most. */
export const CACHE_PLACES: number = CpuArea.counts.narrow / 2;
const UNMEASURED_OCTETS = CpuArea.sizes['biflow.unmeasured'];
const SEEN_PLACES = CpuArea.counts.seen / 2;

/** The areas of all CPUs. Owned by who made it. */
export class CpuAreas implements Disposable {
  readonly #window: MapWindow;
  readonly #words: Uint32Array;
  readonly #longs: BigUint64Array;
  /** Places of the caches in use; 0: no cache. */
  readonly #places: number;
  readonly #cpus = possibleCpus();
  /** CPUs that saw a packet in the half that was read. */
  #busy: number[] = [];
  #unmeasured = 0n;

  constructor(object: MapSource, places: number) {
    this.#window = MapWindow.open(object.map('cpu_areas'), CpuArea.size);
    this.#words = new Uint32Array(this.#window.buffer);
    this.#longs = new BigUint64Array(this.#window.buffer);
    this.#places = places;
  }

  /** Adds what the CPUs saw to `seen` and what their caches hold to `cached`. Changes nothing. */
  read(parity: 0 | 1, seen: SeenSum, cached: Readonly<Record<CachedShape, CachedRecords>>): void {
    this.#busy = [];
    this.#unmeasured = 0n;
    for (let cpu = 0; cpu < this.#cpus; cpu++) {
      const area = this.#window.show(cpu * CpuArea.size, CpuArea.size);
      const bytes = new Uint8Array(
        this.#window.buffer,
        area + seenAt(parity),
        SEEN_PLACES * SeenCounters.size,
      );
      // Who has a crowded place as well found another point at this one.
      if (!seen.add(bytes)) continue;
      this.#busy.push(cpu);
      this.#unmeasured += this.#longs[(area + unmeasuredAt(parity)) >> 3]!;
      for (const shape of ['narrow', 'wide'] as const) this.#readCache(area, parity, shape, cached[shape]);
    }
    this.#window.hide();
  }

  #readCache(area: number, parity: 0 | 1, shape: CachedShape, into: CachedRecords): void {
    const slot = SLOTS[shape];
    const first = area + cacheAt(shape, parity);
    for (let at = first; at < first + this.#places * slot.size; at += slot.size) {
      const packets = (at + slot.counters + FlowCounters.offsets.packets) >> 2;
      if (this.#words[packets] !== 0 || this.#words[packets + 1] !== 0)
        into.add(this.#words, at >> 2, slot.key >> 2);
    }
  }

  /** Packets of the half that was read last that found no row among the biflows. */
  get unmeasuredPackets(): number {
    return Number(this.#unmeasured);
  }

  /** Empties the half that was read last. */
  clear(parity: 0 | 1): void {
    for (const cpu of this.#busy) {
      const area = this.#window.show(cpu * CpuArea.size, CpuArea.size);
      this.#empty(area + seenAt(parity), SEEN_PLACES * SeenCounters.size);
      this.#empty(area + unmeasuredAt(parity), UNMEASURED_OCTETS);
      for (const shape of ['narrow', 'wide'] as const) {
        this.#empty(area + cacheAt(shape, parity), this.#places * SLOTS[shape].size);
      }
    }
    this.#busy = [];
    this.#window.hide();
  }

  #empty(at: number, octets: number): void {
    this.#words.fill(0, at >> 2, (at + octets) >> 2);
  }

  [Symbol.dispose](): void {
    this.#window[Symbol.dispose]();
  }
}

/** Where the counters of what was seen are in an area, octets. */
export function seenAt(parity: 0 | 1): number {
  return CpuArea.offsets.seen + parity * SEEN_PLACES * SeenCounters.size;
}

function unmeasuredAt(parity: 0 | 1): number {
  return CpuArea.offsets['biflow.unmeasured'] + parity * UNMEASURED_OCTETS;
}

function cacheAt(shape: CachedShape, parity: 0 | 1): number {
  return CpuArea.offsets[shape] + parity * CACHE_PLACES * SLOTS[shape].size;
}
