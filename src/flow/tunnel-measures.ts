/** TunnelMeasures: what was measured of flows in one epoch, added up by tunnel and observation point. */
import { HISTOGRAM_PLACES } from './measurement.ts';

/** The sums of a tunnel and what they are of; all of them add up further, over flows, points and epochs. */
export const TUNNEL_SUMS = {
  expected: 'sequence numbers from the first to the highest',
  unique: 'of these, that came; may be in a later epoch',
  duplicates: 'numbers that had come already',
  reordered: 'numbers that came after a higher one',
  jitterSamples: 'values of the RFC 3550 jitter',
  jitterSumNs: 'their sum, nanoseconds',
  segments: 'TCP segments with payload, SYN or FIN',
  resent: 'of these, that were sent again',
  roundTrips: 'samples of the round trip to the receiver',
  roundTripSumNs: 'their sum, nanoseconds',
} as const;

/** Name of a sum. */
export type TunnelSumName = keyof typeof TUNNEL_SUMS;

/** In the order in which they stand in {@link TunnelMeasure.sums}. */
export const TUNNEL_SUM_NAMES = Object.keys(TUNNEL_SUMS) as readonly TunnelSumName[];

/** Numbers in {@link TunnelMeasure.sums}: the sums, then the histogram of the round trips. */
export const TUNNEL_MEASURE_WIDTH: number = TUNNEL_SUM_NAMES.length + HISTOGRAM_PLACES;

/** One tunnel, one way, at one observation point. */
export interface TunnelMeasure {
  readonly ifindex: number;
  readonly direction: 0 | 1;
  /** As the fields of these names. */
  readonly tunnelKind: number;
  readonly tunnelId: number;
  readonly outerNetwork: number;
  /** 16 octets each, zero where no network layer carries the tunnel. */
  readonly outerSource: Uint8Array;
  readonly outerDestination: Uint8Array;
  /** By {@link TUNNEL_SUM_NAMES}, then how many round trips there are of each length (`histogramBound`). Whole numbers. */
  readonly sums: Float64Array;
}

/** Those of an epoch. */
export interface TunnelMeasures {
  /** Whether sequence numbers, and whether TCP was measured, found or not. */
  readonly sequence: boolean;
  readonly tcp: boolean;
  /** Each tunnel and point once. */
  readonly tunnels: readonly TunnelMeasure[];
}
