/** Stored rows as a file: Parquet, CSV or JSON lines, with columns people can read. */
import { DuckDBInstance } from '@duckdb/node-api';
import type { Exported, ExportFormat, HistorySelection } from '../query/index.ts';
import type { Catalogue } from './catalogue.ts';
import type { Connection } from './database.ts';
import { StoreError } from './error.ts';
import { coverSpan } from './pieces.ts';
import { needsOf, rowsSql } from './question-sql.ts';
import { readableColumns } from './readable.ts';
import { text } from './sql.ts';

/** Where they go. */
export interface ExportTarget {
  readonly format: ExportFormat;
  /** Written anew; what is there is replaced. */
  readonly path: string;
}

const FORMATS: Readonly<Record<ExportFormat, string>> = {
  parquet: 'FORMAT parquet, COMPRESSION zstd',
  csv: 'FORMAT csv, HEADER',
  json: 'FORMAT json',
};
/** What the second database may have of memory; the rest it spills. */
const MEMORY = '64MB';

/**
 * Writes rows. The database of the store reaches no file, so that no SQL of a user's does: rows go through a second one, in
 * memory, that can.
 *
 * @param spillDirectory where the second database keeps what is more than its memory
 * @throws StoreError; what is at the path then is no file to use
 */
export async function exportRows(
  connection: Connection,
  catalogue: Catalogue,
  {
    selection,
    target,
    intervalMs,
    spillDirectory,
    signal,
  }: {
    readonly selection: HistorySelection;
    readonly target: ExportTarget;
    readonly intervalMs: number;
    readonly spillDirectory: string;
    readonly signal: AbortSignal;
  },
): Promise<Exported> {
  const action = `writing ${target.path}`;
  const needs = needsOf({ ...selection, ask: 'flows', quantity: 'octets', limit: 1 });
  const cover = coverSpan(selection, { levels: catalogue, coarsest: 'hour', intervalMs });
  const { points } = catalogue;
  const rows = rowsSql({ pieces: cover.pieces, needs, points, withPoints: true, table: 'flow' });
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: MEMORY,
    threads: '1',
    temp_directory: spillDirectory,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const writer = await instance.connect();
  const interrupt = (): void => writer.interrupt();
  signal.addEventListener('abort', interrupt);
  try {
    const columns = readableColumns();
    await writer.run(
      `CREATE TABLE flow (${columns.map(({ name, type }) => `"${name}" ${type}`).join(', ')})`,
    );
    const result = await connection.raw.stream(
      `SELECT ${columns.map(({ sql, type }) => `(${sql})::${type}`).join(', ')} FROM ${rows}`,
    );
    const appender = await writer.createAppender('flow');
    let count = 0;
    for (;;) {
      const chunk = await result.fetchChunk();
      if (!chunk || chunk.rowCount === 0) break;
      appender.appendDataChunk(chunk);
      count += chunk.rowCount;
    }
    appender.closeSync();
    await writer.run(`COPY flow TO ${text(target.path)} (${FORMATS[target.format]})`);
    return { rows: count, covered: cover.covered, gaps: [...cover.gaps] };
  } catch (error) {
    throw StoreError.from(error, action);
  } finally {
    signal.removeEventListener('abort', interrupt);
    writer.closeSync();
    instance.closeSync();
  }
}
