/** Asks for what is in sight, again and again, and keeps the newest answers. */
import type { NamesQuestion, View } from '../../query/index.ts';
import { type Answers, type Lost, nothingYet } from './answers.ts';
import { connectionListing } from './list-connections.ts';
import { flowListing, tunnelListing, tunnelsOfView } from './list-flows.ts';
import { hostListing } from './list-hosts.ts';
import { ledgerListing } from './list-ledger.ts';
import type { Listing } from './listing.ts';
import { KnownNames } from './names.ts';
import { NotOffered, type TopSource } from './source.ts';
import type { Asked } from './state.ts';
import { bucketMsOf, Trends } from './trend.ts';

/** What an asker needs to know. */
export interface AskerOptions {
  readonly source: TopSource;
  /** What is wanted now. */
  readonly asked: () => Asked;
  /** Nothing is asked but what is new. */
  readonly isFrozen: () => boolean;
  /** There is something else to show. */
  readonly changed: () => void;
  /** Something is called otherwise. */
  readonly named: () => void;
}

/** Interfaces come and go; who asks is not told. */
const STATUS_MS = 10_000;
/** An agent that is asked over a network is not asked more often. */
const LEAST_PAUSE_MS = 500;

/** One question at a time is under way. Owns its timers until disposed. */
export class Asker implements Disposable {
  readonly #options: AskerOptions;
  readonly #stop = new AbortController();
  readonly #trends = new Trends();
  readonly #names = new KnownNames();
  #isNaming = false;
  readonly #unlisten: (() => void) | undefined;
  #answers: Answers;
  /** Of the list that the answers have. */
  #key = '';
  #isAsking = false;
  #isWanted = false;
  #statusMs = 0;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Of the trends: agent, window, filter. */
  #followed = '';
  /** Sums by row of the answer before, for what went since. */
  #before: { readonly atMs: number; readonly octets: ReadonlyMap<string, number> } | undefined;

  constructor(options: AskerOptions) {
    this.#options = options;
    this.#answers = { ...nothingYet(options.source.name, this.#trends), naming: this.#names };
    this.#unlisten = options.source.onEpoch?.(() => {
      if (!options.isFrozen()) this.ask();
    });
    this.ask();
  }

  /** The newest; without the list while that of another question is all there is. */
  get answers(): Answers {
    const problem = this.#options.source.problem?.();
    if (this.isAnswered) return { ...this.#answers, problem };
    return { ...this.#answers, problem, listing: undefined, refusal: undefined };
  }

  /** Whether what is wanted now has been answered, if only by an error. */
  get isAnswered(): boolean {
    return this.#key === this.#options.asked().key || this.#answers.lost !== undefined;
  }

  /** Asks now, or when the question under way is answered. */
  ask(): void {
    this.#isWanted = true;
    clearTimeout(this.#timer);
    if (!this.#isAsking) void this.#work();
  }

  /** Asks what is in sight is called, as far as nobody knows; figures do not wait for it. */
  async name(sight: NamesQuestion): Promise<void> {
    const { source, named } = this.#options;
    const due = this.#isNaming || !source.names ? undefined : this.#names.due(sight, Date.now());
    if (!due) return;
    this.#isNaming = true;
    try {
      const answer = await source.names!(due, this.#stop.signal);
      if (this.#names.learn(due, answer, Date.now()) && !this.#stop.signal.aborted) named();
    } catch {
      // Names are an addition: what tells figures says what is wrong with the agent.
      this.#names.fail(Date.now());
    } finally {
      this.#isNaming = false;
    }
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#unlisten?.();
    clearTimeout(this.#timer);
  }

  async #work(): Promise<void> {
    this.#isAsking = true;
    while (this.#isWanted && !this.#stop.signal.aborted) {
      this.#isWanted = false;
      const asked = this.#options.asked();
      try {
        await this.#answer(asked);
        this.#failures = 0;
        if (asked.key !== this.#options.asked().key) this.#isWanted = true;
      } catch (error) {
        if (this.#stop.signal.aborted) break;
        this.#fail(error as Error);
      }
      if (!this.#stop.signal.aborted) this.#options.changed();
    }
    this.#isAsking = false;
    if (!this.#stop.signal.aborted) this.#plan();
  }

  /** Asks again after a pause: what does not tell of its epochs, and what does not answer. */
  #plan(): void {
    const { source, isFrozen } = this.#options;
    const { lost, view } = this.#answers;
    if (source.onEpoch && !lost) return;
    const pauseMs = lost
      ? Math.max(0, lost.nextMs - Date.now())
      : Math.max(LEAST_PAUSE_MS, 1000 * (view?.intervalSeconds ?? 1));
    this.#timer = setTimeout(() => {
      if (isFrozen()) this.#plan();
      else this.ask();
    }, pauseMs);
  }

  #fail(error: Error): void {
    const nowMs = Date.now();
    const sinceMs = this.#answers.lost?.sinceMs ?? nowMs;
    const lost: Lost = { sinceMs, nextMs: nowMs + backoffMs(this.#failures++), reason: error.message };
    this.#answers = { ...this.#answers, lost };
    // Whoever answers next may be another one.
    this.#statusMs = 0;
  }

  async #answer(asked: Asked): Promise<void> {
    const { source } = this.#options;
    const { signal } = this.#stop;
    const view = await source.view(asked.view, signal);
    const isNew = view.agent !== this.#answers.view?.agent;
    const status =
      isNew || Date.now() - this.#statusMs > STATUS_MS ? await source.status(signal) : this.#answers.status;
    if (status !== this.#answers.status) this.#statusMs = Date.now();
    const found = await this.#list(asked, view);
    const isNewer = isNew || view.epoch !== this.#answers.view?.epoch;
    this.#key = asked.key;
    this.#answers = {
      ...this.#answers,
      status,
      view,
      listing: 'rows' in found ? found : undefined,
      refusal: 'rows' in found ? undefined : found.refusal,
      receivedMs: isNewer ? Date.now() : this.#answers.receivedMs,
      lost: undefined,
    };
    if ('rows' in found) this.#follow(asked, view, found);
  }

  async #list(asked: Asked, view: View): Promise<Listing | { readonly refusal: string }> {
    const { source } = this.#options;
    const { signal } = this.#stop;
    switch (asked.list) {
      case 'hosts':
      case 'clients':
        return hostListing(view);
      case 'ledger':
        return ledgerListing(await source.audit(signal));
      case 'connections': {
        const connections = await source.connections(asked.filter, signal);
        return connections.kind === 'none' ? { refusal: connections.why } : connectionListing(connections);
      }
      default:
        try {
          const table = await source.table(asked.table!, signal);
          return asked.list === 'tunnels' ? tunnelListing(table) : flowListing(table, asked.segment);
        } catch (error) {
          if (!(error instanceof NotOffered)) throw error;
          return asked.list === 'tunnels' ? tunnelListing(tunnelsOfView(view)) : { refusal: error.message };
        }
    }
  }

  /** Takes the rate of each row; since the start it is what went since the answer before. */
  #follow(asked: Asked, view: View, { list, rows, columns }: Listing): void {
    const { window, filter = '' } = view.question;
    const followed = JSON.stringify([view.agent, window, filter, view.intervalSeconds]);
    if (followed !== this.#followed) {
      this.#trends.begin(bucketMsOf(view.intervalSeconds));
      this.#followed = followed;
      this.#before = undefined;
    }
    if (!columns.some(({ kind }) => kind === 'trend')) return;
    const keyOf = (key: string): string => `${list} ${key}`;
    const octets = new Map(rows.map((row) => [`${asked.key} ${row.key}`, row.octets]));
    const before = this.#before;
    if (before?.atMs === view.atMs) return;
    for (const row of rows) {
      if (window !== 'all') {
        if (view.windowSeconds > 0)
          this.#trends.add(keyOf(row.key), row.octets / view.windowSeconds, view.atMs);
        continue;
      }
      const former = before?.octets.get(`${asked.key} ${row.key}`);
      if (former === undefined || !before || view.atMs <= before.atMs) continue;
      const seconds = (view.atMs - before.atMs) / 1000;
      this.#trends.add(keyOf(row.key), Math.max(0, row.octets - former) / seconds, view.atMs);
    }
    this.#before = { atMs: view.atMs, octets };
  }
}

/** Milliseconds to wait before try number `attempt` (from 0): half a second, doubling to ten. */
export function backoffMs(attempt: number): number {
  return Math.min(10_000, 500 * 2 ** Math.min(attempt, 10));
}
