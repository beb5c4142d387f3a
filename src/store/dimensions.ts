/** Dimensions of questions as columns of SQL, and their values as answers have them. */
import type { DuckDBValue } from '@duckdb/node-api';
import {
  DIRECTIONS,
  formatAddress,
  hasTunnelId,
  NETWORK,
  TUNNEL,
  type TunnelName,
  tunnelName,
} from '../flow/index.ts';
import {
  codeText,
  type Dimension,
  type FilterField,
  type HistoryLevel,
  type ResultTable,
} from '../query/index.ts';
import { HAS_PORTS, IS_ICMP, IS_IP } from './transport.ts';

export type ColumnKind = ResultTable['columns'][number]['kind'];
export type Cell = ResultTable['rows'][number][number];

/** How a dimension is grouped by and read. */
export interface DimensionSql {
  readonly kind: ColumnKind;
  /** What rows are grouped by; together one value. NULL: the flow has none. */
  readonly columns: readonly string[];
  /** The value of a group, from its columns. */
  readonly read: (values: readonly DuckDBValue[], agentNames: AgentNames) => Cell;
  /** The coarsest level whose rows tell it. */
  readonly coarsest?: HistoryLevel;
  /** Of a point: rows are joined with the table of them. */
  readonly isOfPoint?: true;
}

/** What numbers of agents stand for. */
export type AgentNames = ReadonlyMap<number, string>;

/** Columns of a row's point. */
export const POINT_COLUMNS = ['interface', 'direction', 'agent'] as const;

const HAS_TUNNEL_ID = `tunnel_kind IN (${Object.entries(TUNNEL)
  .filter(([name]) => hasTunnelId(name as TunnelName))
  .map(([, kind]) => kind)
  .join(', ')})`;

const where = (condition: string, value: string): string => `CASE WHEN ${condition} THEN ${value} END`;
const isNone = (value: DuckDBValue | undefined): value is null | undefined =>
  value === null || value === undefined;

function address(column: string, condition: string): DimensionSql {
  return {
    kind: 'address',
    columns: [where(condition, `${column}_hi`), where(condition, `${column}_lo`)],
    read: ([hi, lo]) =>
      isNone(hi) || isNone(lo) ? null : addressText(BigInt(String(hi)), BigInt(String(lo))),
  };
}

function number(value: string, condition?: string, coarsest?: HistoryLevel): DimensionSql {
  return {
    kind: 'number',
    columns: [condition === undefined ? value : where(condition, value)],
    read: ([each]) => (isNone(each) ? null : Number(each)),
    ...(coarsest && { coarsest }),
  };
}

/** A field whose values have words: as the filter language writes them. */
function word(field: FilterField, value: string): DimensionSql {
  return {
    kind: 'text',
    columns: [value],
    read: ([code]) => (isNone(code) ? null : codeText(field, Number(code))),
  };
}

function ofPoint(
  column: (typeof POINT_COLUMNS)[number],
  read: (value: DuckDBValue, agentNames: AgentNames) => Cell,
): DimensionSql {
  return {
    kind: 'text',
    columns: [column],
    read: ([value], agentNames) => (isNone(value) ? null : read(value, agentNames)),
    isOfPoint: true,
  };
}

/** Every dimension. */
export const DIMENSION_SQL = {
  src: address('source', 'network <> 0'),
  dst: address('destination', 'network <> 0'),
  sport: number('source_port', HAS_PORTS, 'minute'),
  dport: number('destination_port', HAS_PORTS, 'minute'),
  proto: word('proto', `CASE WHEN ${IS_IP} THEN protocol::INTEGER WHEN network = ${NETWORK.arp} THEN -3 END`),
  network: word('network', 'network'),
  segment: {
    kind: 'text',
    columns: ['tunnel_kind', 'tunnel_id'],
    read: ([kind, id]) => (Number(kind) === 0 ? 'none' : `${tunnelName(Number(kind))}:${Number(id)}`),
  },
  tunnel: word('tunnel', 'tunnel_kind'),
  vni: number('tunnel_id', HAS_TUNNEL_ID),
  'outer.src': address('outer_source', 'outer_network <> 0'),
  'outer.dst': address('outer_destination', 'outer_network <> 0'),
  vlan: number('vlan & 4095', 'vlan >= 32768'),
  'inner.vlan': number('inner_vlan & 4095', 'tunnel_depth > 0 AND inner_vlan >= 32768'),
  ethertype: word('ethertype', 'ethertype'),
  'icmp.type': number('icmp_type_code >> 8', IS_ICMP),
  'icmp.code': number('icmp_type_code & 255', IS_ICMP),
  dscp: word('dscp', where(IS_IP, 'dscp')),
  mark: word('mark', 'mark_kind'),
  cast: word('cast', 'destination_cast'),
  iface: ofPoint('interface', String),
  direction: ofPoint('direction', (direction) => DIRECTIONS[Number(direction)] ?? null),
  agent: ofPoint('agent', (id, agentNames) => agentNames.get(Number(id)) ?? null),
} as const satisfies Record<Dimension, DimensionSql>;

/** An address from its halves. */
export function addressText(hi: bigint, lo: bigint): string {
  const octets = Buffer.alloc(16);
  octets.writeBigUInt64BE(hi, 0);
  octets.writeBigUInt64BE(lo, 8);
  return formatAddress(octets);
}

/** A MAC from its number. */
export function macText(mac: bigint): string {
  return mac
    .toString(16)
    .padStart(12, '0')
    .replace(/(..)(?!$)/g, '$1:');
}
