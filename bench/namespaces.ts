/** Network namespaces of a benchmark, which end with it. */
import { execFileSync } from 'node:child_process';

/** Namespaces named tsbench-<name>-<pid>; disposing deletes them with all that is in them. */
export class Namespaces implements Disposable {
  readonly #names: string[] = [];

  /** Creates one; gives its full name. */
  add(name: string): string {
    const full = `tsbench-${name}-${process.pid}`;
    ip('netns', 'add', full);
    this.#names.push(full);
    ip('-n', full, 'link', 'set', 'lo', 'up');
    return full;
  }

  [Symbol.dispose](): void {
    for (const name of this.#names) ip('netns', 'delete', name);
  }
}

/** Runs `ip` with these words; gives its output. */
export function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8' });
}

/** Number of an interface in a namespace. */
export function interfaceNumber(namespace: string, name: string): number {
  const [link] = JSON.parse(ip('-n', namespace, '-j', 'link', 'show', 'dev', name)) as [{ ifindex: number }];
  return link.ifindex;
}
