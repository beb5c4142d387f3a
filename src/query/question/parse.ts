/**
 * Questions about the past as text, to {@link HistoryQuestion}.
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
 * The number is the most rows. Without a span it is the last hour; `compare` without a base is with the span before.
 */
import { unexpected } from '../filter/condition.ts';
import { type Expectation, FilterError, quoted, type Span } from '../filter/error.ts';
import { fieldNamed } from '../filter/fields.ts';
import { historyRefusal } from '../filter/history.ts';
import { nearest } from '../filter/nearest.ts';
import { parseRest } from '../filter/parse.ts';
import { parseQuantity } from '../filter/quantity.ts';
import { TokenReader } from '../filter/token.ts';
import { MAX_VIEW_FILTER } from '../filter/uniflow.ts';
import {
  DIMENSIONS,
  type Dimension,
  type HistoryQuantity,
  type HistoryQuestion,
  HistoryQuestionSchema,
  QUANTITIES,
} from '../history.ts';
import { faultOf } from './fault.ts';
import { filterText } from './filter-text.ts';
import { type Clock, readDuration } from './moment.ts';
import { type Base, isSpan, previousTo, readBase, readSpan, type TimeSpan, USUAL_SPAN_MS } from './span.ts';
import {
  ASKS,
  type Ask,
  CLAUSE_OF,
  CLAUSE_WORDS,
  type Clause,
  clauseSuggestions,
  DIMENSION,
  DIMENSIONS_OF,
  dimensionNamed,
  isClauseWord,
  oneOf,
  POINTS_WORDS,
  QUANTITY_WORDS,
  suggestionsOf,
} from './words.ts';
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
  const reading = new Reading(text, { nowMs, timeZone });
  reading.readAll();
  return reading.question();
}

/** What could follow a text; nothing where that has a mistake. */
export function questionExpectations(text: string, clock: QuestionClock): readonly Expectation[] {
  try {
    const reading = new Reading(text, { timeZone: localTimeZone(), ...clock });
    reading.readAll();
    return reading.following();
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return error.span.from === text.length ? error.expected : [];
  }
}

/** A question that is being read. */
class Reading {
  readonly #reader: TokenReader;
  readonly #clock: Clock;
  /** Where each part of the question stands. */
  readonly #places = new Map<string, Span>();
  #ask: Ask = 'flows';
  #limit: number | undefined;
  #dimensions: Dimension[] = [];
  #possible = new Set<Clause>();
  #quantity: HistoryQuantity | undefined;
  #span: TimeSpan | undefined;
  /** What stands behind `with` is relative to the span, which may come later. */
  #base: Base | undefined;
  #stepMs: number | undefined;
  #points: keyof typeof POINTS_WORDS | undefined;
  #filter: string | undefined;

  constructor(text: string, clock: Clock) {
    this.#reader = new TokenReader(text, historyRefusal);
    this.#clock = clock;
  }

  readAll(): void {
    const reader = this.#reader;
    this.#places.set('ask', reader.token);
    this.#ask = this.#word(ASKS, 'a question');
    this.#possible = new Set(
      (['span', 'by', 'step', 'with', 'points', 'where'] as const).filter(
        (clause) => (CLAUSE_OF[clause] ?? this.#ask) === this.#ask,
      ),
    );
    this.#readLimit();
    this.#readDimensions();
    while (!reader.isAtEnd) this.#readClause();
  }

  /** @throws FilterError at the part that the schema refuses */
  question(): HistoryQuestion {
    const { text } = this.#reader;
    const whole: Span = { from: 0, to: text.length };
    const span = this.#span ?? {
      fromMs: this.#clock.nowMs - USUAL_SPAN_MS,
      toMs: this.#clock.nowMs,
      place: whole,
    };
    const base = this.#base?.(span) ?? { ...previousTo(span), place: span.place };
    const { fromMs, toMs } = span;
    const dimensions =
      this.#ask === 'distinct'
        ? { of: this.#dimensions[0] }
        : { by: this.#dimensions.length > 0 ? this.#dimensions : undefined };
    const parsed = HistoryQuestionSchema.safeParse({
      ask: this.#ask,
      ...(this.#ask !== 'flows' && dimensions),
      ...(this.#limit !== undefined && { limit: this.#limit }),
      ...(this.#quantity !== undefined && { quantity: this.#quantity }),
      fromMs,
      toMs,
      ...(this.#ask === 'compare' && { before: { fromMs: base.fromMs, toMs: base.toMs } }),
      ...(this.#stepMs !== undefined && { stepMs: this.#stepMs }),
      ...(this.#points !== undefined && { points: this.#points }),
      ...(this.#filter !== undefined && { filter: this.#filter }),
    });
    if (parsed.success) return parsed.data;
    const places = new Map(this.#places)
      .set('fromMs', span.place)
      .set('toMs', span.place)
      .set('before', base.place);
    throw faultOf(text, parsed.error.issues[0]!, places);
  }

  /** What could stand behind a whole question. */
  following(): readonly Expectation[] {
    if (this.#filter !== undefined) return [{ kind: 'words', words: ['and', 'or'] }];
    const { most } = DIMENSIONS_OF[this.#ask];
    const isInList = this.#places.get('by')?.to === this.#reader.behind;
    const more: Expectation[] =
      isInList && this.#dimensions.length < most ? [{ kind: 'words', words: [','] }] : [];
    const begin: Expectation[] =
      this.#reader.behind === this.#places.get('ask')?.to && most > 0 ? [DIMENSION] : [];
    return [...begin, ...more, ...this.#clauses()];
  }

  #clauses(): Expectation[] {
    return [{ kind: 'suggestions', suggestions: clauseSuggestions(this.#possible) }];
  }

  /** Reads one of some words. */
  #word<Word extends string>(words: Readonly<Record<Word, string>>, wanted: string): Word {
    const reader = this.#reader;
    const { token } = reader;
    const list = Object.keys(words) as Word[];
    const found = list.find((word) => reader.is(word));
    if (found === undefined) {
      const expected: Expectation = { kind: 'suggestions', suggestions: suggestionsOf(words, 'clause') };
      throw this.#refuse([expected], `${wanted}: ${oneOf(list)}`, nearest(token.text, list));
    }
    reader.next();
    return found;
  }

  #readLimit(): void {
    const { token } = this.#reader;
    if (token.kind !== 'word' || !/^\d/.test(token.text)) return;
    this.#limit = parseQuantity(token.text, 'count');
    if (this.#limit === undefined) throw unexpected(this.#reader, [], 'a number of rows');
    this.#places.set('limit', token);
    this.#reader.next();
  }

  #readDimensions(): void {
    const reader = this.#reader;
    const { least, most } = DIMENSIONS_OF[this.#ask];
    const first = reader.token;
    const isThere = first.kind === 'word' && dimensionNamed(first.text) !== undefined;
    if (most === 0 || (least === 0 && !isThere && !this.#isMistyped())) return;
    do {
      if (this.#dimensions.length === most)
        throw new FilterError(reader.text, reader.token, `"${this.#ask}" takes ${most} of them`);
      this.#dimensions.push(this.#readDimension());
    } while (reader.skip(','));
    if (this.#ask === 'matrix' && this.#dimensions.length < most)
      throw unexpected(reader, [{ kind: 'words', words: [','] }], '"," and a second dimension');
    this.#places.set('by', { from: first.from, to: reader.behind });
  }

  /** Something stands here that is no clause, and hardly a mistyped one: it was meant as a dimension. */
  #isMistyped(): boolean {
    const { kind, text } = this.#reader.token;
    return kind === 'word' && !isClauseWord(text) && nearest(text, CLAUSE_WORDS) === undefined;
  }

  #readDimension(): Dimension {
    const reader = this.#reader;
    const { token } = reader;
    const dimension = token.kind === 'word' ? dimensionNamed(token.text) : undefined;
    if (dimension !== undefined) {
      reader.next();
      return dimension;
    }
    const field = token.kind === 'word' ? fieldNamed(token.text) : undefined;
    if (field !== undefined)
      throw new FilterError(
        reader.text,
        token,
        `flows can be chosen by "${field}", but not told apart by it: it is one of ${DIMENSIONS.join(', ')}`,
        { expected: [DIMENSION] },
      );
    throw this.#refuse(
      [DIMENSION],
      'a dimension such as src, vni or segment',
      nearest(token.text, DIMENSIONS),
    );
  }

  #readClause(): void {
    const reader = this.#reader;
    if (isSpan(reader)) {
      this.#demand('span');
      this.#span = readSpan(reader, this.#clock);
      return;
    }
    const clause = (['by', 'step', 'with', 'points', 'where'] as const).find((word) => reader.is(word));
    if (clause === undefined) throw this.#noClause();
    this.#demand(clause);
    reader.next();
    switch (clause) {
      case 'by':
        this.#readQuantity();
        return;
      case 'step':
        this.#places.set('stepMs', reader.token);
        this.#stepMs = readDuration(reader);
        return;
      case 'with':
        this.#base = readBase(reader, this.#clock);
        return;
      case 'points':
        this.#points = this.#word(POINTS_WORDS, 'how often packets count');
        return;
      case 'where':
        this.#readFilter();
    }
  }

  /** @throws FilterError when a clause is said already, or is of other questions */
  #demand(clause: Clause): void {
    if (this.#possible.delete(clause)) return;
    const { text, token } = this.#reader;
    const other = CLAUSE_OF[clause];
    const problem =
      other !== undefined && other !== this.#ask
        ? `"${clause}" is of "${other}", not of "${this.#ask}"`
        : `${clause === 'span' ? 'the time' : `"${clause}"`} is said already`;
    throw new FilterError(text, token, problem);
  }

  #readQuantity(): void {
    const { token } = this.#reader;
    const dimension = token.kind === 'word' ? dimensionNamed(token.text) : undefined;
    if (dimension !== undefined)
      throw this.#refuse(
        [],
        `what is summed: ${oneOf(QUANTITIES)}`,
        this.#dimensions.length === 0 && DIMENSIONS_OF[this.#ask].most > 0
          ? `${this.#ask} ${dimension}`
          : undefined,
      );
    this.#quantity = this.#word(QUANTITY_WORDS, 'what is summed');
  }

  #readFilter(): void {
    const reader = this.#reader;
    const { text, token } = reader;
    const longest = token.from + MAX_VIEW_FILTER;
    if (text.trimEnd().length > longest)
      throw new FilterError(
        text,
        { from: longest, to: longest },
        `a filter longer than ${MAX_VIEW_FILTER} characters`,
      );
    this.#filter = filterText(text.slice(token.from).trim(), parseRest(reader));
  }

  /** What stands here is no clause: a second dimension without its comma, a condition without `where`, or mistyped. */
  #noClause(): FilterError {
    const { token, following, behind } = this.#reader;
    const words = clauseSuggestions(this.#possible).map(({ text }) => text);
    const isField = token.kind === 'word' && fieldNamed(token.text) !== undefined;
    const isInList =
      this.#places.get('by')?.to === behind && this.#dimensions.length < DIMENSIONS_OF[this.#ask].most;
    const isAlone = following.kind === 'end' || following.text === ',' || isClauseWord(following.text);
    let suggestion = nearest(token.text, words);
    if (isInList && isAlone && dimensionNamed(token.text) !== undefined) suggestion = `, ${token.text}`;
    else if (isField && this.#possible.has('where')) suggestion = `where ${token.text}`;
    return this.#refuse(this.#clauses(), oneOf([...words, 'the end']), suggestion);
  }

  #refuse(expected: readonly Expectation[], wanted: string, suggestion: string | undefined): FilterError {
    const { text, token } = this.#reader;
    const found = token.kind === 'end' ? 'the end' : quoted(token.text);
    return new FilterError(text, token, `expected ${wanted}, found ${found}`, { expected, suggestion });
  }
}
