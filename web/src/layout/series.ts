/** Rates over time, from the answer to a series: each step with what was metered of it, each group as a line. */
import type { RateStep, ResultTable } from '../../../src/query/index.ts';

/** What of an answer a series needs. */
export type SeriesTable = Pick<ResultTable, 'columns' | 'rows' | 'covered' | 'gaps'> & {
  readonly stepMs?: number | undefined;
};

type Cell = ResultTable['rows'][number][number];

/** A step of time. Unix epoch, milliseconds. */
export interface SeriesStep {
  readonly fromMs: number;
  readonly toMs: number;
  /** What of it was metered, seconds; 0 where nobody did. */
  readonly seconds: number;
}

/** One group over time. */
export interface SeriesLine {
  readonly id: string;
  /** The group's values, one for each dimension asked by; `other` in each is what the answer does not tell apart. */
  readonly group: readonly Cell[];
  /** By step. */
  readonly octets: readonly number[];
  readonly total: number;
}

/** All lines over the same steps, the largest first, what is told apart no more last. */
export interface SeriesLayout {
  readonly steps: readonly SeriesStep[];
  readonly lines: readonly SeriesLine[];
}

/** What all but the largest groups are called in an answer. */
const OTHER = 'other';

/** Steps drawn at most; an answer has no more. */
const MAX_STEPS = 2001;

/**
 * Lays a series out. A step without a row is one in which nothing was sent; one that lies in a gap was not metered. Of an
 * answer that does not say how long its steps are, each lasts until the next.
 */
export function layoutSeries(table: SeriesTable): SeriesLayout {
  const octetsAt = table.columns.findIndex(({ name }) => name === 'octets');
  const rows = table.rows.map((row) => ({
    atMs: Number(row[0]),
    group: row.slice(1, octetsAt),
    octets: Number(row[octetsAt]),
  }));
  const bounds =
    table.stepMs === undefined
      ? unevenBounds(
          rows.map(({ atMs }) => atMs),
          table.covered.toMs,
        )
      : evenBounds(table.covered, table.stepMs);
  const steps = bounds.map(([fromMs, toMs]) => ({
    fromMs,
    toMs,
    seconds: meteredMs(fromMs, toMs, table) / 1000,
  }));
  const stepAt = new Map(bounds.map(([fromMs], index) => [fromMs, index]));
  const lines = new Map<string, { group: readonly Cell[]; octets: number[]; total: number }>();
  for (const { atMs, group, octets } of rows) {
    const step = stepAt.get(atMs);
    if (step === undefined) continue;
    const id = group.join(' ');
    let line = lines.get(id);
    if (!line) {
      line = { group, octets: new Array<number>(steps.length).fill(0), total: 0 };
      lines.set(id, line);
    }
    line.octets[step]! += octets;
    line.total += octets;
  }
  const isOther = (line: SeriesLine): number => (isRest(line) ? 1 : 0);
  return {
    steps,
    lines: [...lines]
      .map(([id, line]): SeriesLine => ({ id, ...line }))
      .sort((x, y) => isOther(x) - isOther(y) || y.total - x.total || (x.id < y.id ? -1 : 1)),
  };
}

/** Whether a line is of all groups that the answer does not tell apart. */
export function isRest({ group }: Pick<SeriesLine, 'group'>): boolean {
  return group.length > 0 && group.every((value) => value === OTHER);
}

/** Octets per second in a step; null where nobody metered. */
export function rateIn(line: SeriesLine, { steps }: SeriesLayout, step: number): number | null {
  const { seconds } = steps[step]!;
  return seconds > 0 ? line.octets[step]! / seconds : null;
}

/** All lines together: of each step the octets per second. */
export function ratesOfAll(layout: SeriesLayout): RateStep[] {
  return layout.steps.map(({ fromMs, toMs, seconds }, step) => ({
    fromMs,
    toMs,
    rate: seconds > 0 ? layout.lines.reduce((sum, { octets }) => sum + octets[step]!, 0) / seconds : null,
  }));
}

/** The lines on top of each other: for each and each step the octets per second of it and of those before it. */
export function stacked(layout: SeriesLayout): (readonly (number | null)[])[] {
  const sums: (number | null)[][] = [];
  for (const line of layout.lines) {
    const below = sums.at(-1);
    sums.push(
      layout.steps.map((_, step) => {
        const rate = rateIn(line, layout, step);
        return rate === null ? null : rate + (below?.[step] ?? 0);
      }),
    );
  }
  return sums;
}

/** A series in numbers: what its summary says. Rates in octets per second. */
export interface SeriesSummary {
  readonly mean: number;
  readonly most: number;
  /** Begin of the step with the most; undefined where nothing was sent. */
  readonly mostAtMs: number | undefined;
  readonly meteredMs: number;
  readonly unmeteredMs: number;
}

/** Sums a series up, all lines together. */
export function summarize({ steps, lines }: SeriesLayout): SeriesSummary {
  let octets = 0;
  let seconds = 0;
  let lengthMs = 0;
  let most = 0;
  let mostAtMs: number | undefined;
  for (const [index, step] of steps.entries()) {
    const sum = lines.reduce((all, line) => all + line.octets[index]!, 0);
    octets += sum;
    seconds += step.seconds;
    lengthMs += step.toMs - step.fromMs;
    const rate = step.seconds > 0 ? sum / step.seconds : 0;
    if (rate > most) [most, mostAtMs] = [rate, step.fromMs];
  }
  return {
    mean: seconds > 0 ? octets / seconds : 0,
    most,
    mostAtMs,
    meteredMs: seconds * 1000,
    unmeteredMs: lengthMs - seconds * 1000,
  };
}

/** A table of a series from rates that the live view tells, octets per second at the end of each epoch. */
export function tableOfRates(
  history: readonly { readonly atMs: number; readonly octetRate: number }[],
  intervalSeconds: number,
): SeriesTable {
  const lengthMs = intervalSeconds * 1000;
  const first = history[0]?.atMs ?? 0;
  return {
    columns: [
      { name: 'time', kind: 'time' },
      { name: 'octets', kind: 'octets' },
    ],
    rows: history.map(({ atMs, octetRate }, index) => {
      const fromMs = index === 0 ? atMs - lengthMs : history[index - 1]!.atMs;
      return [fromMs, (octetRate * (atMs - fromMs)) / 1000];
    }),
    covered: { fromMs: first - lengthMs, toMs: history.at(-1)?.atMs ?? 0, level: 'raw' },
    gaps: [],
  };
}

type Bounds = readonly [fromMs: number, toMs: number];

function evenBounds({ fromMs, toMs }: SeriesTable['covered'], stepMs: number): Bounds[] {
  const bounds: Bounds[] = [];
  const first = Math.floor(fromMs / stepMs) * stepMs;
  for (let at = first; at < toMs && bounds.length < MAX_STEPS; at += stepMs) bounds.push([at, at + stepMs]);
  return bounds;
}

function unevenBounds(times: readonly number[], toMs: number): Bounds[] {
  const begins = [...new Set(times)].sort((x, y) => x - y);
  return begins.map((at, index) => [at, begins[index + 1] ?? Math.max(toMs, at + 1)]);
}

/** What of a step was covered by the answer and lies in no gap. */
function meteredMs(fromMs: number, toMs: number, { covered, gaps }: SeriesTable): number {
  const within = (x: { readonly fromMs: number; readonly toMs: number }): number =>
    Math.max(0, Math.min(toMs, x.toMs, covered.toMs) - Math.max(fromMs, x.fromMs, covered.fromMs));
  return gaps.reduce((rest, gap) => rest - within(gap), within(covered));
}
