/** Of which time a view asks, and when it is time to ask again. */
import { useEffect, useRef, useState } from 'react';
import type { ViewQuestion } from '../../src/query/index.ts';
import { isAnswerAwaited } from './asking.ts';
import { ageMs, type Newest } from './freshness.ts';
import type { Feed } from './live.ts';
import type { Place } from './question.ts';
import { spanOf, type TimeRange } from './time-range.ts';

/** The time of a question: a span of the past, Unix epoch, milliseconds, or a sliding window of the live view. */
export type QuestionTime =
  | { readonly fromMs: number; readonly toMs: number }
  | { readonly window: ViewQuestion['window'] };

/** The time that questions of a place are about, to be spread into them. @param nowMs by the agent's clock */
export function questionTime(
  { time, question }: Pick<Place, 'time' | 'question'>,
  nowMs: number,
): QuestionTime {
  return time.kind === 'live' ? { window: question.window } : spanOf(time, nowMs);
}

/** Now by the agent's clock, as far as the newest answer tells; of captures, the end of them. Milliseconds. */
export function agentNowMs(newest: Newest, nowMs: number): number {
  return newest.isRecorded ? newest.atMs : Math.floor(newest.atMs + ageMs(newest, nowMs));
}

/** Time until what ends now is asked anew, milliseconds: a two-hundredth of it, which a chart can just show. */
export function renewalMs(lengthMs: number): number {
  return Math.max(5000, lengthMs / 200);
}

/** What to ask of, and a number that changes when to ask again. */
export interface Moment {
  /** Undefined as long as nobody knows what time it is at the agent. The same object until it is another time. */
  readonly time: QuestionTime | undefined;
  readonly turn: number;
}

/** {@link questionTime} and {@link useTurn} in one: what {@link useAnswer} needs. */
export function useMoment(place: Place, feed: Feed, isPaused: boolean): Moment {
  const turn = useTurn(place, feed, isPaused);
  const { time, question } = place;
  const key = JSON.stringify([time, time.kind === 'live' && question.window, time.kind === 'last' && turn]);
  const [known, setKnown] = useState<{ readonly key: string; readonly time: QuestionTime | undefined }>();
  if (known?.key === key) return { time: known.time, turn };
  const next = time.kind === 'last' && turn === 0 ? undefined : questionTime(place, turn);
  setKnown({ key, time: next });
  return { time: next, turn };
}

/**
 * A number that changes when there may be another answer: the epoch while it is live; of what ends now, the moment it
 * ends by the agent's clock (0 while that is not known), renewed as {@link renewalMs} says; 0 for a span. A pause
 * holds it, and so does an answer that is still awaited.
 */
export function useTurn({ time }: Pick<Place, 'time'>, feed: Feed, isPaused: boolean): number {
  const endMs = useEnd(time, feed.newest, isPaused);
  const epoch = feed.view?.epoch ?? 0;
  const [held, setHeld] = useState(epoch);
  const isHeld = held > 0 && (isPaused || isAnswerAwaited());
  if (held !== epoch && !isHeld) setHeld(epoch);
  if (time.kind === 'live') return isHeld ? held : epoch;
  return time.kind === 'last' ? endMs : 0;
}

/** The moment that counts as now for a time that ends now; 0 for others and before it is known. */
function useEnd(time: TimeRange, newest: Newest | undefined, isPaused: boolean): number {
  const lengthMs = time.kind === 'last' ? time.ms : 0;
  const [end, setEnd] = useState({ lengthMs: 0, atMs: 0 });
  const clock = useRef(newest);
  useEffect(() => {
    clock.current = newest;
  });
  useEffect(() => {
    if (lengthMs === 0 || isPaused) return;
    const renew = (): void => {
      if (clock.current && !isAnswerAwaited())
        setEnd({ lengthMs, atMs: agentNowMs(clock.current, Date.now()) });
    };
    const timer = setInterval(renew, renewalMs(lengthMs));
    return () => clearInterval(timer);
  }, [lengthMs, isPaused]);
  if (lengthMs === 0) return 0;
  if (end.lengthMs === lengthMs) return end.atMs;
  if (!newest) return 0;
  const next = { lengthMs, atMs: agentNowMs(newest, Date.now()) };
  setEnd(next);
  return next.atMs;
}
