/** Takes turns: so many at a time, the others wait in order. */
import { StoreError } from './error.ts';

/** Work that is done a few at a time. */
export class Turns {
  readonly #most: number;
  #running = 0;
  #ended = false;
  readonly #waiting: PromiseWithResolvers<void>[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** Does `work` when it is its turn. @throws the reason of the signal, when it does not want to wait any more */
  async take<Result>(signal: AbortSignal | undefined, work: () => Promise<Result>): Promise<Result> {
    signal?.throwIfAborted();
    this.#refuseEnded();
    if (this.#running === this.#most) await this.#wait(signal);
    else this.#running++;
    try {
      this.#refuseEnded();
      return await work();
    } finally {
      this.#pass();
    }
  }

  /** Lets no more begin, and waits for those who did. */
  async end(): Promise<void> {
    this.#ended = true;
    while (this.#running > 0) {
      const turn = Promise.withResolvers<void>();
      this.#waiting.push(turn);
      await turn.promise;
      this.#pass();
    }
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    const turn = Promise.withResolvers<void>();
    this.#waiting.push(turn);
    const leave = (): void => {
      const at = this.#waiting.indexOf(turn);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      turn.reject(signal?.reason);
    };
    signal?.addEventListener('abort', leave);
    try {
      await turn.promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** The next one has the turn, or nobody. */
  #pass(): void {
    const next = this.#waiting.shift();
    if (next) next.resolve();
    else this.#running--;
  }

  #refuseEnded(): void {
    if (this.#ended) throw new StoreError('STORE_CLOSED', 'using the store');
  }
}
