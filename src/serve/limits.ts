/** What a server takes from its clients: all of it in one place, said in docs/api.md. */
import type { QuestionLimits } from './questions.ts';
import { QUESTION_LIMITS } from './questions.ts';
import type { Rate } from './rate.ts';
import { STREAM_LIMITS, type StreamLimits } from './stream.ts';

/** All limits of a server. */
export interface ServeLimits extends StreamLimits, QuestionLimits {
  /** Requests of one address to API and metrics, streams apart. */
  readonly requests: Rate;
  /** The same of one bearer token, from wherever. */
  readonly tokenRequests: Rate;
  /** Streams begun by one address. */
  readonly streamStarts: Rate;
  /** Connections at once, altogether and from one address. */
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** A request's head, and all of it, must be there within so long, milliseconds. */
  readonly headMs: number;
  readonly requestMs: number;
  /** A connection on which nothing moves for so long is closed, milliseconds. */
  readonly idleMs: number;
}

/**
 * Defaults of {@link ServeLimits}. A page asks three times a second at most, and opens a stream when somebody clicks: thirty of
 * them behind one address are far from any bound.
 */
export const SERVE_LIMITS: ServeLimits = {
  ...STREAM_LIMITS,
  ...QUESTION_LIMITS,
  requests: { perSecond: 100, burst: 500 },
  tokenRequests: { perSecond: 200, burst: 1000 },
  streamStarts: { perSecond: 20, burst: 200 },
  connections: 1024,
  connectionsPerAddress: 512,
  headMs: 10_000,
  requestMs: 30_000,
  idleMs: 90_000,
};
