/** `tunnelscope status`: what instances say of themselves. Exit codes as init scripts have them: 0 runs, 3 does not, 4 unknown. */
import type { Command } from 'commander';
import { parseInstance } from '../config/index.ts';
import { askInstance, DaemonError, type InstanceStatus, instanceNames, placeOf } from '../daemon/index.ts';
import { formatInstance } from '../terminal/index.ts';
import { EXIT } from './exit.ts';

/** Exit codes of `status`, of the Linux Standard Base. */
const STATUS_EXIT = { running: EXIT.ok, stopped: 3, unknown: 4 } as const;

/** One instance, as far as it could be found out. */
type Found =
  | InstanceStatus
  | { readonly name: string; readonly state: 'stopped' }
  | { readonly name: string; readonly state: 'unknown'; readonly reason: string };

/** Adds `status` to the program. */
export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description(
      'how instances are: uptime, interfaces, rates, audit, memory; exit code 0 runs, 3 does not, 4 unknown',
    )
    .argument('[name...]', 'of the instances (default: all)')
    .option('--json', 'as JSON: an object of one that is named, else a list')
    .action(status);
}

async function status(named: readonly string[], words: { readonly json?: true }): Promise<void> {
  const names = named.length > 0 ? named.map((name) => parseInstance('NAME', name)) : instanceNames();
  const found = await Promise.all(names.map(find));
  if (words.json) process.stdout.write(`${JSON.stringify(named.length === 1 ? found[0] : found)}\n`);
  else process.stdout.write(found.length === 0 ? 'No instance is running\n' : found.map(describe).join(''));
  if (found.some(({ state }) => state === 'unknown')) process.exitCode = STATUS_EXIT.unknown;
  else if (found.length === 0 || found.some(({ state }) => state === 'stopped'))
    process.exitCode = STATUS_EXIT.stopped;
}

async function find(name: string): Promise<Found> {
  try {
    return await askInstance(placeOf(name), 'status');
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    if (error.code === 'DAEMON_NOT_RUNNING') return { name, state: 'stopped' };
    return { name, state: 'unknown', reason: error.message };
  }
}

function describe(found: Found): string {
  if (found.state === 'stopped') return `"${found.name}" is not running\n`;
  if (found.state === 'unknown') return `"${found.name}": ${found.reason}\n`;
  return formatInstance(found);
}
