/** Histories that are asked over the API in tests: one that answers when it is told to. */
import type {
  FlowQuery,
  HistoryAudit,
  HistoryQuestion,
  HistorySpan,
  PastAudit,
  ResultTable,
} from '../query/index.ts';

interface Waiting {
  readonly question: HistoryQuestion;
  readonly signal: AbortSignal;
  answer(table: ResultTable): void;
  fail(error: unknown): void;
}

/** Keeps each question until the test answers it; ends those whose asker has gone, unless it is stubborn. */
export class HeldHistory implements FlowQuery, HistoryAudit {
  /** Times of which an audit was asked for. */
  readonly audited: HistorySpan[] = [];
  readonly held: Waiting[] = [];
  /** Goes on when it should not, as a store in the midst of something may. */
  isStubborn = false;
  asked = 0;
  left = 0;

  answer(question: HistoryQuestion, { signal }: { readonly signal: AbortSignal }): Promise<ResultTable> {
    this.asked++;
    const { promise, resolve, reject } = Promise.withResolvers<ResultTable>();
    const waiting = { question, signal, answer: resolve, fail: reject };
    this.held.push(waiting);
    signal.addEventListener('abort', () => {
      this.left++;
      if (this.isStubborn) return;
      this.held.splice(this.held.indexOf(waiting), 1);
      reject(signal.reason);
    });
    return promise;
  }

  /** Answers at once, with an audit of nothing. */
  async audit(span: HistorySpan): Promise<PastAudit> {
    this.audited.push(span);
    return {
      covered: { ...span, level: 'raw' },
      gaps: [],
      stepMs: 10_000,
      points: [],
      isCut: false,
      unexplained: { packets: 0, octets: 0 },
      tookMs: 1,
    };
  }

  /** Answers the oldest one that is held. */
  release(table: ResultTable): void {
    this.held.shift()?.answer(table);
  }
}

/** A table with a cell of each kind that CSV could take for something else. */
export const TABLE: ResultTable = {
  columns: [
    { name: 'src', kind: 'address' },
    { name: 'note', kind: 'text' },
    { name: 'octets', kind: 'octets' },
  ],
  rows: [
    ['10.0.0.1', 'plain', 3],
    ['fe80::1', 'with "quotes", commas\nand lines', 2.5],
    [null, '', 0],
  ],
  total: { octets: 5.5, packets: 2 },
  isCut: true,
  covered: { fromMs: 1_700_000_000_000, toMs: 1_700_000_060_000, level: 'minute' },
  gaps: [],
  ledger: [{ reason: 'udp_length', octets: 60, packets: 1 }],
  tookMs: 1,
};
