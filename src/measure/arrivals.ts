/** Inter-arrival times of a flow over one epoch or many: exact sums, and what follows from them. */
import { type ARRIVAL_FIELDS, HISTOGRAM_PLACES, type MeasuredColumns } from '../flow/index.ts';
import { percentileNs } from './histogram.ts';

type ArrivalColumns = MeasuredColumns<typeof ARRIVAL_FIELDS>;

const NS_PER_MS = 1e6;

/** Sums of inter-arrival times: of one flow over its epochs in their order, or of many flows in one epoch. */
export class ArrivalSums {
  /** Inter-arrival times since the last pause. */
  gaps = 0;
  /** Gaps long enough to be a pause (System D: 2 s); each begins all anew but this and `coarse`. */
  pauses = 0;
  /** Packets that came within super-packets, whose own times nobody saw. */
  coarse = 0;
  #sumNs = 0n;
  #squares = 0n;
  #leastNs: bigint | undefined;
  #mostNs = 0n;
  readonly #histogram = new Float64Array(HISTOGRAM_PLACES);

  /** Takes in the same flow's next epoch. After a pause in it, what was before counts no more. */
  follow(columns: ArrivalColumns, row: number): void {
    if (columns.resets[row]! > 0) this.#forget();
    this.add(columns, row);
  }

  /** Takes in a record of any flow. */
  add(columns: ArrivalColumns, row: number): void {
    this.pauses += columns.resets[row]!;
    this.coarse += columns.coarse[row]!;
    const gaps = columns.gaps[row]!;
    if (gaps === 0) return;
    this.gaps += gaps;
    this.#sumNs += columns.sumNs[row]!;
    this.#squares += (columns.squares[2 * row + 1]! << 64n) | columns.squares[2 * row]!;
    const least = columns.leastNs[row]! - 1n;
    if (this.#leastNs === undefined || least < this.#leastNs) this.#leastNs = least;
    if (columns.mostNs[row]! > this.#mostNs) this.#mostNs = columns.mostNs[row]!;
    const first = row * HISTOGRAM_PLACES;
    for (let place = 0; place < HISTOGRAM_PLACES; place++)
      this.#histogram[place]! += columns.histogram[first + place]!;
  }

  /** Mean, milliseconds; less the sender's spacing where that is known, so below 0 when packets come early. */
  meanMs(nominalMs = 0): number | undefined {
    return this.gaps === 0 ? undefined : Number(this.#sumNs) / this.gaps / NS_PER_MS - nominalMs;
  }

  /** Sample standard deviation (n − 1), milliseconds: the jitter of System D. `undefined` below two inter-arrival times. */
  get deviationMs(): number | undefined {
    if (this.gaps < 2) return undefined;
    const n = BigInt(this.gaps);
    // n · Σx² − (Σx)² is exact and never negative.
    const scaled = n * this.#squares - this.#sumNs * this.#sumNs;
    return Math.sqrt(Number(scaled) / (this.gaps * (this.gaps - 1))) / NS_PER_MS;
  }

  get leastMs(): number | undefined {
    return this.#leastNs === undefined ? undefined : Number(this.#leastNs) / NS_PER_MS;
  }

  get mostMs(): number | undefined {
    return this.gaps === 0 ? undefined : Number(this.#mostNs) / NS_PER_MS;
  }

  /** How many are in each place of the histogram; lent. */
  get histogram(): Float64Array {
    return this.#histogram;
  }

  /** All of them together, milliseconds. */
  get sumMs(): number {
    return Number(this.#sumNs) / NS_PER_MS;
  }

  /** The time that `fraction` of them stay below, milliseconds; within a fifth. */
  percentileMs(fraction: number): number | undefined {
    const bounds = { least: Number(this.#leastNs ?? 0n), most: Number(this.#mostNs) };
    const ns = percentileNs(this.#histogram, fraction, bounds);
    return ns === undefined ? undefined : ns / NS_PER_MS;
  }

  #forget(): void {
    this.gaps = 0;
    this.#sumNs = 0n;
    this.#squares = 0n;
    this.#leastNs = undefined;
    this.#mostNs = 0n;
    this.#histogram.fill(0);
  }
}
