/** What the newest epochs carried, in the largest segments of each: what a live series is made of. */
import type { View } from '../query/index.ts';
import type { LedgerSums } from './ledger.ts';

/** Epochs that are kept. */
const EPOCHS = 300;
/** Segments of an epoch that are kept apart, largest first. */
const SEGMENTS = 50;

/** Sums by the number of a segment, or of a kind of tunnel. */
export type Parts = ReadonlyMap<number, Sum>;

/** Octets and packets on the wire. */
export interface Sum {
  readonly octets: number;
  readonly packets: number;
}

/** One epoch. */
export interface HistoryEpoch {
  readonly startMs: number;
  readonly endMs: number;
  readonly total: Sum;
  /** The largest segments; what is missing to the total is in smaller ones. */
  readonly segments: Parts;
  /** Every kind of tunnel there is, plain traffic as 0. */
  readonly kinds: Parts;
  /** What was in no flow. */
  readonly ledger: LedgerSums;
}

/** The newest epochs, oldest first. Bounded. */
export class EpochHistory {
  #epochs: readonly HistoryEpoch[] = [];
  #rates: View['history'] = [];

  get epochs(): readonly HistoryEpoch[] {
    return this.#epochs;
  }

  /** The same as a view tells it. */
  get rates(): View['history'] {
    return this.#rates;
  }

  /**
   * Adds an epoch.
   *
   * @param sums octets and packets, two numbers per segment
   * @param kindOf kind of the tunnel of a segment
   * @param intervalSeconds how long an epoch is whose bounds are one
   */
  add(
    { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
    {
      sums,
      kindOf,
      ledger,
      intervalSeconds,
    }: {
      readonly sums: Float64Array;
      readonly ledger: LedgerSums;
      readonly kindOf: (segment: number) => number;
      readonly intervalSeconds: number;
    },
  ): void {
    const epoch = { startMs, endMs, ledger, ...partsOf(sums, kindOf) };
    this.#epochs = [...this.#epochs.slice(1 - EPOCHS), epoch];
    const seconds = endMs > startMs ? (endMs - startMs) / 1000 : intervalSeconds;
    const { total, kinds } = epoch;
    const tunnelled = total.octets - (kinds.get(0)?.octets ?? 0);
    this.#rates = [
      ...this.#rates.slice(1 - EPOCHS),
      {
        atMs: endMs,
        octetRate: total.octets / seconds,
        packetRate: total.packets / seconds,
        tunnelledOctetRate: tunnelled / seconds,
      },
    ];
  }
}

function partsOf(
  sums: Float64Array,
  kindOf: (segment: number) => number,
): Pick<HistoryEpoch, 'total' | 'segments' | 'kinds'> {
  const kinds = new Map<number, Sum>();
  const found: (readonly [segment: number, sum: Sum])[] = [];
  let total: Sum = { octets: 0, packets: 0 };
  for (let segment = 0; segment < sums.length / 2; segment++) {
    const sum: Sum = { octets: sums[2 * segment]!, packets: sums[2 * segment + 1]! };
    if (sum.octets === 0 && sum.packets === 0) continue;
    found.push([segment, sum]);
    const kind = kindOf(segment);
    kinds.set(kind, plus(kinds.get(kind), sum));
    total = plus(total, sum);
  }
  found.sort(([a, one], [b, other]) => other.octets - one.octets || a - b);
  return { total, kinds, segments: new Map(found.slice(0, SEGMENTS)) };
}

/** Both together. */
export function plus(a: Sum | undefined, b: Sum): Sum {
  return a ? { octets: a.octets + b.octets, packets: a.packets + b.packets } : b;
}

/** What is left of one without another. */
export function minus(a: Sum, b: Sum): Sum {
  return { octets: a.octets - b.octets, packets: a.packets - b.packets };
}
