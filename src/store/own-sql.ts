/** SQL that users write: one SELECT, on what is stored and nothing else. */
import { type DuckDBValue, StatementType } from '@duckdb/node-api';
import { MAX_ROWS } from '../query/index.ts';
import type { Connection } from './database.ts';
import { StoreError } from './error.ts';

/** What SQL found. */
export interface SqlTable {
  /** Types in the words of DuckDB. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Numbers as long as they are exact, else their digits; anything without a JSON form as DuckDB writes it. */
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
  /** Whether there were more rows than wanted. */
  readonly isCut: boolean;
}

/**
 * Runs one SELECT (or EXPLAIN) and reads at most so many rows of it. The connection is to be in a read-only transaction;
 * that no file can be reached is a setting of the database that no statement can change.
 *
 * @throws StoreError for any other statement, for several, and with DuckDB's words for wrong SQL
 */
export async function runOwnSql(
  connection: Connection,
  sql: string,
  limit: number = MAX_ROWS,
): Promise<SqlTable> {
  const action = 'running SQL';
  try {
    const statements = await connection.raw.extractStatements(sql).catch((error: Error) => {
      // What the binding says of a text without a statement.
      const isEmpty = error.message === 'Error in native callback';
      throw isEmpty ? new StoreError('STORE_NOT_A_SELECT', action, { found: 'it is empty' }) : error;
    });
    if (statements.count !== 1)
      throw new StoreError('STORE_NOT_A_SELECT', action, { found: `it is ${statements.count} statements` });
    const statement = await statements.prepare(0);
    const { statementType } = statement;
    if (statementType !== StatementType.SELECT && statementType !== StatementType.EXPLAIN)
      throw new StoreError('STORE_NOT_A_SELECT', action, {
        found: `it is ${StatementType[statementType]}, no SELECT`,
      });
    const result = await statement.streamAndReadUntil(limit + 1);
    const types = result.columnTypes();
    return {
      columns: result.columnNames().map((name, nth) => ({ name, type: String(types[nth]) })),
      rows: result
        .getRows()
        .slice(0, limit)
        .map((row) => row.map(plainValue)),
      isCut: result.currentRowCount > limit,
    };
  } catch (error) {
    throw connection.failure(error, action);
  }
}

function plainValue(value: DuckDBValue): string | number | boolean | null {
  switch (typeof value) {
    case 'bigint':
      return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
        ? Number(value)
        : String(value);
    case 'number':
    case 'boolean':
    case 'string':
      return value;
    default:
      return value === null ? null : String(value);
  }
}
