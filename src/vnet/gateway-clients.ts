/** The clients of a gateway, here and in the kernel's tables, which are brought to what is said here row by row. */
import { type BpfMap, UpdateFlag } from '../bpf/index.ts';
import { CLIENTS_OF_WORKER, type GatewayClient } from './gateway-config.ts';
import {
  type ClientRow,
  decodeClient,
  decodePlace,
  encodeClient,
  encodeWorker,
  indexKey,
  macKey,
  type PlaceRow,
} from './gateway-table.ts';
import type { PinnedObject } from './pinned.ts';

/** Numbers of the interfaces that are there; 0 for one that is not. */
export interface Indexes {
  readonly trunk: number;
  worker(name: string): number;
}

/** A client, and whether it came with the file or while the gateway ran. */
export type KnownClient = GatewayClient & Pick<ClientRow, 'isAdded'>;

/** Clients by MAC address. */
export class GatewayClients {
  readonly #clients: BpfMap;
  readonly #places: BpfMap;
  readonly #workers: BpfMap;
  readonly #known = new Map<string, KnownClient>();
  readonly #slots = new Map<string, number>();
  /** Free slots in the order in which they became so: a program that still has an old client writes to none that is new. */
  readonly #free: number[] = [];

  /** Takes over what a former process left. */
  constructor(pinned: PinnedObject) {
    this.#clients = pinned.map('clients');
    this.#places = pinned.map('places');
    this.#workers = pinned.map('workers');
    for (const key of this.#clients.keys()) {
      const { mac, worker, tags, isFixed, allowed, isAdded, slot } = decodeClient(
        key,
        this.#clients.lookup(key)!,
      );
      this.#known.set(mac, { mac, worker, tags, isFixed, allowed, isAdded });
      this.#slots.set(mac, slot);
    }
    const used = new Set(this.#slots.values());
    for (let slot = 0; slot < this.capacity; slot++) if (!used.has(slot)) this.#free.push(slot);
  }

  /** So many clients find room: what the tables were made with. */
  get capacity(): number {
    return this.#clients.maxEntries;
  }

  has(mac: string): boolean {
    return this.#known.has(mac);
  }

  get(mac: string): KnownClient | undefined {
    return this.#known.get(mac);
  }

  /** In the order in which they came. */
  list(): KnownClient[] {
    return [...this.#known.values()];
  }

  /** Names of all interfaces that lead to workers. */
  workers(): string[] {
    return [...new Set(this.list().map(({ worker }) => worker))];
  }

  /** Has these clients and no others from the next {@link write} on. There must be room for them. */
  replace(clients: readonly KnownClient[]): void {
    this.#known.clear();
    for (const client of clients) this.#known.set(client.mac, client);
  }

  /** Brings the kernel's tables to what is known; what stays as it is is not touched. Removed ones go first: they leave room. */
  write(indexes: Indexes): void {
    for (const mac of [...this.#slots.keys()]) if (!this.#known.has(mac)) this.#forget(mac);
    for (const client of this.#known.values()) {
      const row = {
        ...client,
        slot: this.#slots.get(client.mac) ?? this.#takeSlot(client.mac),
        workerIndex: indexes.worker(client.worker),
        trunkIndex: indexes.trunk,
      };
      put(this.#clients, macKey(client.mac), encodeClient(row));
    }
    this.#writeWorkers(indexes);
  }

  /** What the kernel has learned and counted of a client that was written. */
  place(mac: string): PlaceRow {
    return decodePlace(this.#places.lookup(indexKey(this.#slots.get(mac)!))!);
  }

  #forget(mac: string): void {
    this.#clients.delete(macKey(mac));
    this.#free.push(this.#slots.get(mac)!);
    this.#slots.delete(mac);
  }

  #takeSlot(mac: string): number {
    const slot = this.#free.shift();
    if (slot === undefined) throw new RangeError(`there is no room for client ${mac}`);
    this.#places.update(indexKey(slot), new Uint8Array(this.#places.valueBytes));
    this.#slots.set(mac, slot);
    return slot;
  }

  #writeWorkers(indexes: Indexes): void {
    const wanted = new Map<number, string[]>();
    for (const { mac, worker } of this.#known.values()) {
      const index = indexes.worker(worker);
      if (index === 0) continue;
      const macs = wanted.get(index) ?? [];
      if (macs.length < CLIENTS_OF_WORKER) macs.push(mac);
      wanted.set(index, macs);
    }
    for (const key of [...this.#workers.keys()])
      if (!wanted.has(new Uint32Array(key.slice().buffer)[0]!)) this.#workers.delete(key);
    for (const [index, macs] of wanted)
      put(this.#workers, indexKey(index), encodeWorker(indexes.trunk, macs));
  }
}

/** Sets a value where it is another: the kernel's programs find the old one or the new one. */
function put(map: BpfMap, key: Uint8Array, value: Uint8Array): void {
  const former = map.lookup(key);
  if (former === undefined || Buffer.compare(former, value) !== 0) map.update(key, value, UpdateFlag.ANY);
}
