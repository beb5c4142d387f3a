/** Which interfaces there are, by name alone: what `ip monitor` cannot tell, because it was not listening yet or lost it. */
import { readFileSync } from 'node:fs';

/** Of the calling thread's network namespace, unlike /sys/class/net, which is that of a mount. */
const DEVICES = '/proc/thread-self/net/dev';
/** Longest that a change stays unnoticed, milliseconds. */
const LOOK_EVERY_MS = 1000;

/** Remembers the names as they were at the last look. */
export class InterfaceNames {
  #names = read();
  #lookedMs = performance.now();

  /** Whether there are others than at the last look, which was a second ago at least; else no. */
  haveChanged(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#lookedMs < LOOK_EVERY_MS) return false;
    this.#lookedMs = nowMs;
    const names = read();
    const have = names !== this.#names;
    this.#names = names;
    return have;
  }
}

/** The names, one behind the other; the numbers behind them change all the time. */
function read(): string {
  return readFileSync(DEVICES, 'utf8').replaceAll(/:.*/g, '');
}
