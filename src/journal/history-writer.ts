/** Epochs into the journal, and from there into a store, however long that may not take them. */
import { setTimeout as delay } from 'node:timers/promises';
import type { EpochStore, FlowBatch } from '../flow/index.ts';
import { Journal } from './journal.ts';
import type { JournalFile, JournalOptions } from './options.ts';

/** After a failure of the store; each one that follows doubles it, up to the longest. */
const PAUSE_MS = { first: 1_000, longest: 60_000 } as const;
const CLOSE_MS = 10_000;

/** What is kept where. */
export interface HistoryOptions<Store extends EpochStore> extends Omit<JournalOptions, 'listener'> {
  /** Of the journal. */
  readonly directory: string;
  /** Opens the store; tried again when it fails. */
  readonly openStore: () => Promise<Store>;
  readonly listener: HistoryListener;
  /** Pause after the first failure of the store, milliseconds. */
  readonly pauseMs?: number;
  /** How long the store may take at the end for what is left, milliseconds; what it does not take it gets with the next start. */
  readonly closeMs?: number;
}

/** Who hears how it goes. */
export interface HistoryListener {
  /** Something failed, and goes on failing until `recovered`: the store takes nothing, or the journal cannot be written. */
  problem(error: Error): void;
  /** What was told as a problem works again. */
  recovered(what: 'store' | 'journal'): void;
}

/** How it stands. */
export interface HistoryCounts {
  /** End of the newest epoch that was stored since the start, Unix epoch, milliseconds. */
  readonly storedUpToMs: number | undefined;
  /** Octets that wait for the store. */
  readonly spoolOctets: number;
  readonly maxSpoolOctets: number;
  /** Since the start. */
  readonly dropped: { readonly epochs: number; readonly packets: number; readonly octets: number };
  /** Why and since when the store takes nothing, or the journal. */
  readonly failing: { readonly sinceMs: number; readonly message: string } | undefined;
}

interface Failure {
  readonly sinceMs: number;
  readonly message: string;
}

/** Open until `close`. */
export class HistoryWriter<Store extends EpochStore> {
  readonly #options: HistoryOptions<Store>;
  readonly #journal: Journal;
  readonly #closing = new AbortController();
  readonly #working: Promise<void>;
  readonly #failing = new Map<'store' | 'journal', Failure>();
  #store: Store | undefined;
  #storedUpToMs: number | undefined;
  #pauseMs: number;
  /** The store had its time at the end. */
  #isLate = false;
  /** Ends the wait for a file. */
  #wake: (() => void) | undefined;

  private constructor(options: HistoryOptions<Store>) {
    this.#options = options;
    this.#journal = Journal.open(options.directory, {
      maxOctets: options.maxOctets,
      intervalMs: options.intervalMs,
      listener: {
        damaged: (error) => options.listener.problem(error),
        complete: () => this.#wake?.(),
      },
    });
    this.#pauseMs = options.pauseMs ?? PAUSE_MS.first;
    this.#working = this.#work();
  }

  /** Opens the journal; the store is opened meanwhile. @throws JournalError */
  static open<Store extends EpochStore>(options: HistoryOptions<Store>): HistoryWriter<Store> {
    return new HistoryWriter(options);
  }

  /** Of the journal, for good. */
  get id(): string {
    return this.#journal.id;
  }

  /** As {@link Journal.known}. */
  get known(): ReadonlyMap<string, number> {
    return this.#journal.known;
  }

  /** The store, where it could be opened. */
  get store(): Store | undefined {
    return this.#store;
  }

  get counts(): HistoryCounts {
    const { epochs, packets, octets } = this.#journal.dropped;
    const [failing] = this.#failing.values();
    return {
      storedUpToMs: this.#storedUpToMs,
      spoolOctets: this.#journal.octets,
      maxSpoolOctets: this.#options.maxOctets,
      dropped: { epochs, packets: Number(packets), octets: Number(octets) },
      failing,
    };
  }

  /** Takes an epoch in: when this resolves it is on disk, or counted as dropped. It never rejects; the batch is lent until then. */
  async write(batch: FlowBatch): Promise<void> {
    try {
      await this.#journal.append(batch);
      this.#works('journal');
    } catch (error) {
      this.#fails('journal', error as Error);
    }
  }

  /** Stores what is left, where the store takes it in time, and closes both. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake?.();
    const timer = new AbortController();
    const { closeMs = CLOSE_MS } = this.#options;
    const end = delay(closeMs, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([this.#finish(), end]);
    timer.abort();
    this.#isLate = true;
    // What it is still doing it ends, or leaves undone.
    await this.#store?.close();
    this.#journal[Symbol.dispose]();
  }

  async #finish(): Promise<void> {
    await this.#working;
    // It may have been opened only now.
    if (this.#isLate) return this.#store?.close();
    await this.#journal.writeDropped();
    this.#journal.completeOpen();
    for (let file = this.#journal.oldest; file; file = this.#journal.oldest)
      if (!(await this.#storeFile(file))) break;
    await this.#store?.close();
  }

  async #work(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const file = this.#journal.oldest;
      const isDone = file ? await this.#storeFile(file) : (await this.#opened()) !== undefined;
      if (signal.aborted) return;
      if (!isDone) await this.#pause();
      else if (!this.#journal.oldest) await this.#news();
    }
  }

  /** @returns whether the store has it */
  async #storeFile(file: JournalFile): Promise<boolean> {
    let isStored = false;
    try {
      const store = await this.#opened();
      if (!store) return false;
      const epochs = await this.#journal.read(file);
      if (epochs.length > 0) await store.commit(epochs, () => this.#journal.freeColumns());
      isStored = true;
      for (const { endMs } of epochs) this.#storedUpToMs = Math.max(this.#storedUpToMs ?? 0, endMs);
      this.#works('store');
    } catch (error) {
      if (!this.#isLate) this.#fails('store', error as Error);
    } finally {
      await this.#journal.giveBack(file, isStored);
    }
    return isStored;
  }

  async #opened(): Promise<Store | undefined> {
    try {
      this.#store ??= await this.#options.openStore();
    } catch (error) {
      this.#fails('store', error as Error);
    }
    return this.#store;
  }

  async #pause(): Promise<void> {
    await delay(this.#pauseMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    this.#pauseMs = Math.min(2 * this.#pauseMs, PAUSE_MS.longest);
  }

  async #news(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }

  /** Told once, and again when it fails for another reason. */
  #fails(what: 'store' | 'journal', error: Error): void {
    const known = this.#failing.get(what);
    this.#failing.set(what, { sinceMs: known?.sinceMs ?? Date.now(), message: error.message });
    if (codeOf(error) !== this.#told.get(what)) this.#options.listener.problem(error);
    this.#told.set(what, codeOf(error));
  }

  readonly #told = new Map<'store' | 'journal', string>();

  #works(what: 'store' | 'journal'): void {
    if (what === 'store') this.#pauseMs = this.#options.pauseMs ?? PAUSE_MS.first;
    this.#told.delete(what);
    if (this.#failing.delete(what)) this.#options.listener.recovered(what);
  }
}

function codeOf(error: Error): string {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? code : error.message;
}
