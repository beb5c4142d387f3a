/** Rules of five fields, the older and shorter form: the same filters, written in columns. */
import { allOf, anyOf, type Filter } from './ast.ts';
import { parseOperand, unexpected } from './condition.ts';
import { isDecidable } from './decision.ts';
import { FilterError } from './error.ts';
import type { FilterField } from './fields.ts';
import { parseFilter } from './parse.ts';
import { isJoiner, TokenReader } from './token.ts';

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

/**
 * Reads a rule in either form: of five fields, told by its shape, or a filter by which a packet can be decided about.
 *
 * @throws FilterError
 */
export function parseRuleText(text: string): Filter {
  return hasFiveFields(text) ? parseRule(text) : parseFilter(text, refuseUndecidable);
}

/** A lone `-` is no word of the filter language, nor can a list begin a filter; else it is five values and nothing else. */
function hasFiveFields(text: string): boolean {
  const reader = new TokenReader(text);
  let values = 0;
  for (let isFirst = true; !reader.isAtEnd; isFirst = false) {
    reader.skip('!');
    if (reader.is('-') || (isFirst && reader.is('['))) return true;
    if (reader.skip('[')) while (!reader.isAtEnd && !reader.skip(']')) reader.next();
    else if (reader.token.kind === 'sign' || isJoiner(reader.token.text)) return false;
    else reader.next();
    values++;
  }
  return values === RULE_FIELDS.length;
}

function refuseUndecidable(field: FilterField): string | undefined {
  return isDecidable(field)
    ? undefined
    : `"${field}" is not what a flow is known by: no packet can be decided about by it`;
}

/** A set of rules: a flow that fits any of them; without rules every flow. @throws FilterError of the first that is none */
export function parseRules(texts: readonly string[]): Filter {
  return anyOf(texts.map(parseRule));
}
