/** How the program ends: codes, and errors as people read them. */

import type { LabErrorCode } from '../lab/index.ts';

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

/** What words that name a lab end with. */
const OF_LAB: Readonly<Partial<Record<LabErrorCode, number>>> = {
  LAB_TOPOLOGY: EXIT.usage,
  LAB_PROFILE: EXIT.usage,
  LAB_PREFIX: EXIT.usage,
  LAB_REQUIREMENT: EXIT.missing,
};

/** The code an error ends the program with. Known by their names: their modules are loaded where they are used. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Exit) return error.exitCode;
  if (!(error instanceof Error)) return EXIT.failed;
  if (error.name === 'ConfigError' || error.name === 'NamesError') return EXIT.usage;
  if (error.name === 'LabError' && 'code' in error) return OF_LAB[error.code as LabErrorCode] ?? EXIT.failed;
  return EXIT.failed;
}
