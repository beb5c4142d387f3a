/** For tests: a history as the program made it that had an earlier version of the tables. */
import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { text } from './sql.ts';

/** Versions that there were: the statements by which those programs made their tables are in testdata. */
export const EARLIER_VERSIONS = [1, 2] as const;
export type EarlierVersion = (typeof EARLIER_VERSIONS)[number];

/** Writes the rows of a history of today, which nobody has open, into the tables of then, as far as they were there. */
export async function writeVersion(version: EarlierVersion, from: string, into: string): Promise<void> {
  const statements = readFileSync(new URL(`testdata/version-${version}.sql`, import.meta.url), 'utf8');
  const instance = await DuckDBInstance.create(into);
  const connection = await instance.connect();
  await connection.run(`${statements} DELETE FROM meta; ATTACH ${text(from)} AS today (READ_ONLY)`);
  const found = await connection.run(
    `SELECT table_name, string_agg('"' || column_name || '"', ', ' ORDER BY column_index) FROM duckdb_columns()
     JOIN duckdb_tables() USING (database_name, table_name) WHERE database_name = current_database() GROUP BY ALL`,
  );
  for (const [table, columns] of await found.getRows())
    await connection.run(`INSERT INTO ${table} SELECT ${columns} FROM today.${table}`);
  await connection.run(`UPDATE meta SET value = ${version} WHERE name = 'version'; DETACH today`);
  connection.closeSync();
  instance.closeSync();
}
