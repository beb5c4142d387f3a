/** The picture of a part of the past, asked for and kept while the next one is under way. */
import { useMemo, useState } from 'react';
import type { StreamedView } from '../../src/query/index.ts';
import type { AnswerProblem } from './asking.ts';
import { leaderQuestions, type PastQuestions, pastQuestions, type Span } from './past-questions.ts';
import { type LiveFacts, pastView, type ShownView, senderOf } from './past-view.ts';
import type { Place } from './question.ts';
import { useTogether } from './together.ts';

/** What is known of a part of the past. */
export interface KnownPast {
  /** The newest picture; it stays while another one is asked for. */
  readonly view: ShownView | undefined;
  readonly problem: AnswerProblem | undefined;
  readonly isAsking: boolean;
}

/** What the chord shows of the past. */
export interface ShownPast {
  /** Undefined as long as nobody knows what time it is at the agent. */
  readonly span: Span | undefined;
  readonly now: KnownPast;
  /** What it is compared with, where it is. */
  readonly before: KnownPast | undefined;
}

const NOBODY: LiveFacts = {
  agent: '',
  epoch: 0,
  intervalSeconds: 1,
  exactness: {
    seen: { octets: 0, packets: 0 },
    recorded: { octets: 0, packets: 0 },
    overflow: { octets: 0, packets: 0 },
    ledger: [],
    unexplained: { octets: 0, packets: 0 },
    outside: { points: 0, packets: 0, octets: 0 },
  },
};

/**
 * Asks for the picture of a place in a span, and again with each turn.
 *
 * @param span undefined asks nothing
 * @param live of the running agent, for what the past does not tell
 */
export function usePast(
  { question }: Pick<Place, 'question'>,
  span: Span | undefined,
  { turn, live }: { readonly turn: number; readonly live: StreamedView | undefined },
): KnownPast {
  const questions: PastQuestions | undefined = span && pastQuestions(question, span);
  const {
    tables,
    questions: answered,
    problem,
    isAsking,
  } = useTogether<keyof PastQuestions>(questions && { ...questions }, turn);
  const isAnswered = answered !== undefined && JSON.stringify(answered) === JSON.stringify(questions);
  const sender = isAnswered && tables?.senders ? senderOf(question, tables.senders) : undefined;
  const asked = span && sender ? { ...leaderQuestions(question, span, sender) } : undefined;
  const leader = useTogether(asked, turn);
  const isLed = asked !== undefined && JSON.stringify(leader.questions) === JSON.stringify(asked);
  const [shown, setShown] = useState<ShownView>();
  const facts = live ?? NOBODY;
  // biome-ignore lint/correctness/useExhaustiveDependencies: of the agent whatever it is now; a picture follows from its answers
  const view = useMemo(
    () =>
      isAnswered && span && tables
        ? pastView(question, span, {
            tables: { ...tables, ...(isLed && leader.tables) },
            live: facts,
          })
        : undefined,
    [isAnswered, tables, isLed, leader.tables],
  );
  if (view && view !== shown) setShown(view);
  return { view: span ? (view ?? shown) : undefined, problem, isAsking };
}
