/** Filters of uniflows: only what makes a flow the flow it is can be asked of totals over points and periods. */
import { FIELDS } from '../../flow/index.ts';
import type { Filter } from './ast.ts';
import { FilterError } from './error.ts';
import { type FilterField, fieldDefinition } from './fields.ts';
import { parseFilter } from './parse.ts';

/** Longest filter of a view, in UTF-16 units: it stands in an address. */
export const MAX_VIEW_FILTER = 2000;

/** Most conditions of it: anybody who may look can ask, and each is asked of every uniflow. A list is one condition. */
const MAX_CONDITIONS = 32;

/**
 * Reads a filter of a live view, whose flows are joined over observation points and epochs.
 *
 * @throws FilterError, also at a field that is not part of a uniflow's identity
 */
export function parseViewFilter(text: string): Filter {
  if (text.length > MAX_VIEW_FILTER)
    throw new FilterError(
      text,
      { from: MAX_VIEW_FILTER, to: MAX_VIEW_FILTER },
      `longer than ${MAX_VIEW_FILTER} characters`,
    );
  const filter = parseFilter(text, viewRefusal);
  if (conditionsOf(filter) > MAX_CONDITIONS)
    throw new FilterError(
      text,
      { from: 0, to: text.length },
      `more than ${MAX_CONDITIONS} conditions; join values in a list, as in port in [80, 443]`,
    );
  return filter;
}

/** Whether a live view can be asked for this field. */
export function isViewField(field: FilterField): boolean {
  return viewRefusal(field) === undefined;
}

function conditionsOf(filter: Filter): number {
  if (filter.kind === 'not') return conditionsOf(filter.filter);
  if (filter.kind !== 'and' && filter.kind !== 'or') return 1;
  return filter.filters.reduce((sum, each) => sum + conditionsOf(each), 0);
}

/** Why a field cannot be asked of a uniflow, if it cannot. */
export function viewRefusal(field: FilterField): string | undefined {
  const { columns, isOfPeriod } = fieldDefinition(field);
  if (isOfPeriod) return `"${field}" is of one period, and a view joins many`;
  if (columns.includes('ifindex') || columns.includes('direction'))
    return `"${field}" is of one observation point, and a view joins them`;
  if (columns.some((column) => !FIELDS[column].key))
    return `"${field}" is of the first packet of a period, not of the flow a view shows`;
  return undefined;
}
