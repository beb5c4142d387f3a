/** Is what the page shows still true? */

/** What is known about the newest answer. */
export interface Newest {
  /** End of its epoch by the agent's clock, milliseconds. */
  readonly atMs: number;
  readonly intervalSeconds: number;
  /** It is of captures, and does not age. */
  readonly isRecorded: boolean;
  /** When it came, by this browser's clock, milliseconds. */
  readonly receivedMs: number;
  /** How old it already was when it came, milliseconds; 0 when not known. */
  readonly ageOnReceiptMs: number;
}

/** Age of the figures in milliseconds. Clocks of agent and browser are never compared with each other. */
export function ageMs(newest: Newest, nowMs: number): number {
  return Math.max(0, nowMs - newest.receivedMs) + Math.max(0, newest.ageOnReceiptMs);
}

/**
 * Milliseconds until the figures are stale, 0 when they are: two epochs late, and a moment for the way, is not a jitter of the
 * network but a source that stopped.
 */
export function freshForMs(newest: Newest, nowMs: number): number {
  if (newest.isRecorded) return Number.POSITIVE_INFINITY;
  return Math.max(0, newest.intervalSeconds * 3000 + 1500 - ageMs(newest, nowMs));
}

/** `12 seconds`, `3 minutes`, `2 hours`, `5 days`. */
export function durationWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [count, unit] =
    seconds < 90
      ? [seconds, 'second']
      : seconds < 5400
        ? [Math.round(seconds / 60), 'minute']
        : seconds < 129600
          ? [Math.round(seconds / 3600), 'hour']
          : [Math.round(seconds / 86400), 'day'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** Milliseconds to wait before try number `attempt` (from 0): 0.5 s, doubling to 10 s. */
export function backoffMs(attempt: number): number {
  return Math.min(10_000, 500 * 2 ** Math.min(attempt, 10));
}
