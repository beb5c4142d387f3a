/** What the epochs of one interval say beside their flows: what tunnels suffered, and the links of points. */
import { type FlowBatch, TUNNEL_SUM_NAMES, type TunnelMeasure, type TunnelMeasures } from '../flow/index.ts';
import { addSums } from '../measure/index.ts';
import type { PointOf } from './fold.ts';
import { MEASURED } from './tunnel-columns.ts';

/** A value of a stored row. */
export type Value = number | bigint;
/** Values in the order of a table's columns, but for the period. */
export type ValueRow = readonly Value[];

interface TunnelSum {
  readonly point: number;
  readonly tunnel: TunnelMeasure;
  readonly sums: Float64Array;
}

interface LinkWords {
  mtu: number;
  header: number;
  measured: number;
}

const HISTOGRAM = TUNNEL_SUM_NAMES.length;

/** Sums of one interval. */
export class TunnelFold {
  readonly #tunnels = new Map<string, TunnelSum>();
  readonly #links = new Map<number, LinkWords>();

  /** Adds an epoch, and what was measured in it. */
  add({ points }: FlowBatch, measured: TunnelMeasures | undefined, pointOf: PointOf): void {
    const bits = (measured?.sequence ? MEASURED.sequence : 0) | (measured?.tcp ? MEASURED.tcp : 0);
    for (const { ifindex, direction, link } of points) {
      if (!link && bits === 0) continue;
      const point = pointOf(ifindex, direction).id;
      const known = this.#links.get(point) ?? { mtu: 0, header: 0, measured: 0 };
      this.#links.set(point, known);
      known.mtu = Math.max(known.mtu, link?.mtu ?? 0);
      known.header = Math.max(known.header, link?.header ?? 0);
      known.measured |= bits;
    }
    for (const tunnel of measured?.tunnels ?? []) {
      const point = pointOf(tunnel.ifindex, tunnel.direction).id;
      const key = `${point}/${tunnelText(tunnel)}`;
      const known = this.#tunnels.get(key);
      if (known) addSums(known.sums, tunnel.sums);
      else this.#tunnels.set(key, { point, tunnel, sums: tunnel.sums.slice() });
    }
  }

  /** Rows of `tunnel_…`, by tunnel: neighbours are alike. */
  tunnelRows(): ValueRow[] {
    return this.#sorted().map(({ point, tunnel, sums }) => [
      point,
      ...keyOf(tunnel),
      ...[...sums.subarray(0, HISTOGRAM)].map(counterOf),
    ]);
  }

  /** Rows of `round_trip_…`. */
  roundTripRows(): ValueRow[] {
    return this.#sorted().flatMap(({ point, tunnel, sums }) => {
      const key = keyOf(tunnel);
      return [...sums.subarray(HISTOGRAM)].flatMap((samples, place) =>
        samples > 0 ? [[point, ...key, place, counterOf(samples)]] : [],
      );
    });
  }

  /** Rows of `link_…`. */
  linkRows(): ValueRow[] {
    return [...this.#links].map(([point, { mtu, header, measured }]) => [point, mtu, header, measured]);
  }

  #sorted(): TunnelSum[] {
    return [...this.#tunnels.values()].sort(
      (a, b) => a.tunnel.tunnelId - b.tunnel.tunnelId || a.point - b.point,
    );
  }
}

function tunnelText({ tunnelKind, tunnelId, outerNetwork, ...outer }: TunnelMeasure): string {
  const [source, destination] = [outer.outerSource, outer.outerDestination].map((octets) => octets.join('.'));
  return `${tunnelKind}/${tunnelId}/${outerNetwork}/${source}/${destination}`;
}

function keyOf({
  tunnelKind,
  tunnelId,
  outerNetwork,
  outerSource,
  outerDestination,
}: TunnelMeasure): Value[] {
  return [tunnelKind, tunnelId, outerNetwork, ...halvesOf(outerSource), ...halvesOf(outerDestination)];
}

function halvesOf(octets: Uint8Array): [bigint, bigint] {
  const view = new DataView(octets.buffer, octets.byteOffset, 16);
  return [view.getBigUint64(0), view.getBigUint64(8)];
}

/** Sums that a file claims may be absurd; those of many rows must fit into a column all the same. */
function counterOf(sum: number): bigint {
  return BigInt(Math.min(sum, Number.MAX_SAFE_INTEGER));
}
