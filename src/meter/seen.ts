/** What the observation points saw, counted per CPU before anything else was done with a packet. */
import type { LedgerLine, SeenLine } from '../flow/index.ts';
import { pointOf, Reason, reasonName, SeenCounters } from '../record/index.ts';

/** The sums of one epoch, and the lines of the ledger that stand here: what the rules exclude, and what found no place there. */
export interface Seen {
  readonly seen: readonly SeenLine[];
  readonly ledger: readonly LedgerLine[];
}

interface Sum {
  packets: bigint;
  octets: bigint;
  lostPackets: bigint;
  lostOctets: bigint;
  excludedPackets: bigint;
  excludedOctets: bigint;
  excludedExtraPackets: bigint;
  excludedExtraOctets: bigint;
}

/** Where each of them stands in the kernel's counters. */
const PLACES = {
  packets: 'packets',
  octets: 'octets',
  lostPackets: 'unledgeredPackets',
  lostOctets: 'unledgeredOctets',
  excludedPackets: 'excludedPackets',
  excludedOctets: 'excludedOctets',
  excludedExtraPackets: 'excludedExtraPackets',
  excludedExtraOctets: 'excludedExtraOctets',
} as const satisfies Record<keyof Sum, keyof typeof SeenCounters.offsets>;
const NAMES = Object.keys(PLACES) as (keyof Sum)[];

/** Sums per-CPU counters by the point they name. */
export class SeenSum {
  readonly #sums = new Map<number, Sum>();

  /** Adds counters, some of them nobody's. @returns whether any was somebody's */
  add(values: Uint8Array): boolean {
    const longs = new BigUint64Array(values.buffer, values.byteOffset, values.byteLength >> 3);
    const words = new Uint32Array(values.buffer, values.byteOffset, values.byteLength >> 2);
    let isAny = false;
    for (let byte = 0; byte < values.byteLength; byte += SeenCounters.size) {
      const point = words[(byte + SeenCounters.offsets.point) >> 2]!;
      if (point === 0) continue;
      isAny = true;
      const sum =
        this.#sums.get(point) ?? (Object.fromEntries(NAMES.map((name) => [name, 0n])) as unknown as Sum);
      for (const name of NAMES) sum[name] += longs[(byte + SeenCounters.offsets[PLACES[name]]) >> 3]!;
      this.#sums.set(point, sum);
    }
    return isAny;
  }

  /** The sums so far. */
  result(): Seen {
    const seen: SeenLine[] = [];
    const ledger: LedgerLine[] = [];
    for (const [point, sum] of this.#sums) {
      const place = pointOf(point);
      seen.push({ ...place, packets: sum.packets, octets: sum.octets });
      if (sum.excludedPackets > 0n)
        ledger.push({
          ...place,
          reason: reasonName(Reason.EXCLUDED),
          level: 0,
          packets: sum.excludedPackets,
          octets: sum.excludedOctets,
          wire: {
            packets: sum.excludedPackets + sum.excludedExtraPackets,
            octets: sum.excludedOctets + sum.excludedExtraOctets,
          },
        });
      if (sum.lostPackets > 0n)
        ledger.push({
          ...place,
          reason: 'ledger_full',
          level: 0,
          packets: sum.lostPackets,
          octets: sum.lostOctets,
        });
    }
    return { seen, ledger };
  }
}
