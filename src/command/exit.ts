/** How the program ends: codes, and errors as people read them. */

import { LabError, type LabErrorCode } from '../lab/index.ts';
import { NamesError } from '../names/index.ts';

/** Exit codes; they stand in `tunnelscope --help` and in docs/commands.md. */
export const EXIT = {
  ok: 0,
  /** Something failed while running. */
  failed: 1,
  /** The command line was wrong; nothing was done. */
  usage: 2,
  /** This machine lacks something; nothing was done. `tunnelscope doctor` says what. */
  missing: 3,
} as const;

/** An end with a code and a message that was already written for people. */
export class Exit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.name = 'Exit';
    this.exitCode = exitCode;
  }
}

/** What is wrong with the words that name a lab. */
const NOTHING_DONE: ReadonlySet<LabErrorCode> = new Set<LabErrorCode>([
  'LAB_TOPOLOGY',
  'LAB_PROFILE',
  'LAB_PREFIX',
]);

/** The code an error ends the program with. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Exit) return error.exitCode;
  if (error instanceof Error && error.name === 'ConfigError') return EXIT.usage;
  if (error instanceof NamesError) return EXIT.usage;
  if (error instanceof LabError && NOTHING_DONE.has(error.code)) return EXIT.usage;
  if (error instanceof LabError && error.code === 'LAB_REQUIREMENT') return EXIT.missing;
  return EXIT.failed;
}
