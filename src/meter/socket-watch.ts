/** The host's sockets while somebody asks for them: loaded at the first question, gone when nobody asks any more. */
import type { SocketBatch } from '../flow/index.ts';
import { Sockets } from './sockets.ts';

/** Sockets told at a time. */
const CAPACITY = 16_384;
/** How long after a question another one may come. */
const IDLE_MS = 15_000;

/** Reads sockets. To be used and disposed by the thread whose network namespace is meant. */
export class SocketWatch implements Disposable {
  #sockets: Sockets | undefined;
  #ending: NodeJS.Timeout | undefined;

  /** As {@link Sockets.read}; closed since the call before, if that was lately. @throws as {@link Sockets.open} */
  read(): SocketBatch {
    this.#sockets ??= Sockets.open(CAPACITY);
    clearTimeout(this.#ending);
    this.#ending = setTimeout(() => this[Symbol.dispose](), IDLE_MS);
    return this.#sockets.read();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#ending);
    this.#sockets?.[Symbol.dispose]();
    this.#sockets = undefined;
  }
}
