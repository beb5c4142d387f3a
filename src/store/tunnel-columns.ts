/** What is kept beside the rows of flows: what tunnels suffered, and the links of points. */
import { TUNNEL_SUM_NAMES, TUNNEL_SUMS, type TunnelSumName } from '../flow/index.ts';
import { FIELD_COLUMNS, type StoredColumn } from './columns.ts';

const PERIOD: StoredColumn = { name: 'period', type: 'TIMESTAMP', joining: 'key', meaning: 'as of flow' };
const POINT: StoredColumn = { name: 'point', type: 'UINTEGER', joining: 'key', meaning: 'as of flow' };

/** What makes a tunnel: all that answers tell tunnels apart by. */
export const TUNNEL_KEY_COLUMNS: readonly StoredColumn[] = (
  ['tunnelKind', 'tunnelId', 'outerNetwork', 'outerSource', 'outerDestination'] as const
).flatMap((name): readonly StoredColumn[] => FIELD_COLUMNS[name]);

/** Names of the columns of sums; `unique` is a word of SQL. */
export const SUM_COLUMNS = {
  expected: 'expected',
  unique: 'came',
  duplicates: 'duplicates',
  reordered: 'reordered',
  jitterSamples: 'jitter_samples',
  jitterSumNs: 'jitter_sum_ns',
  segments: 'segments',
  resent: 'resent',
  roundTrips: 'round_trips',
  roundTripSumNs: 'round_trip_sum_ns',
} as const satisfies Record<TunnelSumName, string>;

/** What the flows of a tunnel suffered: sums, of measured flows only. */
export const TUNNEL_ROW_COLUMNS: readonly StoredColumn[] = [
  PERIOD,
  POINT,
  ...TUNNEL_KEY_COLUMNS,
  ...TUNNEL_SUM_NAMES.map(
    (name): StoredColumn => ({
      name: SUM_COLUMNS[name],
      type: 'UBIGINT',
      joining: 'sum',
      meaning: TUNNEL_SUMS[name],
    }),
  ),
];

/** How long the round trips of a tunnel were. */
export const ROUND_TRIP_COLUMNS: readonly StoredColumn[] = [
  PERIOD,
  POINT,
  ...TUNNEL_KEY_COLUMNS,
  { name: 'place', type: 'UTINYINT', joining: 'key', meaning: 'of the histogram: `histogramBound`' },
  { name: 'samples', type: 'UBIGINT', joining: 'sum', meaning: 'how many were so long' },
];

/** Bits of what was measured at a point, whatever was found. */
export const MEASURED = { sequence: 1, tcp: 2 } as const;

/** The link of a point, and what was measured there. */
export const LINK_COLUMNS: readonly StoredColumn[] = [
  PERIOD,
  POINT,
  { name: 'mtu', type: 'UINTEGER', joining: 'max', meaning: 'octets; 0: not known; of several the largest' },
  { name: 'header', type: 'UTINYINT', joining: 'max', meaning: "octets of the link's own header" },
  { name: 'measured', type: 'UTINYINT', joining: 'bit_or', meaning: '1: sequence numbers, 2: TCP' },
];
