/** How the program ends: codes, and errors as people read them. */

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

/** The code an error ends the program with. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Exit) return error.exitCode;
  if (error instanceof Error && error.name === 'ConfigError') return EXIT.usage;
  return EXIT.failed;
}
