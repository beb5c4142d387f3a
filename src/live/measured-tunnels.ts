/** What packets in tunnels suffered, as far as it was measured: sums by tunnel that add up over epochs. */
import { type FlowBatch, formatAddress } from '../flow/index.ts';
import {
  addSums,
  MOST_TUNNELS,
  measuredWeight,
  type Suffered,
  sufferedOf,
  tunnelMeasures,
} from '../measure/index.ts';
import { segmentId } from './nodes.ts';
import type { Intake } from './uniflows.ts';

/** Kinds of points: primary or not, each way. */
const POINT_KINDS = 4;

/** The sums at each kind of point. */
type Kinds = (Float64Array | undefined)[];

/** Of an epoch, or of many. */
export interface MeasuredTunnels {
  /** Whether sequence numbers, and whether TCP was measured in any epoch. */
  readonly sequence: boolean;
  readonly tcp: boolean;
  /** By {@link tunnelKey}, then by kind of point. */
  readonly tunnels: ReadonlyMap<string, Readonly<Kinds>>;
}

/** Without measurements. */
export const NOTHING_MEASURED: MeasuredTunnels = { sequence: false, tcp: false, tunnels: new Map() };

/** A tunnel as an answer names it. */
export function tunnelKey(segment: string, source: string | null, destination: string | null): string {
  return `${segment} ${source ?? ''} ${destination ?? ''}`;
}

/** The sums of an epoch. Points count as they do for the uniflows: see {@link Intake}. */
export function measuredOf(
  batch: FlowBatch,
  { pointOf, accepts }: Pick<Intake, 'pointOf' | 'accepts'>,
): MeasuredTunnels {
  const kindOf = (ifindex: number, direction: number): number =>
    pointOf.get(2 * ifindex + direction) ?? 2 + direction;
  const measured = tunnelMeasures(
    batch,
    (flows, row) => kindOf(flows.ifindex[row]!, flows.direction[row]!) >= 0 && accepts(flows, row),
  );
  if (!measured) return NOTHING_MEASURED;
  const tunnels = new Map<string, Kinds>();
  for (const { ifindex, direction, sums, ...tunnel } of measured.tunnels) {
    const [source, destination] = [tunnel.outerSource, tunnel.outerDestination].map((octets) =>
      tunnel.outerNetwork === 0 ? null : formatAddress(octets),
    );
    const key = tunnelKey(segmentId(tunnel.tunnelKind, tunnel.tunnelId), source!, destination!);
    const kinds = tunnels.get(key) ?? newKinds();
    tunnels.set(key, kinds);
    const kind = kindOf(ifindex, direction);
    kinds[kind] = added(kinds[kind], sums);
  }
  return { sequence: measured.sequence, tcp: measured.tcp, tunnels };
}

/** Those of several spans together. */
export function joinMeasured(parts: readonly MeasuredTunnels[]): MeasuredTunnels {
  const some = parts.filter(({ sequence, tcp }) => sequence || tcp);
  if (some.length <= 1) return some[0] ?? NOTHING_MEASURED;
  const tunnels = new Map<string, Kinds>();
  for (const part of some)
    for (const [key, kinds] of part.tunnels) {
      const known = tunnels.get(key);
      if (!known && tunnels.size >= MOST_TUNNELS) continue;
      const joined = known ?? newKinds();
      for (const [kind, sums] of kinds.entries()) if (sums) joined[kind] = added(joined[kind], sums);
      tunnels.set(key, joined);
    }
  return {
    sequence: some.some(({ sequence }) => sequence),
    tcp: some.some(({ tcp }) => tcp),
    tunnels,
  };
}

function newKinds(): Kinds {
  return new Array<Float64Array | undefined>(POINT_KINDS).fill(undefined);
}

function added(sums: Float64Array | undefined, more: Float64Array): Float64Array {
  if (!sums) return more.slice();
  addSums(sums, more);
  return sums;
}

/** What a tunnel suffered, of the points that count: primary ones, and of both ways the one where more was measured. */
export function sufferedBy({ tunnels }: MeasuredTunnels, key: string): Suffered {
  return sufferedOf(countedOf(tunnels.get(key) ?? []));
}

function countedOf(kinds: Readonly<Kinds>): Float64Array | undefined {
  const weight = (sums: Float64Array | undefined): number => (sums ? measuredWeight(sums) : -1);
  const larger = (a: Float64Array | undefined, b: Float64Array | undefined): Float64Array | undefined =>
    weight(b) > weight(a) ? b : a;
  return larger(kinds[0], kinds[1]) ?? larger(kinds[2], kinds[3]);
}
