/**
 * From each version of the tables to the next. These statements are of the tables as they were then: they never change with
 * what is stored today, and a test holds their outcome against it.
 */

/** The oldest version that can be opened. To be read only it need not be brought up to date. */
export const OLDEST_READ = 1;

/** Version 2 has totals: rows of flows added up by all that is asked for most, so that a series is not read from single flows. */
const TOTAL_KEYS =
  'period, point, counted, tunnel_kind, tunnel_id, tunnel_depth, tunnel2_kind, tunnel2_id, tunnel3_kind, tunnel3_id, tunnel4_kind, tunnel4_id, outer_network, network, protocol';
const TOTAL_TYPES = [
  'period TIMESTAMP NOT NULL, point UINTEGER NOT NULL, counted BOOLEAN NOT NULL',
  'tunnel_kind UTINYINT NOT NULL, tunnel_id UINTEGER NOT NULL, tunnel_depth UTINYINT NOT NULL',
  ...[2, 3, 4].map((level) => `tunnel${level}_kind UTINYINT NOT NULL, tunnel${level}_id UINTEGER NOT NULL`),
  'outer_network UTINYINT NOT NULL, network UTINYINT NOT NULL, protocol UTINYINT NOT NULL',
  'wire_octets UBIGINT NOT NULL, wire_packets UBIGINT NOT NULL, payload_octets UBIGINT NOT NULL',
].join(', ');
const TOTAL_SUMS = ['wire_octets', 'wire_packets', 'payload_octets']
  .map((column) => `sum(${column})::UBIGINT`)
  .join(', ');

/** Version 3 has what tunnels suffered, and the links of points: of what was stored before nobody knows it. */
const TUNNEL_KEYS = [
  'period TIMESTAMP NOT NULL, point UINTEGER NOT NULL',
  'tunnel_kind UTINYINT NOT NULL, tunnel_id UINTEGER NOT NULL, outer_network UTINYINT NOT NULL',
  'outer_source_hi UBIGINT NOT NULL, outer_source_lo UBIGINT NOT NULL',
  'outer_destination_hi UBIGINT NOT NULL, outer_destination_lo UBIGINT NOT NULL',
].join(', ');
const TUNNEL_SUMS = [
  ...['expected', 'came', 'duplicates', 'reordered', 'jitter_samples', 'jitter_sum_ns'],
  ...['segments', 'resent', 'round_trips', 'round_trip_sum_ns'],
]
  .map((column) => `${column} UBIGINT NOT NULL`)
  .join(', ');
const TUNNELS_OF_3 = ['raw', 'minute', 'hour'].flatMap((level) => [
  `CREATE TABLE tunnel_${level} (${TUNNEL_KEYS}, ${TUNNEL_SUMS})`,
  `CREATE TABLE round_trip_${level} (${TUNNEL_KEYS}, place UTINYINT NOT NULL, samples UBIGINT NOT NULL)`,
  `CREATE TABLE link_${level} (period TIMESTAMP NOT NULL, point UINTEGER NOT NULL, mtu UINTEGER NOT NULL, header UTINYINT NOT NULL, measured UTINYINT NOT NULL)`,
]);

/** It also has what interfaces counted themselves, beside what the hooks saw in the same epochs. */
const READING_TYPE =
  'STRUCT(epoch UBIGINT, packets UBIGINT, octets UBIGINT, dropped UBIGINT, waiting UBIGINT, later_packets UBIGINT, later_octets UBIGINT, later_dropped UBIGINT, later_waiting UBIGINT)';
const AUDIT_TYPES = [
  'period TIMESTAMP NOT NULL, point UINTEGER NOT NULL, kind VARCHAR NOT NULL',
  'programs_before VARCHAR NOT NULL, programs_after VARCHAR NOT NULL, epochs UBIGINT NOT NULL, duration_ms UBIGINT NOT NULL',
  'packets UBIGINT NOT NULL, octets UBIGINT NOT NULL, later_packets UBIGINT NOT NULL',
  `began ${READING_TYPE} NOT NULL, ended ${READING_TYPE} NOT NULL`,
  ...['seen_packets', 'seen_octets', 'wire_packets', 'wire_octets'].map((name) => `${name} UBIGINT NOT NULL`),
].join(', ');
const AUDIT_OF_3 = ['raw', 'minute', 'hour'].map((level) => `CREATE TABLE audit_${level} (${AUDIT_TYPES})`);

/** By version: the statements that lead from it to the next. */
export const MIGRATIONS: Readonly<Record<number, readonly string[]>> = {
  1: ['raw', 'minute', 'hour'].flatMap((level) => [
    `CREATE TABLE total_${level} (${TOTAL_TYPES})`,
    `INSERT INTO total_${level} SELECT ${TOTAL_KEYS}, ${TOTAL_SUMS} FROM flow_${level} GROUP BY ALL ORDER BY period, tunnel_id`,
  ]),
  2: [...TUNNELS_OF_3, ...AUDIT_OF_3],
};
