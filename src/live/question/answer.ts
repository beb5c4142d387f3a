/** Answers to live questions, as tables. */
import type { LinkRoom } from '../../flow/index.ts';
import type { LiveQuestion, ResultTable } from '../../query/index.ts';
import type { FittingUniflows } from '../fitting.ts';
import type { HistoryEpoch } from '../history.ts';
import { joinLedgers, type LedgerSums, ledgerLines } from '../ledger.ts';
import type { MeasuredTunnels } from '../measured-tunnels.ts';
import type { UniflowTable } from '../uniflows.ts';
import { flowsTable } from './flows.ts';
import { groupsTable, type LiveTable } from './groups.ts';
import { selectUniflows } from './selection.ts';
import { seriesTable } from './series.ts';
import { tunnelsTable } from './tunnels.ts';

/** What of the live view answers are made of. */
export interface Present {
  readonly table: UniflowTable;
  readonly fitting: FittingUniflows;
  /** The newest epochs, oldest first. */
  readonly epochs: readonly HistoryEpoch[];
  /** What the question's window really covers. */
  readonly covered: { readonly fromMs: number; readonly toMs: number };
  readonly ledger: LedgerSums;
  /** Of the window, as far as anything was measured. */
  readonly measured: MeasuredTunnels;
  /** What interfaces take as one packet, by ifindex; empty where nobody knows. */
  readonly links: ReadonlyMap<number, LinkRoom>;
  /** Length of an epoch. */
  readonly stepMs: number;
}

/** Answers one. */
export function answerLive(question: LiveQuestion, present: Present): ResultTable {
  const began = performance.now();
  const { covered, ledger, ...answer } = answerOf(question, present);
  return {
    ...answer,
    covered: { ...covered, level: 'live' },
    gaps: [],
    ledger: ledgerLines(ledger),
    tookMs: performance.now() - began,
  };
}

function answerOf(
  question: LiveQuestion,
  present: Present,
): LiveTable & Pick<Present, 'covered' | 'ledger'> & Pick<ResultTable, 'stepMs' | 'ledgerSteps'> {
  const { covered, ledger, table, stepMs } = present;
  if (question.ask !== 'series') return { ...uniflowsTable(question, present), covered, ledger };
  const epochs = present.epochs.filter(({ startMs }) => startMs >= covered.fromMs);
  // Of what is kept since the start, epochs are kept for some time only.
  const fromMs = epochs[0]?.startMs ?? covered.fromMs;
  return {
    ...seriesTable(epochs, question, table.segments),
    stepMs,
    covered: { ...covered, fromMs },
    ledger: joinLedgers(epochs.map((epoch) => epoch.ledger)),
    ledgerSteps: epochs.flatMap((epoch) =>
      ledgerLines(epoch.ledger).map((line) => ({ fromMs: epoch.startMs, ...line })),
    ),
  };
}

function uniflowsTable(
  question: Exclude<LiveQuestion, { ask: 'series' }>,
  { table, fitting, measured, links }: Present,
): LiveTable {
  const selection = selectUniflows(table, question, fitting);
  const { quantity, limit } = question;
  switch (question.ask) {
    case 'top':
    case 'matrix':
      return groupsTable(selection, { by: question.by, quantity, limit });
    case 'distinct':
      return groupsTable(selection, { by: [question.of], quantity, limit });
    case 'flows':
      return flowsTable(selection, { quantity, limit });
    case 'tunnels':
      return tunnelsTable(selection, {
        quantity: question.quantity,
        limit,
        measured,
        links,
        whole: () => selectUniflows(table, { window: question.window }, fitting),
      });
  }
}
