/** Filters of the past: what is asked of stored rows, which are of a period each. */
import type { Filter } from './ast.ts';
import { FilterError } from './error.ts';
import { type FilterField, fieldDefinition } from './fields.ts';
import { parseFilter } from './parse.ts';
import { MAX_VIEW_FILTER } from './uniflow.ts';

/** Reads a filter of a question about the past. @throws FilterError, also at a field that grows with the period that is stored */
export function parseHistoryFilter(text: string): Filter {
  if (text.length > MAX_VIEW_FILTER)
    throw new FilterError(
      text,
      { from: MAX_VIEW_FILTER, to: MAX_VIEW_FILTER },
      `longer than ${MAX_VIEW_FILTER} characters`,
    );
  return parseFilter(text, historyRefusal);
}

/** Why a field cannot be asked of what is stored, if it cannot. */
export function historyRefusal(field: FilterField): string | undefined {
  return fieldDefinition(field).isOfPeriod
    ? `"${field}" grows with time, and what is stored is of periods of several lengths`
    : undefined;
}
