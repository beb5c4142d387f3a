/** Answers to live questions, as tables. */
import type { LiveQuestion, ResultTable } from '../../query/index.ts';
import type { FittingUniflows } from '../fitting.ts';
import type { UniflowTable } from '../uniflows.ts';
import { groupsTable, type LiveTable } from './groups.ts';
import { selectUniflows } from './selection.ts';

/** What of the live view answers are made of. */
export interface Present {
  readonly table: UniflowTable;
  readonly fitting: FittingUniflows;
  /** What the question's window really covers. */
  readonly covered: { readonly fromMs: number; readonly toMs: number };
  readonly ledger: ResultTable['ledger'];
}

/** Answers one. */
export function answerLive(question: LiveQuestion, present: Present): ResultTable {
  const began = performance.now();
  const { covered, ledger } = present;
  const answer = tableOf(question, present);
  return {
    ...answer,
    covered: { ...covered, level: 'live' },
    gaps: [],
    ledger,
    tookMs: performance.now() - began,
  };
}

function tableOf(question: LiveQuestion, { table, fitting }: Present): LiveTable {
  const selection = selectUniflows(table, question, fitting);
  const { quantity, limit } = question;
  switch (question.ask) {
    case 'top':
    case 'matrix':
      return groupsTable(selection, { by: question.by, quantity, limit });
    case 'distinct':
      return groupsTable(selection, { by: [question.of], quantity, limit });
  }
}
