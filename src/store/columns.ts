/** The columns of stored rows: how each field of a record is kept, and what becomes of it where rows are joined. */
import type { FieldName } from '../flow/index.ts';

/** SQL types of stored columns; all have a fixed width, and none is ever NULL. */
export type ColumnType =
  | 'BOOLEAN'
  | 'UTINYINT'
  | 'USMALLINT'
  | 'UINTEGER'
  | 'UBIGINT'
  | 'TIMESTAMP'
  | 'TIMESTAMP_MS';

/** What becomes of a column where several rows become one: a row per value, or one value of all. */
export type Joining = 'key' | 'sum' | 'min' | 'max' | 'bit_or';

/** A column of a stored row. */
export interface StoredColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly joining: Joining;
  readonly meaning: string;
}

const column =
  (joining: Joining) =>
  (name: string, type: ColumnType, meaning = ''): StoredColumn => ({ name, type, joining, meaning });
const key = column('key');
const sum = column('sum');

/** Two halves: DuckDB reads and groups these some twenty times as fast as one number of 128 bits. */
const address = (name: string): StoredColumn[] => [
  key(`${name}_hi`, 'UBIGINT', 'first 8 octets of the address, as a number'),
  key(`${name}_lo`, 'UBIGINT', 'last 8; an IPv4 address is mapped: 0xffff0000_0000 + address, first half 0'),
];

/**
 * What of a record each field is kept in. DSCP, the outer source port and the MACs are of the first packet, and yet told
 * apart like keys: an answer does not depend on how long the periods are that rows stand for.
 */
export const FIELD_COLUMNS = {
  // Interface and direction are the point.
  ifindex: [],
  direction: [],
  tunnelKind: [key('tunnel_kind', 'UTINYINT')],
  tunnelId: [key('tunnel_id', 'UINTEGER')],
  tunnelDepth: [key('tunnel_depth', 'UTINYINT')],
  tunnel2Kind: [key('tunnel2_kind', 'UTINYINT')],
  tunnel2Id: [key('tunnel2_id', 'UINTEGER')],
  tunnel3Kind: [key('tunnel3_kind', 'UTINYINT')],
  tunnel3Id: [key('tunnel3_id', 'UINTEGER')],
  tunnel4Kind: [key('tunnel4_kind', 'UTINYINT')],
  tunnel4Id: [key('tunnel4_id', 'UINTEGER')],
  markKind: [key('mark_kind', 'UTINYINT')],
  markId: [key('mark_id', 'UINTEGER')],
  outerNetwork: [key('outer_network', 'UTINYINT')],
  outerSource: address('outer_source'),
  outerDestination: address('outer_destination'),
  network: [key('network', 'UTINYINT')],
  source: address('source'),
  destination: address('destination'),
  protocol: [key('protocol', 'UTINYINT')],
  sourcePort: [key('source_port', 'USMALLINT')],
  destinationPort: [key('destination_port', 'USMALLINT')],
  icmpTypeCode: [key('icmp_type_code', 'USMALLINT')],
  ethertype: [key('ethertype', 'USMALLINT')],
  vlan: [key('vlan', 'USMALLINT')],
  secondVlan: [key('second_vlan', 'USMALLINT')],
  innerVlan: [key('inner_vlan', 'USMALLINT')],
  innerSecondVlan: [key('inner_second_vlan', 'USMALLINT')],
  // `cast` is a word of SQL.
  cast: [key('destination_cast', 'UTINYINT')],
  fragment: [key('fragment', 'UTINYINT')],
  remark: [key('remark', 'UTINYINT')],
  octets: [sum('octets', 'UBIGINT')],
  packets: [sum('packets', 'UBIGINT')],
  wireOctets: [sum('wire_octets', 'UBIGINT')],
  wirePackets: [sum('wire_packets', 'UBIGINT')],
  payloadOctets: [sum('payload_octets', 'UBIGINT')],
  firstMs: [column('min')('first_seen', 'TIMESTAMP_MS')],
  lastMs: [column('max')('last_seen', 'TIMESTAMP_MS')],
  tcpFlags: [column('bit_or')('tcp_flags', 'USMALLINT')],
  dscp: [key('dscp', 'UTINYINT')],
  outerSourcePort: [key('outer_source_port', 'USMALLINT')],
  shortest: [column('min')('shortest', 'USMALLINT')],
  longest: [column('max')('longest', 'UINTEGER')],
  sourceMac: [key('source_mac', 'UBIGINT', 'the 48 bits as a number')],
  destinationMac: [key('destination_mac', 'UBIGINT', 'the 48 bits as a number')],
} as const satisfies Record<FieldName, readonly StoredColumn[]>;

/** What a row has beside its record. */
export const ROW_COLUMNS = [
  key('period', 'TIMESTAMP', 'beginning of the time the row is of, UTC'),
  key('point', 'UINTEGER', 'observation point: a row of the table point'),
  key(
    'counted',
    'BOOLEAN',
    'whether totals take it in: other points of the host saw the other rows of the same uniflow again',
  ),
] as const satisfies readonly StoredColumn[];

/** Fields of stored rows, in the order of their columns. */
export const FLOW_FIELDS: readonly FieldName[] = Object.keys(FIELD_COLUMNS) as FieldName[];

/**
 * Fields of totals: what has few values and is asked for often, and the sums. Tunnels are in them whole, because a filter on
 * one looks at every level of nesting.
 */
export const TOTAL_FIELDS = [
  'tunnelKind',
  'tunnelId',
  'tunnelDepth',
  'tunnel2Kind',
  'tunnel2Id',
  'tunnel3Kind',
  'tunnel3Id',
  'tunnel4Kind',
  'tunnel4Id',
  'outerNetwork',
  'network',
  'protocol',
  'wireOctets',
  'wirePackets',
  'payloadOctets',
] as const satisfies readonly FieldName[];

/** The columns of rows with some fields, in their order. */
export function columnsOf(fields: readonly FieldName[]): readonly StoredColumn[] {
  return [...ROW_COLUMNS, ...fields.flatMap((name): readonly StoredColumn[] => FIELD_COLUMNS[name])];
}

/** All columns of a stored row, in their order. */
export const FLOW_COLUMNS: readonly StoredColumn[] = columnsOf(FLOW_FIELDS);

/** All columns of a total, in their order. */
export const TOTAL_COLUMNS: readonly StoredColumn[] = columnsOf(TOTAL_FIELDS);

/** What tells uniflows apart: all of a record's key but where it was seen. */
export const UNIFLOW_COLUMNS: readonly string[] = Object.entries(FIELD_COLUMNS)
  .filter(([name]) => !['dscp', 'outerSourcePort', 'sourceMac', 'destinationMac'].includes(name))
  .flatMap(([, columns]) => columns)
  .filter(({ joining }) => joining === 'key')
  .map(({ name }) => name);
