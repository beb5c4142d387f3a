/** Which rows answer for a span: the coarsest that tell what is asked, finer ones at its ends and where nothing is joined yet. */

import { type HistoryLevel, LEVELS } from '../query/index.ts';
import type { Catalogue, EpochRun } from './catalogue.ts';
import { LEVEL_MS } from './levels.ts';

/** From a moment on to before another, ms. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Rows of one level. */
export interface Piece extends Span {
  readonly level: HistoryLevel;
}

/** What a span is answered from. */
export interface Cover {
  readonly pieces: readonly Piece[];
  /** The span, widened to the periods of the rows and cut to what there is. */
  readonly covered: Span & { readonly level: HistoryLevel };
  /** Where in it nobody metered. */
  readonly gaps: readonly Span[];
}

/** What rows there are. */
type Levels = Pick<Catalogue, 'rolledMs' | 'keptFromMs' | 'runs'>;

/**
 * Covers a span.
 *
 * @param coarsest the coarsest level that tells what is asked
 */
export function coverSpan(
  span: Span,
  {
    levels,
    coarsest,
    intervalMs,
  }: { readonly levels: Levels; readonly coarsest: HistoryLevel; readonly intervalMs: number },
): Cover {
  const ends = levels.runs.reduce(
    ({ fromMs, toMs }, run) => ({ fromMs: Math.min(fromMs, run.fromMs), toMs: Math.max(toMs, run.toMs) }),
    { fromMs: Number.POSITIVE_INFINITY, toMs: 0 },
  );
  const lengthOf = (level: HistoryLevel): number => (level === 'raw' ? intervalMs : LEVEL_MS[level]);
  const pieces: Piece[] = [];
  const cover = (level: HistoryLevel, fromMs: number, toMs: number): void => {
    if (fromMs >= toMs) return;
    const length = lengthOf(level);
    const down = (ms: number): number => Math.floor(ms / length) * length;
    const up = (ms: number): number => Math.ceil(ms / length) * length;
    const keptMs = levels.keptFromMs(level);
    if (level === 'raw') {
      const piece: Piece = { level, fromMs: Math.max(down(fromMs), keptMs), toMs: up(toMs) };
      if (piece.fromMs < piece.toMs) pieces.push(piece);
      return;
    }
    const finer = LEVELS[LEVELS.indexOf(level) - 1]!;
    const finerKeptMs = Math.min(
      ...LEVELS.slice(0, LEVELS.indexOf(level)).map((each) => levels.keptFromMs(each)),
    );
    const rolledMs = levels.rolledMs(level) ?? 0;
    // Where finer rows are given up the ends are widened.
    const begin = Math.max(fromMs < finerKeptMs ? down(fromMs) : up(fromMs), keptMs);
    const end = Math.min(down(toMs) < finerKeptMs ? up(toMs) : down(toMs), rolledMs);
    if (begin >= end) {
      cover(finer, fromMs, toMs);
      return;
    }
    cover(finer, fromMs, begin);
    pieces.push({ level, fromMs: begin, toMs: end });
    cover(finer, end, toMs);
  };
  cover(
    coarsest,
    Math.max(span.fromMs, down(ends.fromMs, intervalMs)),
    Math.min(span.toMs, up(ends.toMs, intervalMs)),
  );
  return { pieces, ...coverage(span, pieces, levels.runs) };
}

function down(ms: number, length: number): number {
  return Number.isFinite(ms) ? Math.floor(ms / length) * length : ms;
}

function up(ms: number, length: number): number {
  return Math.ceil(ms / length) * length;
}

function coverage(
  asked: Span,
  pieces: readonly Piece[],
  runs: readonly EpochRun[],
): Pick<Cover, 'covered' | 'gaps'> {
  const [first] = pieces;
  const last = pieces.at(-1);
  if (!first || !last)
    return { covered: { fromMs: asked.fromMs, toMs: asked.fromMs, level: 'raw' }, gaps: [] };
  const within = runs
    .filter(({ fromMs, toMs }) => toMs > first.fromMs && fromMs < last.toMs)
    .toSorted((a, b) => a.fromMs - b.fromMs);
  const level = LEVELS.findLast((each) => pieces.some((piece) => piece.level === each)) ?? 'raw';
  // Epochs that began in the last period may end behind it: they are of that period all the same.
  const endMs = within.reduce((latest, { toMs }) => Math.max(latest, toMs), 0);
  const fromMs = Math.max(first.fromMs, within[0]?.fromMs ?? first.fromMs);
  const toMs = Math.max(fromMs, Math.min(last.toMs, endMs || last.toMs));
  const gaps: Span[] = [];
  let metered = fromMs;
  for (const run of within) {
    if (run.fromMs > metered) gaps.push({ fromMs: metered, toMs: run.fromMs });
    metered = Math.max(metered, run.toMs);
  }
  return { covered: { fromMs, toMs, level }, gaps };
}
