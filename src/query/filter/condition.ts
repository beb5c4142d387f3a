/** One condition of a filter: a field and what it is compared with, or a bare value. */
import { type Filter, type FilterValue, ORDER_OPERATORS, type OrderOperator } from './ast.ts';
import { type Expectation, FilterError, quoted } from './error.ts';
import { FILTER_FIELD_NAMES, type FilterField, fieldDefinition, fieldNamed } from './fields.ts';
import { nearest } from './nearest.ts';
import { isJoiner, type Token, type TokenReader } from './token.ts';
import { isOrdered, parseOrdered, parseValue } from './value.ts';
import { namesOf, orderedWords, type ValueType, valueWords } from './value-type.ts';

/** Fields whose words (of some also numbers) say by themselves which field is meant, most telling first. */
const BARE_FIELDS = ['host', 'network', 'tunnel', 'proto'] as const satisfies readonly FilterField[];

/** Words that say a field by themselves; `none` could be of several, and a number of any. */
const BARE_WORD = /^(?!none$)[a-z]/i;

/** Reads a condition. @throws FilterError */
export function parseCondition(reader: TokenReader): Filter {
  const { token } = reader;
  if (token.kind !== 'word' || isJoiner(token.text)) throw unexpected(reader, CONDITION, 'a condition');
  reader.next();
  if (token.text.toLowerCase() === 'any') return { kind: 'any' };
  const field = fieldNamed(token.text);
  const refusal = field && reader.refusal(field);
  if (refusal !== undefined) throw new FilterError(reader.text, token, refusal);
  if (field !== undefined) return parseComparison(reader, field);
  return bareCondition(token) ?? refuse(reader, token);
}

function parseComparison(reader: TokenReader, field: FilterField): Filter {
  const { token } = reader;
  const order = reader.is(...ORDER_OPERATORS) ? (reader.next().text as OrderOperator) : undefined;
  if (order !== undefined) {
    if (!isOrdered(field))
      throw new FilterError(reader.text, token, `"${field}" has no order; use =, != or in`, {
        expected: [{ kind: 'operator', field }],
      });
    return { kind: 'compare', field, operator: order, number: parseOne(reader, field, ORDERED) };
  }
  const isNegated = reader.skip('!=') || isNotIn(reader);
  if (!isNegated && !reader.skip('=', '==', 'in') && !isOperand(token))
    throw unexpected(
      reader,
      [
        { kind: 'operator', field },
        { kind: 'value', field },
      ],
      'an operator or a value',
    );
  const is: Filter = { kind: 'is', field, values: parseOperand(reader, field) };
  return isNegated ? { kind: 'not', filter: is } : is;
}

function isNotIn(reader: TokenReader): boolean {
  if (!reader.is('not') || reader.following.text.toLowerCase() !== 'in') return false;
  reader.next();
  reader.next();
  return true;
}

function isOperand({ kind, text }: Token): boolean {
  return kind === 'quoted' || (kind === 'word' && !isJoiner(text)) || text === '[' || text === '(';
}

/** Reads one value, or a list of them in brackets. @throws FilterError */
export function parseOperand(reader: TokenReader, field: FilterField): FilterValue[] {
  const closing = reader.is('[') ? ']' : reader.is('(') ? ')' : undefined;
  if (closing === undefined) return [parseOne(reader, field, VALUE)];
  reader.next();
  const values = [parseOne(reader, field, VALUE)];
  while (reader.skip(',')) values.push(parseOne(reader, field, VALUE));
  if (!reader.skip(closing)) {
    const words = [',', closing];
    throw unexpected(reader, [{ kind: 'words', words }], `"," or "${closing}"`);
  }
  return values;
}

/** A kind of operand: how it is read, and what it is called where it is none. */
interface Operand<Value> {
  readonly kind: 'value' | 'number';
  readonly parse: (field: FilterField, text: string) => Value | undefined;
  readonly words: (type: ValueType) => string;
  readonly names: (type: ValueType) => Iterable<string>;
}

const VALUE: Operand<FilterValue> = {
  kind: 'value',
  parse: parseValue,
  words: valueWords,
  names: (type) => namesOf(type)?.keys() ?? [],
};
const ORDERED: Operand<number> = {
  kind: 'number',
  parse: parseOrdered,
  words: orderedWords,
  names: () => [],
};

function parseOne<Value>(reader: TokenReader, field: FilterField, operand: Operand<Value>): Value {
  const { token } = reader;
  const expected: Expectation[] = [{ kind: operand.kind, field }];
  if (token.kind !== 'quoted' && (token.kind !== 'word' || isJoiner(token.text)))
    throw unexpected(reader, expected, `a value of "${field}"`);
  const value = operand.parse(field, token.text);
  if (value === undefined) {
    const { type } = fieldDefinition(field);
    throw new FilterError(reader.text, token, `${quoted(token.text)} is not ${operand.words(type)}`, {
      expected,
      suggestion: nearest(token.text, operand.names(type)),
    });
  }
  reader.next();
  return value;
}

/** A condition without a field: an address means `host`, a word the first of {@link BARE_FIELDS} that knows it. */
function bareCondition({ text }: Token): Filter | undefined {
  for (const field of BARE_FIELDS) {
    const value = field === 'host' || BARE_WORD.test(text) ? parseValue(field, text) : undefined;
    if (value !== undefined) return { kind: 'is', field, values: [value] };
  }
  return undefined;
}

/** Says what could be meant by a word that is neither a field nor a bare value. */
function refuse(reader: TokenReader, token: Token): never {
  const fail = (problem: string, suggestion: string | undefined): never => {
    throw new FilterError(reader.text, token, problem, { expected: CONDITION, suggestion });
  };
  if (parseValue('port', token.text) !== undefined) fail(`a number alone says nothing`, `port ${token.text}`);
  const fields = FILTER_FIELD_NAMES.flatMap((field) => [field, ...fieldDefinition(field).aliases]);
  const hasOperator = reader.is('=', '==', '!=', 'in', ...ORDER_OPERATORS);
  const suggestion = nearest(token.text, hasOperator ? fields : [...fields, ...bareWords()]);
  return fail(
    `${hasOperator ? 'unknown field' : 'no field, address or protocol:'} ${quoted(token.text)}`,
    suggestion,
  );
}

/** The words that are conditions by themselves. */
export function bareWords(): string[] {
  const words = BARE_FIELDS.flatMap((field) => {
    const { type } = fieldDefinition(field);
    return [...(namesOf(type)?.keys() ?? [])];
  });
  return [...new Set(words)].filter((word) => BARE_WORD.test(word));
}

/** What could have stood at the beginning of a condition. */
const CONDITION: readonly Expectation[] = [{ kind: 'condition' }];

/** An error that says what was wanted here, and what stands here instead. */
export function unexpected(
  { text, token }: TokenReader,
  expected: readonly Expectation[],
  wanted: string,
): FilterError {
  const found = token.kind === 'end' ? 'the end' : quoted(token.text);
  return new FilterError(text, token, `expected ${wanted}, found ${found}`, { expected });
}
