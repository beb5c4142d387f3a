/** What can go wrong with the store, and what to do about it. */

const CAUSES = {
  STORE_NOT_FOUND: {
    found: 'there is no such file',
    remedy: 'check the path, or start metering with history on',
  },
  STORE_NOT_A_FILE: {
    found: 'it cannot be a file there',
    remedy: 'choose a path in a directory that exists',
  },
  STORE_NOT_PERMITTED: {
    found: 'it may not be opened',
    remedy: 'change its owner or mode, or choose another',
  },
  STORE_READ_ONLY: { found: 'the file system is read-only', remedy: 'choose a path on a writable one' },
  STORE_LOCKED: {
    found: 'another process has it open',
    remedy: 'ask that process, stop it, or choose another file',
  },
  STORE_CORRUPTED: {
    found: 'it is damaged or no store of this program',
    remedy: 'move it away (it was not changed) and start with a new one, or bring back a copy',
  },
  STORE_NEWER: {
    found: 'a newer version of this program made it',
    remedy: 'use that version, or choose another file',
  },
  STORE_INTERVAL: {
    found: 'it was made for rows of another length',
    remedy: 'use that length, or choose another file',
  },
  STORE_NO_SPACE: {
    found: 'the file system is full',
    remedy: 'free space; nothing that was stored is harmed, and the next write tries again',
  },
  STORE_NO_MEMORY: {
    found: 'it needs more memory than it may have',
    remedy: 'ask for a shorter span or fewer dimensions, or allow more memory',
  },
  STORE_TIMEOUT: { found: 'it takes too long', remedy: 'ask for a shorter span or fewer dimensions' },
  STORE_TOO_COARSE: {
    found: 'that detail is not kept so far back',
    remedy: 'ask for a later span, or without that detail',
  },
  STORE_QUERY: { found: 'the question cannot be answered', remedy: 'correct it' },
  STORE_NOT_A_SELECT: {
    found: 'it is not a single SELECT',
    remedy: 'ask by one SELECT; the store is changed by the meter alone',
  },
  STORE_EPOCH: { found: 'an epoch is not as epochs are', remedy: 'this is a bug, please report it' },
  STORE_CLOSED: { found: 'it is closed', remedy: 'open it again' },
  STORE_FAILED: { found: 'it refused', remedy: 'see the cause; the next write tries again' },
} as const;

/** Stable name of a failure of the store. */
export type StoreErrorCode = keyof typeof CAUSES;

/** Every code. */
export const STORE_ERROR_CODES: readonly StoreErrorCode[] = Object.keys(CAUSES) as StoreErrorCode[];

/** The store could not be opened, written to, or asked. What was stored before is unharmed. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;
  /** What a person can do, as half a sentence. */
  readonly remedy: string;

  /**
   * @param action what was tried, e.g. `opening /var/lib/…`
   * @param options `found`: more than the code says of what was found
   */
  constructor(
    code: StoreErrorCode,
    action: string,
    options: { readonly found?: string; readonly cause?: unknown } = {},
  ) {
    const { found, remedy } = CAUSES[code];
    super(`${action}: ${options.found ?? found}; ${remedy}`, { cause: options.cause });
    this.name = 'StoreError';
    this.code = code;
    this.remedy = remedy;
  }

  /** Whether DuckDB has given the file up: it must be opened again. */
  static isFatal(error: unknown): boolean {
    return (
      error instanceof Error &&
      (/FATAL Error|has been invalidated/.test(error.message) || StoreError.isFatal(error.cause))
    );
  }

  /** The failure behind what DuckDB or the system said. */
  static from(cause: unknown, action: string): StoreError {
    if (cause instanceof StoreError) return cause;
    const said = cause instanceof Error ? cause.message : String(cause);
    const [, code] = SAYINGS.find(([pattern]) => pattern.test(said)) ?? [undefined, 'STORE_FAILED' as const];
    const line = said.split('\n')[0]!.trim();
    const found = code === 'STORE_FAILED' || code === 'STORE_QUERY' ? line : undefined;
    return new StoreError(code, action, { cause, ...(found !== undefined && { found }) });
  }
}

/** DuckDB tells failures in words; the first that fits, most telling first. */
const SAYINGS: readonly (readonly [RegExp, StoreErrorCode])[] = [
  [/No space left on device|not enough space|disk quota/i, 'STORE_NO_SPACE'],
  [/Could not set lock|Conflicting lock/i, 'STORE_LOCKED'],
  [/Read-only file system/i, 'STORE_READ_ONLY'],
  [/Permission denied|Operation not permitted/i, 'STORE_NOT_PERMITTED'],
  [
    /does not exist.*read-only|database does not exist|in read-only mode: database does not/i,
    'STORE_NOT_FOUND',
  ],
  [/Is a directory|No such file or directory|Not a directory/i, 'STORE_NOT_A_FILE'],
  [
    /newer version of DuckDB|version number .* can only|trying to read a database file with version/i,
    'STORE_NEWER',
  ],
  [
    /not a valid DuckDB database|checksum|corrupt|Failed to load metadata|invalid.*header|deserializ/i,
    'STORE_CORRUPTED',
  ],
  [/Out of Memory|max_temp_directory_size|failed to allocate|could not allocate/i, 'STORE_NO_MEMORY'],
  [
    /(?:^|: )(Parser|Binder|Catalog|Conversion|Invalid Input|Out of Range|Permission|Not implemented|TransactionContext) Error/,
    'STORE_QUERY',
  ],
];
