/** Moments and spans as people read them: on the clocks of the browser, days before times, 24 hours. */

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** The parts of a moment on the clocks of a zone. */
interface Wall {
  readonly year: string;
  /** `21 Nov`. */
  readonly day: string;
  /** `14:05`. */
  readonly minute: string;
  readonly second: string;
}

const formats = new Map<string | undefined, Intl.DateTimeFormat>();

function wallOf(ms: number, timeZone: string | undefined): Wall {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      year: 'numeric',
      month: 'short',
      day: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    });
    formats.set(timeZone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  const { year = '', month, day, hour, minute, second = '' } = parts;
  // Some dictionaries have four letters for one of the months.
  return { year, day: `${day} ${month?.slice(0, 3)}`, minute: `${hour}:${minute}`, second };
}

/** How a moment is written; the zone is the browser's unless it is named. */
export interface MomentStyle {
  readonly nowMs: number;
  readonly timeZone?: string | undefined;
}

/** `21 Nov 14:05`, `14:05:30` of today, `21 Nov 2025 14:05` of another year; seconds only where there are some. */
export function momentWords(ms: number, { nowMs, timeZone }: MomentStyle): string {
  const wall = wallOf(ms, timeZone);
  const time = timeWords(ms, wall);
  const day = dayWords(wall, wallOf(nowMs, timeZone));
  return day === '' ? time : `${day} ${time}`;
}

/** `21 Nov 10:00 – 11:00`, `20 Nov 10:00 – 21 Nov 10:00`: the second day only where it is another one, then also today's. */
export function spanWords(
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  { nowMs, timeZone }: MomentStyle,
): string {
  const [from, to] = [wallOf(fromMs, timeZone), wallOf(toMs, timeZone)];
  const isSameDay = from.day === to.day && from.year === to.year;
  const end = isSameDay ? timeWords(toMs, to) : momentWords(toMs, { nowMs: fromMs, timeZone });
  return `${momentWords(fromMs, { nowMs, timeZone })} – ${end}`;
}

function dayWords(wall: Wall, now: Wall): string {
  if (wall.year !== now.year) return `${wall.day} ${wall.year}`;
  return wall.day === now.day ? '' : wall.day;
}

function timeWords(ms: number, { minute, second }: Wall): string {
  return ms % MINUTE_MS === 0 ? minute : `${minute}:${second}`;
}

/** Words for the ticks of an axis that stand `everyMs` apart: times, and the day where a new one begins. */
export function tickWords(ticksMs: readonly number[], everyMs: number, timeZone?: string): string[] {
  let last: string | undefined;
  return ticksMs.map((ms) => {
    const { day, minute, second } = wallOf(ms, timeZone);
    const isNew = last !== undefined && day !== last;
    last = day;
    if (everyMs >= DAY_MS || isNew) return day;
    if (everyMs >= MINUTE_MS) return minute;
    const fine = everyMs >= 1000 ? '' : `.${String(Math.round(ms) % 1000).padStart(3, '0')}`;
    return `${minute}:${second}${fine}`;
  });
}

/** `Europe/Berlin, UTC+1`: on which clocks the page shows a moment. */
export function zoneWords(ms: number, timeZone?: string): string {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, timeZoneName: 'shortOffset' });
  const offset = format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? 'UTC';
  const zone = format.resolvedOptions().timeZone;
  return zone === 'UTC' ? zone : `${zone}, ${offset.replace('GMT', 'UTC')}`;
}

/** `15 min`, `1 h 30 min`, `24 h`, `7 d`: a length of time in its two largest units. */
export function lengthWords(ms: number): string {
  const units = [
    ['d', DAY_MS],
    ['h', 3_600_000],
    ['min', MINUTE_MS],
    ['s', 1000],
  ] as const;
  let rest = Math.round(ms / 1000) * 1000;
  const parts: string[] = [];
  for (const [unit, length] of units) {
    const count = Math.floor(rest / length);
    if (parts.length > 0 && count === 0) break;
    // A day is 24 h, as people say it.
    if (unit === 'd' && rest < 2 * DAY_MS) continue;
    if (count === 0) continue;
    parts.push(`${count} ${unit}`);
    rest -= count * length;
    if (parts.length === 2) break;
  }
  return parts.join(' ') || '0 s';
}
