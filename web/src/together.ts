/** Answers to questions that belong together: a picture of one and a table of another are of the same moment. */
import { useEffect, useRef, useState } from 'react';
import type { HistoryQuestionText, ResultTable } from '../../src/query/index.ts';
import { type AnswerProblem, ask } from './asking.ts';

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
 * Asks several questions equal ones once, and shows their answers together.
 *
 * @param questions undefined asks nothing
 */
export function useTogether<Name extends string>(
  questions: Questions<Name> | undefined,
  turn: number,
): KnownAnswers<Name> {
  const [known, setKnown] = useState<KnownAnswers<Name>>({
    tables: undefined,
    questions: undefined,
    problem: undefined,
    isAsking: false,
  });
  const text = questions && JSON.stringify(questions);
  const asked = useRef<string>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text is the questions; turn is when to ask again
  useEffect(() => {
    if (!questions) return;
    const gone = new AbortController();
    if (asked.current !== text) setKnown((last) => ({ ...last, isAsking: true }));
    asked.current = text;
    void askNamed(questions, gone.signal).then((answer) => {
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

/** Asks questions by name, equal ones once. */
async function askNamed<Name extends string>(
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
