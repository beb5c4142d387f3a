/** Rules as people hand them over: one after the other, or as a file of one a line. */
import type { Filter } from './ast.ts';
import { conjunctionsOf, TooManyConjunctions } from './conjunctions.ts';
import { FilterError } from './error.ts';
import { parseRuleText } from './rule.ts';

/** Which of several rules is none, and why. */
export class RuleError extends Error {
  readonly code = 'RULE_INVALID';
  /** Two lines that point at the mistake, where it has a place. */
  readonly caret: string | undefined;

  constructor(place: string, cause: FilterError | TooManyConjunctions) {
    super(`${place}: ${cause.message}`, { cause });
    this.name = 'RuleError';
    this.caret = cause instanceof FilterError ? cause.caret() : undefined;
  }
}

/** Reads a rule that stands at `place`, of which the error speaks. @throws RuleError */
export function readRule(text: string, place: string): Filter {
  try {
    const filter = parseRuleText(text);
    conjunctionsOf(filter, []);
    return filter;
  } catch (cause) {
    if (cause instanceof FilterError || cause instanceof TooManyConjunctions)
      throw new RuleError(place, cause);
    throw cause;
  }
}

/** Reads a file of rules: one a line, `#` begins a comment where a word could begin. @throws RuleError with the line */
export function readRules(text: string, file: string): Filter[] {
  return text.split(/\r?\n/).flatMap((line, i) => {
    const rule = line.replace(/(^|\s)#.*/, '').trimEnd();
    return rule.trim() === '' ? [] : [readRule(rule, `${file}:${i + 1}`)];
  });
}
