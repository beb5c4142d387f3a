/** What was measured of tunnels, as the head of a record holds it: addresses in digits, of histograms only what is not zero. */
import { z } from 'zod';
import {
  HISTOGRAM_PLACES,
  TUNNEL_MEASURE_WIDTH,
  TUNNEL_SUM_NAMES,
  type TunnelMeasure,
  type TunnelMeasures,
} from '../flow/index.ts';

/** More than any program writes. */
const MAX_SUMS = 65_536;
const HISTOGRAM = TUNNEL_SUM_NAMES.length;

const number = (bits: number) =>
  z
    .number()
    .int()
    .min(0)
    .max(2 ** bits - 1);
const total = z.number().int().min(0);
const address = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .transform((digits) => new Uint8Array(Buffer.from(digits, 'hex')));

const WrittenSchema = z.object({
  sequence: z.boolean(),
  tcp: z.boolean(),
  tunnels: z
    .array(
      z.object({
        ifindex: number(32),
        direction: z.union([z.literal(0), z.literal(1)]),
        /** Kind, identifier, network layer outside. */
        tunnel: z.tuple([number(8), number(32), number(8)]),
        outer: z.tuple([address, address]),
        sums: z.array(total).length(HISTOGRAM),
        /** Places of the histogram, and how many are in each. */
        roundTrips: z.array(z.tuple([total.max(HISTOGRAM_PLACES - 1), total])).max(HISTOGRAM_PLACES),
      }),
    )
    .max(MAX_SUMS),
});
type Written = z.output<typeof WrittenSchema>;

/** What is read. */
export const TunnelsSchema = WrittenSchema.transform(
  ({ tunnels, ...rest }): TunnelMeasures => ({ ...rest, tunnels: tunnels.map(measureOf) }),
);

function measureOf({ tunnel, outer, sums, roundTrips, ...point }: Written['tunnels'][number]): TunnelMeasure {
  const [tunnelKind, tunnelId, outerNetwork] = tunnel;
  const [outerSource, outerDestination] = outer;
  const all = new Float64Array(TUNNEL_MEASURE_WIDTH);
  all.set(sums);
  for (const [place, samples] of roundTrips) all[HISTOGRAM + place] = samples;
  return { ...point, tunnelKind, tunnelId, outerNetwork, outerSource, outerDestination, sums: all };
}

/** What is to be written of them. */
export function writtenTunnels({ sequence, tcp, tunnels }: TunnelMeasures): z.input<typeof WrittenSchema> {
  const digits = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
  return {
    sequence,
    tcp,
    tunnels: tunnels.map(({ ifindex, direction, sums, ...each }) => ({
      ifindex,
      direction,
      tunnel: [each.tunnelKind, each.tunnelId, each.outerNetwork],
      outer: [digits(each.outerSource), digits(each.outerDestination)],
      sums: [...sums.subarray(0, HISTOGRAM)].map(safe),
      roundTrips: [...sums.subarray(HISTOGRAM)].flatMap((samples, place): [number, number][] =>
        samples > 0 ? [[place, safe(samples)]] : [],
      ),
    })),
  };
}

/** What JSON holds exactly; no sum of a second is larger. */
function safe(sum: number): number {
  return Math.min(sum, Number.MAX_SAFE_INTEGER);
}
