/** What the observation points saw, counted per CPU before anything else was done with a packet. */
import type { BpfMap } from '../bpf/index.ts';
import type { LedgerLine, SeenLine } from '../flow/index.ts';
import { SeenCounters } from './gen/meter.ts';

/** The sums of one epoch; `unledgered` is what found no place in the ledger, as a line of its own. */
export interface Seen {
  readonly seen: readonly SeenLine[];
  readonly unledgered: readonly LedgerLine[];
}

/** The observation point behind its number in the kernel. */
export function pointOf(point: number): { ifindex: number; direction: 0 | 1 } {
  return { ifindex: point >>> 1, direction: (point & 1) as 0 | 1 };
}

interface Sum {
  packets: bigint;
  octets: bigint;
  lostPackets: bigint;
  lostOctets: bigint;
}

/** Sums per-CPU counters by the point they name. */
export class SeenSum {
  readonly #sums = new Map<number, Sum>();

  /** Adds the values of `count` map elements; each holds the counters of all CPUs, some of them nobody's. */
  add(values: Uint8Array, count: number, valueBytes: number): void {
    const longs = new BigUint64Array(values.buffer, values.byteOffset, (count * valueBytes) / 8);
    const words = new Uint32Array(values.buffer, values.byteOffset, (count * valueBytes) / 4);
    const o = SeenCounters.offsets;
    for (let byte = 0; byte < count * valueBytes; byte += SeenCounters.size) {
      const point = words[(byte + o.point) >> 2]!;
      if (point === 0) continue;
      const sum = this.#sums.get(point) ?? { packets: 0n, octets: 0n, lostPackets: 0n, lostOctets: 0n };
      sum.packets += longs[(byte + o.packets) >> 3]!;
      sum.octets += longs[(byte + o.octets) >> 3]!;
      sum.lostPackets += longs[(byte + o.unledgeredPackets) >> 3]!;
      sum.lostOctets += longs[(byte + o.unledgeredOctets) >> 3]!;
      this.#sums.set(point, sum);
    }
  }

  /** The sums so far. */
  result(): Seen {
    const seen: SeenLine[] = [];
    const unledgered: LedgerLine[] = [];
    for (const [point, { packets, octets, lostPackets, lostOctets }] of this.#sums) {
      const place = pointOf(point);
      seen.push({ ...place, packets, octets });
      if (lostPackets > 0n) {
        unledgered.push({
          ...place,
          reason: 'ledger_full',
          level: 0,
          packets: lostPackets,
          octets: lostOctets,
        });
      }
    }
    return { seen, unledgered };
  }
}

/** The array of places, read and cleared place by place: few are in use. */
export class SeenPlaces {
  readonly #values: Uint8Array<ArrayBuffer>;
  readonly #empty: Uint8Array<ArrayBuffer>;
  readonly #key = new Uint32Array(1);
  #used: number[] = [];

  /** @param map one of the two maps; both have the same shape */
  constructor(map: BpfMap) {
    this.#values = new Uint8Array(map.valueBytes);
    this.#empty = new Uint8Array(map.valueBytes);
  }

  /** Adds all places in use to `sum`. */
  read(map: BpfMap, sum: SeenSum): void {
    this.#used = [];
    const bytes = Buffer.from(this.#values.buffer);
    for (let place = 0; place < map.maxEntries; place++) {
      map.lookupInto(this.#at(place), this.#values);
      if (bytes.equals(this.#empty)) continue;
      this.#used.push(place);
      sum.add(this.#values, 1, map.valueBytes);
    }
  }

  /** Empties the places that {@link read} found in use. */
  clear(map: BpfMap): void {
    for (const place of this.#used) map.update(this.#at(place), this.#empty);
  }

  #at(place: number): Uint8Array {
    this.#key[0] = place;
    return new Uint8Array(this.#key.buffer);
  }
}
