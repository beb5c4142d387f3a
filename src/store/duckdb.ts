/** The history in one DuckDB file: takes epochs in, answers questions about the past. */
import type { EpochStore, FlowBatch } from '../flow/index.ts';
import type { FlowQuery, HistoryQuestion, ResultTable } from '../query/index.ts';
import { answerPlan, planOf } from './answer.ts';
import { Catalogue } from './catalogue.ts';
import { type Connection, Database } from './database.ts';
import { StoreError } from './error.ts';
import { takeIn } from './intake.ts';
import { CREATE_STAGE } from './levels.ts';
import { runOwnSql, type SqlTable } from './own-sql.ts';
import { openSchema } from './schema.ts';
import { Turns } from './turns.ts';

/** How long rows of each level are kept, ms; the finer ones not longer than the coarser. */
export interface Retention {
  readonly rawMs: number;
  readonly minuteMs: number;
  readonly hourMs: number;
}

/** What a store tells. */
export interface StoreListener {
  /** Rows before this are given up. */
  gaveUp?(level: string, beforeMs: number, why: 'age' | 'size'): void;
  /** Joining rows or giving them up failed; it is tried again with the next commit. */
  failed?(error: StoreError): void;
}

/** A store and its limits. */
export interface DuckDbStoreOptions {
  readonly path: string;
  /** Length of the periods of rows; a divisor of a minute. */
  readonly intervalMs?: number;
  readonly retention?: Retention;
  /** What the file may take on disk. */
  readonly maxOctets?: number;
  /** What DuckDB may have of memory. */
  readonly memoryOctets?: number;
  /** How long a question may take. */
  readonly answerMs?: number;
  /** Only asked; another process may have it open in the same way. */
  readonly readOnly?: boolean;
  readonly listener?: StoreListener;
  /** What time it is, ms since the epoch. */
  readonly clock?: () => number;
}

const DAY_MS = 86_400_000;
const DEFAULTS = {
  intervalMs: 10_000,
  retention: { rawMs: 2 * DAY_MS, minuteMs: 14 * DAY_MS, hourMs: 400 * DAY_MS },
  maxOctets: 20 * 2 ** 30,
  memoryOctets: 150e6,
  answerMs: 30_000,
  readOnly: false,
  listener: {},
  clock: Date.now,
} as const satisfies Omit<Required<DuckDbStoreOptions>, 'path'>;

/** Questions that are answered at a time; others wait. */
const QUESTIONS_AT_A_TIME = 2;

/** A history in a DuckDB file. One process has it open; within it questions do not wait for writing. */
export class DuckDbStore implements EpochStore, FlowQuery {
  readonly name = 'history';
  readonly #options: Required<DuckDbStoreOptions>;
  readonly #database: Database;
  readonly #writer: Connection;
  readonly #writing = new Turns(1);
  readonly #asking = new Turns(QUESTIONS_AT_A_TIME);
  #catalogue: Catalogue;

  private constructor(
    options: Required<DuckDbStoreOptions>,
    { database, writer, catalogue }: { database: Database; writer: Connection; catalogue: Catalogue },
  ) {
    this.#options = options;
    this.#database = database;
    this.#writer = writer;
    this.#catalogue = catalogue;
  }

  /** Opens a store, or makes one. @throws StoreError; RangeError for options that make no sense */
  static async open(given: DuckDbStoreOptions): Promise<DuckDbStore> {
    const options = { ...DEFAULTS, ...given };
    check(options);
    const database = await Database.open(options);
    try {
      const writer = await database.connect();
      const intervalMs = await openSchema(writer, options);
      if (!options.readOnly) await writer.run(CREATE_STAGE, undefined, 'opening');
      return new DuckDbStore(
        { ...options, intervalMs },
        { database, writer, catalogue: await Catalogue.read(writer) },
      );
    } catch (error) {
      database.close();
      throw StoreError.from(error, `opening ${options.path}`);
    }
  }

  /** As {@link EpochStore.commit}: epochs of one agent in any order, of several agents too. */
  async commit(epochs: readonly FlowBatch[]): Promise<void> {
    await this.#writing.take(undefined, async () => {
      this.#refuseWriting();
      const { intervalMs } = this.#options;
      try {
        await this.#writer.transaction(async () => {
          await takeIn(epochs, { connection: this.#writer, catalogue: this.#catalogue, intervalMs });
        });
      } catch (error) {
        this.#catalogue = await Catalogue.read(this.#writer);
        throw error;
      }
    });
  }

  /** As {@link FlowQuery.answer}. @throws StoreError, FilterError; the reason of the signal */
  async answer(
    question: HistoryQuestion,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<ResultTable> {
    const began = performance.now();
    const answer = await this.#ask(signal, async (connection) => {
      const catalogue = await Catalogue.read(connection);
      const plan = planOf(question, catalogue, this.#options.intervalMs);
      return answerPlan(plan, connection, catalogue);
    });
    return { ...answer, tookMs: performance.now() - began };
  }

  /** The SQL that answers a question now; {@link query} takes it. @throws StoreError, FilterError */
  async sqlOf(question: HistoryQuestion): Promise<string> {
    return this.#ask(
      new AbortController().signal,
      async (connection) => planOf(question, await Catalogue.read(connection), this.#options.intervalMs).sql,
    );
  }

  /**
   * Runs SQL of a user's own: one SELECT, which can neither change the store nor reach anything else.
   *
   * @throws StoreError; the reason of the signal
   */
  async query(
    sql: string,
    { signal, limit }: { readonly signal: AbortSignal; readonly limit?: number },
  ): Promise<SqlTable> {
    return this.#ask(signal, (connection) => runOwnSql(connection, sql, limit));
  }

  async close(): Promise<void> {
    await this.#writing.end();
    await this.#asking.end();
    this.#writer[Symbol.dispose]();
    this.#database.close();
  }

  /** Runs `work` on a connection of its own that sees the store of one moment and cannot change it. */
  async #ask<Result>(
    signal: AbortSignal,
    work: (connection: Connection) => Promise<Result>,
  ): Promise<Result> {
    return this.#asking.take(signal, async () => {
      using connection = await this.#database.connect();
      const { answerMs } = this.#options;
      const timeout = AbortSignal.timeout(answerMs);
      const either = AbortSignal.any([signal, timeout]);
      const interrupt = (): void => connection.raw.interrupt();
      either.addEventListener('abort', interrupt);
      try {
        await connection.run('BEGIN TRANSACTION READ ONLY', undefined, 'reading');
        return await work(connection);
      } catch (error) {
        signal.throwIfAborted();
        if (timeout.aborted)
          throw new StoreError('STORE_TIMEOUT', 'asking the store', {
            found: `it takes longer than ${answerMs / 1000} s`,
            cause: error,
          });
        throw error;
      } finally {
        either.removeEventListener('abort', interrupt);
      }
    });
  }

  #refuseWriting(): void {
    const { readOnly, path } = this.#options;
    if (readOnly)
      throw new StoreError('STORE_READ_ONLY', `writing to ${path}`, {
        found: 'it is opened to be read only',
      });
  }
}

function check({ intervalMs, retention }: Required<DuckDbStoreOptions>): void {
  if (!(intervalMs >= 1000 && 60_000 % intervalMs === 0))
    throw new RangeError(`intervalMs ${intervalMs} is no divisor of a minute of 1000 or more`);
  const { rawMs, minuteMs, hourMs } = retention;
  if (!(rawMs > 0 && rawMs <= minuteMs && minuteMs <= hourMs))
    throw new RangeError(`retention ${rawMs}, ${minuteMs}, ${hourMs} is not rawMs ≤ minuteMs ≤ hourMs`);
}
