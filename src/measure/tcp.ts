/** TCP of a flow or of many, since the start or in an epoch. */
import { HISTOGRAM_PLACES, type MeasuredColumns, type TCP_FIELDS } from '../flow/index.ts';
import { percentileNs } from './histogram.ts';

type TcpColumns = MeasuredColumns<typeof TCP_FIELDS>;

const SUMS = [
  'octets',
  'repeatedOctets',
  'lateOctets',
  'gapNumbers',
  'unseenNumbers',
  'segments',
  'repeatedSegments',
  'lateSegments',
  'gaps',
  'retransmissions',
  'fastRetransmissions',
  'spuriousRetransmissions',
  'outOfOrder',
  'repeatedOutOfOrder',
  'duplicateAcks',
  'zeroWindows',
  'windowProbes',
  'keepAlives',
  'roundTrips',
  'roundTripSumNs',
] as const satisfies readonly (keyof TcpColumns)[];

/** Names of the counts that add up. */
export type TcpCount = (typeof SUMS)[number];

const NS_PER_MS = 1e6;

/** What is known of the TCP of one flow or of many together: counts as {@link TCP_FIELDS} has them, and round trips. */
export class TcpSums {
  readonly counts: Record<TcpCount, number> = Object.fromEntries(SUMS.map((name) => [name, 0])) as Record<
    TcpCount,
    number
  >;
  /** From the SYN of this way to its answer, milliseconds, of the latest handshake. */
  handshakeMs: number | undefined;
  leastRoundTripMs: number | undefined;
  mostRoundTripMs: number | undefined;
  readonly #histogram = new Float64Array(HISTOGRAM_PLACES);

  /** Takes in a record of an epoch. */
  add(columns: TcpColumns, row: number): void {
    for (const name of SUMS) this.counts[name] += Number(columns[name][row]!);
    const handshake = Number(columns.handshakeNs[row]!);
    if (handshake > 0) this.handshakeMs = handshake / NS_PER_MS;
    if (columns.roundTrips[row] === 0) return;
    const least = (Number(columns.roundTripLeastNs[row]!) - 1) / NS_PER_MS;
    const most = Number(columns.roundTripMostNs[row]!) / NS_PER_MS;
    this.leastRoundTripMs = Math.min(this.leastRoundTripMs ?? least, least);
    this.mostRoundTripMs = Math.max(this.mostRoundTripMs ?? most, most);
    const first = row * HISTOGRAM_PLACES;
    for (let place = 0; place < HISTOGRAM_PLACES; place++)
      this.#histogram[place]! += columns.roundTripHistogram[first + place]!;
  }

  /** Segments that were sent again, whichever way they are told from late ones: tshark's, and those it calls out of order. */
  get retransmitted(): number {
    return this.counts.retransmissions + this.counts.repeatedOutOfOrder;
  }

  /** Segments that others had overtaken. */
  get overtaken(): number {
    return this.counts.outOfOrder - this.counts.repeatedOutOfOrder;
  }

  /** To the receiver and back, in the mean, milliseconds; the delay of ACKs included. */
  get roundTripMs(): number | undefined {
    const { roundTrips, roundTripSumNs } = this.counts;
    return roundTrips === 0 ? undefined : roundTripSumNs / roundTrips / NS_PER_MS;
  }

  /** How many round trips are in each place of the histogram; lent. */
  get histogram(): Float64Array {
    return this.#histogram;
  }

  /** The round trip that `fraction` of them stay below, milliseconds; within a fifth. */
  percentileMs(fraction: number): number | undefined {
    const bounds = {
      least: (this.leastRoundTripMs ?? 0) * NS_PER_MS,
      most: (this.mostRoundTripMs ?? 0) * NS_PER_MS,
    };
    const ns = percentileNs(this.#histogram, fraction, bounds);
    return ns === undefined ? undefined : ns / NS_PER_MS;
  }
}
