/** Traffic in a namespace: the lab's senders and receivers, in a thread that lives in it. */
import { Worker as Thread } from 'node:worker_threads';
import type { Duty } from '../../src/lab/duty.ts';
import type { Tally } from '../../src/lab/ledger.ts';

/** What one end of all streams did. */
export interface Done {
  readonly tallies: ReadonlyMap<number, Tally>;
  /** Segments that TCP sent again. */
  readonly retransmitted: number;
}

/** What the thread is told: the sockets to open; to send and receive all. */
export type Order = { readonly open: readonly Duty[] } | { readonly run: number | undefined };
/** What it says to that. */
export type Answer = { readonly result: 'ready' | Done } | { readonly failure: string };

/** The thread as its owner sees it. */
export class Generator implements AsyncDisposable {
  readonly #thread: Thread;

  constructor(namespace: string) {
    this.#thread = new Thread(new URL('./generator-thread.ts', import.meta.url), { workerData: namespace });
  }

  /** Opens the sockets of one end of each stream. */
  async open(duties: readonly Duty[]): Promise<void> {
    await this.#ask({ open: duties });
  }

  /**
   * Sends all, waits until all has been received, closes the sockets.
   *
   * @param wanted datagrams to wait for; default: as many as each stream has
   */
  async run(wanted?: number): Promise<Done> {
    return (await this.#ask({ run: wanted })) as Done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread.terminate();
  }

  async #ask(order: Order): Promise<'ready' | Done> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#thread.once('message', resolve).once('error', reject);
    this.#thread.postMessage(order);
    const answer = await promise;
    this.#thread.off('error', reject);
    if ('failure' in answer) throw new Error(answer.failure);
    return answer.result;
  }
}
