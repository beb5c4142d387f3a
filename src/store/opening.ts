/** A store's file, open: its connection for writing, and what is known of it by heart. */
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Catalogue } from './catalogue.ts';
import { type Connection, Database, type DatabaseOptions } from './database.ts';
import { StoreError } from './error.ts';
import { CREATE_STAGE } from './levels.ts';
import { openSchema } from './schema.ts';

/** An open file. */
export interface Opened {
  readonly database: Database;
  /** The only connection that writes. */
  readonly writer: Connection;
  /** Replaced when a transaction failed. */
  catalogue: Catalogue;
  readonly intervalMs: number;
}

/** Opens a store, or makes one. @throws StoreError */
export async function openFile(options: DatabaseOptions & { readonly intervalMs: number }): Promise<Opened> {
  const database = await Database.open(options);
  try {
    const writer = await database.connect();
    const intervalMs = await openSchema(writer, options);
    if (!options.readOnly) await writer.run(CREATE_STAGE, undefined, 'opening');
    return { database, writer, catalogue: await Catalogue.read(writer), intervalMs };
  } catch (error) {
    database.close();
    throw StoreError.from(error, `opening ${options.path}`);
  }
}

/** A checkpoint waits for the disk some five times; where one time takes more than this part of all, it is late. */
const FLUSH_SHARE = 1 / 10;

/** Closes it; no connection may be in use. */
export function closeFile({ database, writer }: Opened): void {
  writer[Symbol.dispose]();
  database.close();
}

/**
 * Writes DuckDB's log into the file, where the disk is not too busy for that to be done in time: a checkpoint cannot be ended. Nor
 * need it be made: the next opening reads the log.
 */
export async function emptyLog({ database, writer }: Opened, mostMs: number): Promise<void> {
  if (mostMs <= 0 || !(await isFlushed(`${database.path}.wal`, mostMs * FLUSH_SHARE))) return;
  await writer.run('CHECKPOINT').catch(() => undefined);
}

/** Whether a file is there, and on disk in time. */
async function isFlushed(path: string, mostMs: number): Promise<boolean> {
  const flush = async (): Promise<boolean> => {
    const handle = await open(path);
    await handle.datasync().finally(() => handle.close());
    return true;
  };
  const timer = new AbortController();
  const late = delay(mostMs, false, { signal: timer.signal }).catch(() => false);
  const isInTime = await Promise.race([flush().catch(() => false), late]);
  timer.abort();
  return isInTime;
}
