/** Stored rows in columns people can read: the view `flows` for SQL, and what exports have. */
import { CASTS, FRAGMENTS, MARK, NETWORK, REMARK, TUNNEL } from '../flow/index.ts';
import { text } from './sql.ts';

/** A readable column: what it is made of. */
export interface ReadableColumn {
  readonly name: string;
  readonly type: 'TIMESTAMP' | 'VARCHAR' | 'BOOLEAN' | 'UINTEGER' | 'USMALLINT' | 'UTINYINT' | 'UBIGINT';
  readonly sql: string;
}

/** Words for the numbers of a column. */
function words(column: string, names: Readonly<Record<string, number>> | readonly string[]): string {
  const pairs = Array.isArray(names)
    ? (names as readonly string[]).map((name, code) => [name, code] as const)
    : Object.entries(names as Readonly<Record<string, number>>);
  const cases = pairs.map(([name, code]) => `WHEN ${code} THEN ${text(name)}`);
  return `CASE ${column} ${cases.join(' ')} ELSE ${column}::VARCHAR END`;
}

const v4 = (lo: string): string =>
  `concat_ws('.', (${lo} >> 24) & 255, (${lo} >> 16) & 255, (${lo} >> 8) & 255, ${lo} & 255)`;

/** Eight groups, without zeros before them. */
const groups = (hi: string, lo: string): string =>
  `concat_ws(':', ${[hi, lo]
    .flatMap((half) => [48, 32, 16, 0].map((bits) => `lower(to_hex((${half} >> ${bits}) & 65535))`))
    .join(', ')})`;

/** The first of the longest runs of two zeros or more becomes `::` (RFC 5952 section 4.2). */
function shortened(written: string): string {
  const cases = [8, 7, 6, 5, 4, 3, 2].map((zeros) => {
    const run = `(^|:)0(:0){${zeros - 1}}(:|$)`;
    return `WHEN regexp_matches(${written}, ${text(run)}) THEN regexp_replace(${written}, ${text(run)}, '::')`;
  });
  return `CASE ${cases.join(' ')} ELSE ${written} END`;
}

/** Functions of SQL that users have: addresses and MACs as text, and text as what is stored. */
export const MACROS: readonly string[] = [
  `CREATE OR REPLACE MACRO address_groups(g) AS ${shortened('g')}`,
  `CREATE OR REPLACE MACRO address_text(hi, lo) AS CASE WHEN hi = 0 AND (lo >> 32) = 65535 THEN ${v4('lo')} ELSE address_groups(${groups('hi', 'lo')}) END`,
  `CREATE OR REPLACE MACRO mac_text(mac) AS concat_ws(':', ${[40, 32, 24, 16, 8, 0]
    .map((bits) => `lpad(lower(to_hex((mac >> ${bits}) & 255)), 2, '0')`)
    .join(', ')})`,
];

const column = (name: string, type: ReadableColumn['type'], sql = name): ReadableColumn => ({
  name,
  type,
  sql,
});
const address = (name: string, network: string): ReadableColumn =>
  column(name, 'VARCHAR', `CASE WHEN ${network} <> 0 THEN address_text(${name}_hi, ${name}_lo) END`);
const tag = (name: string): ReadableColumn =>
  column(name, 'USMALLINT', `CASE WHEN ${name} >= 32768 THEN ${name} & 4095 END`);
const TUNNELS = ['tunnel', 'tunnel2', 'tunnel3', 'tunnel4'];
const remarks = Object.entries(REMARK).map(
  ([name, bit]) => `CASE WHEN remark & ${bit} <> 0 THEN ${text(name)} END`,
);

const COLUMNS: readonly ReadableColumn[] = [
  column('period', 'TIMESTAMP'),
  column('interface', 'VARCHAR'),
  column('direction', 'VARCHAR', words('direction', ['ingress', 'egress'])),
  column('counted', 'BOOLEAN'),
  column('tunnel_depth', 'UTINYINT'),
  ...TUNNELS.flatMap((name, level) => [
    column(
      name,
      'VARCHAR',
      level === 0
        ? words(`${name}_kind`, TUNNEL)
        : `CASE WHEN tunnel_depth > ${level} THEN ${words(`${name}_kind`, TUNNEL)} END`,
    ),
    column(`${name}_id`, 'UINTEGER', `CASE WHEN tunnel_depth > ${level} THEN ${name}_id END`),
  ]),
  column('mark', 'VARCHAR', words('mark_kind', MARK)),
  column('mark_id', 'UINTEGER', 'CASE WHEN mark_kind <> 0 THEN mark_id END'),
  address('outer_source', 'outer_network'),
  address('outer_destination', 'outer_network'),
  column('network', 'VARCHAR', words('network', NETWORK)),
  address('source', 'network'),
  address('destination', 'network'),
  ...(['protocol', 'source_port', 'destination_port'] as const).map((name) =>
    column(name, name === 'protocol' ? 'UTINYINT' : 'USMALLINT'),
  ),
  column('icmp_type', 'UTINYINT', 'icmp_type_code >> 8'),
  column('icmp_code', 'UTINYINT', 'icmp_type_code & 255'),
  column('ethertype', 'USMALLINT'),
  ...['vlan', 'second_vlan', 'inner_vlan', 'inner_second_vlan'].map(tag),
  column('destination_cast', 'VARCHAR', words('destination_cast', CASTS)),
  column('fragment', 'VARCHAR', words('fragment', FRAGMENTS)),
  column('remark', 'VARCHAR', `concat_ws(',', ${remarks.join(', ')})`),
  ...['octets', 'packets', 'wire_octets', 'wire_packets', 'payload_octets'].map((name) =>
    column(name, 'UBIGINT'),
  ),
  column('first_seen', 'TIMESTAMP'),
  column('last_seen', 'TIMESTAMP'),
  column('tcp_flags', 'USMALLINT'),
  column('dscp', 'UTINYINT'),
  column('outer_source_port', 'USMALLINT'),
  column('shortest', 'USMALLINT'),
  column('longest', 'UINTEGER'),
  column('source_mac', 'VARCHAR', 'mac_text(source_mac)'),
  column('destination_mac', 'VARCHAR', 'mac_text(destination_mac)'),
];

/** The columns of a readable row, in their order. */
export function readableColumns(): readonly ReadableColumn[] {
  return COLUMNS;
}

/** Views of each level's rows: `flows` (raw), `flows_minute`, `flows_hour`. Columns that are not asked for cost nothing. */
export const VIEWS: readonly string[] = (['raw', 'minute', 'hour'] as const).map(
  (level) =>
    `CREATE OR REPLACE VIEW ${level === 'raw' ? 'flows' : `flows_${level}`} AS SELECT ${COLUMNS.map(
      ({ name, type, sql }) => `(${sql})::${type} AS "${name}"`,
    ).join(', ')} FROM flow_${level} f JOIN (SELECT id, interface, direction FROM point) p ON p.id = f.point`,
);
