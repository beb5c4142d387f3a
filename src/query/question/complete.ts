/** What could be typed next in a question. */
import { type Completion, complete, filterExpectations, type KnownValues } from '../filter/complete.ts';
import { type QuestionClock, type QuestionForm, questionFollowing } from './parse.ts';

/** The word behind which all is a filter, as a word of its own. */
export const WHERE: RegExp = /(?:^|\s)where\s/i;

/** What is known where a question is typed, and whether it is all of one. */
export interface QuestionCompleting extends QuestionClock {
  readonly known?: KnownValues;
  /** Default: a question. */
  readonly form?: QuestionForm;
}

/**
 * Completes the word that the cursor stands in or behind, or says what could begin there, as `completeFilter` does for filters.
 *
 * @param cursor in UTF-16 units from 0
 */
export function completeQuestion(
  text: string,
  cursor: number,
  { known = {}, form, ...clock }: QuestionCompleting,
): Completion {
  const whereAt = WHERE.exec(text)?.index;
  const { refusal } = questionFollowing(text.slice(0, whereAt), clock, form);
  return complete(text, cursor, {
    known,
    refusal,
    expectedAfter: (before) => {
      const where = WHERE.exec(before);
      if (!where) return questionFollowing(before, clock, form).expected;
      // What comes before has to be right by itself for the filter to be one.
      const question = questionFollowing(before.slice(0, where.index), clock, form);
      const behind = before.slice(where.index + where[0].length);
      return question.expected.length > 0 ? filterExpectations(behind, question.refusal) : [];
    },
  });
}
