/**
 * Questions about the past as text, to {@link HistoryQuestion}, and which rows are meant by a part of one.
 *
 *     question   = ask [ number ] [ dimension { "," dimension } ] { clause } [ "where" filter ]
 *     ask        = "top" | "series" | "matrix" | "distinct" | "flows" | "compare"
 *     clause     = span | "by" quantity | "step" duration | "with" base | "points" ( "once" | "every" )
 *     span       = "last" duration | "since" moment | "from" moment "to" moment | "today" | "yesterday" | "on" day
 *     base       = "previous" | "yesterday" | duration "ago" | "from" moment "to" moment
 *     moment     = "now" | duration "ago" | time | day [ time ] | day "T" time
 *     day        = "today" | "yesterday" | year "-" month "-" day
 *     time       = hours ":" minutes [ ":" seconds ] [ "Z" | ( "+" | "-" ) hours ":" minutes ]
 *
 *     selection  = { clause } [ "where" filter ]
 *
 * The number is the most rows. Without a span it is the last hour; `compare` without a base is with the span before.
 */
import { type Expectation, FilterError } from '../filter/error.ts';
import type { HistoryQuestion, HistorySelection } from '../history.ts';
import { QuestionReading } from './reading.ts';
import { localTimeZone } from './zone.ts';

/** The present, and whose clocks are meant where a time says no zone: by default this machine's. */
export interface QuestionClock {
  readonly nowMs: number;
  readonly timeZone?: string;
}

/**
 * Reads a question; relative times become moments.
 *
 * @throws FilterError, and nothing else whatever the text
 */
export function parseQuestion(
  text: string,
  { nowMs, timeZone = localTimeZone() }: QuestionClock,
): HistoryQuestion {
  const reading = new QuestionReading(text, { nowMs, timeZone });
  reading.readAll();
  return reading.question();
}

/**
 * Reads which rows are meant: the clauses of a question that say when, at which points, and which flows.
 *
 * @throws FilterError, and nothing else whatever the text
 */
export function parseSelection(
  text: string,
  { nowMs, timeZone = localTimeZone() }: QuestionClock,
): HistorySelection {
  const reading = new QuestionReading(text, { nowMs, timeZone });
  reading.readSelection();
  const { fromMs, toMs, filter, points } = reading.question();
  return { fromMs, toMs, ...(filter !== undefined && { filter }), ...(points && { points }) };
}

/** What is being typed. */
export type QuestionForm = 'question' | 'selection';

/** What could follow a text; nothing where that has a mistake. */
export function questionExpectations(
  text: string,
  clock: QuestionClock,
  form: QuestionForm = 'question',
): readonly Expectation[] {
  try {
    const reading = new QuestionReading(text, { timeZone: localTimeZone(), ...clock });
    if (form === 'question') reading.readAll();
    else reading.readSelection();
    return reading.following();
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return error.span.from === text.length ? error.expected : [];
  }
}
