/** The words and signs a filter is made of. */
import { FilterError, quoted, type Span } from './error.ts';
import type { FilterField } from './fields.ts';

/** A piece of the text. `text` of a quoted word is what stands between the quotes. */
export interface Token extends Span {
  readonly kind: 'word' | 'quoted' | 'sign' | 'end';
  readonly text: string;
}

/** Signs, longer ones first. */
const SIGNS = ['&&', '||', '==', '!=', '<=', '>=', '=', '<', '>', '!', '(', ')', '[', ']', ','] as const;
const BLANK = /\s+/y;
/** Everything but blanks, signs and quotes. */
const WORD = /[^\s()[\],=!<>&|"]+/y;
/** A quoted word; a backslash keeps the meaning of the next character from it. */
const QUOTED = /"((?:[^"\\]|\\.)*)"/sy;

/** Longer texts are refused: no one types them. */
const MAX_LENGTH = 65_536;

/** Cuts a text into tokens; the last is `end`. @throws FilterError at what is neither word nor sign */
function tokensOf(text: string): Token[] {
  if (text.length > MAX_LENGTH)
    throw new FilterError(text, { from: MAX_LENGTH, to: MAX_LENGTH }, `longer than ${MAX_LENGTH} characters`);
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  for (;;) {
    at += take(BLANK)?.[0].length ?? 0;
    if (at === text.length) break;
    const from = at;
    const word = take(WORD)?.[0];
    const between = take(QUOTED);
    const sign = SIGNS.find((each) => text.startsWith(each, at));
    if (word !== undefined) at += word.length;
    else if (between) at += between[0].length;
    else if (sign !== undefined) at += sign.length;
    else throw strayError(text, at);
    if (between) tokens.push({ kind: 'quoted', text: between[1]!.replace(/\\(.)/gs, '$1'), from, to: at });
    else tokens.push({ kind: word === undefined ? 'sign' : 'word', text: word ?? sign!, from, to: at });
  }
  tokens.push({ kind: 'end', text: '', from: at, to: at });
  return tokens;
}

function strayError(text: string, at: number): FilterError {
  const stray = text[at]!;
  if (stray === '"') return new FilterError(text, { from: at, to: text.length }, 'a quote that does not end');
  return new FilterError(text, { from: at, to: at + 1 }, `a single ${quoted(stray)}`, {
    suggestion: stray + stray,
  });
}

/** Whether a word can stand as it is where a value is wanted. */
export function isPlainWord(text: string): boolean {
  WORD.lastIndex = 0;
  return WORD.exec(text)?.[0] === text && !isJoiner(text);
}

/** Words that join conditions, which a value in quotes only can be. */
export function isJoiner(text: string): boolean {
  return /^(and|or|not)$/i.test(text);
}

/** Says why a field cannot stand in a text, if it cannot. */
export type FieldRefusal = (field: FilterField) => string | undefined;

/** A place in the tokens of a text. */
export class TokenReader {
  readonly text: string;
  /** What is wrong with a field here; undefined for nothing. */
  readonly refusal: FieldRefusal;
  readonly #tokens: readonly Token[];
  #at = 0;

  /** @throws FilterError */
  constructor(text: string, refusal: FieldRefusal = () => undefined) {
    this.text = text;
    this.refusal = refusal;
    this.#tokens = tokensOf(text);
  }

  /** The token here; at the end always `end`. */
  get token(): Token {
    return this.#tokens[this.#at]!;
  }

  get isAtEnd(): boolean {
    return this.token.kind === 'end';
  }

  /** The token after it. */
  get following(): Token {
    return this.#tokens[Math.min(this.#at + 1, this.#tokens.length - 1)]!;
  }

  /** Where the token before this one ends; 0 at the beginning. */
  get behind(): number {
    return this.#at === 0 ? 0 : this.#tokens[this.#at - 1]!.to;
  }

  /** Goes on, and gives the token that was here. */
  next(): Token {
    const { token } = this;
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  /** Whether one of these signs or words (not in quotes, in any case) stands here. */
  is(...words: readonly string[]): boolean {
    const { kind, text } = this.token;
    return (kind === 'word' || kind === 'sign') && words.includes(text.toLowerCase());
  }

  /** Goes past one of these, if it stands here. */
  skip(...words: readonly string[]): boolean {
    const isHere = this.is(...words);
    if (isHere) this.next();
    return isHere;
  }
}
