/** Since when it is so much: the stretch of a series that differs most from all before and after it. */
import type { ResultTable } from './history.ts';

/** A step of a series. Unix epoch, milliseconds. */
export interface RateStep {
  readonly fromMs: number;
  readonly toMs: number;
  /** Whatever per second, of each step the same; null where nobody metered. */
  readonly rate: number | null;
}

/** A stretch in which there was much more than else. */
export interface Rise {
  /** Begin of the step in which it began. */
  readonly fromMs: number;
  /** End of the step in which it ended; undefined where it lasts to the end of the series. */
  readonly toMs: number | undefined;
  /** How much more than else, on the mean; infinite where there was nothing else. */
  readonly times: number;
  /** Of the step in which it began: so exactly its begin is known. */
  readonly stepMs: number;
}

/** Fewer steps tell nothing. */
const LEAST_STEPS = 6;
/** What is less is no rise. */
const LEAST_TIMES = 2;
/** Of all that the series varies, so much is to be due to the rise: of days and nights it is not. */
const LEAST_SHARE = 0.5;
/** A step just before that is the largest so far belongs to it when it has so much of the rise already. */
const BEGUN_SHARE = 0.1;

/**
 * Finds the stretch whose mean differs from that of all else by most of what the series varies (least squares with one
 * level inside and one outside), and the steps beside it that are nearer to much than to little, as ratios go: those in which
 * it had only begun, or had its ups and downs.
 *
 * @returns undefined where no stretch stands out, or where it was there from the first step on: nobody can tell since when
 */
export function riseOf(steps: readonly RateStep[]): Rise | undefined {
  const metered = steps.filter(({ rate }) => rate !== null);
  const rates = metered.map(({ rate }) => rate!);
  if (rates.length < LEAST_STEPS) return undefined;
  const found = largestStretch(rates);
  const inside = mean(rates.slice(found.from, found.end));
  const outside = mean([...rates.slice(0, found.from), ...rates.slice(found.end)]);
  if (!found.isClear || inside < LEAST_TIMES * outside) return undefined;
  const isMuch = (at: number): boolean => rates[at]! > Math.sqrt(inside * outside);
  let { from, end } = found;
  while (from > 0 && isMuch(from - 1)) from--;
  while (end < rates.length && isMuch(end)) end++;
  if (from === 0) return undefined;
  const begun = rates[from - 1]!;
  const isBegun =
    begun - outside > BEGUN_SHARE * (inside - outside) &&
    rates.slice(0, from - 1).every((rate) => rate < begun);
  if (isBegun && from > 1) from--;
  const first = metered[from]!;
  return {
    fromMs: first.fromMs,
    toMs: end === rates.length ? undefined : metered[end - 1]!.toMs,
    times: outside > 0 ? inside / outside : Number.POSITIVE_INFINITY,
    stepMs: first.toMs - first.fromMs,
  };
}

/** The stretch that explains most; not all of it. */
function largestStretch(rates: readonly number[]): {
  readonly from: number;
  readonly end: number;
  readonly isClear: boolean;
} {
  const count = rates.length;
  const whole = mean(rates);
  // Sums of what differs from the mean: that of a stretch tells how far it lies above.
  const sums = [0];
  for (const rate of rates) sums.push(sums.at(-1)! + rate - whole);
  let best = { from: 0, end: count, explained: 0 };
  for (let from = 0; from < count; from++)
    for (let end = from + 1; end <= count; end++) {
      const sum = sums[end]! - sums[from]!;
      const length = end - from;
      if (sum <= 0 || length === count) continue;
      const explained = (sum * sum * count) / (length * (count - length));
      if (explained > best.explained) best = { from, end, explained };
    }
  const varies = rates.reduce((sum, rate) => sum + (rate - whole) ** 2, 0);
  return { ...best, isClear: best.explained > LEAST_SHARE * varies };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The steps of an answer to an ask `series`, all its groups together; those that were not metered as a whole are null.
 *
 * @throws RangeError when it is no such answer
 */
export function ratesOf(
  table: Pick<ResultTable, 'columns' | 'rows' | 'covered' | 'gaps' | 'stepMs'>,
  quantity: string,
): RateStep[] {
  const { columns, rows, covered, gaps, stepMs } = table;
  const at = columns.findIndex(({ name }) => name === quantity);
  if (stepMs === undefined || at < 0) throw new RangeError(`the answer is no series of ${quantity}`);
  const sums = new Map<number, number>();
  for (const row of rows) sums.set(Number(row[0]), (sums.get(Number(row[0])) ?? 0) + Number(row[at]));
  const steps: RateStep[] = [];
  for (let fromMs = Math.floor(covered.fromMs / stepMs) * stepMs; fromMs < covered.toMs; fromMs += stepMs) {
    const toMs = fromMs + stepMs;
    const isWhole =
      fromMs >= covered.fromMs &&
      toMs <= covered.toMs &&
      gaps.every((gap) => gap.toMs <= fromMs || gap.fromMs >= toMs);
    steps.push({ fromMs, toMs, rate: isWhole ? (1000 * (sums.get(fromMs) ?? 0)) / stepMs : null });
  }
  return steps;
}
