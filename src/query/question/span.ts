/** Spans of time as they are typed: `last 1h`, `from 22:00 to 06:00`, `yesterday`; and what one is compared with. */
import { unexpected } from '../filter/condition.ts';
import { type Expectation, FilterError, type Span } from '../filter/error.ts';
import { parseQuantity } from '../filter/quantity.ts';
import type { TokenReader } from '../filter/token.ts';
import {
  type Clock,
  firstAfter,
  lastBefore,
  type Moment,
  readDay,
  readDuration,
  readMoment,
  wallDay,
} from './moment.ts';
import { daysLater, momentOf, wallOf } from './zone.ts';

/** From a moment on to before another, and where in the text it is said. */
export interface TimeSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly place: Span;
}

/** Words that begin a span. */
export const SPAN_CLAUSES = {
  last: 'a length of time until now: last 15m',
  since: 'from a moment until now: since 10:00',
  from: 'between two moments: from 22:00 to 06:00',
  today: 'since midnight',
  yesterday: 'from midnight to midnight',
  on: 'a whole day: on 2026-11-20',
} as const;

/** The span of a question that says none. */
export const USUAL_SPAN_MS = 3_600_000;

const TO: readonly Expectation[] = [{ kind: 'words', words: ['to'] }];

/** What stands behind `with`. */
const BASES: readonly Expectation[] = [
  {
    kind: 'suggestions',
    suggestions: [
      { kind: 'clause', text: 'previous', meaning: 'the span just before, as long' },
      { kind: 'clause', text: 'yesterday', meaning: 'the same times of the day before' },
      { kind: 'clause', text: '7d', meaning: '7d ago: the same times then' },
      { kind: 'clause', text: 'from', meaning: SPAN_CLAUSES.from },
    ],
  },
];

/** Whether a span begins here. */
export function isSpan(reader: TokenReader): boolean {
  return reader.is(...Object.keys(SPAN_CLAUSES));
}

/** Reads a span. Times of day alone are the last ones before what follows them. @throws FilterError */
export function readSpan(reader: TokenReader, clock: Clock): TimeSpan {
  const { nowMs, timeZone } = clock;
  const first = reader.next();
  switch (first.text.toLowerCase()) {
    case 'last': {
      const place = reader.token;
      return { fromMs: nowMs - readDuration(reader), toMs: nowMs, place };
    }
    case 'today':
      return { fromMs: momentOf(wallDay(clock, 0), timeZone), toMs: nowMs, place: first };
    case 'yesterday': {
      const [fromMs, toMs] = [-1, 0].map((days) => momentOf(wallDay(clock, days), timeZone));
      return { fromMs: fromMs!, toMs: toMs!, place: first };
    }
    case 'on': {
      const place = reader.token;
      const day = readDay(reader, clock);
      return {
        fromMs: momentOf(day, timeZone),
        toMs: momentOf(daysLater(day, 1), timeZone),
        place,
      };
    }
    case 'since':
      return betweenMoments(reader, clock, { hasEnd: false });
    default:
      return betweenMoments(reader, clock, { hasEnd: true });
  }
}

/** What a span is compared with, once that is known. */
export type Base = (span: TimeSpan) => TimeSpan;

/** Reads what stands behind `with`. @throws FilterError */
export function readBase(reader: TokenReader, clock: Clock): Base {
  const { token: place } = reader;
  if (reader.skip('previous')) return (span) => ({ ...previousTo(span), place });
  if (reader.skip('yesterday')) {
    const before = (ms: number): number =>
      momentOf(daysLater(wallOf(ms, clock.timeZone), -1), clock.timeZone);
    return ({ fromMs, toMs }) => ({ fromMs: before(fromMs), toMs: before(toMs), place });
  }
  if (place.kind === 'word' && parseQuantity(place.text, 'duration') !== undefined) {
    const shiftMs = readDuration(reader);
    if (!reader.skip('ago')) throw unexpected(reader, [{ kind: 'words', words: ['ago'] }], '"ago"');
    return ({ fromMs, toMs }) => ({ fromMs: fromMs - shiftMs, toMs: toMs - shiftMs, place });
  }
  if (!reader.skip('from'))
    throw unexpected(reader, BASES, 'previous, yesterday, a length of time and "ago", or "from"');
  const base = betweenMoments(reader, clock, { hasEnd: true });
  return () => base;
}

/** The span just before another, as long. */
export function previousTo({ fromMs, toMs }: Omit<TimeSpan, 'place'>): Omit<TimeSpan, 'place'> {
  return { fromMs: fromMs - (toMs - fromMs), toMs: fromMs };
}

function betweenMoments(
  reader: TokenReader,
  clock: Clock,
  { hasEnd }: { readonly hasEnd: boolean },
): TimeSpan {
  const { text, token: first } = reader;
  const from = readMoment(reader, clock);
  let to: Moment = { kind: 'full', ms: clock.nowMs };
  if (hasEnd) {
    if (!reader.skip('to')) throw unexpected(reader, TO, '"to"');
    to = readMoment(reader, clock);
  }
  const span = { ...resolve(from, to, clock), place: { from: first.from, to: reader.behind } };
  if (span.fromMs < span.toMs) return span;
  const problem = hasEnd ? 'this ends before it begins' : 'this is not over yet';
  throw new FilterError(text, span.place, problem);
}

function resolve(from: Moment, to: Moment, { nowMs, timeZone }: Clock): { fromMs: number; toMs: number } {
  if (from.kind === 'full') {
    const toMs = to.kind === 'full' ? to.ms : firstAfter(to.timeMs, from.ms, timeZone);
    return { fromMs: from.ms, toMs };
  }
  const toMs = to.kind === 'full' ? to.ms : lastBefore(to.timeMs, nowMs, { timeZone, isAtMeant: true });
  return { fromMs: lastBefore(from.timeMs, toMs, { timeZone, isAtMeant: false }), toMs };
}
