/**
 * The journal: epochs that are on disk and not yet in a store.
 *
 * An epoch is in its file when `append` resolves, so that it outlives the process; not the machine: what is in the open file
 * may be lost with its power, files before are asked for from the disk (fdatasync). A file is a transaction of the store to
 * be. One process at a time has a directory.
 */
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FileLock } from '../daemon/index.ts';
import type { FlowBatch } from '../flow/index.ts';
import { JournalError } from './error.ts';
import { cutFile, fileNumbers, type OpenEpochs, openEpochs, pathOf, scanFile } from './files.ts';
import { JournalMemory } from './memory.ts';
import { OpenFile, octetsOf } from './open-file.ts';
import type { Dropped, JournalFile, JournalOptions } from './options.ts';
import { encodeEpoch } from './record.ts';
import { StateFile } from './state-file.ts';
import { epochOfTally } from './tally.ts';

/** A file is begun anew at this size: ten seconds of 100,000 flows fit in. */
const FILE_OCTETS = 256 * 1024 * 1024;
const STATE = 'state';
/** After the end of an interval, for the epoch that ends with it. */
const SLACK_MS = 2000;

interface LentFile {
  readonly number: number;
  /** From when it was looked at on. */
  opened?: OpenEpochs;
}

/** Open, and locked. Dispose it after use; what is in it stays. */
export class Journal implements Disposable {
  readonly #directory: string;
  readonly #options: JournalOptions;
  readonly #resources: DisposableStack;
  readonly #memory: JournalMemory;
  #complete: JournalFile[];
  #open: OpenFile | undefined;
  #turn: NodeJS.Timeout | undefined;
  /** Appends wait for each other. */
  #appending: Promise<void> = Promise.resolve();
  #isWriting = false;
  /** The open file is to be completed when it is not being written to any more. */
  #isDue = false;
  /** The file that is being read for a store. */
  #lent: LentFile | undefined;
  /** The file that a former process may have stored already: it can not be counted as dropped. */
  readonly #uncertain: number | undefined;

  private constructor(
    directory: string,
    options: JournalOptions,
    { resources, state }: { readonly resources: DisposableStack; readonly state: StateFile },
  ) {
    this.#directory = directory;
    this.#options = options;
    this.#resources = resources;
    this.#memory = new JournalMemory(state);
    if (state.wasDamaged)
      this.#tellDamage(
        join(directory, STATE),
        statSync(join(directory, STATE)).size,
        'said what is known and dropped, and are lost',
      );
    this.#complete = this.#lookAtFiles();
    this.#uncertain = this.#complete[0]?.number;
    this.#memory.forgetWrittenTally();
  }

  /**
   * Opens a directory, or makes it.
   *
   * @throws JournalError `JOURNAL_BUSY` when another process has it, `JOURNAL_DIRECTORY` when it cannot be used
   */
  static open(directory: string, options: JournalOptions): Journal {
    using stack = new DisposableStack();
    try {
      mkdirSync(directory, { recursive: true, mode: 0o750 });
      stack.use(FileLock.acquire(join(directory, 'lock'), { busy: () => busy(directory) }));
      const state = stack.use(StateFile.open(join(directory, STATE)));
      const parts = { resources: stack.move(), state };
      try {
        return new Journal(directory, options, parts);
      } catch (error) {
        parts.resources.dispose();
        throw error;
      }
    } catch (cause) {
      if (cause instanceof JournalError) throw cause;
      throw new JournalError(
        'JOURNAL_DIRECTORY',
        `opening the journal ${directory} failed (${(cause as Error).message})`,
        {
          cause,
          remedy: 'it must be a directory on a disk with room, that this user can write to',
        },
      );
    }
  }

  /** Random, of this directory for good. */
  get id(): string {
    return this.#memory.id;
  }

  /** The last epoch of each agent that was appended, also where its file is gone. */
  get known(): ReadonlyMap<string, number> {
    return this.#memory.known;
  }

  /** Octets of all files. */
  get octets(): number {
    return this.#complete.reduce((sum, { octets }) => sum + octets, this.#open?.octets ?? 0);
  }

  /** What there was no room for since the start; it is told to the store in the ledger. */
  get dropped(): Dropped {
    return this.#memory.dropped;
  }

  /** The oldest file that can be read. */
  get oldest(): JournalFile | undefined {
    return this.#complete[0];
  }

  /**
   * Takes an epoch in, unless it is there or was; when this resolves it outlives the process. The batch is lent until it settles.
   * A disk that is slow holds up nobody but who waits for this.
   *
   * @throws JournalError `JOURNAL_WRITE` when it could not be written, `JOURNAL_FULL` when the bound leaves no room for it. It is
   *   counted as dropped then, and no more than that is lost
   */
  append(batch: FlowBatch): Promise<void> {
    const appended = this.#appending.then(() => this.#append(batch));
    this.#appending = appended.catch(() => undefined);
    return appended;
  }

  async #append(batch: FlowBatch): Promise<void> {
    if (batch.epoch <= (this.#memory.known.get(batch.agent) ?? 0)) return;
    this.#isWriting = true;
    try {
      await this.#write(encodeEpoch(batch), batch.startMs);
      this.#memory.know(batch);
      // There is room again, or what makes room for others has its line.
      if (this.#open) await this.#writeTally(this.#open);
    } catch (error) {
      this.#memory.know(batch);
      this.#memory.drop([batch], []);
      throw error;
    } finally {
      this.#isWriting = false;
      if (this.#isDue) this.completeOpen();
    }
  }

  /** Writes down what was dropped as an epoch of its own, where there is room for that by now; else it is for the next process. */
  writeDropped(): Promise<void> {
    const written = this.#appending.then(async () => {
      if (!this.#memory.tally) return;
      this.#isWriting = true;
      try {
        this.#makeRoom(0);
        const interval = Math.floor(this.#memory.tally.endMs / this.#options.intervalMs);
        await this.#writeTally(this.#open ?? (await this.#begin(interval)));
      } finally {
        this.#isWriting = false;
        if (this.#isDue) this.completeOpen();
      }
    });
    this.#appending = written.catch(() => undefined);
    return this.#appending;
  }

  /** Has what was appended so far be read by the store. */
  completeOpen(): void {
    this.#isDue = this.#isWriting;
    if (!this.#isWriting) this.#completeNow();
  }

  #completeNow(): void {
    const open = this.#open;
    if (!open) return;
    clearTimeout(this.#turn);
    this.#open = undefined;
    open.close();
    if (open.octets === 0) {
      rmSync(this.#path(open.number), { force: true });
      return;
    }
    this.#complete.push({ number: open.number, octets: open.octets });
    this.#options.listener?.complete?.();
  }

  /**
   * Reads a complete file for a store; it is neither dropped nor removed until it is given back. Columns are read when they are
   * asked for, until then: of each epoch best all that is wanted before the next.
   */
  async read(file: JournalFile): Promise<readonly FlowBatch[]> {
    const path = this.#path(file.number);
    // From now on: while it is looked at it must not be dropped.
    const lent: LentFile = { number: file.number };
    this.#lent = lent;
    lent.opened = await openEpochs(path);
    const { epochs, damagedOctets } = lent.opened;
    if (damagedOctets > 0) this.#tellDamage(path, damagedOctets, 'are no epoch, and are left out');
    return epochs;
  }

  /** Gives up the columns that are read: what is asked for again is read again. */
  freeColumns(): void {
    this.#lent?.opened?.freeColumns();
  }

  /** Gives a file back that was read. @param isStored whether it is in the store for good, and can be removed */
  async giveBack(file: JournalFile, isStored: boolean): Promise<void> {
    this.#lent?.opened?.[Symbol.dispose]();
    if (isStored) {
      // Before it goes: what it held is known from then on by this alone.
      this.#memory.remember({});
      await rm(this.#path(file.number), { force: true });
      this.#complete = this.#complete.filter(({ number }) => number !== file.number);
    }
    this.#lent = undefined;
  }

  [Symbol.dispose](): void {
    this.completeOpen();
    this.#resources.dispose();
  }

  /** What a former process left: whole records, but for the last. */
  #lookAtFiles(): JournalFile[] {
    const files: JournalFile[] = [];
    const counted = new Set(this.#memory.counted);
    for (const number of fileNumbers(this.#directory)) {
      const path = this.#path(number);
      if (counted.has(String(number))) {
        rmSync(path, { force: true });
        continue;
      }
      const { heads, octets, rest } = scanFile(path);
      if (rest > 0) {
        cutFile(path, octets);
        this.#tellDamage(path, rest, 'at its end are no whole epoch, and are cut off');
      }
      for (const head of heads) this.#memory.know(head);
      if (octets > 0) files.push({ number, octets });
      else rmSync(path, { force: true });
    }
    return files;
  }

  async #write(parts: readonly Uint8Array[], startMs: number): Promise<void> {
    const octets = octetsOf(parts);
    const interval = Math.floor(startMs / this.#options.intervalMs);
    const open = this.#open;
    if (open && (open.interval !== interval || open.octets + octets > FILE_OCTETS)) this.#completeNow();
    this.#makeRoom(octets);
    await (this.#open ?? (await this.#begin(interval))).write(parts);
  }

  async #begin(interval: number): Promise<OpenFile> {
    const { counted } = this.#memory;
    const last = Math.max(this.#complete.at(-1)?.number ?? 0, ...counted.map(Number));
    const number = Math.max(last + 1, Date.now());
    const file = await OpenFile.make(this.#path(number), { number, interval });
    this.#open = file;
    const { intervalMs } = this.#options;
    this.#turn = setTimeout(() => this.completeOpen(), intervalMs - (Date.now() % intervalMs) + SLACK_MS);
    this.#turn.unref();
    await this.#writeTally(file);
    return file;
  }

  /** What was dropped: the store hears of it with the next transaction. */
  async #writeTally(file: OpenFile): Promise<void> {
    const { tally } = this.#memory;
    if (!tally) return;
    try {
      await file.write(encodeEpoch(epochOfTally(tally), true));
    } catch {
      return; // The epoch that follows will say the same.
    }
    this.#memory.writtenTally(tally);
  }

  /** @throws JournalError `JOURNAL_FULL` */
  #makeRoom(octets: number): void {
    const { maxOctets } = this.#options;
    // What is dropped makes the tally larger, which is written too.
    const tallyOctets = (): number => {
      const { tally } = this.#memory;
      return tally ? octetsOf(encodeEpoch(epochOfTally(tally), true)) : 0;
    };
    while (this.octets + octets + tallyOctets() > maxOctets) {
      const file = this.#complete.find(
        ({ number }) => number !== this.#lent?.number && number !== this.#uncertain,
      );
      if (!file)
        throw new JournalError(
          'JOURNAL_FULL',
          `the journal has ${this.octets} of ${maxOctets} octets, and nothing that can be dropped`,
          {
            remedy: 'see why the store takes nothing, or allow it more (history.spool)',
          },
        );
      const { heads } = scanFile(this.#path(file.number));
      this.#complete = this.#complete.filter(({ number }) => number !== file.number);
      this.#memory.drop(heads, [String(file.number)]);
      rmSync(this.#path(file.number), { force: true });
    }
  }

  #path(number: number): string {
    return pathOf(this.#directory, number);
  }

  #tellDamage(path: string, octets: number, what: string): void {
    this.#options.listener?.damaged?.(
      new JournalError('JOURNAL_DAMAGED', `${octets} octets of ${path} ${what}`, {
        remedy:
          'a process that is killed may leave the end of an epoch; more than that, and the disk or someone else changed the file',
      }),
    );
  }
}

function busy(directory: string): JournalError {
  return new JournalError('JOURNAL_BUSY', `another process keeps the history ${directory}`, {
    remedy: 'stop it first, or keep this one elsewhere (history.directory)',
  });
}
