/** Local time: what a clock on the wall of a time zone says, and when it says that. */

/** A time as a wall clock and a calendar show it: milliseconds that Unix time would have if the zone were UTC. */
export type WallMs = number;

const DAY_MS = 86_400_000;
/** Clocks of all zones can show this with a Date, whose last moment is somewhat later; before 1970 the same. */
const FARTHEST_MS = 8.64e15 - 2 * DAY_MS;

/** Formats kept at a time: strangers may ask with many spellings of many zones. */
const MOST_FORMATS = 64;
const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** The time zone of this machine, as the time zone database calls it. */
export function localTimeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Whether there is a time zone of this name. */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** What the clock says at a moment; beyond what a Date can hold that of the last one. @throws RangeError when there is no such time zone */
export function wallOf(at: number, timeZone: string): WallMs {
  const ms = Math.min(FARTHEST_MS, Math.max(-FARTHEST_MS, at));
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(ms)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type)!;
  const time = [part('hour'), part('minute'), part('second')] as const;
  const wall = Date.UTC(part('year'), part('month') - 1, part('day'), ...time);
  return wall + (((ms % 1000) + 1000) % 1000);
}

/**
 * When the clock says this. Of two such moments (clocks go back) the first; of none (clocks go forward) what the clock would
 * have said without that.
 *
 * @throws RangeError when there is no such time zone
 */
export function momentOf(wall: WallMs, timeZone: string): number {
  const offsets = [-DAY_MS, DAY_MS].map((aside) => wallOf(wall + aside, timeZone) - (wall + aside));
  const moments = offsets.map((offset) => wall - offset);
  const exact = moments.filter((ms) => wallOf(ms, timeZone) === wall);
  return exact.length > 0 ? Math.min(...exact) : moments[0]!;
}

/** Midnight before what the clock says. */
export function dayOf(wall: WallMs): WallMs {
  return Math.floor(wall / DAY_MS) * DAY_MS;
}

/** A clock's time so many days later, or earlier. */
export function daysLater(wall: WallMs, days: number): WallMs {
  return wall + days * DAY_MS;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const made = FORMATS.get(timeZone);
  if (made) return made;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  if (FORMATS.size >= MOST_FORMATS) FORMATS.clear();
  FORMATS.set(timeZone, format);
  return format;
}
