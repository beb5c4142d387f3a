/** A difference that the audit cannot explain and that stays, as a warning for the log. */
import type { AuditPoint } from '../query/index.ts';

const REMEDY = 'see "tunnelscope audit", the page or /metrics';

/** Tells of one observation point; metering goes on. */
export class UnexplainedError extends Error {
  readonly code = 'AUDIT_UNEXPLAINED';
  /** What a person can do. */
  readonly remedy: string = REMEDY;

  constructor({ interfaceName, direction, persistent, hint }: AuditPoint) {
    const { packets, octets } = persistent;
    super(
      `${packets} packets, ${octets} octets unexplained at ${interfaceName} ${direction}: ${hint}; ${REMEDY}`,
    );
    this.name = 'UnexplainedError';
  }
}
