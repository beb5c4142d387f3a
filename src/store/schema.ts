/** The tables of the store, and how older ones are brought up to it. docs/history.md describes them to users. */
import { LEVELS } from '../query/index.ts';
import { AUDIT_COLUMNS } from './audit-rows.ts';
import { FLOW_COLUMNS, type StoredColumn, TOTAL_COLUMNS } from './columns.ts';
import type { Connection } from './database.ts';
import { StoreError } from './error.ts';
import { MIGRATIONS, OLDEST_READ } from './migrations.ts';
import { MACROS, VIEWS } from './readable.ts';
import { LINK_COLUMNS, ROUND_TRIP_COLUMNS, TUNNEL_ROW_COLUMNS } from './tunnel-columns.ts';

/** Version of the tables. Raised with each change of them; {@link MIGRATIONS} leads there from each one before. */
export const SCHEMA_VERSION = 3;

/** Tables that every level has: flow_raw, flow_minute, … */
export const LEVEL_TABLES = {
  flow: FLOW_COLUMNS,
  total: TOTAL_COLUMNS,
  seen: [
    { name: 'period', type: 'TIMESTAMP', joining: 'key', meaning: 'as of flow' },
    { name: 'point', type: 'UINTEGER', joining: 'key', meaning: 'as of flow' },
    { name: 'octets', type: 'UBIGINT', joining: 'sum', meaning: 'as the stack held them' },
    { name: 'packets', type: 'UBIGINT', joining: 'sum', meaning: 'as the stack held them' },
  ],
  ledger: [
    { name: 'period', type: 'TIMESTAMP', joining: 'key', meaning: 'as of flow' },
    { name: 'point', type: 'UINTEGER', joining: 'key', meaning: 'as of flow' },
    { name: 'reason', type: 'VARCHAR', joining: 'key', meaning: 'why it is in no flow' },
    {
      name: 'layer',
      type: 'UTINYINT',
      joining: 'key',
      meaning: '0 the outermost frame, 1 inside a tunnel, …',
    },
    { name: 'octets', type: 'UBIGINT', joining: 'sum', meaning: 'as the stack held them' },
    { name: 'packets', type: 'UBIGINT', joining: 'sum', meaning: 'as the stack held them' },
    { name: 'wire_octets', type: 'UBIGINT', joining: 'sum', meaning: 'on the wire, as far as known' },
    { name: 'wire_packets', type: 'UBIGINT', joining: 'sum', meaning: 'on the wire, as far as known' },
  ],
  tunnel: TUNNEL_ROW_COLUMNS,
  round_trip: ROUND_TRIP_COLUMNS,
  link: LINK_COLUMNS,
  audit: AUDIT_COLUMNS,
} as const satisfies Record<string, readonly (Omit<StoredColumn, 'type'> & { readonly type: string })[]>;
export type LevelTable = keyof typeof LEVEL_TABLES;

/** Statements that make an empty store of these tables. */
export function createStatements(intervalMs: number): string[] {
  return [
    'CREATE TABLE meta (name VARCHAR NOT NULL, value BIGINT NOT NULL)',
    `INSERT INTO meta VALUES ('version', ${SCHEMA_VERSION}), ('interval_ms', ${Math.trunc(intervalMs)})`,
    'CREATE TABLE agent (id UINTEGER NOT NULL, name VARCHAR NOT NULL)',
    'CREATE TABLE point (id UINTEGER NOT NULL, agent UINTEGER NOT NULL, ifindex UINTEGER NOT NULL, direction UTINYINT NOT NULL, interface VARCHAR, is_primary BOOLEAN NOT NULL)',
    // Runs of epochs without a gap: what is stored already, and when somebody metered.
    'CREATE TABLE epochs (agent UINTEGER NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, from_ms BIGINT NOT NULL, to_ms BIGINT NOT NULL)',
    ...LEVELS.flatMap((level) =>
      Object.entries(LEVEL_TABLES).map(
        ([table, columns]) =>
          `CREATE TABLE ${table}_${level} (${columns.map(({ name, type }) => `${name} ${type} NOT NULL`).join(', ')})`,
      ),
    ),
    ...MACROS,
    ...VIEWS,
  ];
}

/** What a store is opened for. */
export interface SchemaOptions {
  readonly path: string;
  readonly intervalMs: number;
  readonly readOnly: boolean;
}

/**
 * Makes the tables of an empty file, or brings older ones up to date.
 *
 * @returns length of the periods of its rows, ms
 * @throws StoreError for what is none of ours, or newer
 */
export async function openSchema(connection: Connection, options: SchemaOptions): Promise<number> {
  const { path, intervalMs, readOnly } = options;
  const action = `opening ${path}`;
  const tables = (await connection.rows('SELECT table_name FROM duckdb_tables()', 'opening')).map(
    ([name]) => name,
  );
  if (tables.length === 0 && !readOnly) {
    await connection.transaction(async () => {
      for (const statement of createStatements(intervalMs))
        await connection.run(statement, undefined, 'opening');
    });
    return intervalMs;
  }
  if (!tables.includes('meta'))
    throw new StoreError('STORE_CORRUPTED', action, { found: 'it is a database, but no history' });
  const meta = new Map(
    (await connection.rows('SELECT name, value FROM meta', 'opening')).map(([name, value]) => [
      String(name),
      Number(value),
    ]),
  );
  const version = meta.get('version') ?? 0;
  if (version > SCHEMA_VERSION)
    throw new StoreError('STORE_NEWER', action, {
      found: `its tables are of version ${version}, and this program knows them up to ${SCHEMA_VERSION}`,
    });
  if (meta.get('interval_ms') !== intervalMs && !readOnly)
    throw new StoreError('STORE_INTERVAL', action, {
      found: `its rows are of ${meta.get('interval_ms')} ms, not of ${intervalMs}`,
    });
  if (version < OLDEST_READ)
    throw new StoreError('STORE_CORRUPTED', action, {
      found: `its tables are of version ${version}, which no program ever made`,
    });
  if (version < SCHEMA_VERSION && !readOnly) await migrate(connection, version);
  return meta.get('interval_ms') ?? intervalMs;
}

/** Brings tables up to date, all at once: whatever happens meanwhile, they are of the old version or of the new one. */
async function migrate(connection: Connection, from: number): Promise<void> {
  const versions = Array.from({ length: SCHEMA_VERSION - from }, (_, nth) => from + nth);
  await connection.transaction(async () => {
    for (const statement of [
      ...versions.flatMap((version) => MIGRATIONS[version] ?? []),
      `UPDATE meta SET value = ${SCHEMA_VERSION} WHERE name = 'version'`,
    ])
      await connection.run(statement, undefined, 'bringing up to date');
  });
}
