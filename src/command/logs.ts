/** `tunnelscope logs`: the log of an instance, for people or as it is, also after its end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { parseCount, parseInstance } from '../config/index.ts';
import { askInstance, DaemonError, type InstanceStatus, logDirectory, placeOf } from '../daemon/index.ts';
import { EXIT, Exit } from './exit.ts';
import { parseLogLine } from './logging.ts';
import { DEFAULT_INSTANCE } from './steering.ts';
import { stopSignal } from './stopping.ts';

interface LogsWords {
  readonly follow?: true;
  readonly lines: string;
  readonly json?: true;
}

const LOOK_AGAIN_MS = 200;
/** No more of the end of a file is looked through for its last lines. */
const TAIL_OCTETS = 4 * 1024 * 1024;

/** Adds `logs` to the program. */
export function addLogsCommand(program: Command): void {
  program
    .command('logs')
    .description('print the log of an instance')
    .argument('[name]', 'of the instance', DEFAULT_INSTANCE)
    .option('-f, --follow', 'go on with what is added, until Ctrl-C')
    .option('-n, --lines <count>', 'so many of the last lines', '100')
    .option('--json', 'the lines as they are')
    .action(logs);
}

async function logs(named: string, words: LogsWords): Promise<void> {
  const name = parseInstance('NAME', named);
  const count = parseCount('--lines', words.lines, { min: 0, max: 1_000_000 });
  const log = await logOf(name);
  if (log.kind === 'journal') return journal(name, words);
  const path = log.file ?? join(logDirectory(), `${name}.log`);
  if (log.kind === 'output')
    throw new Exit(EXIT.failed, `"${name}" was started in the foreground and logs to what it was started in`);
  if (!existsSync(path))
    throw new Exit(
      EXIT.failed,
      `"${name}" has no log at ${path}; it was never started with --detached, or logs elsewhere`,
    );
  const print = (lines: readonly string[]): void => {
    for (const line of lines) process.stdout.write(`${words.json ? line : readable(line)}\n`);
  };
  const tail = new Tail(path);
  print(tail.take().slice(-count || Number.POSITIVE_INFINITY));
  if (!words.follow) return;
  using stopping = stopSignal();
  while (!stopping.signal.aborted) {
    await delay(LOOK_AGAIN_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    print(tail.take());
  }
}

/** Where it logs; of one that does not run the usual file. */
async function logOf(name: string): Promise<InstanceStatus['log']> {
  try {
    return (await askInstance(placeOf(name), 'status')).log;
  } catch (error) {
    if (!(error instanceof DaemonError) || error.code === 'DAEMON_NOT_PERMITTED') throw error;
    return { kind: 'file', file: null };
  }
}

/** A service's lines are in the journal. */
async function journal(name: string, words: LogsWords): Promise<void> {
  const unit = `tunnelscope@${name}.service`;
  const follow = words.follow ? ['--follow'] : [];
  const child = spawn('journalctl', ['-u', unit, '-n', words.lines, '-o', 'cat', ...follow], {
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'exit').catch(() => {
    throw new Exit(EXIT.failed, `"${name}" logs to the journal, and the command "journalctl" is not there`);
  })) as [number | null];
  process.exitCode = code ?? EXIT.failed;
}

/** Whole lines as they are added to a file that may be rotated meanwhile. */
class Tail {
  readonly #path: string;
  #file: number;
  #at = 0;
  #rest = '';

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'r');
    this.#at = Math.max(0, fstatSync(this.#file).size - TAIL_OCTETS);
  }

  /** The lines added since the last call, of the new file too when the old one was put aside. */
  take(): string[] {
    const lines = this.#takeFrom();
    const there = statSync(this.#path, { throwIfNoEntry: false });
    if (!there || there.ino === fstatSync(this.#file).ino) return lines;
    closeSync(this.#file);
    this.#file = openSync(this.#path, 'r');
    this.#at = 0;
    return [...lines, ...this.#takeFrom()];
  }

  #takeFrom(): string[] {
    const size = fstatSync(this.#file).size;
    const bytes = Buffer.alloc(Math.max(0, size - this.#at));
    const length = readSync(this.#file, bytes, 0, bytes.length, this.#at);
    this.#at += length;
    const lines = (this.#rest + bytes.toString('utf8', 0, length)).split('\n');
    this.#rest = lines.pop()!;
    return lines;
  }
}

/** `2026-11-21T14:17:50.123Z warn Problem: …` */
function readable(line: string): string {
  const parsed = parseLogLine(line);
  return parsed ? `${parsed.time} ${parsed.level.padEnd(5)} ${parsed.msg}` : line;
}
