/** Where and from what a measurement was taken. */
import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release } from 'node:os';

const ROOT = new URL('..', import.meta.url).pathname;

/** What stands above each report. */
export interface Circumstances {
  readonly date: string;
  readonly kernel: string;
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  /** Null before the first commit. */
  readonly commit: string | null;
  /** Something beside bench/results differed from the commit. */
  readonly dirty: boolean;
  readonly command: string;
  /** Mean load of the minute before: others may have been at work. */
  readonly load: number;
}

/** Asks the system and git. */
export function circumstances(command: string): Circumstances {
  const status = git('status', '--porcelain', '--', '.', ':!bench/results');
  return {
    date: new Date().toISOString(),
    kernel: release(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    node: process.version,
    commit: git('rev-parse', 'HEAD') ?? null,
    dirty: status !== '',
    command,
    load: Math.round(loadavg()[0]! * 100) / 100,
  };
}

/** What git says, or undefined when it refuses. */
function git(...words: string[]): string | undefined {
  try {
    const stdio = ['ignore', 'pipe', 'ignore'] as ['ignore', 'pipe', 'ignore'];
    return execFileSync('git', words, { cwd: ROOT, encoding: 'utf8', stdio }).trim();
  } catch {
    return undefined;
  }
}
