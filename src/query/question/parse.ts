/**
 * Questions as text, to {@link Question}, and which rows are meant by a part of one.
 *
 *     question   = ask [ number ] [ dimension { "," dimension } ] { clause } [ "where" filter ]
 *     ask        = "top" | "series" | "matrix" | "distinct" | "flows" | "compare"
 *     clause     = span | "live" [ window ] | "by" quantity | "step" duration | "with" base | "points" ( "once" | "every" )
 *     span       = "last" duration | "since" moment | "from" moment "to" moment | "today" | "yesterday" | "on" day
 *     window     = "5s" | "1m" | "all"
 *     base       = "previous" | "yesterday" | duration "ago" | "from" moment "to" moment
 *     moment     = "now" | duration "ago" | time | day [ time ] | day "T" time
 *     day        = "today" | "yesterday" | year "-" month "-" day
 *     time       = hours ":" minutes [ ":" seconds ] [ "Z" | ( "+" | "-" ) hours ":" minutes ]
 *
 *     selection  = { clause } [ "where" filter ]
 *
 * The number is the most rows. Without a span it is the last hour; `live` is about now, and without a window the last 5 s; `compare` without a base is with the span before.
 */
import { type Expectation, FilterError } from '../filter/error.ts';
import type { FilterField } from '../filter/fields.ts';
import type { HistoryQuestion, HistorySelection, HistorySpan } from '../history.ts';
import type { Question } from '../live.ts';
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
export function parseQuestion(text: string, clock: QuestionClock): Question {
  return readingOf(text, clock).question();
}

/**
 * The same of the past alone, for who keeps a history and meters nothing.
 *
 * @throws FilterError, also at `live`
 */
export function parsePastQuestion(text: string, clock: QuestionClock): HistoryQuestion {
  return readingOf(text, clock).pastQuestion();
}

function readingOf(text: string, { nowMs, timeZone = localTimeZone() }: QuestionClock): QuestionReading {
  const reading = new QuestionReading(text, { nowMs, timeZone });
  reading.readAll();
  return reading;
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
  const { fromMs, toMs, filter, points } = reading.pastQuestion();
  return { fromMs, toMs, ...(filter !== undefined && { filter }), ...(points && { points }) };
}

/**
 * Reads a time of the past alone, such as `last 24h`; without any word it is the last hour.
 *
 * @throws FilterError, and nothing else whatever the text
 */
export function parseSpan(text: string, { nowMs, timeZone = localTimeZone() }: QuestionClock): HistorySpan {
  const reading = new QuestionReading(text, { nowMs, timeZone });
  reading.readSpan();
  const { fromMs, toMs } = reading.pastQuestion();
  return { fromMs, toMs };
}

/** What is being typed. */
export type QuestionForm = 'question' | 'selection' | 'span';

/** What could follow a text, nothing where that has a mistake; and why a field cannot be asked for behind it, if it cannot. */
export interface Following {
  readonly expected: readonly Expectation[];
  readonly refusal: (field: FilterField) => string | undefined;
}

/** What could follow a text. */
export function questionFollowing(
  text: string,
  clock: QuestionClock,
  form: QuestionForm = 'question',
): Following {
  const reading = new QuestionReading(text, { timeZone: localTimeZone(), ...clock });
  const refusal = (field: FilterField): string | undefined => reading.refusal(field);
  try {
    if (form === 'question') reading.readAll();
    else if (form === 'selection') reading.readSelection();
    else reading.readSpan();
    return { expected: reading.following(), refusal };
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return { expected: error.span.from === text.length ? error.expected : [], refusal };
  }
}
