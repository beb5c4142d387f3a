/** Answers of the agent to questions in the one language, asked again while they are of a time that moves. */
import { useEffect, useRef, useState } from 'react';
import { type HistoryQuestionText, type ResultTable, ResultTableSchema } from '../../src/query/index.ts';

/** Why there is no answer, as the agent said it. */
export interface AnswerProblem {
  /** 0 where the agent could not be reached. */
  readonly status: number;
  readonly message: string;
  readonly remedy: string | undefined;
}

/** What is known of a question now. */
export interface KnownAnswer {
  /** The newest answer; it stays while the next one is under way, also to another question. */
  readonly table: ResultTable | undefined;
  /** The question that `table` answers. */
  readonly question: HistoryQuestionText | undefined;
  readonly problem: AnswerProblem | undefined;
  readonly isAsking: boolean;
}

const NOTHING: KnownAnswer = { table: undefined, question: undefined, problem: undefined, isAsking: false };

/**
 * Asks a question, and again each time it or `turn` changes; who asks anew, or goes away, cancels what is under way.
 *
 * @param question undefined asks nothing
 * @param turn a number that changes when there may be another answer, e.g. the epoch
 */
export function useAnswer(question: HistoryQuestionText | undefined, turn: number): KnownAnswer {
  const [known, setKnown] = useState(NOTHING);
  const text = question && JSON.stringify(question);
  const asked = useRef<string>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: turn is when to ask again
  useEffect(() => {
    if (text === undefined) return;
    const gone = new AbortController();
    if (asked.current !== text) setKnown((last) => ({ ...last, isAsking: true }));
    asked.current = text;
    void ask(text, gone.signal).then((answer) => {
      if (!gone.signal.aborted)
        setKnown((last) =>
          'table' in answer
            ? { table: answer.table, question: JSON.parse(text), problem: undefined, isAsking: false }
            : { ...last, problem: answer.problem, isAsking: false },
        );
    });
    return () => gone.abort();
  }, [text, turn]);
  return known;
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
    const response = await fetch('api/v1/query', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: text,
      signal,
      cache: 'no-store',
    });
    const answer: unknown = await response.json();
    if (response.ok) return { table: ResultTableSchema.parse(answer) };
    const { error = response.statusText, remedy } = answer as Partial<Record<'error' | 'remedy', string>>;
    return { problem: { status: response.status, message: error, remedy } };
  } catch (error) {
    return { problem: { status: 0, message: (error as Error).message, remedy: undefined } };
  }
}
