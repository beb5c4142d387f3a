/** What is wrong with a configuration, and where. */

/** A value the user gave that cannot be used. The command line exits 2 with the message. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';
  /** What would have been right, as it follows "is not". */
  readonly wanted: string;

  constructor(field: string, value: string, wanted: string) {
    super(`${field}: "${value}" is not ${wanted}`);
    this.name = 'ConfigError';
    this.wanted = wanted;
  }
}

/** One thing wrong in a file. */
export interface Mistake {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** `serve.listen`; empty for the file as a whole. */
  readonly path: string;
  /** The value found, what was wanted, and the nearest name. */
  readonly problem: string;
}

/** A file of configuration that cannot be used: all that is wrong with it, a line each. */
export class ConfigFileError extends Error {
  readonly code: 'CONFIG_FILE' | 'CONFIG_INVALID';
  readonly mistakes: readonly Mistake[];

  constructor(path: string, mistakes: readonly Mistake[] | string) {
    super(
      typeof mistakes === 'string'
        ? `reading the configuration ${path} failed (${mistakes}); name another with --config`
        : mistakes.map((each) => lineOf(path, each)).join('\n'),
    );
    // Of one kind with the error of a flag: the command line exits 2.
    this.name = 'ConfigError';
    this.code = typeof mistakes === 'string' ? 'CONFIG_FILE' : 'CONFIG_INVALID';
    this.mistakes = typeof mistakes === 'string' ? [] : mistakes;
  }
}

function lineOf(file: string, { line, column, path, problem }: Mistake): string {
  return `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${problem}`;
}
