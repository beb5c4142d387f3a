/** What a store is opened with: its limits, and who is told. */
import type { HistoryLevel } from '../query/index.ts';
import type { StoreError } from './error.ts';
import type { Retention } from './upkeep.ts';

/** What a store tells. */
export interface StoreListener {
  /** Rows before this are given up. */
  gaveUp?(level: HistoryLevel, beforeMs: number, why: 'age' | 'size'): void;
  /** Joining rows or giving them up failed; it is tried again with the next commit. */
  failed?(error: StoreError): void;
}

/** A store and its limits. */
export interface DuckDbStoreOptions {
  readonly path: string;
  /** Length of the periods of rows; a divisor of a minute. */
  readonly intervalMs?: number;
  readonly retention?: Retention;
  /** What the file may take on disk. */
  readonly maxOctets?: number;
  /** What DuckDB may have of memory. */
  readonly memoryOctets?: number;
  /** How long a question may take. */
  readonly answerMs?: number;
  /** How long closing may take. */
  readonly closeMs?: number;
  /** Only asked; another process may have it open in the same way. */
  readonly readOnly?: boolean;
  readonly listener?: StoreListener;
  /** What time it is, ms since the epoch. */
  readonly clock?: () => number;
}

const DAY_MS = 86_400_000;
const DEFAULTS = {
  intervalMs: 10_000,
  retention: { rawMs: 2 * DAY_MS, minuteMs: 14 * DAY_MS, hourMs: 400 * DAY_MS },
  maxOctets: 20 * 2 ** 30,
  memoryOctets: 150e6,
  answerMs: 30_000,
  closeMs: 5_000,
  readOnly: false,
  listener: {},
  clock: Date.now,
} as const satisfies Omit<Required<DuckDbStoreOptions>, 'path'>;

/** All of them, those that are not given as usual. @throws RangeError for what makes no sense */
export function resolveOptions(given: DuckDbStoreOptions): Required<DuckDbStoreOptions> {
  const options = { ...DEFAULTS, ...given };
  const { intervalMs, retention } = options;
  if (!(intervalMs >= 1000 && 60_000 % intervalMs === 0))
    throw new RangeError(`intervalMs ${intervalMs} is no divisor of a minute of 1000 or more`);
  const { rawMs, minuteMs, hourMs } = retention;
  if (!(rawMs > 0 && rawMs <= minuteMs && minuteMs <= hourMs))
    throw new RangeError(`retention ${rawMs}, ${minuteMs}, ${hourMs} is not rawMs ≤ minuteMs ≤ hourMs`);
  return options;
}
