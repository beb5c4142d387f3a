/** The cable of the link as netem makes it, and what else its tests need to be exact. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { MIDDLE } from './far-side-link.ts';
import { until } from './until.ts';

/** Runs a program in a namespace. @returns its standard output */
export function inside(namespace: string, ...words: string[]): string {
  return execFileSync('ip', ['netns', 'exec', namespace, ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/**
 * Captures have the time at which a packet is taken out of its CPU's queue, as the meter does; else that at which it was put
 * in, and under emulation packets stay there for long. Of the whole machine, so only where that is the guest.
 */
export function stampLate(): void {
  writeFileSync('/proc/sys/net/core/netdev_tstamp_prequeue', '0');
}

/** Nobody asks for its neighbours any more: questions would get lost too. */
export function keepNeighbours(namespace: string): void {
  const text = execFileSync('ip', ['-n', namespace, '-j', 'neigh', 'show'], { encoding: 'utf8' });
  for (const { dst, dev, lladdr } of JSON.parse(text) as { dst: string; dev: string; lladdr?: string }[])
    if (lladdr)
      execFileSync('ip', [
        '-n',
        namespace,
        'neigh',
        'replace',
        dst,
        'dev',
        dev,
        'lladdr',
        lladdr,
        'nud',
        'permanent',
      ]);
}

/** What a queue of netem has done. */
interface Queue {
  readonly kind: string;
  readonly drops: number;
  readonly qlen: number;
}

/** A cable that does what netem is told, towards the host behind `port`; until disposed. */
export class Netem implements Disposable {
  readonly #port: string;

  constructor(port: 'm0' | 'm1', ...words: readonly string[]) {
    this.#port = port;
    this.#tc('qdisc', 'replace', 'dev', port, 'root', 'netem', 'limit', '10000', ...words);
  }

  /** Waits until nothing is on its way. @returns how many packets it dropped */
  async settled(): Promise<number> {
    await until(() => this.#queue().qlen === 0, 'the queue is empty');
    return this.#queue().drops;
  }

  [Symbol.dispose](): void {
    this.#tc('qdisc', 'del', 'dev', this.#port, 'root');
  }

  #queue(): Queue {
    const all = JSON.parse(this.#tc('-s', '-j', 'qdisc', 'show', 'dev', this.#port)) as Queue[];
    return all.find(({ kind }) => kind === 'netem')!;
  }

  #tc(...words: readonly string[]): string {
    return execFileSync('tc', ['-n', MIDDLE, ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}
