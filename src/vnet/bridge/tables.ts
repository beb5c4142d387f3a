/**
 * The tables of places, segments and flooding in the kernel, as user space writes them: places first, then what leads to
 * them, so that no frame finds a number whose place is not there.
 */
import type { BpfMap } from '../../bpf/index.ts';
import { PeerKey, Place, PlaceKind, Segment, SlotKey, Traffic } from '../gen/bridge.ts';
import { type Line, sumLines } from '../ledger.ts';
import type { PinnedObject } from '../pinned.ts';
import { ADDRESS_WORDS } from './address.ts';

/** As `bpf/vnet/bridge/send.h` has them: slots of `flooding`. */
export const MAX_PORTS = 64;
/** Peers of one segment on one host. */
export const MAX_PEERS = 256;

/** A place as the kernel has it, with its number. */
export interface PlaceRow {
  readonly number: number;
  readonly kind: PlaceKind;
  readonly vni: number;
  readonly ifindex: number;
  readonly delivery: number;
  readonly mtu: number;
  readonly partner: number;
  readonly origin: number;
  readonly address: Uint32Array;
}

/** What went through a place, and when something last came from it. */
export interface PlaceTraffic {
  readonly received: Line;
  readonly sent: Line;
  /** Nanoseconds since boot; 0n: never. */
  readonly seenNs: bigint;
}

const NO_ADDRESS = new Uint32Array(ADDRESS_WORDS);
const NO_KEY = new Uint8Array(0);

/** Maps that outlive the process, by name, with their layouts. */
export const TABLES = {
  places: { value: Place },
  traffic: { value: Traffic },
  free_numbers: {},
  port_numbers: {},
  peer_numbers: { key: PeerKey },
  segments: { value: Segment },
  flooding: { key: SlotKey },
} as const;

/** Places and what leads to them. */
export class Tables {
  readonly #maps: Readonly<Record<keyof typeof TABLES, BpfMap>>;
  /** Numbers to give back: a packet under way may still have one of those that were freed since the last time. */
  #freed: number[] = [];
  #toFree: number[] = [];

  /** @param isFresh nothing of a former process is in force */
  constructor(pinned: PinnedObject, isFresh: boolean) {
    this.#maps = Object.fromEntries(Object.keys(TABLES).map((name) => [name, pinned.map(name)])) as Record<
      keyof typeof TABLES,
      BpfMap
    >;
    if (!isFresh) return;
    const { port_numbers, peer_numbers, segments, flooding, free_numbers, places } = this.#maps;
    for (const map of [port_numbers, peer_numbers, segments, flooding])
      for (const key of [...map.keys()]) map.delete(key);
    while (free_numbers.take(NO_KEY) !== undefined);
    for (let number = 1; number < places.maxEntries; number++) free_numbers.update(NO_KEY, words(number));
  }

  place(number: number): PlaceRow | undefined {
    const value = this.#maps.places.lookup(words(number));
    if (value === undefined) return undefined;
    const row = new Uint32Array(value.buffer, value.byteOffset, Place.size / 4);
    const at = (member: keyof typeof Place.offsets): number => row[Place.offsets[member] / 4]!;
    const kind = at('kind') as PlaceKind;
    if (kind === PlaceKind.NOWHERE) return undefined;
    return {
      number,
      kind,
      vni: at('vni'),
      ifindex: at('ifindex'),
      delivery: at('delivery'),
      mtu: at('mtu'),
      partner: at('partner'),
      origin: at('origin'),
      address: row.slice(Place.offsets.address / 4),
    };
  }

  /** Ports by the interface at which their program is; an interface may have gone. */
  ports(): Map<number, PlaceRow> {
    const rows = new Map<number, PlaceRow>();
    for (const key of this.#maps.port_numbers.keys()) {
      const row = this.#rowOf(this.#maps.port_numbers.lookup(key));
      if (row) rows.set(wordsOf(key)[0]!, row);
    }
    return rows;
  }

  /** Peers and groups. */
  peers(): PlaceRow[] {
    const rows: PlaceRow[] = [];
    for (const key of this.#maps.peer_numbers.keys()) {
      const row = this.#rowOf(this.#maps.peer_numbers.lookup(key));
      if (row) rows.push(row);
    }
    return rows;
  }

  /** A new port, known by the interface at which its program is. @returns its number; undefined when there is none left */
  addPort(
    watched: number,
    port: Omit<PlaceRow, 'number' | 'kind' | 'address' | 'origin'>,
  ): number | undefined {
    const number = this.#add({ ...port, kind: PlaceKind.PORT, origin: 0, address: NO_ADDRESS });
    if (number !== undefined) this.#maps.port_numbers.update(words(watched), words(number));
    return number;
  }

  /** A new peer or group. @returns as {@link addPort} */
  addPeer(peer: Pick<PlaceRow, 'kind' | 'vni' | 'mtu' | 'origin' | 'address'>): number | undefined {
    const number = this.#add({ ...peer, ifindex: 0, delivery: 0, partner: 0 });
    if (number !== undefined) this.#maps.peer_numbers.update(words(peer.vni, ...peer.address), words(number));
    return number;
  }

  /** Has a place be so, at its number. */
  change(row: PlaceRow): void {
    const { places } = this.#maps;
    const key = words(row.number);
    const value = placeOctets(row);
    const former = places.lookup(key);
    if (!former || Buffer.compare(former, value) !== 0) places.update(key, value);
  }

  /** Takes a port away. Entries that say it go by themselves: they are those of a place that is none. */
  removePort(watched: number, number: number): void {
    this.#maps.port_numbers.delete(words(watched));
    this.#remove(number);
  }

  removePeer({ vni, address, number }: PlaceRow): void {
    this.#maps.peer_numbers.delete(words(vni, ...address));
    this.#remove(number);
  }

  /** Segments there are, with their numbers of slots. */
  segments(): Map<number, { readonly mtu: number; readonly portsEnd: number; readonly peersEnd: number }> {
    const { segments } = this.#maps;
    return new Map(
      [...segments.keys()].flatMap((key) => {
        const value = segments.lookup(key);
        if (!value) return [];
        const [mtu, portsEnd, peersEnd] = wordsOf(value);
        return [[wordsOf(key)[0]!, { mtu: mtu!, portsEnd: portsEnd!, peersEnd: peersEnd! }] as const];
      }),
    );
  }

  /** Has a segment be there, and flood to these places. */
  setSegment(
    vni: number,
    { mtu, ports, peers }: { readonly mtu: number; readonly ports: number[]; readonly peers: number[] },
  ): void {
    const portsEnd = this.#setSlots(vni, 0, { wanted: ports, size: MAX_PORTS });
    const peersEnd = this.#setSlots(vni, MAX_PORTS, { wanted: peers, size: MAX_PEERS });
    const value = words(mtu, portsEnd, peersEnd, 0);
    const former = this.#maps.segments.lookup(words(vni));
    if (!former || Buffer.compare(former, value) !== 0) this.#maps.segments.update(words(vni), value);
  }

  removeSegment(vni: number): void {
    this.#maps.segments.delete(words(vni));
    this.#setSlots(vni, 0, { wanted: [], size: MAX_PORTS });
    this.#setSlots(vni, MAX_PORTS, { wanted: [], size: MAX_PEERS });
  }

  traffic(number: number): PlaceTraffic {
    const { traffic } = this.#maps;
    const value = traffic.lookup(words(number))!;
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    let seenNs = 0n;
    for (let at = Traffic.offsets.seenNs; at < value.byteLength; at += traffic.valueStride) {
      const each = view.getBigUint64(at, true);
      if (each > seenNs) seenNs = each;
    }
    return {
      received: sumLines(value, traffic.valueStride, Traffic.offsets.received),
      sent: sumLines(value, traffic.valueStride, Traffic.offsets.sent),
      seenNs,
    };
  }

  /**
   * Numbers that were freed two calls ago can be used again. The caller has cleared away, in between, the entries that say them.
   */
  recycle(): void {
    const { traffic, free_numbers } = this.#maps;
    for (const number of this.#freed) {
      traffic.update(words(number), new Uint8Array(traffic.valueBytes));
      free_numbers.update(NO_KEY, words(number));
    }
    this.#freed = this.#toFree;
    this.#toFree = [];
  }

  #rowOf(value: Uint8Array | undefined): PlaceRow | undefined {
    return value && this.place(wordsOf(value)[0]!);
  }

  #add(place: Omit<PlaceRow, 'number'>): number | undefined {
    const value = this.#maps.free_numbers.take(NO_KEY);
    if (value === undefined) return undefined;
    const number = wordsOf(value)[0]!;
    this.change({ ...place, number });
    return number;
  }

  #remove(number: number): void {
    this.#maps.places.update(words(number), new Uint8Array(Place.size));
    this.#toFree.push(number);
  }

  /** @returns one more than the last slot in use */
  #setSlots(
    vni: number,
    first: number,
    { wanted, size }: { readonly wanted: readonly number[]; readonly size: number },
  ): number {
    const { flooding } = this.#maps;
    const missing = new Set(wanted);
    const free: number[] = [];
    let end = first;
    for (let slot = first; slot < first + size; slot++) {
      const value = flooding.lookup(words(vni, slot));
      const number = value && wordsOf(value)[0]!;
      if (number !== undefined && missing.delete(number)) {
        end = slot + 1;
        continue;
      }
      if (number !== undefined) flooding.delete(words(vni, slot));
      free.push(slot);
    }
    for (const number of missing) {
      const slot = free.shift();
      if (slot === undefined) break; // The plan has refused more than there are.
      flooding.update(words(vni, slot), words(number));
      end = Math.max(end, slot + 1);
    }
    return end;
  }
}

function placeOctets(row: PlaceRow): Uint8Array {
  const value = new Uint32Array(Place.size / 4);
  for (const member of ['kind', 'vni', 'ifindex', 'delivery', 'mtu', 'partner', 'origin'] as const)
    value[Place.offsets[member] / 4] = row[member];
  value.set(row.address, Place.offsets.address / 4);
  return new Uint8Array(value.buffer);
}

/** 32-bit words as the kernel's side has them. */
export function words(...numbers: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(numbers).buffer);
}

/** The other way about; the octets are taken as they lie. */
export function wordsOf(octets: Uint8Array): Uint32Array {
  return new Uint32Array(octets.buffer, octets.byteOffset, octets.byteLength / 4);
}
