/** What packets in tunnels suffered, as far as it was measured: sums by tunnel that add up over epochs. */
import { columnWords, type FlowBatch, formatAddress, HISTOGRAM_PLACES, KeyTable } from '../flow/index.ts';
import { percentileNs } from '../measure/index.ts';
import { segmentId } from './nodes.ts';
import type { Intake } from './uniflows.ts';

/** Sums by place; behind them stands the histogram of the round trips. */
const SUM = {
  expected: 0,
  unique: 1,
  duplicates: 2,
  reordered: 3,
  jitterSamples: 4,
  jitterSumNs: 5,
  segments: 6,
  resent: 7,
  roundTrips: 8,
  roundTripSumNs: 9,
} as const;
const SUMS = Object.keys(SUM).length;
const WIDTH = SUMS + HISTOGRAM_PLACES;
/** Tunnels of which sums are kept, at each kind of point. */
const MOST_TUNNELS = 1000;
/** Kinds of points: primary or not, each way. */
const POINT_KINDS = 4;
const TCP = 6;
const NS_PER_MS = 1e6;

/** Of an epoch, or of many. */
export interface MeasuredTunnels {
  /** Whether sequence numbers, and whether TCP was measured in any epoch. */
  readonly sequence: boolean;
  readonly tcp: boolean;
  /** By {@link tunnelKey}, then by kind of point. */
  readonly tunnels: ReadonlyMap<string, readonly (Float64Array | undefined)[]>;
}

/** Without measurements. */
export const NOTHING_MEASURED: MeasuredTunnels = { sequence: false, tcp: false, tunnels: new Map() };

/** What is known of one tunnel; null where nothing was measured. */
export interface Suffered {
  /** Numbers that did not come, of those from the first to the highest: packets. */
  readonly lost: number | null;
  readonly loss: number | null;
  readonly duplicates: number | null;
  readonly reordered: number | null;
  /** RFC 3550, mean over the packets, milliseconds. */
  readonly jitterMs: number | null;
  /** TCP segments that were sent again, and their part of all. */
  readonly resent: number | null;
  readonly resentShare: number | null;
  /** To the receiver and back, milliseconds: mean, and what 99 of 100 stay below. */
  readonly roundTripMs: number | null;
  readonly roundTrip99Ms: number | null;
}

/** A tunnel as an answer names it. */
export function tunnelKey(segment: string, source: string | null, destination: string | null): string {
  return `${segment} ${source ?? ''} ${destination ?? ''}`;
}

/** The sums of an epoch. Points count as they do for the uniflows: see {@link Intake}. */
export function measuredOf(
  { measurements }: FlowBatch,
  { pointOf, accepts }: Pick<Intake, 'pointOf' | 'accepts'>,
): MeasuredTunnels {
  if (!measurements) return NOTHING_MEASURED;
  const { flows, length, sequence, tcp } = measurements;
  const keys = new KeyTable(11);
  const [source, destination] = [columnWords(flows.outerSource), columnWords(flows.outerDestination)];
  const found: { readonly row: number; readonly kinds: (Float64Array | undefined)[] }[] = [];
  for (let row = 0; row < length; row++) {
    if (flows.tunnelKind[row] === 0) continue;
    const direction = flows.direction[row]!;
    const kind = pointOf.get(2 * flows.ifindex[row]! + direction) ?? 2 + direction;
    if (kind < 0 || !accepts(flows, row)) continue;
    keys.probe[0] = flows.tunnelKind[row]!;
    keys.probe[1] = flows.tunnelId[row]!;
    keys.probe[2] = flows.outerNetwork[row]!;
    for (let i = 0; i < 4; i++) {
      keys.probe[3 + i] = source[4 * row + i]!;
      keys.probe[7 + i] = destination[4 * row + i]!;
    }
    const tunnel = keys.intern();
    if (tunnel >= MOST_TUNNELS) continue;
    found[tunnel] ??= { row, kinds: new Array(POINT_KINDS).fill(undefined) };
    const { kinds } = found[tunnel];
    kinds[kind] ??= new Float64Array(WIDTH);
    const sums = kinds[kind];
    if (sequence) addSequence(sums, sequence, row);
    if (tcp && flows.protocol[row] === TCP) addTcp(sums, tcp, row);
  }
  const nameOf = (row: number): string => {
    const [from, to] = [flows.outerSource, flows.outerDestination].map((octets) =>
      flows.outerNetwork[row] === 0 ? null : formatAddress(octets, 16 * row),
    );
    return tunnelKey(segmentId(flows.tunnelKind[row]!, flows.tunnelId[row]!), from!, to!);
  };
  return {
    sequence: sequence !== undefined,
    tcp: tcp !== undefined,
    tunnels: new Map(found.map(({ row, kinds }) => [nameOf(row), kinds])),
  };
}

type Measurements = NonNullable<FlowBatch['measurements']>;

function addSequence(sums: Float64Array, columns: NonNullable<Measurements['sequence']>, row: number): void {
  for (const name of [
    'expected',
    'unique',
    'duplicates',
    'reordered',
    'jitterSamples',
    'jitterSumNs',
  ] as const)
    sums[SUM[name]]! += Number(columns[name][row]!);
}

function addTcp(sums: Float64Array, columns: NonNullable<Measurements['tcp']>, row: number): void {
  for (const name of ['segments', 'roundTrips', 'roundTripSumNs'] as const)
    sums[SUM[name]]! += Number(columns[name][row]!);
  sums[SUM.resent]! += columns.retransmissions[row]! + columns.repeatedOutOfOrder[row]!;
  for (let place = 0; place < HISTOGRAM_PLACES; place++)
    sums[SUMS + place]! += columns.roundTripHistogram[HISTOGRAM_PLACES * row + place]!;
}

/** Those of several spans together. */
export function joinMeasured(parts: readonly MeasuredTunnels[]): MeasuredTunnels {
  const some = parts.filter(({ sequence, tcp }) => sequence || tcp);
  if (some.length <= 1) return some[0] ?? NOTHING_MEASURED;
  const tunnels = new Map<string, (Float64Array | undefined)[]>();
  for (const part of some)
    for (const [key, kinds] of part.tunnels) {
      const known = tunnels.get(key);
      if (!known && tunnels.size >= MOST_TUNNELS) continue;
      const joined = known ?? new Array<Float64Array | undefined>(POINT_KINDS).fill(undefined);
      for (const [kind, sums] of kinds.entries()) if (sums) joined[kind] = added(joined[kind], sums);
      tunnels.set(key, joined);
    }
  return {
    sequence: some.some(({ sequence }) => sequence),
    tcp: some.some(({ tcp }) => tcp),
    tunnels,
  };
}

function added(sums: Float64Array | undefined, more: Float64Array): Float64Array {
  if (!sums) return more.slice();
  for (let i = 0; i < WIDTH; i++) sums[i]! += more[i]!;
  return sums;
}

/** What a tunnel suffered, of the points that count: primary ones, and of both ways the one where more was measured. */
export function sufferedBy({ tunnels }: MeasuredTunnels, key: string): Suffered {
  const sums = countedOf(tunnels.get(key) ?? []);
  const of = (name: keyof typeof SUM): number => sums?.[SUM[name]] ?? 0;
  const share = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);
  const [expected, segments, roundTrips] = [of('expected'), of('segments'), of('roundTrips')];
  const known = (value: number, among: number): number | null => (among > 0 ? value : null);
  // Numbers that were lost before may come in this window.
  const lost = Math.max(0, expected - of('unique'));
  const percentile = percentileNs(sums?.subarray(SUMS) ?? [], 0.99, {
    least: 0,
    most: Number.MAX_SAFE_INTEGER,
  });
  return {
    lost: known(lost, expected),
    loss: share(lost, expected),
    duplicates: known(of('duplicates'), expected),
    reordered: known(of('reordered'), expected),
    jitterMs: share(of('jitterSumNs') / NS_PER_MS, of('jitterSamples')),
    resent: known(of('resent'), segments),
    resentShare: share(of('resent'), segments),
    roundTripMs: share(of('roundTripSumNs') / NS_PER_MS, roundTrips),
    roundTrip99Ms: roundTrips > 0 && percentile !== undefined ? percentile / NS_PER_MS : null,
  };
}

function countedOf(kinds: readonly (Float64Array | undefined)[]): Float64Array | undefined {
  const weight = (sums: Float64Array | undefined): number =>
    sums ? sums[SUM.expected]! + sums[SUM.segments]! : -1;
  const larger = (a: Float64Array | undefined, b: Float64Array | undefined): Float64Array | undefined =>
    weight(b) > weight(a) ? b : a;
  return larger(kinds[0], kinds[1]) ?? larger(kinds[2], kinds[3]);
}
