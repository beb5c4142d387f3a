/** The levels of detail: how long their rows' periods are, and how rows of one become rows of the next. */

import type { HistoryLevel } from '../query/index.ts';
import { FLOW_COLUMNS, type StoredColumn } from './columns.ts';
import { LEVEL_TABLES, type LevelTable } from './schema.ts';
import { WITH_PORTS } from './transport.ts';

/** Length of a period, of the levels that have their own. */
export const LEVEL_MS = { minute: 60_000, hour: 3_600_000 } as const;

/**
 * Ports from here on are joined at the hour level, and read as this one: clients take theirs from here (Linux from
 * 32768 on), a new one for each connection, and nobody asks for one of them after days.
 */
export const FIRST_EPHEMERAL_PORT = 32_768;

/** What columns become at the hour level. Of what is no port (an ICMP identifier) nothing is kept. */
const AT_HOUR: Readonly<Record<string, string>> = {
  source_port: hourPort('source_port'),
  destination_port: hourPort('destination_port'),
  outer_source_port: '0::USMALLINT',
};

function hourPort(column: string): string {
  return `CASE WHEN ${WITH_PORTS} THEN least(${column}, ${FIRST_EPHEMERAL_PORT}::USMALLINT) ELSE 0::USMALLINT END`;
}

/** Beginning of the period of a level that a moment is in, as SQL. */
function periodOf(level: Exclude<HistoryLevel, 'raw'>): string {
  return `date_trunc('${level}', period)::TIMESTAMP`;
}

/** The statement that adds rows of `from`, a table with a finer level's columns, to a level's table, joined. */
export function joinStatement(
  table: LevelTable,
  level: Exclude<HistoryLevel, 'raw'>,
  { from, where }: { readonly from: string; readonly where?: string },
): string {
  const columns: readonly (Omit<StoredColumn, 'type'> & { readonly type: string })[] = LEVEL_TABLES[table];
  const values = columns.map(({ name, type, joining }) => {
    if (name === 'period') return periodOf(level);
    if (joining !== 'key') return `${joining}(${name})::${type}`;
    return (level === 'hour' && table === 'flow' && AT_HOUR[name]) || name;
  });
  const order = ORDERS[table];
  const keys = columns.flatMap(({ joining }, nth) => (joining === 'key' ? [nth + 1] : []));
  return [
    `INSERT INTO ${table}_${level}`,
    `SELECT ${values.map((value, nth) => `${value} AS c${nth}`).join(', ')}`,
    `FROM ${from}`,
    ...(where === undefined ? [] : [`WHERE ${where}`]),
    `GROUP BY ${keys.join(', ')}`,
    // As raw rows are: neighbours alike take a tenth less room, and are read faster.
    ...(order.length > 0
      ? [`ORDER BY ${order.map((name) => 1 + columns.findIndex((each) => each.name === name)).join(', ')}`]
      : []),
  ].join(' ');
}

const ORDERS: Readonly<Record<LevelTable, readonly string[]>> = {
  flow: ['period', 'tunnel_id', 'source_lo', 'destination_lo'],
  total: ['period', 'tunnel_id'],
  seen: [],
  ledger: [],
  tunnel: ['period', 'tunnel_id'],
  round_trip: ['period', 'tunnel_id', 'place'],
  link: [],
  audit: [],
};

/** Statement that makes a table for rows on their way in. */
export const STAGE_TABLE = 'staged';
export const CREATE_STAGE: string = `CREATE TEMP TABLE ${STAGE_TABLE} (${FLOW_COLUMNS.map(({ name, type }) => `${name} ${type}`).join(', ')})`;
