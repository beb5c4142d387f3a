/** Figures: what a benchmark reports, and how it reads as a table. */

/** What a figure is held to: the figure itself (the best of its rounds), their median, or its ratio to the floor. */
export interface Target {
  readonly of: 'figure' | 'median' | 'ratio';
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** One row of a report. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** The best of all rounds: what load of others disturbed least. */
  readonly figure: number;
  /** Middle of all rounds, where there are several. */
  readonly median?: number | undefined;
  readonly rounds?: number | undefined;
  /** What it is compared with, same unit, from the same interleaved rounds. */
  readonly floor?: number | undefined;
  /** Figure to floor, or the other way round as `note` says; the median over rounds where there are several. */
  readonly ratio?: number | undefined;
  readonly target?: Target | undefined;
  /** What the floor is, and whatever must be known to read the row. */
  readonly note?: string | undefined;
}

/** A benchmark: named as on the command line. */
export interface Benchmark {
  readonly name: string;
  /** What it measures and how, for the report. */
  readonly method: string;
  run(options: BenchmarkOptions): Promise<readonly Figure[]>;
}

/** How much to do, and where to say what is under way. */
export interface BenchmarkOptions {
  /** Fewer and shorter rounds: a look, not a record. */
  readonly quick: boolean;
  readonly progress: (line: string) => void;
}

/** Whether a figure holds its target; undefined without one. */
export function isHeld({ figure, median, ratio, target }: Figure): boolean | undefined {
  if (target === undefined) return undefined;
  const value = { figure, median, ratio }[target.of]!;
  return value <= (target.atMost ?? Number.POSITIVE_INFINITY) && value >= (target.atLeast ?? 0);
}

/** The figures as a Markdown table. */
export function formatFigures(figures: readonly Figure[]): string {
  const head = ['what', 'figure', 'median', 'floor', 'ratio', 'target', 'verdict'];
  const rows = figures.map((each) => [
    each.name,
    `${number(each.figure)} ${each.unit}`,
    each.median === undefined ? '' : number(each.median),
    each.floor === undefined ? '' : number(each.floor),
    each.ratio === undefined ? '' : each.ratio.toFixed(2),
    targetText(each),
    { undefined: '', true: 'held', false: 'MISSED' }[String(isHeld(each))]!,
  ]);
  const widths = head.map((word, i) => Math.max(word.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

function targetText({ target, unit }: Figure): string {
  if (target === undefined) return '';
  const sign = target.atMost === undefined ? '≥' : '≤';
  return `${sign} ${target.atMost ?? target.atLeast}${target.of === 'ratio' ? '×' : ` ${unit}`}`;
}

function number(value: number): string {
  if (value >= 1000) return Math.round(value).toString();
  return value.toFixed(value >= 10 ? 1 : 2);
}

/** The smallest value. */
export function minimum(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
}

/** The middle value; of an even number the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle - 0.5)]! + sorted[Math.floor(middle)]!) / 2;
}

/** Figure and floor round by round: the value at `i` of each is of round `i`. */
export function pairwise(
  values: readonly number[],
  floors: readonly number[],
  combine: (value: number, floor: number) => number,
): number[] {
  return values.map((value, round) => combine(value, floors[round]!));
}
