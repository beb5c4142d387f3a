/** Moments as they are typed: `10:00`, `yesterday 22:00`, `2026-11-21T10:00Z`, `2h ago`. */
import { unexpected } from '../filter/condition.ts';
import { type Expectation, quoted, type Suggestion } from '../filter/error.ts';
import { parseQuantity } from '../filter/quantity.ts';
import type { TokenReader } from '../filter/token.ts';
import { dayOf, daysLater, momentOf, type WallMs, wallOf } from './zone.ts';

/** The present, and whose clocks are meant. */
export interface Clock {
  readonly nowMs: number;
  /** As the time zone database has it. */
  readonly timeZone: string;
}

/** A moment that is said in full, or a time of day that leaves the day open. */
export type Moment =
  | { readonly kind: 'full'; readonly ms: number }
  /** Milliseconds after midnight, up to those of a day. */
  | { readonly kind: 'time'; readonly timeMs: number };

const TIME = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?$/;
const DAY = /^(\d{4}|\+\d{6})-(\d{2})-(\d{2})$/;
const ZONE = /^(.*?)(?:(z)|([+-])(\d{2}):?(\d{2}))$/i;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Days by name, counted from this one. */
const DAYS: ReadonlyMap<string, number> = new Map([
  ['today', 0],
  ['yesterday', -1],
]);

const value = (text: string, meaning: string): Suggestion => ({ kind: 'value', text, meaning });

/** Lengths of time worth proposing. */
export const DURATIONS: readonly Expectation[] = [
  {
    kind: 'suggestions',
    suggestions: ['15m', '1h', '24h', '7d', '30d'].map((text) => value(text, '')),
  },
];
const MOMENTS: readonly Expectation[] = [
  {
    kind: 'suggestions',
    suggestions: [
      value('today', 'midnight, or a time of today: today 10:00'),
      value('yesterday', 'its midnight, or a time of it: yesterday 22:00'),
      value('now', 'this moment'),
    ],
  },
];
const DAY_WORDS: readonly Expectation[] = [
  { kind: 'suggestions', suggestions: [value('today', ''), value('yesterday', '')] },
];
const AGO: readonly Expectation[] = [{ kind: 'suggestions', suggestions: [value('ago', 'before now')] }];

const WANTED = 'a moment such as 10:00, 2026-11-21T10:00, yesterday 22:00 or 2h ago';

/** Reads a length of time, in milliseconds. @throws FilterError */
export function readDuration(reader: TokenReader): number {
  const { token } = reader;
  const found = token.kind === 'word' ? parseQuantity(token.text, 'duration') : undefined;
  if (found === undefined || found === 0)
    throw unexpected(reader, DURATIONS, 'a length of time such as 15m, 1h30m or 7d');
  reader.next();
  return found;
}

/** Reads a moment; its day may be a word of its own before the time. @throws FilterError */
export function readMoment(reader: TokenReader, clock: Clock): Moment {
  const { token } = reader;
  const text = token.kind === 'word' ? token.text.toLowerCase() : '';
  if (text === 'now') {
    reader.next();
    return { kind: 'full', ms: clock.nowMs };
  }
  const duration = parseQuantity(text, 'duration');
  if (duration !== undefined) {
    reader.next();
    if (!reader.skip('ago')) throw unexpected(reader, AGO, `"ago" behind ${quoted(token.text)}`);
    return { kind: 'full', ms: clock.nowMs - duration };
  }
  const day = dayNamed(text, clock);
  if (day !== undefined) {
    reader.next();
    const written = reader.token.kind === 'word' ? timeText(reader.token.text) : undefined;
    if (written) reader.next();
    return full(day, written ?? { timeMs: 0, zoneMs: undefined }, clock);
  }
  const [before = '', behind = ''] = text.split('t', 2);
  const written = timeText(behind === '' ? before : behind);
  const date = behind === '' ? undefined : dateOf(before);
  if (!written || (behind !== '' && date === undefined)) throw unexpected(reader, MOMENTS, WANTED);
  if (date === undefined && written.zoneMs !== undefined)
    throw unexpected(reader, MOMENTS, 'a day before a time with a zone');
  reader.next();
  return date === undefined ? { kind: 'time', timeMs: written.timeMs } : full(date, written, clock);
}

/** Reads a day, as its first moment on the wall clock. @throws FilterError */
export function readDay(reader: TokenReader, clock: Clock): WallMs {
  const { token } = reader;
  const day = token.kind === 'word' ? dayNamed(token.text.toLowerCase(), clock) : undefined;
  if (day === undefined) throw unexpected(reader, DAY_WORDS, 'a day such as 2026-11-21');
  reader.next();
  return day;
}

/** Midnight of today, or so many days later, on the wall clock. */
export function wallDay({ nowMs, timeZone }: Clock, days: number): WallMs {
  return daysLater(dayOf(wallOf(nowMs, timeZone)), days);
}

/** The last moment before another, or at it, when clocks showed a time of day. */
export function lastBefore(
  timeMs: number,
  ms: number,
  { timeZone, isAtMeant }: { readonly timeZone: string; readonly isAtMeant: boolean },
): number {
  const today = dayOf(wallOf(ms, timeZone));
  for (const days of [0, -1, -2]) {
    const found = momentOf(daysLater(today, days) + timeMs, timeZone);
    if (found < ms || (isAtMeant && found === ms)) return found;
  }
  return ms - DAY_MS;
}

/** The first moment after another when clocks show a time of day. */
export function firstAfter(timeMs: number, ms: number, timeZone: string): number {
  const today = dayOf(wallOf(ms, timeZone));
  for (const days of [-1, 0, 1]) {
    const found = momentOf(daysLater(today, days) + timeMs, timeZone);
    if (found > ms) return found;
  }
  return ms + DAY_MS;
}

/** A time of day as it is written; `zoneMs` is how far its zone is ahead of UTC. */
interface WrittenTime {
  readonly timeMs: number;
  readonly zoneMs: number | undefined;
}

function timeText(text: string): WrittenTime | undefined {
  const [, bare = text, utc, sign, zoneHours, zoneMinutes] = ZONE.exec(text) ?? [];
  const [, hours, minutes, seconds = '0', part = '0'] = TIME.exec(bare) ?? [];
  if (hours === undefined || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const timeMs =
    (Number(hours) * 60 + Number(minutes)) * MINUTE_MS + Number(seconds) * 1000 + Number(part.padEnd(3, '0'));
  if (timeMs > DAY_MS) return undefined;
  if (utc !== undefined) return { timeMs, zoneMs: 0 };
  if (sign === undefined) return { timeMs, zoneMs: undefined };
  if (Number(zoneHours) > 23 || Number(zoneMinutes) > 59) return undefined;
  const aheadMs = (Number(zoneHours) * 60 + Number(zoneMinutes)) * MINUTE_MS;
  return { timeMs, zoneMs: sign === '-' ? -aheadMs : aheadMs };
}

function dayNamed(text: string, clock: Clock): WallMs | undefined {
  const days = DAYS.get(text);
  return days === undefined ? dateOf(text) : wallDay(clock, days);
}

/** @returns undefined also for a day that no month has */
function dateOf(text: string): WallMs | undefined {
  const [, year, month, day] = DAY.exec(text) ?? [];
  const wall = Date.UTC(Number(year), Number(month) - 1, Number(day));
  if (Number.isNaN(wall)) return undefined;
  const made = new Date(wall);
  return made.getUTCMonth() === Number(month) - 1 && made.getUTCFullYear() === Number(year)
    ? wall
    : undefined;
}

function full(day: WallMs, { timeMs, zoneMs }: WrittenTime, { timeZone }: Clock): Moment {
  const wall = day + timeMs;
  return { kind: 'full', ms: zoneMs === undefined ? momentOf(wall, timeZone) : wall - zoneMs };
}
