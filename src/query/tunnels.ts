/** The columns of an answer about tunnels, whoever gives it, and what follows from sums. */
import type { ResultTable } from './history.ts';

/**
 * A tunnel is a segment with the two ends that carry it, one way. docs/query.md says what each column is.
 */
export const TUNNELS_COLUMNS = [
  { name: 'segment', kind: 'text' },
  { name: 'outer.src', kind: 'address' },
  { name: 'outer.dst', kind: 'address' },
  { name: 'octets', kind: 'octets' },
  { name: 'packets', kind: 'packets' },
  { name: 'flows', kind: 'flows' },
  { name: 'overhead', kind: 'share' },
  { name: 'longest', kind: 'octets' },
  { name: 'fragments', kind: 'packets' },
  { name: 'ports', kind: 'number' },
  { name: 'entropy', kind: 'bits' },
  { name: 'entropy.possible', kind: 'bits' },
  { name: 'first', kind: 'time' },
  { name: 'last', kind: 'time' },
] as const satisfies ResultTable['columns'];

/** Behind {@link TUNNELS_COLUMNS} where the MTU of interfaces is known: where it is no capture. */
export const HEADROOM_COLUMNS = [
  { name: 'mtu', kind: 'octets' },
  { name: 'headroom', kind: 'octets' },
] as const satisfies ResultTable['columns'];

/** Behind those where sequence numbers are measured. */
export const SEQUENCE_COLUMNS = [
  { name: 'lost', kind: 'packets' },
  { name: 'loss', kind: 'share' },
  { name: 'duplicates', kind: 'packets' },
  { name: 'reordered', kind: 'packets' },
  { name: 'jitter', kind: 'duration' },
] as const satisfies ResultTable['columns'];

/** Behind those where TCP is measured. */
export const RESENT_COLUMNS = [
  { name: 'resent', kind: 'packets' },
  { name: 'resent.share', kind: 'share' },
  { name: 'round.trip', kind: 'duration' },
  { name: 'round.trip.p99', kind: 'duration' },
] as const satisfies ResultTable['columns'];

/** Ports are numbers of so many bits: more entropy than that there cannot be. */
const PORT_BITS = 16;

/** Octets that are spread over something: all of them, and the sum of o · log₂ o over its parts. */
export interface Spread {
  readonly octets: number;
  readonly logarithms: number;
}

/** What is known of one tunnel; null where rows of the level, or folded flows, do not tell it any more. */
export interface TunnelSums {
  readonly segment: string;
  readonly outerSource: string | null;
  readonly outerDestination: string | null;
  readonly octets: number;
  readonly packets: number;
  readonly flows: number | null;
  /** Octets of outer headers. */
  readonly headers: number;
  /** Longest packet without them. */
  readonly longest: number | null;
  readonly fragments: number;
  /** Distinct outer source ports, 0 where there are none. */
  readonly ports: number | null;
  readonly overPorts: Spread;
  readonly overFlows: Spread;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** The row of a tunnel. */
export function tunnelRow(sums: TunnelSums): ResultTable['rows'][number] {
  const { octets, ports, overPorts, overFlows } = sums;
  const hasPorts = ports !== null && ports > 0;
  return [
    sums.segment,
    sums.outerSource,
    sums.outerDestination,
    octets,
    sums.packets,
    sums.flows,
    octets > 0 ? Math.min(1, sums.headers / octets) : 0,
    sums.longest,
    sums.fragments,
    hasPorts ? ports : null,
    hasPorts ? entropyOf(overPorts) : null,
    hasPorts ? Math.min(PORT_BITS, entropyOf(overFlows)) : null,
    sums.firstMs,
    sums.lastMs,
  ];
}

/** Shannon's, bits: 0 where all octets are of one part. */
function entropyOf({ octets, logarithms }: Spread): number {
  // Sums of rounded logarithms come out a little below 0.
  return octets > 0 ? Math.max(0, Math.log2(octets) - logarithms / octets) : 0;
}

/** What a part adds to the logarithms of a {@link Spread}. */
export function logarithmOf(octets: number): number {
  return octets > 0 ? octets * Math.log2(octets) : 0;
}
