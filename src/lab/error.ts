/** What went wrong, as a word that does not change; docs list each with its cause and remedy. */
export type LabErrorCode =
  | 'LAB_REQUIREMENT' // a tool, a capability or a kernel feature is missing
  | 'LAB_TOPOLOGY' // a topology file cannot be used
  | 'LAB_PROFILE' // a traffic profile cannot be used, or does not fit the topology
  | 'LAB_PREFIX' // the name prefix is not one a lab may own
  | 'LAB_BUSY' // another process is changing the same lab right now
  | 'LAB_COMMAND' // `ip` refused
  | 'LAB_NOT_UP' // traffic was asked for in a lab that does not stand
  | 'LAB_TRAFFIC' // a traffic process failed
  | 'LAB_MEMBER' // a process that belongs to the lab does not run
  | 'LAB_CHECK'; // what the lab should do it does not

/**
 * Every failure of the lab that is not the caller's mistake: `code` is stable, the message says action, state found and
 * state wanted, `remedy` says what a person can do now.
 */
export class LabError extends Error {
  override readonly name = 'LabError';
  readonly code: LabErrorCode;
  readonly remedy: string;

  constructor(code: LabErrorCode, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.remedy = remedy;
  }
}
