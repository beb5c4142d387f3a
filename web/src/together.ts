/** Answers to questions that belong together: a picture of one and a table of another are of the same moment. */
import { useMemo, useState } from 'react';
import type { HistoryQuestionText, ResultTable } from '../../src/query/index.ts';
import { useAnswers } from './answers.ts';
import type { AnswerProblem } from './asking.ts';

/** What is known of several questions that belong together. */
export interface KnownAnswers<Name extends string> extends Whole<Name> {
  readonly problem: AnswerProblem | undefined;
  readonly isAsking: boolean;
}

interface Whole<Name extends string> {
  /** Answers of all of them, or of all of those asked before; absent where nothing was asked. */
  readonly tables: Readonly<Partial<Record<Name, ResultTable>>> | undefined;
  /** The questions that `tables` answers. */
  readonly questions: Questions<Name> | undefined;
}

/** Questions by name; where there is none, nothing is asked. */
export type Questions<Name extends string> = Readonly<Record<Name, HistoryQuestionText | undefined>>;

/**
 * As {@link useAnswers}, equal questions once; shows answers when there are all of them.
 *
 * @param questions undefined asks nothing
 */
export function useTogether<Name extends string>(
  questions: Questions<Name> | undefined,
  turn: number,
): KnownAnswers<Name> {
  const text = questions && JSON.stringify(questions);
  const asked = useMemo(() => (text === undefined ? undefined : distinct<Name>(text)), [text]);
  const answers = useAnswers(asked, turn);
  const [whole, setWhole] = useState<Whole<Name>>({ tables: undefined, questions: undefined });
  const tables = questions && asked && tablesOf(questions, answers, asked.length);
  if (tables && !isSame(tables, whole.tables)) setWhole({ tables, questions });
  return {
    ...whole,
    problem: answers.find((each) => each.problem)?.problem,
    isAsking: answers.some((each) => each.isAsking),
  };
}

/** The questions of a text, each once. */
function distinct<Name extends string>(text: string): readonly HistoryQuestionText[] {
  const questions = JSON.parse(text) as Partial<Record<Name, HistoryQuestionText>>;
  const byText = new Map(
    Object.values<HistoryQuestionText | undefined>(questions).map((each) => [JSON.stringify(each), each!]),
  );
  return [...byText.values()];
}

/** The answers by name; undefined as long as one is missing. */
function tablesOf<Name extends string>(
  questions: Questions<Name>,
  answers: ReturnType<typeof useAnswers>,
  count: number,
): Whole<Name>['tables'] {
  const byText = new Map(
    answers.flatMap(({ table, question }) => (table ? [[JSON.stringify(question), table] as const] : [])),
  );
  const tables: Partial<Record<Name, ResultTable>> = {};
  const found = new Set<ResultTable>();
  for (const [name, question] of Object.entries(questions) as [Name, HistoryQuestionText | undefined][]) {
    if (!question) continue;
    const table = byText.get(JSON.stringify(question));
    if (!table) return undefined;
    tables[name] = table;
    found.add(table);
  }
  return found.size === count ? tables : undefined;
}

function isSame(
  a: Readonly<Record<string, ResultTable | undefined>>,
  b: Readonly<Record<string, ResultTable | undefined>> | undefined,
): boolean {
  const names = Object.keys(a);
  return (
    b !== undefined && names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
  );
}
