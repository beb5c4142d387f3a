/** What is told of a single uniflow. */
import type { DuckDBValue } from '@duckdb/node-api';
import { bitsText, codeText, DIMENSIONS, type Dimension, type FilterField } from '../query/index.ts';
import { type Cell, type ColumnKind, DIMENSION_SQL, type DimensionSql, macText } from './dimensions.ts';

/** A column of the answer: by which columns of SQL, over the rows of one uniflow, and how it reads. */
export interface FlowDetail {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly columns: readonly string[];
  readonly read: (values: readonly DuckDBValue[]) => Cell;
}

/** Of the points a flow has many, of the agents too, and its DSCP may change. */
const NOT_OF_A_FLOW: ReadonlySet<Dimension> = new Set(['dscp', 'iface', 'direction', 'agent']);
const BY = DIMENSIONS.filter((name) => !NOT_OF_A_FLOW.has(name));

/** Of the first packet of all. */
const ofFirst = (column: string): string => `arg_min(${column}, first_seen)`;

const sum = (name: string, kind: ColumnKind, column: string): FlowDetail => ({
  name,
  kind,
  columns: [`sum(${column})`],
  read: ([value]) => Number(value),
});

const moment = (name: string, column: string): FlowDetail => ({
  name,
  kind: 'time',
  columns: [`epoch_ms(${column})`],
  read: ([value]) => Number(value),
});

const mac = (name: string, column: string): FlowDetail => ({
  name,
  kind: 'mac',
  columns: [ofFirst(column)],
  read: ([value]) => macText(BigInt(String(value))),
});

/** Names of the bits that are set, with commas between. */
const bits = (name: FilterField, column: string): FlowDetail => ({
  name,
  kind: 'text',
  columns: [column],
  read: ([value]) => bitsText(name, Number(value)),
});

const code = (name: FilterField, column: string): FlowDetail => ({
  name,
  kind: 'text',
  columns: [column],
  read: ([value]) => codeText(name, Number(value)),
});

const number = (name: string, kind: ColumnKind, column: string): FlowDetail => ({
  name,
  kind,
  columns: [column],
  read: ([value]) => (value === null || value === undefined ? null : Number(value)),
});

/** In the order of the answer's columns. */
export const FLOW_DETAILS: readonly FlowDetail[] = [
  ...BY.map((name): FlowDetail => {
    const { kind, columns, read }: DimensionSql = DIMENSION_SQL[name];
    return { name, kind, columns, read: (values) => read(values, new Map()) };
  }),
  number('mark.id', 'number', 'CASE WHEN mark_kind <> 0 THEN mark_id END'),
  code('fragment', 'fragment'),
  bits('remark', 'remark'),
  sum('octets', 'octets', 'wire_octets'),
  sum('packets', 'packets', 'wire_packets'),
  sum('payload', 'octets', 'payload_octets'),
  moment('first', 'min(first_seen)'),
  moment('last', 'max(last_seen)'),
  bits('tcp.flags', 'bit_or(tcp_flags)'),
  { ...code('dscp', ofFirst('dscp')) },
  number('outer.sport', 'number', `nullif(${ofFirst('outer_source_port')}, 0)`),
  number('shortest', 'octets', 'min(shortest)'),
  number('longest', 'octets', 'max(longest)'),
  mac('src.mac', 'source_mac'),
  mac('dst.mac', 'destination_mac'),
];
