/** The parser of questions; the grammar stands in parse.ts. */
import { unexpected } from '../filter/condition.ts';
import { type Expectation, FilterError, quoted, type Span } from '../filter/error.ts';
import { type FilterField, fieldNamed } from '../filter/fields.ts';
import { historyRefusal } from '../filter/history.ts';
import { nearest } from '../filter/nearest.ts';
import { parseRest } from '../filter/parse.ts';
import { parseQuantity } from '../filter/quantity.ts';
import { TokenReader } from '../filter/token.ts';
import { MAX_VIEW_FILTER, viewRefusal } from '../filter/uniflow.ts';
import { DIMENSIONS, type Dimension, type HistoryQuantity, type HistoryQuestion } from '../history.ts';
import { LiveQuestionSchema, type Question } from '../live.ts';
import { WINDOWS } from '../view.ts';
import { filterText } from './filter-text.ts';
import { type Clock, readDuration } from './moment.ts';
import {
  canBeLive,
  liveQuestion,
  noParts,
  pastQuestion,
  type QuestionParts,
  quantityWords,
  type WrittenParts,
} from './parts.ts';
import { isSpan, readBase, readSpan } from './span.ts';
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
  OF_THE_PAST,
  oneOf,
  POINTS_WORDS,
  suggestionsOf,
  usualWindow,
  WINDOW_WORDS,
} from './words.ts';

/** Kinds of questions that can be asked about now. */
const LIVE_ASKS: ReadonlySet<Ask> = new Set(LiveQuestionSchema.options.map(({ shape }) => shape.ask.value));

/** A question that is being read: its parts as far as they are known, and where they stand. */
export class QuestionReading {
  readonly #reader: TokenReader;
  readonly #clock: Clock;
  /** Where each part of the question stands. */
  readonly #places = new Map<string, Span>();
  readonly #parts: QuestionParts = noParts();
  #possible = new Set<Clause>();
  readonly #said = new Set<Clause>();

  constructor(text: string, clock: Clock) {
    this.#reader = new TokenReader(text, (field) => this.refusal(field));
    this.#clock = clock;
  }

  /** Why a field cannot be asked for in this question, if it cannot. */
  refusal(field: FilterField): string | undefined {
    return this.#parts.window === undefined ? historyRefusal(field) : viewRefusal(field);
  }

  /** Reads a whole question. @throws FilterError */
  readAll(): void {
    const reader = this.#reader;
    this.#places.set('ask', reader.token);
    this.#parts.ask = this.#word(ASKS, 'a question');
    this.#possible = new Set(
      (['span', 'live', 'by', 'step', 'with', 'points', 'where'] as const).filter(
        (clause) => (CLAUSE_OF[clause] ?? this.#parts.ask) === this.#parts.ask,
      ),
    );
    if (!LIVE_ASKS.has(this.#parts.ask)) this.#possible.delete('live');
    this.#readLimit();
    this.#readDimensions();
    while (!reader.isAtEnd) this.#readClause();
  }

  /** Reads the clauses of single flows alone. @throws FilterError */
  readSelection(): void {
    this.#possible = new Set(['span', 'points', 'where']);
    while (!this.#reader.isAtEnd) this.#readClause();
  }

  /** Reads a time alone. @throws FilterError */
  readSpan(): void {
    this.#possible = new Set(['span']);
    while (!this.#reader.isAtEnd) this.#readClause();
  }

  /** @throws FilterError at the part that the schema refuses */
  question(): Question {
    const { window } = this.#parts;
    return window === undefined ? this.pastQuestion() : liveQuestion(this.#parts, window, this.#written);
  }

  /** The same, of the past alone. @throws FilterError at `live` too */
  pastQuestion(): HistoryQuestion {
    return pastQuestion(this.#parts, this.#written, this.#clock);
  }

  get #written(): WrittenParts {
    return { text: this.#reader.text, places: this.#places };
  }

  /** What could stand behind a whole question. */
  following(): readonly Expectation[] {
    if (this.#parts.filter !== undefined) return [{ kind: 'words', words: ['and', 'or'] }];
    const { most } = DIMENSIONS_OF[this.#parts.ask];
    const isInList = this.#places.get('by')?.to === this.#reader.behind;
    const more: Expectation[] =
      isInList && this.#parts.dimensions.length < most ? [{ kind: 'words', words: [','] }] : [];
    const windows: Expectation[] = this.#isBehindLive
      ? [{ kind: 'suggestions', suggestions: suggestionsOf(WINDOW_WORDS, 'clause') }]
      : [];
    const begin: Expectation[] =
      this.#reader.behind === this.#places.get('ask')?.to && most > 0 ? [DIMENSION] : [];
    return [...begin, ...more, ...windows, ...this.#clauses()];
  }

  /** `live` without a window was read last. */
  get #isBehindLive(): boolean {
    const place = this.#places.get('window');
    return place?.to === this.#reader.behind && place.to - place.from === 'live'.length;
  }

  #clauses(): Expectation[] {
    const possible = new Set(this.#possible);
    if (!this.#isLivePossible()) possible.delete('live');
    return [{ kind: 'suggestions', suggestions: clauseSuggestions(possible) }];
  }

  /** Whether what is said so far can be asked about now. */
  #isLivePossible(): boolean {
    return !OF_THE_PAST.some((each) => this.#said.has(each)) && canBeLive(this.#parts);
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
    this.#parts.limit = parseQuantity(token.text, 'count');
    if (this.#parts.limit === undefined) throw unexpected(this.#reader, [], 'a number of rows');
    this.#places.set('limit', token);
    this.#reader.next();
  }

  #readDimensions(): void {
    const reader = this.#reader;
    const { least, most } = DIMENSIONS_OF[this.#parts.ask];
    const first = reader.token;
    const isThere = first.kind === 'word' && dimensionNamed(first.text) !== undefined;
    if (most === 0 || (least === 0 && !isThere && !this.#isMistyped())) return;
    do {
      if (this.#parts.dimensions.length === most)
        throw new FilterError(reader.text, reader.token, `"${this.#parts.ask}" takes ${most} of them`);
      this.#parts.dimensions.push(this.#readDimension());
    } while (reader.skip(','));
    if (this.#parts.ask === 'matrix' && this.#parts.dimensions.length < most)
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

  /** @throws FilterError when what is said already is of the past */
  #demandNoPast(): void {
    const { text, token } = this.#reader;
    const past = OF_THE_PAST.find((each) => each !== 'span' && this.#said.has(each));
    if (past !== undefined)
      throw new FilterError(text, token, `${quoted(past)} is of the past, and "live" is not`);
  }

  /** Reads what stands behind `live`, if anything does; then clauses of the past say nothing any more. */
  #readWindow(): void {
    const reader = this.#reader;
    const { behind } = reader;
    const found = WINDOWS.find((word) => reader.is(word));
    if (found !== undefined) reader.next();
    this.#parts.window = found ?? usualWindow(this.#parts.ask);
    this.#places.set('window', { from: behind - 'live'.length, to: reader.behind });
    for (const each of OF_THE_PAST) this.#possible.delete(each);
    // What is kept of epochs is of everything.
    if (this.#parts.ask === 'series') this.#possible.delete('where');
  }

  #readClause(): void {
    const reader = this.#reader;
    if (isSpan(reader)) {
      this.#demand('span');
      this.#parts.span = readSpan(reader, this.#clock);
      this.#possible.delete('live');
      return;
    }
    const clause = (['live', 'by', 'step', 'with', 'points', 'where'] as const).find((word) =>
      reader.is(word),
    );
    if (clause === undefined) throw this.#noClause();
    this.#demand(clause);
    reader.next();
    switch (clause) {
      case 'live':
        this.#readWindow();
        return;
      case 'by':
        this.#readQuantity();
        return;
      case 'step':
        this.#places.set('stepMs', reader.token);
        this.#parts.stepMs = readDuration(reader);
        return;
      case 'with':
        this.#parts.base = readBase(reader, this.#clock);
        return;
      case 'points':
        this.#parts.points = this.#word(POINTS_WORDS, 'how often packets count');
        return;
      case 'where':
        this.#readFilter();
    }
  }

  /** @throws FilterError when a clause is said already, or is of other questions */
  #demand(clause: Clause): void {
    const { text, token } = this.#reader;
    if (clause === 'live') this.#demandNoPast();
    if (this.#possible.delete(clause)) {
      this.#said.add(clause);
      return;
    }
    const isTime = clause === 'span' || clause === 'live';
    const isSaid = this.#said.has(clause) || (isTime && (this.#said.has('span') || this.#said.has('live')));
    const other = CLAUSE_OF[clause];
    const name = clause === 'span' ? 'the time' : quoted(clause);
    let problem = `${isTime ? 'the time' : name} is said already`;
    if (!isSaid && this.#parts.window !== undefined && [...OF_THE_PAST, 'where'].includes(clause))
      problem = `${name} is of the past, and this asks for what is live`;
    else if (!isSaid && clause === 'live' && !LIVE_ASKS.has(this.#parts.ask))
      problem = `"live" says nothing of ${quoted(this.#parts.ask)}`;
    else if (!isSaid)
      problem =
        other === undefined || other === this.#parts.ask
          ? `${name} says nothing here`
          : `${name} is of ${quoted(other)}, not of ${quoted(this.#parts.ask)}`;
    throw new FilterError(text, token, problem);
  }

  #readQuantity(): void {
    const { token } = this.#reader;
    const dimension = token.kind === 'word' ? dimensionNamed(token.text) : undefined;
    if (dimension !== undefined)
      throw this.#refuse(
        [],
        `what is summed: ${oneOf(Object.keys(quantityWords(this.#parts)))}`,
        this.#parts.dimensions.length === 0 && DIMENSIONS_OF[this.#parts.ask].most > 0
          ? `${this.#parts.ask} ${dimension}`
          : undefined,
      );
    const words = quantityWords(this.#parts);
    this.#places.set('quantity', token);
    this.#parts.quantity = this.#word(words as Record<HistoryQuantity, string>, 'what is summed');
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
    this.#parts.filter = filterText(text.slice(token.from).trim(), parseRest(reader));
  }

  /** What stands here is no clause: a second dimension without its comma, a condition without `where`, or mistyped. */
  #noClause(): FilterError {
    const { token, following, behind } = this.#reader;
    const clauses = clauseSuggestions(this.#possible).map(({ text }) => text);
    const words = this.#isBehindLive ? [...WINDOWS, ...clauses] : clauses;
    const isField = token.kind === 'word' && fieldNamed(token.text) !== undefined;
    const isInList =
      this.#places.get('by')?.to === behind &&
      this.#parts.dimensions.length < DIMENSIONS_OF[this.#parts.ask].most;
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
