/** `tunnelscope stop`, `reload` and `rules`: what is asked of instances that run. */
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { parseDuration, parseInstance } from '../config/index.ts';
import {
  askInstance,
  DaemonError,
  holderOf,
  type Identity,
  InstanceLock,
  instanceNames,
  isAlive,
  killNow,
  leaveDirectory,
  type Place,
  placeOf,
  RefusedError,
} from '../daemon/index.ts';
import { EXIT, Exit } from './exit.ts';
import { rulesOf } from './ruling.ts';

interface StopWords {
  readonly all?: true;
  readonly timeout: string;
}

/** Name of the instance where none is named. */
export const DEFAULT_INSTANCE = 'default';

const LOOK_AGAIN_MS = 20;
/** Rules hold from the next epoch on, and an epoch may be long. */
const RULING_MS = 3_700_000;
/** After SIGKILL the kernel takes a process down, which may wait for a system call. */
const KILLED_MS = 10_000;

/** Adds `stop`, `reload` and `rules` to the program. */
export function addSteeringCommands(program: Command): void {
  program
    .command('stop')
    .description('end instances in order: a last drain, all written and closed')
    .argument('[name...]', 'of the instances', [DEFAULT_INSTANCE])
    .option('--all', 'every instance that runs here')
    .option('--timeout <duration>', 'what does not end by then is killed', '20s')
    .action(stop);
  program
    .command('reload')
    .description('have an instance read its configuration file again; what can change while metering changes')
    .argument('[name]', 'of the instance', DEFAULT_INSTANCE)
    .action(reload);
  program
    .command('rules')
    .description('print the rules of an instance, or have other ones hold from the next epoch on')
    .argument('[name]', 'of the instance', DEFAULT_INSTANCE)
    .option(
      '--rule <rule>',
      'hold this one in place of those of flags and configuration, until it is reloaded; several by repeating',
      (word: string, before: string[] = []) => [...before, word],
    )
    .option('--clear', 'hold none: everything is kept')
    .option('--json', 'as JSON')
    .action(rules);
}

interface RulesWords {
  readonly rule?: string[];
  readonly clear?: true;
  readonly json?: true;
}

async function rules(named: string, words: RulesWords): Promise<void> {
  const name = parseInstance('NAME', named);
  const next = words.rule ?? (words.clear ? [] : undefined);
  // Mistakes are pointed at here, before anybody is asked.
  if (next) rulesOf({ rule: next });
  const held = await askInstance(placeOf(name), 'rules', {
    words: { rules: next },
    patienceMs: RULING_MS,
  });
  if (words.json) process.stdout.write(`${JSON.stringify(held)}\n`);
  else {
    const lines = held.rules.length > 0 || held.file !== null ? held.rules : ['No rules: everything is kept'];
    process.stdout.write(
      [...lines, ...(held.file === null ? [] : [`and those of ${held.file}`]), ''].join('\n'),
    );
  }
}

async function stop(named: readonly string[], words: StopWords): Promise<void> {
  const timeoutMs = parseDuration('--timeout', words.timeout);
  const names = words.all ? instanceNames() : named.map((name) => parseInstance('NAME', name));
  if (names.length === 0) process.stdout.write('No instance is running\n');
  const failures: string[] = [];
  await Promise.all(
    names.map(async (name) => {
      try {
        process.stdout.write(`${await stopInstance(placeOf(name), timeoutMs)}\n`);
      } catch (error) {
        failures.push((error as Error).message);
      }
    }),
  );
  if (failures.length > 0) throw new Exit(EXIT.failed, failures.join('\ntunnelscope: '));
}

/** @returns what came of it, in words */
async function stopInstance(place: Place, timeoutMs: number): Promise<string> {
  const asked = await askToStop(place);
  if (!asked) {
    clearRemains(place);
    return `"${place.name}" is not running`;
  }
  if (await hasEnded(asked, timeoutMs)) return `"${place.name}" has stopped`;
  killNow(asked);
  if (!(await hasEnded(asked, KILLED_MS)))
    throw new DaemonError(
      'DAEMON_SILENT',
      `process ${asked.pid} of "${place.name}" does not end even when killed; the kernel holds it`,
    );
  clearRemains(place);
  return `"${place.name}" did not stop within ${timeoutMs / 1000} s and was killed (process ${asked.pid}); its last epoch is lost`;
}

/** @returns who it is; undefined when it is not running */
async function askToStop(place: Place): Promise<Identity | undefined> {
  try {
    return await askInstance(place, 'stop', { patienceMs: 2_000 });
  } catch (error) {
    if (!(error instanceof DaemonError) || error.code === 'DAEMON_NOT_PERMITTED') throw error;
    // It hangs, or is just ending: the lock says who it is.
    return holderOf(place);
  }
}

async function hasEnded(identity: Identity, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (isAlive(identity)) {
    if (performance.now() >= deadline) return false;
    await delay(LOOK_AGAIN_MS);
  }
  return true;
}

/** What a process left that was killed. Whoever starts meanwhile has the lock, and keeps it. */
function clearRemains(place: Place): void {
  if (!instanceNames().includes(place.name)) return;
  try {
    using _lock = InstanceLock.acquire(place, undefined);
    rmSync(place.socket, { force: true });
  } catch (error) {
    if (!(error instanceof DaemonError && error.code === 'DAEMON_RUNNING')) throw error;
  }
  leaveDirectory(place);
}

async function reload(named: string): Promise<void> {
  const name = parseInstance('NAME', named);
  try {
    const { changed, waiting } = await askInstance(placeOf(name), 'reload');
    process.stdout.write(changed.length > 0 ? `Changed: ${changed.join(', ')}\n` : 'Nothing changed\n');
    if (waiting.length > 0) process.stdout.write(`In force after a new start: ${waiting.join(', ')}\n`);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const code = error.reason.startsWith('CONFIG_') ? EXIT.usage : EXIT.failed;
    throw new Exit(code, `Reloading "${name}" failed, the old configuration stays: ${error.message}`);
  }
}
