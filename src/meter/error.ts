/** Failures of metering that are not the kernel's BPF errors. */

/** Stable codes of {@link MeterError}; each stands in docs/errors.md with cause and remedy. */
export type MeterErrorCode =
  | 'METER_BUSY'
  | 'METER_INTERFACES'
  | 'METER_NO_INTERFACE'
  | 'METER_NAMESPACE'
  | 'METER_PINS'
  | 'METER_RULES'
  | 'METER_SOCKETS'
  | 'METER_THREAD'
  | 'METER_UNREAD';

/** A failure with its remedy in the message. */
export class MeterError extends Error {
  readonly code: MeterErrorCode;
  readonly remedy: string;

  constructor(code: MeterErrorCode, action: string, options: { cause?: unknown; remedy: string }) {
    super(`${action}; ${options.remedy}`, { cause: options.cause });
    this.name = 'MeterError';
    this.code = code;
    this.remedy = options.remedy;
  }
}
