/** What packets in tunnels suffered, as far as it was measured: sums by tunnel, and what follows from them. */
import {
  columnWords,
  type FlowBatch,
  type FlowColumns,
  HISTOGRAM_PLACES,
  KeyTable,
  TUNNEL_MEASURE_WIDTH,
  TUNNEL_SUM_NAMES,
  type TunnelMeasure,
  type TunnelMeasures,
  type TunnelSumName,
} from '../flow/index.ts';
import { percentileNs } from './histogram.ts';

/** Tunnels of an epoch of which sums are kept: those that were measured first. */
export const MOST_TUNNELS = 1000;
/** Sums of an epoch, at all points together: a tunnel is seen at four at most, where each way there is one primary point and one other. */
const MOST_SUMS = 4 * MOST_TUNNELS;
/** Words of a tunnel: its kind, identifier and network layer, and two addresses. */
const TUNNEL_WORDS = 11;
const TCP = 6;
const NS_PER_MS = 1e6;
const HISTOGRAM = TUNNEL_SUM_NAMES.length;
const AT = Object.fromEntries(TUNNEL_SUM_NAMES.map((name, at) => [name, at])) as Readonly<
  Record<TunnelSumName, number>
>;

/** What is known of one tunnel, in the order of an answer's columns; null where nothing was measured. */
export interface Suffered {
  /**
   * Packets by sequence numbers: lost (numbers that did not come, of those from the first to the highest), their share, come
   * again, overtaken; then the RFC 3550 jitter, mean over the packets, milliseconds.
   */
  readonly sequence: readonly (number | null)[];
  /** TCP segments that were sent again, their share; to the receiver and back, milliseconds: mean, and what 99 of 100 stay below. */
  readonly tcp: readonly (number | null)[];
}

type Measurements = NonNullable<FlowBatch['measurements']>;

/**
 * The sums of an epoch, of {@link MOST_TUNNELS} tunnels; undefined where neither sequence numbers nor TCP are measured.
 *
 * @param accepts which of the measured flows count; default all
 */
export function tunnelMeasures(
  { measurements, tunnels }: Pick<FlowBatch, 'measurements' | 'tunnels'>,
  accepts: (flows: FlowColumns, row: number) => boolean = () => true,
): TunnelMeasures | undefined {
  if (!measurements) return tunnels;
  const { flows, length, sequence, tcp } = measurements;
  if (!sequence && !tcp) return undefined;
  const keys = new KeyTable(TUNNEL_WORDS);
  const [source, destination] = [columnWords(flows.outerSource), columnWords(flows.outerDestination)];
  const atPoints: Map<number, TunnelMeasure>[] = [];
  const found: TunnelMeasure[] = [];
  for (let row = 0; row < length; row++) {
    if (flows.tunnelKind[row] === 0 || !accepts(flows, row)) continue;
    keys.probe[0] = flows.tunnelKind[row]!;
    keys.probe[1] = flows.tunnelId[row]!;
    keys.probe[2] = flows.outerNetwork[row]!;
    for (let i = 0; i < 4; i++) {
      keys.probe[3 + i] = source[4 * row + i]!;
      keys.probe[7 + i] = destination[4 * row + i]!;
    }
    const tunnel = keys.intern();
    if (tunnel >= MOST_TUNNELS) continue;
    atPoints[tunnel] ??= new Map();
    const point = 2 * flows.ifindex[row]! + flows.direction[row]!;
    let measure = atPoints[tunnel].get(point);
    if (!measure) {
      if (found.length >= MOST_SUMS) continue;
      measure = emptyMeasure(flows, row);
      atPoints[tunnel].set(point, measure);
      found.push(measure);
    }
    if (sequence) addSequence(measure.sums, sequence, row);
    if (tcp && flows.protocol[row] === TCP) addTcp(measure.sums, tcp, row);
  }
  keys.free();
  return { sequence: sequence !== undefined, tcp: tcp !== undefined, tunnels: found };
}

function emptyMeasure(flows: FlowColumns, row: number): TunnelMeasure {
  return {
    ifindex: flows.ifindex[row]!,
    direction: flows.direction[row] === 1 ? 1 : 0,
    tunnelKind: flows.tunnelKind[row]!,
    tunnelId: flows.tunnelId[row]!,
    outerNetwork: flows.outerNetwork[row]!,
    outerSource: flows.outerSource.slice(16 * row, 16 * row + 16),
    outerDestination: flows.outerDestination.slice(16 * row, 16 * row + 16),
    sums: new Float64Array(TUNNEL_MEASURE_WIDTH),
  };
}

function addSequence(sums: Float64Array, columns: NonNullable<Measurements['sequence']>, row: number): void {
  for (const name of [
    'expected',
    'unique',
    'duplicates',
    'reordered',
    'jitterSamples',
    'jitterSumNs',
  ] as const)
    sums[AT[name]]! += Number(columns[name][row]!);
}

function addTcp(sums: Float64Array, columns: NonNullable<Measurements['tcp']>, row: number): void {
  for (const name of ['segments', 'roundTrips', 'roundTripSumNs'] as const)
    sums[AT[name]]! += Number(columns[name][row]!);
  sums[AT.resent]! += columns.retransmissions[row]! + columns.repeatedOutOfOrder[row]!;
  for (let place = 0; place < HISTOGRAM_PLACES; place++)
    sums[HISTOGRAM + place]! += columns.roundTripHistogram[HISTOGRAM_PLACES * row + place]!;
}

/** Adds `more` to sums. */
export function addSums(sums: Float64Array, more: Float64Array): void {
  for (let at = 0; at < TUNNEL_MEASURE_WIDTH; at++) sums[at]! += more[at]!;
}

/** How much was measured: of several points where the same packets went by, the one with most of it tells. */
export function measuredWeight(sums: Float64Array): number {
  return sums[AT.expected]! + sums[AT.segments]!;
}

/** What a tunnel suffered, by the sums of the points that count; undefined: nothing was measured. */
export function sufferedOf(sums: Float64Array | undefined): Suffered {
  const of = (name: TunnelSumName): number => sums?.[AT[name]] ?? 0;
  const share = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);
  const [expected, segments, roundTrips] = [of('expected'), of('segments'), of('roundTrips')];
  const known = (value: number, among: number): number | null => (among > 0 ? value : null);
  // Numbers that were lost before may come in this time.
  const lost = Math.max(0, expected - of('unique'));
  const percentile =
    sums && percentileNs(sums.subarray(HISTOGRAM), 0.99, { least: 0, most: Number.MAX_SAFE_INTEGER });
  return {
    sequence: [
      known(lost, expected),
      share(lost, expected),
      known(of('duplicates'), expected),
      known(of('reordered'), expected),
      share(of('jitterSumNs') / NS_PER_MS, of('jitterSamples')),
    ],
    tcp: [
      known(of('resent'), segments),
      share(of('resent'), segments),
      share(of('roundTripSumNs') / NS_PER_MS, roundTrips),
      roundTrips > 0 && percentile !== undefined ? percentile / NS_PER_MS : null,
    ],
  };
}
