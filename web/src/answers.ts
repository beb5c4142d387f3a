/** Answers of the agent to questions in the one language, asked again while they are of a time that moves. */
import { useEffect, useRef, useState } from 'react';
import type { ResultTable } from '../../src/query/index.ts';
import { type AnswerProblem, type AnyQuestion, ask } from './asking.ts';

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

/** Questions under way, and whether they are to be asked again when they are answered. */
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
  return useAnswers(question ? [question] : undefined, turn)[0] ?? NOTHING;
}

/** As {@link useAnswer} for several questions, which are asked one after the other: the agent has others to answer, too. */
export function useAnswers(
  questions: readonly AnyQuestion[] | undefined,
  turn: number,
): readonly KnownAnswer[] {
  const [known, setKnown] = useState<readonly KnownAnswer[]>([]);
  const text = questions && JSON.stringify(questions);
  const underWay = useRef<UnderWay>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: turn is when to ask again
  useEffect(() => {
    if (text === undefined) return;
    const last = underWay.current;
    if (last?.text === text) {
      last.isOld = true;
      return;
    }
    last?.gone.abort();
    const own: UnderWay = { text, gone: new AbortController(), isOld: false };
    underWay.current = own;
    const list = JSON.parse(text) as readonly AnyQuestion[];
    setKnown((before) => list.map((_, nth) => ({ ...(before[nth] ?? NOTHING), isAsking: true })));
    void askAll(list, own, (nth, told) =>
      setKnown((before) => before.map((each, at) => (at === nth ? { ...each, ...told } : each))),
    ).then(() => {
      if (underWay.current === own) underWay.current = undefined;
    });
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

/** Asks one after the other, and all again as long as there was another turn meanwhile. */
async function askAll(
  questions: readonly AnyQuestion[],
  own: UnderWay,
  tell: (nth: number, known: Partial<KnownAnswer>) => void,
): Promise<void> {
  const { signal } = own.gone;
  do {
    own.isOld = false;
    for (const [nth, question] of questions.entries()) {
      const answer = await ask(JSON.stringify(question), signal);
      if (signal.aborted) return;
      tell(
        nth,
        'table' in answer
          ? { table: answer.table, question, problem: undefined, isAsking: false }
          : { problem: answer.problem, isAsking: false },
      );
    }
  } while (own.isOld);
}
