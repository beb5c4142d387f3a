/** Answers of the agent to questions in the one language, asked again while they are of a time that moves. */
import { useEffect, useRef, useState } from 'react';
import { type HistoryQuestionText, type ResultTable, ResultTableSchema } from '../../src/query/index.ts';
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
/** A question of the past or of now. */
export type AnyQuestion = TimelessQuestion & QuestionTime;

/** What is known of a question now. */
export interface KnownAnswer {
  /** The newest answer; it stays while the next one is under way, also to another question. */
  readonly table: ResultTable | undefined;
  /** The question that `table` answers. */
  readonly question: AnyQuestion | undefined;
  readonly problem: AnswerProblem | undefined;
  readonly isAsking: boolean;
}

const NOTHING: KnownAnswer = { table: undefined, question: undefined, problem: undefined, isAsking: false };

/** A question under way, and whether it is to be asked again when it is answered. */
interface UnderWay {
  readonly text: string;
  readonly gone: AbortController;
  isOld: boolean;
}

/**
 * Asks a question, and again each time it or `turn` changes. Another question, or going away, cancels what is under way;
 * another turn waits for it, so that an answer that takes longer than a turn comes all the same.
 *
 * @param question undefined asks nothing
 * @param turn a number that changes when there may be another answer, e.g. the epoch
 */
export function useAnswer(question: AnyQuestion | undefined, turn: number): KnownAnswer {
  const [known, setKnown] = useState(NOTHING);
  const text = question && JSON.stringify(question);
  const underWay = useRef<UnderWay>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: turn is when to ask again
  useEffect(() => {
    if (text === undefined) return;
    const last = underWay.current;
    if (last?.text === text && !last.gone.signal.aborted) {
      last.isOld = true;
      return;
    }
    last?.gone.abort();
    setKnown((before) => ({ ...before, isAsking: true }));
    void (async () => {
      const own: UnderWay = { text, gone: new AbortController(), isOld: true };
      underWay.current = own;
      const { signal } = own.gone;
      while (own.isOld && !signal.aborted) {
        own.isOld = false;
        const answer = await ask(text, signal);
        if (signal.aborted) return;
        setKnown((before) =>
          'table' in answer
            ? { table: answer.table, question: JSON.parse(text), problem: undefined, isAsking: false }
            : { ...before, problem: answer.problem, isAsking: false },
        );
      }
      if (underWay.current === own) underWay.current = undefined;
    })();
  }, [text, turn]);
  useEffect(
    () => () => {
      underWay.current?.gone.abort();
      underWay.current = undefined;
    },
    [],
  );
  return known;
}

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

/** What is known of several questions that belong together. */
export interface KnownAnswers<Name extends string> {
  /** Answers of all of them, or of all of those asked before; absent where nothing was asked. */
  readonly tables: Readonly<Partial<Record<Name, ResultTable>>> | undefined;
  /** The questions that `tables` answers. */
  readonly questions: Questions<Name> | undefined;
  readonly problem: AnswerProblem | undefined;
  readonly isAsking: boolean;
}

/** Questions by name; where there is none, nothing is asked. */
export type Questions<Name extends string> = Readonly<Record<Name, HistoryQuestionText | undefined>>;

/**
 * Asks several questions as {@link useAnswer} does, equal ones once, and shows their answers together.
 *
 * @param questions undefined asks nothing
 */
export function useAnswers<Name extends string>(
  questions: Questions<Name> | undefined,
  turn: number,
): KnownAnswers<Name> {
  const [known, setKnown] = useState<KnownAnswers<Name>>({
    ...NOTHING,
    tables: undefined,
    questions: undefined,
  });
  const text = questions && JSON.stringify(questions);
  const asked = useRef<string>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text is the questions; turn is when to ask again
  useEffect(() => {
    if (!questions) return;
    const gone = new AbortController();
    if (asked.current !== text) setKnown((last) => ({ ...last, isAsking: true }));
    asked.current = text;
    void askAll(questions, gone.signal).then((answer) => {
      if (!gone.signal.aborted)
        setKnown((last) =>
          'tables' in answer
            ? { tables: answer.tables, questions, problem: undefined, isAsking: false }
            : { ...last, problem: answer.problem, isAsking: false },
        );
    });
    return () => gone.abort();
  }, [text, turn]);
  return known;
}

async function askAll<Name extends string>(
  questions: Questions<Name>,
  signal: AbortSignal,
): Promise<
  { readonly tables: Readonly<Partial<Record<Name, ResultTable>>> } | { readonly problem: AnswerProblem }
> {
  const byText = new Map<string, ReturnType<typeof ask>>();
  const tables: Partial<Record<Name, ResultTable>> = {};
  const named = Object.entries(questions) as [Name, HistoryQuestionText | undefined][];
  const asked = named.flatMap(([name, question]) => {
    if (!question) return [];
    const text = JSON.stringify(question);
    const answer = byText.get(text) ?? ask(text, signal);
    byText.set(text, answer);
    return [[name, answer] as const];
  });
  for (const [name, promise] of asked) {
    const answer = await promise;
    if ('problem' in answer) return answer;
    tables[name] = answer.table;
  }
  return { tables };
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

/** How often one is asked again that an agent has no time for. */
const TRIES = 5;

/** Asks once, when it is its turn; it never rejects. @param text the question as JSON */
async function ask(text: string, signal: AbortSignal): Promise<Answered> {
  for (let attempt = 1; ; attempt++) {
    const answer = await inTurn(() => askNow(text, signal));
    if (!('problem' in answer) || answer.problem.status !== 503 || attempt === TRIES || signal.aborted)
      return answer;
    await new Promise((resolve) => setTimeout(resolve, 1000 * attempt));
  }
}

type Answered = { readonly table: ResultTable } | { readonly problem: AnswerProblem };

async function askNow(text: string, signal: AbortSignal): Promise<Answered> {
  try {
    const response = await fetch('api/v1/query', { ...questionRequest(text, 'application/json'), signal });
    const answer: unknown = await response.json();
    if (response.ok) return { table: readTable(answer) };
    const { error = response.statusText, remedy } = answer as Partial<Record<'error' | 'remedy', string>>;
    return { problem: { status: response.status, message: error, remedy } };
  } catch (error) {
    return { problem: { status: 0, message: (error as Error).message, remedy: undefined } };
  }
}
