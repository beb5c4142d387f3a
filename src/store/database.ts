/** A DuckDB file: opened with its limits, asked and changed by statements, its failures told as ours. */
import { existsSync, realpathSync, statfsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { StoreError } from './error.ts';

/** How a file is opened. */
export interface DatabaseOptions {
  readonly path: string;
  /** Memory DuckDB may have, octets; beyond it spills to files beside the database. */
  readonly memoryOctets: number;
  readonly readOnly: boolean;
}

/** Threads of DuckDB: half of what they do is wait for memory, and the host has other work. */
const THREADS = 2;
/** What it may spill, octets. */
const SPILL_OCTETS = 4 * 2 ** 30;
/** Freed memory goes back to the system at once, instead of waiting for the next use. */
const FREE_AT_ONCE = {
  allocator_background_threads: 'true',
  allocator_flush_threshold: '8MiB',
  allocator_bulk_deallocation_flush_threshold: '8MiB',
} as const;

/** How often a statement is told to end until it does. */
const INTERRUPT_MS = 50;

/** Files that are open: the lock that DuckDB takes keeps other processes away, not this one. */
const OPEN = new Set<string>();

/** A file by a name that only it has; of one that is not there yet its directory's. */
function placeOf(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    return path;
  }
}

/** A row: values in the order of the columns asked for. */
export type Row = readonly DuckDBValue[];

/** An open file. Statements of one connection run one after the other; connections run beside each other. */
export class Database {
  readonly path: string;
  readonly #instance: DuckDBInstance;
  readonly #place: string;
  readonly #memoryOctets: number;

  private constructor({ path, memoryOctets }: DatabaseOptions, instance: DuckDBInstance, place: string) {
    this.path = path;
    this.#instance = instance;
    this.#place = place;
    this.#memoryOctets = memoryOctets;
  }

  /** Opens a file, or makes it. No statement, ours or a user's, can reach another file. @throws StoreError */
  static async open(options: DatabaseOptions): Promise<Database> {
    const { path, memoryOctets, readOnly } = options;
    if (readOnly && !existsSync(path)) throw new StoreError('STORE_NOT_FOUND', `opening ${path}`);
    const place = placeOf(path);
    if (OPEN.has(place))
      throw new StoreError('STORE_LOCKED', `opening ${path}`, { found: 'this process has it open already' });
    OPEN.add(place);
    try {
      const instance = await DuckDBInstance.create(path, {
        access_mode: readOnly ? 'READ_ONLY' : 'READ_WRITE',
        threads: String(THREADS),
        memory_limit: `${Math.ceil(memoryOctets / 1e6)}MB`,
        max_temp_directory_size: `${SPILL_OCTETS / 2 ** 30}GiB`,
        preserve_insertion_order: 'false',
        ...FREE_AT_ONCE,
        enable_external_access: 'false',
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
        allow_community_extensions: 'false',
      });
      const connection = await instance.connect();
      // The time zone is a setting that exists only now. Whether closing writes the log into the file is decided there.
      await connection.run(
        "SET GLOBAL TimeZone = 'UTC'; PRAGMA disable_checkpoint_on_shutdown; SET lock_configuration = true",
      );
      connection.closeSync();
      return new Database(options, instance, place);
    } catch (error) {
      OPEN.delete(place);
      throw StoreError.from(error, `opening ${path}`);
    }
  }

  /** @throws StoreError */
  async connect(): Promise<Connection> {
    try {
      return new Connection(this, await this.#instance.connect());
    } catch (error) {
      throw StoreError.from(error, `opening ${this.path}`);
    }
  }

  /** What a statement's failure is. DuckDB tells want of memory where it wanted to spill, and the disk had no room for it. */
  failure(error: unknown, action: string): StoreError {
    const told = StoreError.from(error, action);
    if (told.code !== 'STORE_NO_MEMORY' || this.#hasRoomToSpill()) return told;
    return new StoreError('STORE_NO_SPACE', action, {
      found: 'the file system has too little room for what does not fit in memory',
      cause: error,
    });
  }

  #hasRoomToSpill(): boolean {
    try {
      const { bavail, bsize } = statfsSync(dirname(this.path));
      return bavail * bsize >= this.#memoryOctets;
    } catch {
      return true;
    }
  }

  /** Closes the file; connections are to be closed before. */
  close(): void {
    this.#instance.closeSync();
    OPEN.delete(this.#place);
  }
}

/** A connection to a {@link Database}. */
export class Connection implements Disposable {
  readonly raw: DuckDBConnection;
  readonly #database: Database;

  constructor(database: Database, raw: DuckDBConnection) {
    this.#database = database;
    this.raw = raw;
  }

  /** Runs a statement. @param action what it is for, in errors @throws StoreError */
  async run(sql: string, values?: readonly DuckDBValue[], action = 'writing to'): Promise<void> {
    try {
      await this.raw.run(sql, values && [...values]);
    } catch (error) {
      throw this.failure(error, `${action} ${this.#database.path}`);
    }
  }

  /** All rows of a statement's answer. @throws StoreError */
  async rows(sql: string, action = 'reading'): Promise<readonly Row[]> {
    try {
      return await (await this.raw.run(sql)).getRows();
    } catch (error) {
      throw this.failure(error, `${action} ${this.#database.path}`);
    }
  }

  /** Runs `work` as one transaction: all of it, or nothing when it throws. @throws StoreError */
  async transaction(work: () => Promise<void>): Promise<void> {
    await this.run('BEGIN TRANSACTION');
    try {
      await work();
      await this.run('COMMIT');
    } catch (error) {
      // A failed commit has ended the transaction already.
      await this.raw.run('ROLLBACK').catch(() => undefined);
      throw this.failure(error, `writing to ${this.#database.path}`);
    }
  }

  /** As {@link Database.failure}. */
  failure(error: unknown, action: string): StoreError {
    return this.#database.failure(error, action);
  }

  /** From an abort on whatever runs or is begun here fails, until what this returns is disposed of. */
  endedBy(signal: AbortSignal): Disposable {
    let interrupting: NodeJS.Timeout | undefined;
    const interrupt = (): void => {
      this.raw.interrupt();
      // One that comes between two statements is forgotten by the second.
      interrupting ??= setInterval(interrupt, INTERRUPT_MS);
    };
    if (signal.aborted) interrupt();
    signal.addEventListener('abort', interrupt);
    return {
      [Symbol.dispose]: () => {
        signal.removeEventListener('abort', interrupt);
        clearInterval(interrupting);
      },
    };
  }

  [Symbol.dispose](): void {
    this.raw.closeSync();
  }
}
