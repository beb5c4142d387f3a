/** Questions about tunnels as SQL, and its rows as an answer has them. */
import type { DuckDBValue } from '@duckdb/node-api';
import { ETHERNET_HEADER, NETWORK_HEADERS, TUNNEL_HEADERS, UDP_HEADER } from '../flow/index.ts';
import { type HistoryQuestion, type ResultTable, tunnelRow } from '../query/index.ts';
import { type AgentNames, DIMENSION_SQL, type DimensionSql } from './dimensions.ts';
import { type Rows, rowsSql, UNIFLOW } from './question-sql.ts';
import { whole } from './sql.ts';
import { readSuffering, type Suffering, TAG_OCTETS, TUNNEL } from './tunnel-suffering.ts';

/** What is asked, and whether the rows still tell flows and outer source ports apart. */
export interface TunnelsAsked {
  readonly quantity: Extract<HistoryQuestion, { ask: 'tunnels' }>['quantity'];
  readonly limit: number;
  readonly isExact: boolean;
  readonly suffered: Suffering | undefined;
}

const OUTER: DimensionSql = DIMENSION_SQL['outer.src'];
const SEGMENT: DimensionSql = DIMENSION_SQL.segment;
const NO_AGENTS: AgentNames = new Map();

const ORDER = TUNNEL.replace('outer_network', '(outer_network <> 0)');
const OCTETS = 'sum(wire_octets::BIGINT)';
const SPREAD = 'sum(CASE WHEN o > 0 THEN o * log2(o) ELSE 0 END)';

/** As `tunnelHeaderOctets` of src/flow adds them up. */
const HEADER = [
  ETHERNET_HEADER,
  TAG_OCTETS,
  `CASE outer_network ${NETWORK_HEADERS.map((octets, network) => `WHEN ${network} THEN ${octets}`).join(' ')} ELSE 0 END`,
  `CASE WHEN outer_source_port <> 0 OR tunnel_kind IN (${TUNNEL_HEADERS.flatMap(({ inUdp }, kind) => (inUdp ? [kind] : [])).join(', ')}) THEN ${UDP_HEADER} ELSE 0 END`,
  `CASE tunnel_kind ${TUNNEL_HEADERS.map(({ octets }, kind) => `WHEN ${kind} THEN ${octets}`).join(' ')} ELSE 0 END`,
  `CASE WHEN tunnel_id = 0 THEN 0 ${TUNNEL_HEADERS.flatMap(({ withId }, kind) => (withId === undefined ? [] : [`WHEN tunnel_kind = ${kind} THEN ${withId}`])).join(' ')} ELSE 0 END`,
].join(' + ');

/**
 * The largest tunnels with their sums, then octets and packets of all of them, and how many there are.
 *
 * @param suffered what is known beside flows; undefined where a store has none of it
 */
export function tunnelsSql(rows: Rows, { quantity, limit, isExact, suffered }: TunnelsAsked): string {
  const order = `${quantity} DESC, ${ORDER}`;
  const none = `SELECT ${TUNNEL}, NULL AS flows, 0 AS flow_spread, NULL AS ports, 0 AS port_octets, 0 AS port_spread FROM sums`;
  return [
    `WITH tunnelled AS (SELECT *, ${HEADER} AS header FROM ${rowsSql(rows)} WHERE tunnel_kind <> 0),`,
    `sums AS MATERIALIZED (SELECT ${TUNNEL}, ${OCTETS} AS octets, sum(wire_packets::BIGINT) AS packets,`,
    'sum(wire_packets::BIGINT * header) AS headers, max(greatest(longest::BIGINT - header, 0)) AS longest,',
    'coalesce(sum(wire_packets::BIGINT) FILTER (WHERE fragment <> 0), 0) AS fragments,',
    'epoch_ms(min(first_seen)) AS first, epoch_ms(max(last_seen)) AS last, count(*) AS stored',
    `FROM tunnelled GROUP BY ${TUNNEL}),`,
    isExact
      ? [
          `by_flow AS (SELECT ${TUNNEL}, count(*) AS flows, ${SPREAD} AS flow_spread FROM`,
          `(SELECT ${TUNNEL}, ${OCTETS} AS o FROM tunnelled GROUP BY ${TUNNEL}, ${UNIFLOW}) GROUP BY ${TUNNEL}),`,
          `by_port AS (SELECT ${TUNNEL}, count(*) AS ports, sum(o) AS port_octets, ${SPREAD} AS port_spread FROM`,
          `(SELECT ${TUNNEL}, ${OCTETS} AS o FROM tunnelled WHERE outer_source_port <> 0 GROUP BY ${TUNNEL}, outer_source_port) GROUP BY ${TUNNEL}),`,
          `spreads AS (SELECT ${TUNNEL}, flows, flow_spread, coalesce(ports, 0) AS ports, coalesce(port_octets, 0) AS port_octets, coalesce(port_spread, 0) AS port_spread FROM by_flow LEFT JOIN by_port USING (${TUNNEL})),`,
        ].join(' ')
      : `spreads AS (${none}),`,
    ...(suffered ? [`${suffered.tables},`] : []),
    'total AS (SELECT sum(octets) AS all_octets, sum(packets) AS all_packets, count(*) AS tunnels FROM sums)',
    `SELECT ${TUNNEL}, octets, packets, flows, headers, longest, fragments, ports, port_octets, port_spread, flow_spread, first, last,`,
    ...(suffered ? [`${suffered.columns.join(', ')},`] : []),
    `total.* FROM sums JOIN spreads USING (${TUNNEL})`,
    ...(suffered ? suffered.joined.map((table) => `LEFT JOIN ${table} USING (${TUNNEL})`) : []),
    `CROSS JOIN total ORDER BY ${order} LIMIT ${whole(limit)}`,
  ].join(' ');
}

/** Columns of its answer: of both addresses, then of sums over flows. */
const ADDRESS_COLUMNS = 4;
const SUMS = 12;

/** Reads what {@link tunnelsSql} finds. */
export function readTunnels(
  found: readonly (readonly DuckDBValue[])[],
): Pick<ResultTable, 'rows' | 'total' | 'isCut'> {
  const [octets = 0, packets = 0, count = 0] = found[0]?.slice(-3).map(Number) ?? [];
  return {
    rows: found.map((row) => rowOf(row.slice(0, -3))),
    total: { octets, packets },
    isCut: count > found.length,
  };
}

function rowOf(values: readonly DuckDBValue[]): ResultTable['rows'][number] {
  const [kind, id, network, ...rest] = values;
  const address = (at: number): string | null =>
    Number(network) === 0 ? null : (OUTER.read(rest.slice(at, at + 2), NO_AGENTS) as string | null);
  const [octets, packets, flows, headers, longest, fragments, ports, ...spreads] = rest
    .slice(ADDRESS_COLUMNS, ADDRESS_COLUMNS + SUMS)
    .map((value) => (value === null ? null : Number(value)));
  const [portOctets, portSpread, flowSpread, firstMs, lastMs] = spreads;
  const beside = rest.slice(ADDRESS_COLUMNS + SUMS);
  const row = tunnelRow({
    segment: String(SEGMENT.read([kind!, id!], NO_AGENTS)),
    outerSource: address(0),
    outerDestination: address(2),
    octets: octets!,
    packets: packets!,
    flows: flows ?? null,
    headers: headers!,
    longest: longest!,
    fragments: fragments!,
    ports: ports ?? null,
    overPorts: { octets: portOctets!, logarithms: portSpread! },
    overFlows: { octets: octets!, logarithms: flowSpread! },
    firstMs: firstMs!,
    lastMs: lastMs!,
  });
  return beside.length > 0 ? [...row, ...readSuffering(beside)] : row;
}
