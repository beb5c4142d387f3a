/** How far a long job is, in one line: share, count, rate, time left. */
import { countQuantity, formatQuantity } from '../flow/index.ts';

/** What the line is made of. */
export interface ProgressOptions {
  /** What is read, e.g. a file's name. */
  readonly what: string;
  /** Octets read, and all there are; `undefined` where that is not known. */
  readonly consumed: number;
  readonly total: number | undefined;
  readonly packets: number;
  /** Since the beginning. */
  readonly elapsedMs: number;
  /** Columns of the terminal; the line is never wider. */
  readonly width: number;
}

/** The line, without newline: `trace.pcap 42 % · 1.20 M packets · 1.10 M/s · 3 s left`. What does not fit goes from the end. */
export function formatProgress(options: ProgressOptions): string {
  const { what, consumed, total, packets, elapsedMs, width } = options;
  const share = total === undefined ? undefined : Math.min(1, consumed / Math.max(1, total));
  const seconds = elapsedMs / 1000;
  const rate = seconds > 0 ? packets / seconds : 0;
  const parts = [
    share === undefined ? what : `${what} ${Math.floor(100 * share)} %`,
    `${formatQuantity(countQuantity(packets))} packets`,
    `${formatQuantity(countQuantity(Math.round(rate)))}/s`,
    // A rate of the first moment says nothing of the rest.
    ...(share !== undefined && share > 0 && seconds >= 1
      ? [`${timeLeft((seconds / share) * (1 - share))} left`]
      : []),
  ];
  for (let kept = parts.length; kept > 1; kept--) {
    const line = parts.slice(0, kept).join(' · ');
    if (line.length <= width) return line;
  }
  return parts[0]!.slice(0, Math.max(0, width));
}

function timeLeft(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}
