/** What is known by now: the newest answers, and how the asking goes. */
import type { Status, View } from '../../query/index.ts';
import type { Listing } from './listing.ts';
import { type Naming, NO_NAMES } from './names.ts';
import type { Trends } from './trend.ts';

/** The agent does not answer any more. */
export interface Lost {
  /** Unix time, milliseconds: of the first question without an answer, and when it is asked again. */
  readonly sinceMs: number;
  readonly nextMs: number;
  readonly reason: string;
}

/** All of it. Figures of a question that is not asked any more are taken out. */
export interface Answers {
  /** What is asked, in words. */
  readonly source: string;
  readonly status: Status | undefined;
  readonly view: View | undefined;
  readonly listing: Listing | undefined;
  /** Why there is no list. */
  readonly refusal: string | undefined;
  /** When the view came, by this machine's clock, Unix time, milliseconds. */
  readonly receivedMs: number;
  readonly trends: Trends;
  readonly lost: Lost | undefined;
  /** What went wrong last that does not keep the figures from coming. */
  readonly problem: string | undefined;
  readonly naming: Naming;
}

/** Nothing is known yet. */
export function nothingYet(source: string, trends: Trends): Answers {
  return {
    source,
    trends,
    status: undefined,
    view: undefined,
    listing: undefined,
    refusal: undefined,
    receivedMs: 0,
    lost: undefined,
    problem: undefined,
    naming: NO_NAMES,
  };
}

/** Milliseconds by which figures may be late: two epochs and a moment for the way, as on the page. */
export function isStale({ view, receivedMs }: Answers, nowMs: number): boolean {
  if (!view || view.isRecorded || view.epoch === 0) return false;
  return nowMs - receivedMs > 3000 * view.intervalSeconds + 1500;
}
