/** What could be typed next in a question. */
import { type Completion, complete, filterExpectations, type KnownValues } from '../filter/complete.ts';
import { historyRefusal } from '../filter/history.ts';
import { type QuestionClock, questionExpectations } from './parse.ts';

/** The word behind which all is a filter, as a word of its own. */
const WHERE = /(?:^|\s)where\s/i;

/**
 * Completes the word that the cursor stands in or behind, or says what could begin there, as `completeFilter` does for filters.
 *
 * @param cursor in UTF-16 units from 0
 */
export function completeQuestion(
  text: string,
  cursor: number,
  { nowMs, timeZone, known = {} }: QuestionClock & { readonly known?: KnownValues },
): Completion {
  const clock: QuestionClock = { nowMs, ...(timeZone !== undefined && { timeZone }) };
  return complete(text, cursor, {
    known,
    refusal: historyRefusal,
    expectedAfter: (before) => {
      const where = WHERE.exec(before);
      if (!where) return questionExpectations(before, clock);
      // What comes before has to be a question of its own for the filter to be one.
      const question = questionExpectations(before.slice(0, where.index), clock);
      const behind = before.slice(where.index + where[0].length);
      return question.length > 0 ? filterExpectations(behind, historyRefusal) : [];
    },
  });
}
