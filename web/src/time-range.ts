/** Which time is looked at, and how it stands in the address: `1h` is the last hour, two moments with a slash a span. */

/** The sliding window of the live view, the time until now, or a span that stays. Unix epoch, milliseconds. */
export type TimeRange =
  | { readonly kind: 'live' }
  | { readonly kind: 'last'; readonly ms: number }
  | { readonly kind: 'span'; readonly fromMs: number; readonly toMs: number };

/** The window of the live view. */
export const LIVE: TimeRange = { kind: 'live' };

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LAST = /^([1-9]\d{0,6})([smhd])$/;

/** Reads what stands in the address; undefined for what is no time. */
export function parseTimeRange(text: string): TimeRange | undefined {
  const last = LAST.exec(text);
  if (last) return { kind: 'last', ms: Number(last[1]) * UNITS[last[2]!]! };
  const [fromMs, toMs] = text.split('/').map((moment) => Date.parse(moment));
  if (fromMs === undefined || toMs === undefined || !(fromMs >= 0 && fromMs < toMs)) return undefined;
  return { kind: 'span', fromMs, toMs };
}

/** Writes what {@link parseTimeRange} reads. */
export function writeTimeRange(range: PastRange): string {
  if (range.kind === 'span') return `${moment(range.fromMs)}/${moment(range.toMs)}`;
  const [unit, length] = Object.entries(UNITS).findLast(([, each]) => range.ms % each === 0) ?? ['s', 1000];
  return `${Math.ceil(range.ms / length)}${unit}`;
}

/** The span that is meant now, of what is not live. */
export function spanOf(range: PastRange, nowMs: number): { readonly fromMs: number; readonly toMs: number } {
  return range.kind === 'span'
    ? { fromMs: range.fromMs, toMs: range.toMs }
    : { fromMs: nowMs - range.ms, toMs: nowMs };
}

/** What is not live. */
export type PastRange = Exclude<TimeRange, { readonly kind: 'live' }>;

/** The same length before it or after it; what would nearly reach now, or beyond, ends now. */
export function stepped(range: PastRange, way: -1 | 1, nowMs: number): PastRange {
  const { fromMs, toMs } = spanOf(range, nowMs);
  const lengthMs = toMs - fromMs;
  if (way > 0 && toMs + 1.05 * lengthMs >= nowMs) return { kind: 'last', ms: tidyLength(lengthMs) };
  const byMs = way * Math.min(lengthMs, way < 0 ? fromMs : lengthMs);
  return { kind: 'span', fromMs: fromMs + byMs, toMs: toMs + byMs };
}

/** Twice as long, about the same middle, but not beyond now. */
export function zoomedOut(range: PastRange, nowMs: number): PastRange {
  if (range.kind === 'last') return { kind: 'last', ms: tidyLength(2 * range.ms) };
  const lengthMs = range.toMs - range.fromMs;
  const toMs = Math.max(range.toMs, Math.min(nowMs, range.toMs + lengthMs / 2));
  return { kind: 'span', fromMs: Math.max(0, Math.floor(toMs - 2 * lengthMs)), toMs: Math.ceil(toMs) };
}

const DAY_MS = 86_400_000;

/** A length that can stand in the address: whole seconds, beyond a month whole days, ten years at most. */
function tidyLength(ms: number): number {
  const unitMs = ms > 30 * DAY_MS ? DAY_MS : 1000;
  return Math.min(3650 * DAY_MS, unitMs * Math.max(1, Math.ceil(ms / unitMs)));
}

/** With what a span is compared: the one just before, the same times of the day before or of seven days before, or another. */
export type Versus = (typeof VERSUS)[number] | Extract<TimeRange, { readonly kind: 'span' }>;
export const VERSUS = ['previous', 'yesterday', '7d'] as const;

/** Reads what stands in the address; undefined for what is none. */
export function parseVersus(text: string): Versus | undefined {
  const named = VERSUS.find((each) => each === text);
  if (named) return named;
  const range = parseTimeRange(text);
  return range?.kind === 'span' ? range : undefined;
}

/** Writes what {@link parseVersus} reads. */
export function writeVersus(versus: Versus): string {
  return typeof versus === 'string' ? versus : writeTimeRange(versus);
}

/** The span that is meant beside another; `yesterday` on the clocks of the browser. */
export function versusSpan(
  versus: Versus,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): { readonly fromMs: number; readonly toMs: number } {
  if (typeof versus !== 'string') return { fromMs: versus.fromMs, toMs: versus.toMs };
  if (versus === 'previous') return { fromMs: Math.max(0, 2 * fromMs - toMs), toMs: fromMs };
  if (versus === '7d') return { fromMs: fromMs - 7 * DAY_MS, toMs: toMs - 7 * DAY_MS };
  const dayBefore = (ms: number): number => new Date(ms).setDate(new Date(ms).getDate() - 1);
  return { fromMs: dayBefore(fromMs), toMs: dayBefore(toMs) };
}

/** A moment as the control of a browser for date and time has it, on the browser's clocks, to the second. */
export function localInput(ms: number): string {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${String(at.getFullYear()).padStart(4, '0')}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Reads two such moments; what is wrong with them is said in words. */
export function readSpan(
  { from, to }: { readonly from: string; readonly to: string },
  nowMs: number,
): PastRange | { readonly field: 'from' | 'to'; readonly fault: string } {
  const fromMs = Date.parse(from);
  const toMs = Date.parse(to);
  if (!(fromMs >= 0)) return { field: 'from', fault: 'From is no date with a time.' };
  if (!(toMs >= 0)) return { field: 'to', fault: 'To is no date with a time.' };
  if (fromMs >= nowMs) return { field: 'from', fault: 'From has yet to come.' };
  if (fromMs >= toMs) return { field: 'to', fault: 'To is not after from.' };
  return { kind: 'span', fromMs, toMs };
}

/** Whole seconds without their fraction. */
function moment(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
