import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** A process beyond doubt: a pid alone may be somebody else's by now, a pid with its start time (clock ticks) may not. */
export interface ProcessMark {
  readonly pid: number;
  readonly startTime: number;
}

/** The mark of a living process; undefined when there is none, or only a zombie. */
export function markOf(pid: number): ProcessMark | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc(5): the name in parentheses may hold anything; state is the field after it, start time the 22nd of all.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : { pid, startTime: Number(fields[19]) };
  } catch {
    return undefined;
  }
}

/** Whether the marked process still runs. */
export function isAlive(mark: ProcessMark): boolean {
  return markOf(mark.pid)?.startTime === mark.startTime;
}

/** The processes whose network namespace is one of the named ones, by one walk through /proc; never the caller itself. */
export function processesIn(
  namespaces: readonly string[],
): { mark: ProcessMark; namespace: string; command: string }[] {
  const byInode = new Map<string, string>();
  for (const namespace of namespaces) {
    const inode = statSync(`/run/netns/${namespace}`, { throwIfNoEntry: false })?.ino;
    if (inode !== undefined) byInode.set(`net:[${inode}]`, namespace);
  }
  if (byInode.size === 0) return [];
  return readdirSync('/proc').flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    const namespace = byInode.get(netnsOf(pid));
    const mark = namespace === undefined ? undefined : markOf(pid);
    return namespace === undefined || mark === undefined
      ? []
      : [{ mark, namespace, command: commandOf(pid) }];
  });
}

/** The processes in whose environment a variable has this value, by one walk through /proc; never the caller itself. */
export function processesWith(variable: string, value: string): ProcessMark[] {
  return readdirSync('/proc').flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid || !environmentOf(pid).includes(`${variable}=${value}`))
      return [];
    const mark = markOf(pid);
    return mark === undefined ? [] : [mark];
  });
}

/** Ends processes: SIGTERM, and SIGKILL for what is still there after `graceMs`. Resolves when all are gone. */
export async function endProcesses(marks: readonly ProcessMark[], graceMs = 1500): Promise<void> {
  for (const [signal, limitMs] of [
    ['SIGTERM', graceMs],
    ['SIGKILL', 2000],
  ] as const) {
    const deadline = performance.now() + limitMs;
    for (const mark of marks) signalProcess(mark, signal);
    while (marks.some(isAlive) && performance.now() < deadline) await pause(10);
  }
}

/** Sends a signal to the marked process; nothing happens when it is gone or its pid is another's. */
export function signalProcess(mark: ProcessMark, signal: NodeJS.Signals): void {
  if (!isAlive(mark)) return;
  try {
    process.kill(mark.pid, signal);
  } catch {
    // It ended between the look and the signal.
  }
}

function netnsOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return '';
  }
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}
