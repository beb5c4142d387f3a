/** Ending instances in order, and by force where they do not. */
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseDuration, parseInstance } from '../config/index.ts';
import {
  ask,
  DaemonError,
  holderOf,
  type Identity,
  IdentitySchema,
  type InstanceKind,
  InstanceLock,
  instanceNames,
  isAlive,
  killNow,
  leaveDirectory,
  type Place,
  placeOf,
  STOP_WORDS,
} from '../daemon/index.ts';
import { EXIT, Exit } from './exit.ts';
import { leftInKernel } from './purging.ts';

/** The words of `stop`. */
export interface StopWords {
  readonly all?: true;
  /** Its programs count on in the kernel. */
  readonly keep?: true;
  readonly timeout: string;
}

/** What instances of every kind have in their dialogues; `keep` those that meter. */
const STOPPABLE = { stop: { words: STOP_WORDS, answer: IdentitySchema } };
/** Errors that say all there is to say; any other means that it hangs, or is ending. */
const TOLD: ReadonlySet<string> = new Set(['DAEMON_NOT_PERMITTED', 'DAEMON_REFUSED']);
const LOOK_AGAIN_MS = 20;
/** After SIGKILL the kernel takes a process down, which may wait for a system call. */
const KILLED_MS = 10_000;

/** Stops instances of a kind. @param leftover takes away what one left that does not run; gives words for it, if there was any */
export async function stopInstances(
  kind: InstanceKind,
  named: readonly string[],
  {
    words,
    leftover,
  }: {
    readonly words: StopWords;
    readonly leftover?: (name: string) => Promise<string | undefined> | string | undefined;
  },
): Promise<void> {
  const timeoutMs = parseDuration('--timeout', words.timeout);
  const names = words.all ? instanceNames(kind) : named.map((name) => parseInstance('NAME', name));
  if (names.length === 0) process.stdout.write('No instance is running\n');
  const failures: string[] = [];
  await Promise.all(
    names.map(async (name) => {
      try {
        const how = { kind, timeoutMs, isKept: words.keep === true };
        const outcome = await stopInstance(placeOf(name, kind), how);
        process.stdout.write(`${(await leftover?.(name)) ?? outcome}\n`);
      } catch (error) {
        failures.push((error as Error).message);
      }
    }),
  );
  if (failures.length > 0) throw new Exit(EXIT.failed, failures.join('\ntunnelscope: '));
}

/** @returns what came of it, in words */
async function stopInstance(
  place: Place,
  {
    kind,
    timeoutMs,
    isKept,
  }: { readonly kind: InstanceKind; readonly timeoutMs: number; readonly isKept: boolean },
): Promise<string> {
  const asked = await askToStop(place, isKept);
  if (!asked) {
    clearRemains(place, kind);
    return `"${place.name}" is not running`;
  }
  if (await hasEnded(asked, timeoutMs))
    return `"${place.name}" has stopped${isKept ? '; the kernel counts on until its history is started again' : ''}`;
  killNow(asked);
  if (!(await hasEnded(asked, KILLED_MS)))
    throw new DaemonError(
      'DAEMON_SILENT',
      `process ${asked.pid} of "${place.name}" does not end even when killed; the kernel holds it`,
    );
  clearRemains(place, kind);
  const loss = kind === 'metering' ? await lossOf(place.name) : '';
  return `"${place.name}" did not stop within ${timeoutMs / 1000} s and was killed (process ${asked.pid})${loss}`;
}

/** What is lost when a meter is killed. */
async function lossOf(name: string): Promise<string> {
  const isLeft = (await leftInKernel()).some(({ label }) => label === name);
  return isLeft ? '; the kernel counts on until its history is started again' : '; its last epoch is lost';
}

/** @returns who it is; undefined when it is not running */
async function askToStop(place: Place, isKept: boolean): Promise<Identity | undefined> {
  const words = isKept ? { keep: true } : null;
  try {
    return await ask(STOPPABLE, place, 'stop', { patienceMs: 2_000, words });
  } catch (error) {
    const isSilent = error instanceof DaemonError && !TOLD.has(error.code);
    if (!isSilent) throw error;
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
function clearRemains(place: Place, kind: InstanceKind): void {
  if (!instanceNames(kind).includes(place.name)) return;
  try {
    using _lock = InstanceLock.acquire(place, undefined);
    rmSync(place.socket, { force: true });
  } catch (error) {
    if (!(error instanceof DaemonError && error.code === 'DAEMON_RUNNING')) throw error;
  }
  leaveDirectory(place);
}
