/** What can go wrong when a file is written, and what to do about it. */

const CAUSES = {
  EXPORT_DIRECTORY_MISSING: { found: 'the directory does not exist', remedy: 'create it, or choose another' },
  EXPORT_NOT_A_DIRECTORY: { found: 'the path is not a directory', remedy: 'choose a directory' },
  EXPORT_NOT_PERMITTED: {
    found: 'the directory may not be written to',
    remedy: 'change its owner or mode, or choose another',
  },
  EXPORT_READ_ONLY: { found: 'the file system is read-only', remedy: 'choose a directory on a writable one' },
  EXPORT_NO_SPACE: { found: 'the file system is full', remedy: 'free space; the next write tries again' },
  EXPORT_FAILED: { found: 'the system refused', remedy: 'see the cause; the next write tries again' },
} as const;

/** Stable name of an export failure. */
export type ExportErrorCode = keyof typeof CAUSES;

const CODES: Readonly<Record<string, ExportErrorCode>> = {
  ENOENT: 'EXPORT_DIRECTORY_MISSING',
  ENOTDIR: 'EXPORT_NOT_A_DIRECTORY',
  EACCES: 'EXPORT_NOT_PERMITTED',
  EPERM: 'EXPORT_NOT_PERMITTED',
  EROFS: 'EXPORT_READ_ONLY',
  ENOSPC: 'EXPORT_NO_SPACE',
  EDQUOT: 'EXPORT_NO_SPACE',
};

/** A file could not be written. The counters are kept: the next successful write holds everything. */
export class ExportError extends Error {
  readonly code: ExportErrorCode;
  /** The path that was to be written. */
  readonly path: string;
  /** What a person can do, as half a sentence. */
  readonly remedy: string;

  constructor(code: ExportErrorCode, path: string, options?: { readonly cause?: unknown }) {
    const { found, remedy } = CAUSES[code];
    super(`writing ${path}: ${found}; ${remedy}`, options);
    this.name = 'ExportError';
    this.code = code;
    this.path = path;
    this.remedy = remedy;
  }

  /** The export failure behind a system error on `path`. */
  static from(cause: unknown, path: string): ExportError {
    const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    return new ExportError(CODES[errno] ?? 'EXPORT_FAILED', path, { cause });
  }
}
