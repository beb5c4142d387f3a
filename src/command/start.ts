/** `tunnelscope start`: monitor under a name, in the foreground or, with `--detached`, in the background. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { parseInstance } from '../config/index.ts';
import {
  askInstance,
  DaemonError,
  demandFree,
  type InstanceStatus,
  logDirectory,
  type Place,
  placeOf,
} from '../daemon/index.ts';
import { ExportError } from '../export/index.ts';
import { type ConfigSource, type ConfigWords, configSource, givenWords } from './configuring.ts';
import { EXIT, Exit } from './exit.ts';
import { runInstance } from './instance.ts';
import { openLog, parseLogLine } from './logging.ts';
import { addMonitorOptions, demandMachine, statusLine } from './monitor.ts';

interface StartWords extends ConfigWords {
  readonly detached?: true;
}

/** Tells the process in the background the file of its log; set by the one in front, for that process alone. */
const DETACHED_VARIABLE = 'TUNNELSCOPE_DETACHED_LOG';

/** Loading, checking and attaching take a second or two, under emulation many. */
const START_MS = 120_000;
const ASK_AGAIN_MS = 50;

/** Adds `start` to the program. */
export function addStartCommand(program: Command): void {
  addMonitorOptions(
    program
      .command('start')
      .description('meter as an instance with a name, for status, stop, reload and logs')
      .argument('[name]', 'of the instance (default: "name" of the configuration, else "default")')
      .option('--detached', 'in the background; returns when it meters'),
  ).action((name: string | undefined, _: unknown, command: Command) => {
    const { detached, ...words } = givenWords(command) as StartWords;
    return start(name, words, detached === true);
  });
}

async function start(named: string | undefined, words: ConfigWords, isDetached: boolean): Promise<void> {
  const source = configSource(words);
  const resolved = source.read();
  const { configuration } = resolved;
  const name = named === undefined ? configuration.name : parseInstance('NAME', named);
  const logOfDetached = process.env[DETACHED_VARIABLE];
  if (isDetached && logOfDetached === undefined)
    return startDetached(placeOf(name), configuration.log.file ?? join(logDirectory(), `${name}.log`));
  demandMachine();
  await runNamed(name, source, resolved, logOfDetached);
}

async function runNamed(
  name: string,
  source: ConfigSource,
  resolved: ReturnType<ConfigSource['read']>,
  logOfDetached: string | undefined,
): Promise<void> {
  const isTerminal = process.stdout.isTTY === true && logOfDetached === undefined;
  if (isTerminal) {
    using line = statusLine();
    const log = { kind: 'output', file: null } as const;
    return await runInstance({ name, source, resolved, ...line, log, isTerminal });
  }
  if (logOfDetached !== undefined) {
    // Nobody's directory or terminal is held on to, and no child believes that it is the one in the background.
    delete process.env[DETACHED_VARIABLE];
    process.chdir('/');
  }
  using teller = await openLog(logOfDetached, { name, log: resolved.configuration.log });
  await runInstance({ name, source, resolved, teller, log: logOf(logOfDetached), isTerminal });
}

function logOf(file: string | undefined): InstanceStatus['log'] {
  if (file !== undefined) return { kind: 'file', file };
  return { kind: process.env.JOURNAL_STREAM === undefined ? 'output' : 'journal', file: null };
}

/** Starts the same again in a session of its own, and waits until that meters or ends. */
async function startDetached(place: Place, logFile: string): Promise<void> {
  // Else the one that runs would have the complaint in its log.
  demandFree(place);
  const log = openForAppending(logFile);
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: { ...process.env, [DETACHED_VARIABLE]: logFile },
  });
  closeSync(log.fd);
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const isOver = new AbortController();
  const outcome = await Promise.race([
    ended.then(([code]) => ({ code: code ?? EXIT.failed })),
    untilReady(place, child, isOver.signal),
  ]);
  isOver.abort();
  if (outcome === 'ready') {
    child.unref();
    process.stdout.write(
      `"${place.name}" meters in the background (process ${child.pid}); log: ${logFile}\n`,
    );
    return;
  }
  if (outcome === 'late') {
    child.kill('SIGKILL');
    await ended;
  }
  const said = readFileSync(logFile).subarray(log.octets).toString();
  const own = said.split('\n').filter((line) => line !== '' && parseLogLine(line) === undefined);
  const late = `it did not meter within ${START_MS / 1000} s`;
  const why =
    own.length === 0 || outcome === 'late'
      ? `${late}; see ${logFile}`
      : own.join('\n').replace(/^tunnelscope: /, '');
  throw new Exit(outcome === 'late' ? EXIT.failed : outcome.code, `Starting "${place.name}" failed: ${why}`);
}

async function untilReady(
  place: Place,
  child: ChildProcess,
  signal: AbortSignal,
): Promise<'ready' | 'late' | never> {
  const deadline = performance.now() + START_MS;
  while (!signal.aborted && performance.now() < deadline) {
    try {
      const { pid } = await askInstance(place, 'ready', { patienceMs: deadline - performance.now(), signal });
      if (pid === child.pid) return 'ready';
    } catch (error) {
      if (!(error instanceof DaemonError) && !signal.aborted) throw error;
    }
    // Not there yet; or another one has the name, and ours will say so and end.
    await delay(ASK_AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
  return 'late';
}

function openForAppending(path: string): { readonly fd: number; readonly octets: number } {
  try {
    if (path.startsWith(`${logDirectory()}/`)) mkdirSync(logDirectory(), { recursive: true, mode: 0o750 });
    const fd = openSync(path, 'a', 0o640);
    return { fd, octets: statSync(path).size };
  } catch (error) {
    throw ExportError.from(error, path);
  }
}
