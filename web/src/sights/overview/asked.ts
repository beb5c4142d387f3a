/** What the parts of an overview are given. */
import type { ResultTable } from '../../../../src/query/index.ts';
import type { KnownAnswer } from '../../answers.ts';
import type { SightProps } from '../../parts/sight.ts';
import { meteredMs } from '../../past-view.ts';
import type { TimeRange } from '../../time-range.ts';
import type { OverviewQuestions } from './questions.ts';

/** While it is live, the history shows this much. */
export const RECENT: TimeRange = { kind: 'last', ms: 900_000 };

/** What is known of each question. */
export type Answers = Readonly<Record<keyof OverviewQuestions, KnownAnswer>>;

/** A part's. */
export interface Asked extends SightProps {
  readonly answers: Answers;
  readonly span: { readonly fromMs: number; readonly toMs: number } | undefined;
}

/** What of an answer's span somebody metered. */
export function meteredSeconds(table: Pick<ResultTable, 'covered' | 'gaps'> | undefined): number {
  return table ? Math.max(0, meteredMs(table) / 1000) : 0;
}
