/** Which process it is: a number alone is given to another one later. */
import { readdirSync, readFileSync } from 'node:fs';

/** A process for good: its number, and when it began. */
export interface Identity {
  readonly pid: number;
  /** Clock ticks since the machine started, as in /proc/PID/stat. */
  readonly startTicks: number;
}

/** Place of `starttime` among the fields behind the name, proc(5): the 22nd of all. */
const START_FIELD = 22 - 3;
/** Place of `state`: a zombie has ended, once it is alone; while a thread of it still ends, its files are open. */
const STATE_FIELD = 3 - 3;

/** This process. */
export function ownIdentity(): Identity {
  return { pid: process.pid, startTicks: startTicksOf(process.pid)! };
}

/** Whether that very process still runs. */
export function isAlive({ pid, startTicks }: Identity): boolean {
  return startTicksOf(pid) === startTicks;
}

/**
 * Ends that very process at once, if it still runs. Between the look and the signal lie microseconds in which it would
 * have to end and its number be given away anew.
 */
export function killNow(identity: Identity): void {
  if (isAlive(identity)) process.kill(identity.pid, 'SIGKILL');
}

/** The text of a lock. */
export function formatIdentity({ pid, startTicks }: Identity): string {
  return `${pid} ${startTicks}\n`;
}

/** Reads the text of a lock; undefined for a text that is none (yet). */
export function parseIdentity(text: string): Identity | undefined {
  const [, pid, startTicks] = /^(\d{1,10}) (\d{1,20})\n$/.exec(text) ?? [];
  return pid === undefined ? undefined : { pid: Number(pid), startTicks: Number(startTicks) };
}

function startTicksOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name stands in parentheses and may hold anything, parentheses too.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const hasEnded = fields[STATE_FIELD] === 'Z' && readdirSync(`/proc/${pid}/task`).length <= 1;
    return hasEnded ? undefined : Number(fields[START_FIELD]);
  } catch {
    return undefined;
  }
}
