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

/** Asks once; it never rejects. @param text the question as JSON */
async function ask(
  text: string,
  signal: AbortSignal,
): Promise<{ readonly table: ResultTable } | { readonly problem: AnswerProblem }> {
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
