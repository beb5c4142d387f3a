/** The history in one DuckDB file: takes epochs in, answers questions about the past. */
import { setTimeout as delay } from 'node:timers/promises';
import type { EpochStore, FlowBatch } from '../flow/index.ts';
import type {
  Exported,
  HistoryAudit,
  HistoryExport,
  HistoryQuestion,
  HistorySelection,
  HistorySpan,
  PastAudit,
  ResultTable,
  SqlQuery,
} from '../query/index.ts';
import { answerPlan, planOf } from './answer.ts';
import { answerAudit } from './audit-answer.ts';
import { Catalogue } from './catalogue.ts';
import type { Connection } from './database.ts';
import { StoreError } from './error.ts';
import { type ExportTarget, exportRows } from './export.ts';
import { takeIn } from './intake.ts';
import { closeFile, emptyLog, type Opened, openFile } from './opening.ts';
import { type DuckDbStoreOptions, resolveOptions } from './options.ts';
import { runOwnSql, type SqlTable } from './own-sql.ts';
import { Turns } from './turns.ts';
import { giveUpForSize, giveUpOld, joinLevels, type UpkeepOptions } from './upkeep.ts';

/** What is told to end takes less than this, unless it waits for the disk. */
const ENDING_MS = 1_000;
/** Questions that are answered at a time; others wait. */
const QUESTIONS_AT_A_TIME = 2;

/** A history in a DuckDB file. One process has it open; within it questions do not wait for writing. */
export class DuckDbStore implements EpochStore, SqlQuery, HistoryExport, HistoryAudit {
  readonly name = 'history';
  readonly #options: Required<DuckDbStoreOptions>;
  readonly #writing = new Turns(1);
  readonly #asking = new Turns(QUESTIONS_AT_A_TIME);
  /** Undefined while it could not be opened again after it broke. */
  #opened: Opened | undefined;
  /** DuckDB has given the file up, for example for want of room in the middle of a checkpoint; what is in it is well. */
  #isBroken = false;
  /** Periods before this are complete. */
  #completeMs = 0;
  #upkeep: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  /** Closing has lasted long enough: what is still under way is ended. */
  readonly #late = new AbortController();

  private constructor(options: Required<DuckDbStoreOptions>, opened: Opened) {
    this.#options = options;
    this.#opened = opened;
  }

  /** Opens a store, or makes one. @throws StoreError; RangeError for options that make no sense */
  static async open(given: DuckDbStoreOptions): Promise<DuckDbStore> {
    const options = resolveOptions(given);
    const opened = await openFile(options);
    return new DuckDbStore({ ...options, intervalMs: opened.intervalMs }, opened);
  }

  /** As {@link EpochStore.commit}: epochs of one agent in any order, of several agents too. */
  async commit(epochs: readonly FlowBatch[], taken?: (epoch: FlowBatch) => void): Promise<void> {
    await this.#writing.take(undefined, async () => {
      this.#refuseWriting();
      const { intervalMs } = this.#options;
      await this.#change(async ({ writer, catalogue }) => {
        let newestMs = 0;
        await writer.transaction(async () => {
          const options = { connection: writer, catalogue, intervalMs, taken };
          newestMs = await takeIn(epochs, options);
        });
        this.#completeMs = Math.max(this.#completeMs, newestMs);
      });
    });
    this.#upkeep ??= this.#keepUp().finally(() => {
      this.#upkeep = undefined;
    });
  }

  /** Resolves when what the store does by itself after a commit is done: joining rows, giving up old ones. */
  async settled(): Promise<void> {
    await this.#upkeep;
  }

  /** Joins and gives up; a failure is told, and what was not done is done after the next commit. */
  async #keepUp(): Promise<void> {
    try {
      await this.#writing.take(undefined, () =>
        this.#change(async ({ writer, catalogue }) => {
          const { retention, maxOctets, listener, clock } = this.#options;
          const options: UpkeepOptions = {
            connection: writer,
            catalogue,
            retention,
            maxOctets,
            nowMs: clock(),
            gaveUp: listener.gaveUp?.bind(listener),
          };
          await joinLevels(options, this.#completeMs);
          await giveUpOld(options);
          await giveUpForSize(options);
        }),
      );
    } catch (error) {
      const failure = StoreError.from(error, `keeping up ${this.#options.path}`);
      if (failure.code !== 'STORE_CLOSED') this.#options.listener.failed?.(failure);
    }
  }

  /** Changes the store, as the one whose turn it is; when that fails, what is known by heart is read anew. */
  async #change(work: (opened: Opened) => Promise<void>): Promise<void> {
    const opened = await this.#whole();
    try {
      using _ = opened.writer.endedBy(this.#late.signal);
      await work(opened);
    } catch (error) {
      this.#late.signal.throwIfAborted();
      this.#look(error);
      if (!this.#isBroken) opened.catalogue = await Catalogue.read(opened.writer);
      throw error;
    }
  }

  /** The open file; one that broke is opened again first. To be called by the one whose turn it is to write. */
  async #whole(): Promise<Opened> {
    if (this.#opened && !this.#isBroken) return this.#opened;
    return this.#asking.alone(async () => {
      if (this.#opened) closeFile(this.#opened);
      this.#opened = undefined;
      this.#opened = await openFile(this.#options);
      this.#isBroken = false;
      return this.#opened;
    });
  }

  /** Looks whether an error means that the file must be opened again. */
  #look(error: unknown): void {
    if (StoreError.isFatal(error)) this.#isBroken = true;
  }

  /** As {@link SqlQuery.answer}. @throws StoreError, FilterError; the reason of the signal */
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

  /** As {@link HistoryAudit.audit}. @throws StoreError; the reason of the signal */
  async audit(span: HistorySpan, { signal }: { readonly signal: AbortSignal }): Promise<PastAudit> {
    const began = performance.now();
    const { intervalMs } = this.#options;
    const answer = await this.#ask(signal, async (connection) =>
      answerAudit(span, { connection, catalogue: await Catalogue.read(connection), intervalMs }),
    );
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

  /**
   * Writes the stored rows of a span as a file.
   *
   * @throws StoreError, FilterError; the reason of the signal. What is at the path then is no file to use
   */
  async copyTo(
    selection: HistorySelection,
    target: ExportTarget,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Exported> {
    const { intervalMs, path } = this.#options;
    const spillDirectory = `${path}.export`;
    return this.#ask(
      signal,
      async (connection) =>
        exportRows(connection, await Catalogue.read(connection), {
          selection,
          target,
          intervalMs,
          spillDirectory,
          signal,
        }),
      Number.POSITIVE_INFINITY,
    );
  }

  /**
   * Closes the file. What is under way, and what the store does by itself, has {@link DuckDbStoreOptions.closeMs} to come to its
   * end; else it is as if it had not begun. Where the disk is too busy, what was written last stays in the log beside the file.
   */
  close(): Promise<void> {
    this.#closed ??= this.#closeInTime();
    return this.#closed;
  }

  async #closeInTime(): Promise<void> {
    const { closeMs, path } = this.#options;
    const late = new StoreError('STORE_CLOSED', `using ${path}`);
    const timer = setTimeout(() => this.#late.abort(late), closeMs);
    const closed = this.#close(performance.now() + closeMs).finally(() => clearTimeout(timer));
    // What waits for the disk cannot be ended: it comes to its end behind this.
    await Promise.race([closed, delay(closeMs + ENDING_MS, undefined, { ref: false })]);
  }

  async #close(lateMs: number): Promise<void> {
    await this.settled();
    await this.#writing.end();
    await this.#asking.end();
    const opened = this.#opened;
    this.#opened = undefined;
    if (!opened) return;
    if (!this.#options.readOnly && !this.#isBroken) await emptyLog(opened, lateMs - performance.now());
    closeFile(opened);
  }

  /** Runs `work` on a connection of its own that sees the store of one moment and cannot change it. */
  async #ask<Result>(
    signal: AbortSignal,
    work: (connection: Connection) => Promise<Result>,
    mostMs: number = this.#options.answerMs,
  ): Promise<Result> {
    if (this.#isBroken) await this.#writing.take(signal, () => this.#whole());
    return this.#asking.take(signal, async () => {
      if (!this.#opened) throw new StoreError('STORE_CLOSED', `reading ${this.#options.path}`);
      using connection = await this.#opened.database.connect();
      const timeout = Number.isFinite(mostMs) ? AbortSignal.timeout(mostMs) : new AbortController().signal;
      const any = AbortSignal.any([signal, timeout, this.#late.signal]);
      using _ = connection.endedBy(any);
      try {
        any.throwIfAborted();
        await connection.run('BEGIN TRANSACTION READ ONLY', undefined, 'reading');
        return await work(connection);
      } catch (error) {
        this.#look(error);
        signal.throwIfAborted();
        this.#late.signal.throwIfAborted();
        if (timeout.aborted)
          throw new StoreError('STORE_TIMEOUT', 'asking the store', {
            found: `it takes longer than ${mostMs / 1000} s`,
            cause: error,
          });
        throw error;
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
