/** What tunnels suffered and which room they left, as SQL beside the sums of their flows, and as cells of an answer. */
import { DuckDBListValue, type DuckDBValue } from '@duckdb/node-api';
import { TUNNEL_MEASURE_WIDTH, TUNNEL_SUM_NAMES, VLAN_TAG } from '../flow/index.ts';
import { sufferedOf } from '../measure/index.ts';
import { HEADROOM_COLUMNS, RESENT_COLUMNS, type ResultTable, SEQUENCE_COLUMNS } from '../query/index.ts';
import type { Piece } from './pieces.ts';
import { periodsSql, type Rows, rowsSql } from './question-sql.ts';
import { MEASURED, SUM_COLUMNS, TUNNEL_KEY_COLUMNS } from './tunnel-columns.ts';

/** What makes a tunnel; none is ever NULL. */
export const TUNNEL: string = TUNNEL_KEY_COLUMNS.map(({ name }) => name).join(', ');
/** Octets of the VLAN tags outside. */
export const TAG_OCTETS: string = `${VLAN_TAG} * ((vlan >= 32768)::INTEGER + (second_vlan >= 32768)::INTEGER)`;

/** Points that see the same packets again: of each agent, primary or not, each way. */
const KIND = 'agent, is_primary, direction';
const SUMS = TUNNEL_SUM_NAMES.map((name) => SUM_COLUMNS[name]);
const SUMMED = SUMS.map((name) => `sum(${name}) AS ${name}`).join(', ');

/** The columns of an answer that this adds, in their order. */
export const SUFFERING_COLUMNS: ResultTable['columns'] = [
  ...HEADROOM_COLUMNS,
  ...SEQUENCE_COLUMNS,
  ...RESENT_COLUMNS,
];

/** Parts of a statement that has a table `sums` with a row per tunnel, and in `stored` of how many rows it is. */
export interface Suffering {
  /** Tables to be defined. */
  readonly tables: string;
  /** Those of them that have rows by tunnel, not for each. */
  readonly joined: readonly string[];
  /** What {@link readSuffering} reads. */
  readonly columns: readonly string[];
}

/**
 * Points are chosen as the live view does: of what was measured primary ones, and of both ways the one where more was; of room
 * those by which packets leave. Measurements are of whole tunnels: of one of which the filter leaves a part nothing is told.
 */
export function sufferingSql(rows: Rows): Suffering {
  const isWhole = rows.needs.filter.kind === 'any';
  return {
    tables: [
      `measured AS (SELECT ${TUNNEL}, ${KIND}, ${SUMMED} FROM ${ofPoints('tunnel', rows.pieces)} GROUP BY ${TUNNEL}, ${KIND}),`,
      `telling AS MATERIALIZED (SELECT * FROM measured QUALIFY row_number() OVER (PARTITION BY ${TUNNEL}, agent ORDER BY is_primary DESC, expected + segments DESC, direction) = 1),`,
      ...(isWhole ? [] : [`whole AS (${wholeSql(rows)}),`]),
      `suffered AS (SELECT ${TUNNEL}, ${SUMMED} FROM telling${isWhole ? '' : ` JOIN whole USING (${TUNNEL})`} GROUP BY ${TUNNEL}),`,
      `by_place AS (SELECT ${TUNNEL}, place, sum(samples) AS samples FROM ${ofPoints('round_trip', rows.pieces)} SEMI JOIN telling USING (${TUNNEL}, ${KIND}) GROUP BY ${TUNNEL}, place),`,
      `trips AS (SELECT ${TUNNEL}, list(place ORDER BY place) AS places, list(samples ORDER BY place) AS samples FROM by_place GROUP BY ${TUNNEL}),`,
      roomsSql(rows),
    ].join(' '),
    joined: ['suffered', 'trips', 'rooms'],
    columns: ["least['mtu']", "least['headroom']", ...SUMS, 'places', 'samples'],
  };
}

/** Tunnels of which all rows are among the sums. */
function wholeSql(rows: Rows): string {
  const all = rowsSql({ ...rows, needs: { ...rows.needs, filter: { kind: 'any' } } });
  return [
    `SELECT ${TUNNEL} FROM (SELECT ${TUNNEL}, count(*) AS of_all FROM ${all} SEMI JOIN telling USING (${TUNNEL}) GROUP BY ${TUNNEL})`,
    `JOIN sums USING (${TUNNEL}) WHERE stored = of_all`,
  ].join(' ');
}

/** What the longest packet of a row leaves of the MTU its point had in that period, the least of each tunnel. */
function roomsSql(rows: Rows): string {
  const every = rowsSql({ ...rows, needs: { ...rows.needs, isEvery: true } });
  const room = `{'headroom': mtu + octets_more + ${TAG_OCTETS} - longest::BIGINT, 'mtu': mtu}`;
  return [
    `links AS MATERIALIZED (SELECT period, point, max(mtu)::BIGINT AS mtu, max(header)::BIGINT AS octets_more FROM ${periodsSql('link', rows.pieces)} WHERE mtu > 0 GROUP BY period, point),`,
    `rooms_at AS (SELECT ${TUNNEL}, ${KIND}, min(${room}) FILTER (WHERE mtu IS NOT NULL) AS least FROM`,
    `(SELECT f.*, ${pointColumns('p')} FROM ${every} f JOIN point p ON p.id = f.point WHERE tunnel_kind <> 0)`,
    `LEFT JOIN links USING (period, point) GROUP BY ${TUNNEL}, ${KIND}),`,
    `rooms AS (SELECT ${TUNNEL}, min(least) AS least FROM`,
    `(SELECT * FROM rooms_at QUALIFY row_number() OVER (PARTITION BY ${TUNNEL}, agent ORDER BY is_primary DESC, direction DESC) = 1) GROUP BY ${TUNNEL})`,
  ].join(' ');
}

function ofPoints(table: 'tunnel' | 'round_trip', pieces: readonly Piece[]): string {
  return `(SELECT t.*, ${pointColumns('p')} FROM ${periodsSql(table, pieces)} t JOIN point p ON p.id = t.point)`;
}

function pointColumns(alias: string): string {
  return KIND.split(', ')
    .map((name) => `${alias}.${name}`)
    .join(', ');
}

/** Reads its columns: cells of {@link SUFFERING_COLUMNS}. */
export function readSuffering(values: readonly DuckDBValue[]): ResultTable['rows'][number] {
  const number = (value: DuckDBValue | undefined): number | null =>
    value === null || value === undefined ? null : Number(value);
  const [mtu, headroom, ...sums] = values.slice(0, -2);
  const { sequence, tcp } = sufferedOf(isNone(sums[0]) ? undefined : sumsOf(sums, values.slice(-2)));
  return [number(mtu), number(headroom), ...sequence, ...tcp];
}

function sumsOf(values: readonly DuckDBValue[], trips: readonly DuckDBValue[]): Float64Array {
  const sums = new Float64Array(TUNNEL_MEASURE_WIDTH);
  sums.set(values.map(Number));
  const [places, samples] = trips.map((each) => (each instanceof DuckDBListValue ? each.items : []));
  for (const [nth, place] of places!.entries())
    sums[TUNNEL_SUM_NAMES.length + Number(place)] = Number(samples![nth]);
  return sums;
}

function isNone(value: DuckDBValue | undefined): boolean {
  return value === null || value === undefined;
}

/** What is known in a span at all, for {@link knownColumns}. */
export function knownSql(pieces: readonly Piece[]): string {
  return `SELECT coalesce(max(mtu), 0), coalesce(bit_or(measured), 0) FROM ${periodsSql('link', pieces)}`;
}

/** Reads it: whether a column of an answer is of what anybody knew in the span. */
export function knownColumns([mtu = 0, measured = 0]: readonly DuckDBValue[]): (name: string) => boolean {
  const unknown = new Set<string>(
    [
      ...(Number(mtu) > 0 ? [] : HEADROOM_COLUMNS),
      ...(Number(measured) & MEASURED.sequence ? [] : SEQUENCE_COLUMNS),
      ...(Number(measured) & MEASURED.tcp ? [] : RESENT_COLUMNS),
    ].map(({ name }) => name),
  );
  return (name) => !unknown.has(name);
}
