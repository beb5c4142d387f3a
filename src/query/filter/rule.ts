/** Rules of five fields, the older and shorter form: the same filters, written in columns. */
import { allOf, anyOf, type Filter } from './ast.ts';
import { parseOperand, unexpected } from './condition.ts';
import { FilterError } from './error.ts';
import type { FilterField } from './fields.ts';
import { TokenReader } from './token.ts';

/** Fields of a rule, in their order, with the names that people know them by. */
const RULE_FIELDS = [
  ['IP_SRC', 'src'],
  ['IP_DST', 'dst'],
  ['PORT_SRC', 'sport'],
  ['PORT_DST', 'dport'],
  ['PROTOCOL', 'proto'],
] as const satisfies readonly (readonly [string, FilterField])[];

/**
 * Reads `IP_SRC IP_DST PORT_SRC PORT_DST PROTOCOL`: each `-` for any, a value as the filter language has it, or a list
 * `[a, b]`; `!` before either negates it. All five must hold.
 *
 * @throws FilterError
 */
export function parseRule(text: string): Filter {
  const reader = new TokenReader(text);
  const conditions: Filter[] = [];
  for (const [name, field] of RULE_FIELDS) {
    if (reader.isAtEnd) throw unexpected(reader, [{ kind: 'value', field }], `${name} or -`);
    if (reader.skip('-')) continue;
    const isNegated = reader.skip('!');
    const is: Filter = { kind: 'is', field, values: parseOperand(reader, field) };
    conditions.push(isNegated ? { kind: 'not', filter: is } : is);
  }
  if (!reader.isAtEnd)
    throw new FilterError(
      text,
      reader.token,
      `a rule has five fields: ${RULE_FIELDS.map(([name]) => name).join(' ')}`,
    );
  return allOf(conditions);
}

/** A set of rules: a flow that fits any of them; without rules every flow. @throws FilterError of the first that is none */
export function parseRules(texts: readonly string[]): Filter {
  return anyOf(texts.map(parseRule));
}
