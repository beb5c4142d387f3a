/** The keeper of a lab, as those see it who make the lab stand and take it down. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LabError } from './error.ts';
import { LAB_VARIABLE, type Member, ownProgram } from './member.ts';
import { endProcesses, isAlive, processesWith } from './process.ts';
import { memberDirectory, readKeeper, writeMembers } from './record.ts';

/** Nine bridges on a small machine that is busy with something else, or emulated; whoever fails is told long before. */
const START_MS = 240_000;
/** A member that ends so often before it is at work will not be. */
const ATTEMPTS = 3;
/** Longer than the keeper gives its members. */
const GRACE_MS = 12_000;
const LOOK_AGAIN_MS = 20;

/**
 * Starts the keeper of a lab; resolves when all members are at work. No members: nothing is started.
 * Throws LabError (`LAB_MEMBER`) with what the one said that is not.
 */
export async function startMembers(
  prefix: string,
  members: readonly Member[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (members.length === 0) return;
  writeMembers(prefix, members);
  const output = openOutput(prefix);
  const [program = '', ...words] = ownProgram('keeper-process.ts', prefix);
  const { NODE_OPTIONS: _, ...environment } = process.env;
  const child = spawn(program, words, {
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
    env: { ...environment, [LAB_VARIABLE]: prefix },
  });
  closeSync(output.fd);
  child.unref();
  child.on('error', () => undefined); // told below, as an end without a word
  const deadline = performance.now() + START_MS;
  while (true) {
    signal?.throwIfAborted();
    const states = readKeeper(prefix)?.members ?? [];
    if (states.length === members.length && states.every(({ state }) => state === 'running')) return;
    const failed = states.find(({ restarts }) => restarts >= ATTEMPTS);
    if (failed) throw notAtWork(failed.role, failed.namespace, failed.lastEnd ?? 'it ended');
    if (child.exitCode !== null || child.signalCode !== null)
      throw notAtWork('keeper', prefix, `it ended, "${readFileSync(output.path, 'utf8').trim()}"`);
    if (performance.now() > deadline) {
      const late = states.find(({ state }) => state !== 'running');
      throw notAtWork(
        late?.role ?? 'keeper',
        late?.namespace ?? prefix,
        late?.lastEnd ??
          `it was not at work after ${START_MS / 1000} s${late ? saidBy(prefix, late.name) : ''}`,
      );
    }
    await pause(LOOK_AGAIN_MS);
  }
}

/** Ends the keeper, and with it the members; then whatever else belongs to the lab and still runs. */
export async function endMembers(prefix: string): Promise<void> {
  const keeper = readKeeper(prefix)?.keeper;
  if (keeper !== undefined) await endProcesses([keeper], GRACE_MS);
  await endProcesses(processesWith(LAB_VARIABLE, prefix), GRACE_MS);
}

/** Whether the keeper lives and each of these members is at work. */
export function areKept(prefix: string, members: readonly Member[]): boolean {
  if (members.length === 0) return true;
  const record = readKeeper(prefix);
  return (
    record !== undefined &&
    isAlive(record.keeper) &&
    members.every(({ name }) => {
      const found = record.members.find((each) => each.name === name);
      return found?.state === 'running' && found.mark !== undefined && isAlive(found.mark);
    })
  );
}

/** Its last line, for a message. */
function saidBy(prefix: string, name: string): string {
  try {
    const line = readFileSync(`${memberDirectory(prefix, name)}/output`, 'utf8')
      .trim()
      .split('\n')
      .at(-1);
    return line ? `, "${line}"` : ', and said nothing';
  } catch {
    return '';
  }
}

function openOutput(prefix: string): { readonly fd: number; readonly path: string } {
  const path = memberDirectory(prefix, 'keeper-output');
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return { fd: openSync(path, 'w', 0o600), path };
}

function notAtWork(role: string, namespace: string, why: string): LabError {
  return new LabError(
    'LAB_MEMBER',
    `Starting the ${role} of ${namespace}: ${why}; wanted it at work`,
    'See to what it says; `tunnelscope doctor` tells what this machine lacks.',
  );
}
