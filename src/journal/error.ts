/** Failures of the journal. */

/** Stable codes of {@link JournalError}; each stands in docs/errors.md with cause and remedy. */
export type JournalErrorCode =
  | 'JOURNAL_BUSY'
  | 'JOURNAL_DIRECTORY'
  | 'JOURNAL_WRITE'
  | 'JOURNAL_FULL'
  | 'JOURNAL_DAMAGED';

/** A failure with its remedy in the message. */
export class JournalError extends Error {
  readonly code: JournalErrorCode;
  readonly remedy: string;

  constructor(code: JournalErrorCode, action: string, options: { cause?: unknown; remedy: string }) {
    super(`${action}; ${options.remedy}`, { cause: options.cause });
    this.name = 'JournalError';
    this.code = code;
    this.remedy = options.remedy;
  }
}
