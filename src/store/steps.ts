/** Steps of time that answers are told in. */
import type { HistoryLevel } from '../query/index.ts';
import type { Catalogue } from './catalogue.ts';
import { LEVEL_MS } from './levels.ts';
import type { Span } from './pieces.ts';

/** Lengths of steps that people read easily, ms. */
const STEPS_MS = [
  ...[1, 2, 5, 10, 15, 20, 30].map((seconds) => 1000 * seconds),
  ...[1, 2, 5, 10, 15, 20, 30].map((minutes) => 60_000 * minutes),
  ...[1, 2, 3, 4, 6, 8, 12, 24, 48, 168].map((hours) => 3_600_000 * hours),
];

/** A length, ms, by which a span has at most so many steps, and which rows that are kept of it can tell. */
export function usualStepMs(
  { fromMs, toMs }: Span,
  {
    levels,
    intervalMs,
    most,
  }: {
    readonly levels: Pick<Catalogue, 'keptFromMs'>;
    readonly intervalMs: number;
    readonly most: number;
  },
): number {
  const spanMs = toMs - fromMs;
  const isKept = (level: HistoryLevel): boolean => fromMs >= levels.keptFromMs(level);
  const leastMs = isKept('raw') ? intervalMs : isKept('minute') ? LEVEL_MS.minute : LEVEL_MS.hour;
  const usual = STEPS_MS.find((each) => each % leastMs === 0 && spanMs / each <= most);
  return usual ?? Math.ceil(spanMs / most / leastMs) * leastMs;
}

/** The coarsest level whose periods fit into steps. */
export function levelOfStep(stepMs: number): HistoryLevel {
  if (stepMs % LEVEL_MS.hour === 0) return 'hour';
  return stepMs % LEVEL_MS.minute === 0 ? 'minute' : 'raw';
}
