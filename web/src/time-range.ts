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
export function writeTimeRange(range: Exclude<TimeRange, { readonly kind: 'live' }>): string {
  if (range.kind === 'span') return `${moment(range.fromMs)}/${moment(range.toMs)}`;
  const [unit, length] = Object.entries(UNITS).findLast(([, each]) => range.ms % each === 0) ?? ['s', 1000];
  return `${Math.ceil(range.ms / length)}${unit}`;
}

/** The span that is meant now, of what is not live. */
export function spanOf(
  range: Exclude<TimeRange, { readonly kind: 'live' }>,
  nowMs: number,
): { readonly fromMs: number; readonly toMs: number } {
  return range.kind === 'span'
    ? { fromMs: range.fromMs, toMs: range.toMs }
    : { fromMs: nowMs - range.ms, toMs: nowMs };
}

/** Whole seconds without their fraction. */
function moment(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
