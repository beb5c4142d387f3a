/** What is to be posted to one address: in order, again after a failure, within bounds. */
import { setTimeout } from 'node:timers/promises';
import type { WebhookStatus } from '../query/index.ts';
import { post } from './post.ts';

/** What a webhook is given. */
export interface WebhookLimits {
  /** Documents that may wait; then the oldest goes. */
  readonly waiting: number;
  /** How long an attempt may take, milliseconds. */
  readonly timeoutMs: number;
  /** Waits before further attempts, milliseconds; after the last of them a document is given up. */
  readonly pausesMs: readonly number[];
}

/** Defaults of {@link WebhookLimits}; docs/alerts.md says them. */
export const WEBHOOK_LIMITS: WebhookLimits = {
  waiting: 100,
  timeoutMs: 5000,
  pausesMs: [1000, 2000, 4000, 8000],
};

/** Who is told how it goes. */
export interface WebhookListener {
  /** Nothing gets there; told once, until something does. */
  failing(host: string, why: string): void;
  /** Something does again. */
  recovered(host: string): void;
}

/** A webhook. Its work goes on by itself until all is posted, given up, or it is disposed. */
export class Webhook implements Disposable {
  readonly #url: URL;
  readonly #listener: WebhookListener;
  readonly #limits: WebhookLimits;
  readonly #stop = new AbortController();
  readonly #waiting: string[] = [];
  #isWorking = false;
  #posted = 0;
  #dropped = 0;
  #failing: WebhookStatus['failing'] = null;

  constructor(url: string, listener: WebhookListener, limits: Partial<WebhookLimits> = {}) {
    this.#url = new URL(url);
    this.#listener = listener;
    this.#limits = { ...WEBHOOK_LIMITS, ...limits };
  }

  get status(): WebhookStatus {
    return {
      host: this.#url.host,
      waiting: this.#waiting.length,
      posted: this.#posted,
      dropped: this.#dropped,
      failing: this.#failing,
    };
  }

  /** Nothing is to be posted. */
  get isIdle(): boolean {
    return !this.#isWorking;
  }

  /** Posts a document, after those that wait. */
  post(document: object): void {
    if (this.#stop.signal.aborted) return;
    // The newest says how it is now.
    if (this.#waiting.length === this.#limits.waiting) {
      this.#waiting.shift();
      this.#dropped++;
    }
    this.#waiting.push(JSON.stringify(document));
    if (!this.#isWorking) void this.#work();
  }

  /** What is not posted by now is not, and that is told. */
  [Symbol.dispose](): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    const left = this.#waiting.length + (this.#isWorking ? 1 : 0);
    this.#dropped += this.#waiting.length;
    this.#waiting.length = 0;
    if (left > 0) this.#listener.failing(this.#url.host, `it is over, and ${left} of them are not posted`);
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    for (;;) {
      const body = this.#waiting.shift();
      if (body === undefined) break;
      if (await this.#deliver(body)) this.#posted++;
      else this.#dropped++;
    }
    this.#isWorking = false;
  }

  /** @returns whether it was taken */
  async #deliver(body: string): Promise<boolean> {
    const { timeoutMs, pausesMs } = this.#limits;
    const { signal } = this.#stop;
    for (const pauseMs of [...pausesMs, undefined]) {
      if (signal.aborted) return false;
      const outcome = await post(this.#url, body, { timeoutMs, signal });
      if (outcome.kind === 'taken') {
        this.#recover();
        return true;
      }
      if (signal.aborted) return false;
      this.#fail(outcome.why);
      if (!outcome.again || pauseMs === undefined) return false;
      // It keeps no process alive, and ends at once when it is called off.
      await setTimeout(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
    return false;
  }

  #fail(message: string): void {
    const isNew = this.#failing === null;
    this.#failing = { sinceMs: this.#failing?.sinceMs ?? Date.now(), message };
    if (isNew) this.#listener.failing(this.#url.host, message);
  }

  #recover(): void {
    if (this.#failing === null) return;
    this.#failing = null;
    this.#listener.recovered(this.#url.host);
  }
}
