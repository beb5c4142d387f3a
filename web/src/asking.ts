/** One question to the agent and its answer, a few at a time. */
import {
  type HistoryQuestionText,
  type HistorySpan,
  type PastAudit,
  PastAuditSchema,
  type ResultTable,
  ResultTableSchema,
} from '../../src/query/index.ts';
import type { QuestionTime } from './moment.ts';

/** Why there is no answer, as the agent said it. */
export interface AnswerProblem {
  /** 0 where the agent could not be reached. */
  readonly status: number;
  readonly message: string;
  readonly remedy: string | undefined;
}

type Timeless<Question> = Question extends unknown ? Omit<Question, 'fromMs' | 'toMs'> : never;
/** A question before it says of which time. */
export type TimelessQuestion = Timeless<HistoryQuestionText>;
/** A question of the past or of now, as {@link QuestionTime} says; the agent refuses what cannot be asked of now. */
export type AnyQuestion = TimelessQuestion & QuestionTime;

/** The rows, which zod would copy, are looked at where they lie. */
const HeadSchema = ResultTableSchema.omit({ rows: true });

/** Reads an answer. @throws Error that says what is wrong with it */
export function readTable(json: unknown): ResultTable {
  const head = HeadSchema.parse(json);
  const { rows } = json as { readonly rows?: unknown };
  const width = head.columns.length;
  if (!Array.isArray(rows)) throw new Error('the answer has no rows');
  for (let at = 0; at < rows.length; at++) {
    const row: unknown = rows[at];
    if (!Array.isArray(row) || row.length !== width || !row.every(isCell))
      throw new Error(`row ${at} of the answer is none`);
  }
  return { ...head, rows };
}

function isCell(value: unknown): boolean {
  return value === null || typeof value === 'string' || typeof value === 'number';
}

/** A question as a request. @param type the content type that is wanted */
export function questionRequest(text: string, type: string): RequestInit {
  return {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: type },
    body: text,
    cache: 'no-store',
  };
}

/** Questions under way at a time: an agent answers two and lets few wait, and this page may not be the only one. */
const AT_A_TIME = 2;
let underWay = 0;
const waiting: (() => void)[] = [];

/** Whether an answer is waited for: then what moves with time is not asked anew, or a slow agent would never be done. */
export function isAnswerAwaited(): boolean {
  return underWay > 0;
}

/** Runs when it is its turn. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (underWay < AT_A_TIME) underWay++;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else underWay--;
  }
}

/** An agent that has too much to answer is asked again so often. */
const MOST_ATTEMPTS = 5;

/** Asks when it is its turn; it never rejects. @param text the question as JSON */
export async function ask(text: string, signal: AbortSignal): Promise<Answered> {
  const request = { ...questionRequest(text, 'application/json'), signal };
  const got = await inTurn(() => fetched('api/v1/query', request, readTable));
  return 'answer' in got ? { table: got.answer } : got;
}

/** What came of it. */
export type Answered = { readonly table: ResultTable } | { readonly problem: AnswerProblem };

/** Asks for the audit of a time that is past, when it is its turn; it never rejects. */
export function askPastAudit({ fromMs, toMs }: HistorySpan, signal: AbortSignal): Promise<Got<PastAudit>> {
  const path = `api/v1/audit/past?fromMs=${fromMs}&toMs=${toMs}`;
  return inTurn(() => fetched(path, { cache: 'no-store', signal }, (json) => PastAuditSchema.parse(json)));
}

/** An answer, or why there is none. */
export type Got<Answer> = { readonly answer: Answer } | { readonly problem: AnswerProblem };

async function fetched<Answer>(
  path: string,
  init: RequestInit & { readonly signal: AbortSignal },
  read: (json: unknown) => Answer,
): Promise<Got<Answer>> {
  try {
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(path, init);
      const json: unknown = await response.json();
      if (response.ok) return { answer: read(json) };
      const waitS = Number(response.headers.get('retry-after'));
      if (response.status !== 503 || !(waitS > 0) || attempt === MOST_ATTEMPTS) {
        const { error = response.statusText, remedy } = json as Partial<Record<'error' | 'remedy', string>>;
        return { problem: { status: response.status, message: error, remedy } };
      }
      await passed(1000 * waitS, init.signal);
    }
  } catch (error) {
    return { problem: { status: 0, message: (error as Error).message, remedy: undefined } };
  }
}

/** Resolves after a while, or when nobody waits any more. */
function passed(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
