/**
 * The filter language: text to {@link Filter}, by recursive descent.
 *
 *     filter    = [ either ]
 *     either    = both { ("or" | "||") both }
 *     both      = negation { ("and" | "&&") negation }
 *     negation  = ("not" | "!") negation | "(" either ")" | condition
 *     condition = "any" | field [ operator ] operand | bare value
 *     operator  = "=" | "==" | "!=" | "in" | "not in" | "<" | "<=" | ">" | ">="
 *     operand   = value | ("[" | "(") value { "," value } ("]" | ")")
 */
import { allOf, anyOf, type Filter } from './ast.ts';
import { parseCondition, unexpected } from './condition.ts';
import { FilterError } from './error.ts';
import { type FieldRefusal, TokenReader } from './token.ts';

/** Parentheses and negations in one another at most. */
const MAX_DEPTH = 64;

/**
 * Reads a filter; an empty text is every flow.
 *
 * @param refusal says which fields cannot stand in it
 * @throws FilterError, and nothing else whatever the text
 */
export function parseFilter(text: string, refusal?: FieldRefusal): Filter {
  const reader = new TokenReader(text, refusal);
  return reader.isAtEnd ? { kind: 'any' } : parseRest(reader);
}

/** Reads the filter that is all the rest of a text, and more than nothing. @throws FilterError */
export function parseRest(reader: TokenReader): Filter {
  const filter = parseEither(reader, 0);
  if (reader.isAtEnd) return filter;
  throw unexpected(reader, [{ kind: 'words', words: ['and', 'or'] }], '"and", "or" or the end');
}

function parseEither(reader: TokenReader, depth: number): Filter {
  const filters = [parseBoth(reader, depth)];
  while (reader.skip('or', '||')) filters.push(parseBoth(reader, depth));
  return anyOf(filters);
}

function parseBoth(reader: TokenReader, depth: number): Filter {
  const filters = [parseNegation(reader, depth)];
  while (reader.skip('and', '&&')) filters.push(parseNegation(reader, depth));
  return allOf(filters);
}

function parseNegation(reader: TokenReader, depth: number): Filter {
  if (depth > MAX_DEPTH)
    throw new FilterError(reader.text, reader.token, `nested more than ${MAX_DEPTH} deep`);
  if (reader.skip('not', '!')) return { kind: 'not', filter: parseNegation(reader, depth + 1) };
  if (!reader.skip('(')) return parseCondition(reader);
  const filter = parseEither(reader, depth + 1);
  if (reader.skip(')')) return filter;
  throw unexpected(reader, [{ kind: 'words', words: ['and', 'or', ')'] }], '"and", "or" or ")"');
}
