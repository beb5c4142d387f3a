/** Processes that belong to a lab as its namespaces do. */
import { fileURLToPath } from 'node:url';
import type { ProcessMark } from './process.ts';

/** One process that is kept running: started again whenever it ends. */
export interface Member {
  /** Of its own in the lab: `bridge-host0`. */
  readonly name: string;
  /** What it is, in words for people: `bridge`, `DHCP server`. */
  readonly role: string;
  /** The namespace it works in, with prefix. */
  readonly namespace: string;
  /** Program and words. */
  readonly command: readonly string[];
  /** Files that are written into its directory before it starts, by name; see `memberDirectory`. */
  readonly files?: Readonly<Record<string, string>>;
  /** What its output has when it is at work, a regular expression; without it, running is enough. */
  readonly ready?: string;
}

/** A member as its keeper sees it. */
export interface MemberState {
  readonly name: string;
  readonly role: string;
  readonly namespace: string;
  readonly state: 'starting' | 'running' | 'waiting';
  /** Absent while it waits to be started again. */
  readonly mark?: ProcessMark | undefined;
  /** How often it had to be started again. */
  readonly restarts: number;
  /** How it ended the last time, and its last line. */
  readonly lastEnd?: string | undefined;
}

/** In the environment of every process that belongs to a lab, by which it is found whatever else is lost. */
export const LAB_VARIABLE = 'TUNNELSCOPE_LAB';

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));

/** The words that run a command of this very program. */
export function ownCommand(...words: readonly string[]): string[] {
  return [process.execPath, CLI, ...words];
}

/** The words that run one of this module's own programs. */
export function ownProgram(file: string, ...words: readonly string[]): string[] {
  return [process.execPath, fileURLToPath(new URL(file, import.meta.url)), ...words];
}
