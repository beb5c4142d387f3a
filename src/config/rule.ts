/** Rules: which flows are metered, in either of two forms. */
import { type Filter, FilterError, parseFilter, parseRule } from '../query/index.ts';

/** A rule that was understood. */
export interface Rule {
  /** As it was written. */
  readonly text: string;
  readonly filter: Filter;
}

/** A text that is a rule in neither form. */
export class RuleError extends Error {
  /** Where in the text the fault is, from 1. */
  readonly column: number;

  constructor(fault: FilterError) {
    super(fault.message.replace(/^column \d+: /, ''), { cause: fault });
    this.name = 'RuleError';
    this.column = fault.column;
  }
}

/**
 * Reads `IP_SRC IP_DST PORT_SRC PORT_DST PROTOCOL`, or a filter. No text is both: five fields are five operands in a row.
 *
 * @throws RuleError of the form in which more of it could be read
 */
export function readRule(text: string): Rule {
  const asRule = attempt(() => parseRule(text));
  if (!(asRule instanceof FilterError)) return { text, filter: asRule };
  const asFilter = attempt(() => parseFilter(text));
  if (!(asFilter instanceof FilterError)) return { text, filter: asFilter };
  throw new RuleError(asFilter.span.from > asRule.span.from ? asFilter : asRule);
}

function attempt(read: () => Filter): Filter | FilterError {
  try {
    return read();
  } catch (error) {
    if (error instanceof FilterError) return error;
    throw error;
  }
}
