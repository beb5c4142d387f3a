/** Keeps the processes of a lab running: starts each again when it ends, until it is told to end them all. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { LAB_VARIABLE, type Member, type MemberState } from './member.ts';
import { markOf, type ProcessMark } from './process.ts';
import { memberDirectory, writeKeeper } from './record.ts';

/** Waits before a start, doubled each time that the one before it was short-lived. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5000;
/** Whoever lived so long was no failure to start. */
const SETTLED_MS = 10_000;
/** A network function takes back what it did to the kernel. */
const GRACE_MS = 8000;
const LOOK_AGAIN_MS = 20;

/** Keeps members running until `signal` aborts, then ends them; resolves when all have ended. */
export async function keepMembers(
  prefix: string,
  members: readonly Member[],
  signal: AbortSignal,
): Promise<void> {
  const keeper = markOf(process.pid)!;
  const states = new Map<string, MemberState>();
  const told = (state: MemberState): void => {
    states.set(state.name, state);
    writeKeeper(prefix, { keeper, members: members.flatMap(({ name }) => states.get(name) ?? []) });
  };
  await Promise.all(members.map((member) => keep(prefix, member, { signal, told })));
}

interface Keeping {
  readonly signal: AbortSignal;
  readonly told: (state: MemberState) => void;
}

async function keep(prefix: string, member: Member, { signal, told }: Keeping): Promise<void> {
  const { name, role, namespace } = member;
  let restarts = 0;
  let lastEnd: string | undefined;
  let waitMs = FIRST_WAIT_MS;
  const tell = (state: MemberState['state'], mark?: ProcessMark): void =>
    told({ name, role, namespace, state, restarts, mark, lastEnd });
  while (!signal.aborted) {
    const begun = performance.now();
    const child = start(prefix, member);
    const mark = child.pid === undefined ? undefined : markOf(child.pid);
    tell('starting', mark);
    const ended = new AbortController();
    const [how] = await Promise.all([
      endOf(child, signal).finally(() => ended.abort()),
      untilReady(prefix, member, ended.signal).then((isReady) => isReady && tell('running', mark)),
    ]);
    if (signal.aborted) return;
    const line = outputOf(prefix, name).trim().split('\n').at(-1);
    lastEnd = `it ended with ${how}${line ? `, "${line}"` : ''}`;
    if (performance.now() - begun > SETTLED_MS) waitMs = FIRST_WAIT_MS;
    tell('waiting');
    await pause(waitMs, undefined, { signal }).catch(() => undefined);
    waitMs = Math.min(LONGEST_WAIT_MS, 2 * waitMs);
    restarts += 1;
  }
}

/** Starts it with its files written anew; what it says goes to a file, so that it can outlive its keeper. */
function start(prefix: string, { name, command, files }: Member): ChildProcess {
  const directory = memberDirectory(prefix, name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const [file, text] of Object.entries(files ?? {}))
    writeFileSync(`${directory}/${file}`, text, { mode: file.endsWith('.sh') ? 0o700 : 0o600 });
  const output = openSync(`${directory}/output`, 'w', 0o600);
  const { NODE_OPTIONS: _, ...environment } = process.env;
  const child = spawn(command[0]!, command.slice(1), {
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...environment, LC_ALL: 'C', [LAB_VARIABLE]: prefix },
  });
  closeSync(output);
  return child;
}

/** How it ended, in words. Aborting `signal` ends it: with SIGTERM, and with SIGKILL if that does not help. */
async function endOf(child: ChildProcess, signal: AbortSignal): Promise<string> {
  let killing: NodeJS.Timeout | undefined;
  const end = (): void => {
    child.kill('SIGTERM');
    killing = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  };
  if (signal.aborted) end();
  signal.addEventListener('abort', end);
  try {
    const [status, by] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return by ?? `status ${status}`;
  } catch (error) {
    return (error as Error).message;
  } finally {
    signal.removeEventListener('abort', end);
    clearTimeout(killing);
  }
}

async function untilReady(prefix: string, { name, ready }: Member, ended: AbortSignal): Promise<boolean> {
  if (ready === undefined) return true;
  const pattern = new RegExp(ready, 'm');
  while (!ended.aborted) {
    if (pattern.test(outputOf(prefix, name))) return true;
    await pause(LOOK_AGAIN_MS, undefined, { signal: ended }).catch(() => undefined);
  }
  return false;
}

function outputOf(prefix: string, name: string): string {
  try {
    return readFileSync(`${memberDirectory(prefix, name)}/output`, 'utf8');
  } catch {
    return '';
  }
}
