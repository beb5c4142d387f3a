/** What the observation points saw, counted per CPU before anything else was done with a packet. */
import type { LedgerLine, SeenLine } from '../flow/index.ts';
import { pointOf, SeenCounters } from '../record/index.ts';

/** The sums of one epoch; `unledgered` is what found no place in the ledger, as a line of its own. */
export interface Seen {
  readonly seen: readonly SeenLine[];
  readonly unledgered: readonly LedgerLine[];
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

  /** Adds counters, some of them nobody's. @returns whether any was somebody's */
  add(values: Uint8Array): boolean {
    const longs = new BigUint64Array(values.buffer, values.byteOffset, values.byteLength >> 3);
    const words = new Uint32Array(values.buffer, values.byteOffset, values.byteLength >> 2);
    const o = SeenCounters.offsets;
    let isAny = false;
    for (let byte = 0; byte < values.byteLength; byte += SeenCounters.size) {
      const point = words[(byte + o.point) >> 2]!;
      if (point === 0) continue;
      isAny = true;
      const sum = this.#sums.get(point) ?? { packets: 0n, octets: 0n, lostPackets: 0n, lostOctets: 0n };
      sum.packets += longs[(byte + o.packets) >> 3]!;
      sum.octets += longs[(byte + o.octets) >> 3]!;
      sum.lostPackets += longs[(byte + o.unledgeredPackets) >> 3]!;
      sum.lostOctets += longs[(byte + o.unledgeredOctets) >> 3]!;
      this.#sums.set(point, sum);
    }
    return isAny;
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
