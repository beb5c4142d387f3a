/** For tests: a history as the program made it that had version 1 of the tables. */
import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { text } from './sql.ts';

/** The statements by which that program made its tables. */
const STATEMENTS = readFileSync(new URL('testdata/version-1.sql', import.meta.url), 'utf8');

/** Writes the rows of a history of today, which nobody has open, into the tables of then. */
export async function writeVersion1(from: string, into: string): Promise<void> {
  const instance = await DuckDBInstance.create(into);
  const connection = await instance.connect();
  await connection.run(`${STATEMENTS} DELETE FROM meta; ATTACH ${text(from)} AS today (READ_ONLY)`);
  const found = await connection.run(
    `SELECT table_name, string_agg('"' || column_name || '"', ', ' ORDER BY column_index) FROM duckdb_columns()
     JOIN duckdb_tables() USING (database_name, table_name) WHERE database_name = current_database() GROUP BY ALL`,
  );
  for (const [table, columns] of await found.getRows())
    await connection.run(`INSERT INTO ${table} SELECT ${columns} FROM today.${table}`);
  await connection.run("UPDATE meta SET value = 1 WHERE name = 'version'; DETACH today");
  connection.closeSync();
  instance.closeSync();
}
