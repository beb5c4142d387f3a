/** The table of MAC addresses: read in batches, cleared of what has aged, static entries set. */
import { BpfError, type BpfMap, batchCursor, lookupBatch, UpdateFlag } from '../../bpf/index.ts';
import { Entry, EntryKey } from '../gen/bridge.ts';
import { type Line, lineAt } from '../ledger.ts';
import { words } from './tables.ts';

/** As ENTRY_STATIC in `bpf/vnet/bridge/learn.h`. */
const STATIC = 1;

/** Where an address is, as the kernel learned or was told. */
export interface EntryRow {
  readonly vni: number;
  readonly mac: string;
  readonly place: number;
  readonly isStatic: boolean;
  /** Nanoseconds since boot of the last frame from it; 0n: none came. */
  readonly seenNs: bigint;
  readonly moves: number;
  readonly received: Line;
  readonly sent: Line;
}

/** An entry of the configuration. */
export interface StaticEntry {
  readonly vni: number;
  readonly mac: string;
  readonly place: number;
}

const BATCH = 4096;

/** The table of one bridge. */
export class Entries {
  readonly #map: BpfMap;
  #keys = new Uint8Array(BATCH * EntryKey.size);
  #values = new Uint8Array(BATCH * Entry.size);

  constructor(map: BpfMap) {
    this.#map = map;
  }

  get capacity(): number {
    return this.#map.maxEntries;
  }

  /** All of them, as they are while they are read. */
  list(): EntryRow[] {
    const rows: EntryRow[] = [];
    const cursor = batchCursor(this.#map);
    for (let isEnd = false; !isEnd; ) {
      const { count, status } = lookupBatch(this.#map, cursor, this.#keys, this.#values);
      if (status === 'grow') {
        this.#keys = new Uint8Array(2 * this.#keys.byteLength);
        this.#values = new Uint8Array(2 * this.#values.byteLength);
      }
      for (let i = 0; i < count; i++) rows.push(rowAt(this.#keys, this.#values, i));
      isEnd = status === 'end';
    }
    return rows;
  }

  /** Takes those away that are to go. @returns how many */
  remove(isToGo: (row: EntryRow) => boolean): number {
    const going = this.list().filter(isToGo);
    for (const { vni, mac } of going) this.#map.delete(keyOf(vni, mac));
    return going.length;
  }

  /** Has these be the static ones, and no others. What was learned of their addresses is forgotten. */
  setStatic(wanted: readonly StaticEntry[]): void {
    const keys = new Map(wanted.map((each) => [`${each.vni} ${each.mac}`, each]));
    this.remove(({ vni, mac, isStatic, place }) => {
      const same = keys.get(`${vni} ${mac}`);
      if (isStatic && same?.place === place) return !keys.delete(`${vni} ${mac}`);
      return isStatic || same !== undefined;
    });
    for (const { vni, mac, place } of keys.values()) {
      const value = new Uint8Array(Entry.size);
      const view = new DataView(value.buffer);
      view.setUint32(Entry.offsets.place, place, true);
      view.setUint32(Entry.offsets.flags, STATIC, true);
      this.#insist(keyOf(vni, mac), value);
    }
  }

  /** A frame may have it learned again in between: what the kernel adds to is never overwritten. */
  #insist(key: Uint8Array, value: Uint8Array): void {
    for (;;) {
      this.#map.delete(key);
      try {
        this.#map.update(key, value, UpdateFlag.NOEXIST);
        return;
      } catch (error) {
        if (!(error instanceof BpfError) || error.errnoName !== 'EEXIST') throw error;
      }
    }
  }
}

function rowAt(keys: Uint8Array, values: Uint8Array, index: number): EntryRow {
  const key = new DataView(keys.buffer, keys.byteOffset + index * EntryKey.size, EntryKey.size);
  const value = values.subarray(index * Entry.size, (index + 1) * Entry.size);
  const view = new DataView(value.buffer, value.byteOffset, Entry.size);
  const { offsets } = Entry;
  return {
    vni: key.getUint32(EntryKey.offsets.vni, true),
    mac: Array.from({ length: 6 }, (_, i) =>
      key
        .getUint8(EntryKey.offsets.mac + i)
        .toString(16)
        .padStart(2, '0'),
    ).join(':'),
    place: view.getUint32(offsets.place, true),
    isStatic: (view.getUint32(offsets.flags, true) & STATIC) !== 0,
    seenNs: view.getBigUint64(offsets.seenNs, true),
    moves: view.getUint32(offsets.moves, true),
    received: lineAt(value, offsets.received),
    sent: lineAt(value, offsets.sent),
  };
}

function keyOf(vni: number, mac: string): Uint8Array {
  const key = new Uint8Array(EntryKey.size);
  key.set(words(vni));
  key.set(
    mac.split(':').map((octet) => Number.parseInt(octet, 16)),
    EntryKey.offsets.mac,
  );
  return key;
}
