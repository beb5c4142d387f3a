/** The filter of a question as text. */
import type { Filter } from '../filter/ast.ts';
import { printFilter } from '../filter/print.ts';
import { MAX_VIEW_FILTER } from '../filter/uniflow.ts';

/**
 * A filter in the form that equal ones share, unless only the way it was written is short enough for a question.
 *
 * @returns undefined where every flow is meant
 */
export function filterText(written: string, filter: Filter): string | undefined {
  if (filter.kind === 'any') return undefined;
  const canonical = printFilter(filter);
  return canonical.length <= MAX_VIEW_FILTER ? canonical : written;
}
