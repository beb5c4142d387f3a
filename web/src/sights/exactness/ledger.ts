/** What of the time that is looked at is in no flow: altogether, and over time. */
import { useMemo } from 'react';
import type { ResultTable } from '../../../../src/query/index.ts';
import { type KnownAnswer, useAnswer } from '../../answers.ts';
import type { AnyQuestion } from '../../asking.ts';
import type { SeriesTable } from '../../layout/series.ts';
import { useMoment } from '../../moment.ts';
import type { SightProps } from '../../parts/sight.ts';
import type { PastFacts } from '../../past-view.ts';

/** The answer, and of the past what it says of its span. */
export interface KnownLedger extends KnownAnswer {
  /** Undefined while it is live. */
  readonly facts: PastFacts | undefined;
}

/** Asks for the ledger; of now, where anything is missing since the start, for that of the newest epochs. */
export function useLedger({ place, feed, isPaused, view }: SightProps): KnownLedger {
  const { time, turn } = useMoment(place, feed, isPaused);
  const isPast = place.time.kind !== 'live';
  const isAnyLost = (view?.exactness.ledger.length ?? 0) > 0;
  const question = useMemo((): AnyQuestion | undefined => {
    if (!isPast) return isAnyLost ? { ask: 'series', window: 'all' } : undefined;
    // The ledger has every point's lines: so must what it is a share of.
    return time && 'fromMs' in time ? { ask: 'series', points: 'every', ...time } : undefined;
  }, [isPast, isAnyLost, time]);
  const known = useAnswer(question, turn);
  const { question: asked } = known;
  const span = asked && 'fromMs' in asked ? asked : undefined;
  // Until there is another, an answer stays; but not one of now under words about the past.
  const table = (span !== undefined) === isPast ? known.table : undefined;
  const facts = span && table ? { ...table, span: { fromMs: span.fromMs, toMs: span.toMs } } : undefined;
  return { ...known, table, facts };
}

/** The ledger over time as a series has it, a line per reason; undefined where all is in flows. */
export function ledgerSeries(table: ResultTable): SeriesTable | undefined {
  const { ledgerSteps = [], covered, gaps, stepMs } = table;
  const [first] = ledgerSteps;
  if (!first) return undefined;
  const lines = ledgerSteps.map(({ fromMs, reason, octets }) => [fromMs, reason, octets]);
  // Epochs do not begin at whole steps: those with traffic alone are there as steps with nothing lost.
  const isOfEpochs = covered.level === 'live';
  const epochs = isOfEpochs ? table.rows.map(([atMs]) => [atMs!, first.reason, 0]) : [];
  return {
    columns: [
      { name: 'time', kind: 'time' },
      { name: 'reason', kind: 'text' },
      { name: 'octets', kind: 'octets' },
    ],
    rows: [...epochs, ...lines],
    covered,
    gaps,
    ...(!isOfEpochs && { stepMs }),
  };
}
