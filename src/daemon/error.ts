/** What can go wrong between a running instance and who steers it. */

/** Stable codes of {@link DaemonError}; each stands in docs/errors.md with cause and remedy. */
export type DaemonErrorCode =
  | 'DAEMON_RUNNING'
  | 'DAEMON_NOT_RUNNING'
  | 'DAEMON_NOT_PERMITTED'
  | 'DAEMON_DIRECTORY'
  | 'DAEMON_LOCK'
  | 'DAEMON_SILENT'
  | 'DAEMON_PROTOCOL'
  | 'DAEMON_REFUSED';

/** A failure with its remedy in the message. */
export class DaemonError extends Error {
  readonly code: DaemonErrorCode;

  constructor(code: DaemonErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = 'DaemonError';
    this.code = code;
  }
}
