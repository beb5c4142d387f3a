/** A filter as text, in the one form that equal filters share. */
import type { Filter, FilterValue } from './ast.ts';
import { type FilterField, fieldDefinition } from './fields.ts';
import { formatNumber, formatValue } from './value.ts';

/** Writes a filter; `parseFilter` reads the same filter from it. */
export function printFilter(filter: Filter): string {
  switch (filter.kind) {
    case 'any':
      return 'any';
    case 'is':
      return isText(filter.field, filter.values, '=', 'in');
    case 'compare': {
      const { field, operator, number } = filter;
      return `${field} ${operator} ${formatNumber(fieldDefinition(field).type, number)}`;
    }
    case 'not': {
      const inside = filter.filter;
      if (inside.kind === 'is') return isText(inside.field, inside.values, '!=', 'not in');
      return `not ${isJoined(inside) ? `(${printFilter(inside)})` : printFilter(inside)}`;
    }
    case 'and':
      return filter.filters
        .map((each) => (isJoined(each) ? `(${printFilter(each)})` : printFilter(each)))
        .join(' and ');
    case 'or':
      return filter.filters
        .map((each) => (each.kind === 'or' ? `(${printFilter(each)})` : printFilter(each)))
        .join(' or ');
  }
}

function isJoined({ kind }: Filter): boolean {
  return kind === 'and' || kind === 'or';
}

function isText(field: FilterField, values: readonly FilterValue[], one: string, several: string): string {
  const texts = values.map((value) => formatValue(field, value));
  return texts.length === 1 ? `${field} ${one} ${texts[0]}` : `${field} ${several} [${texts.join(', ')}]`;
}
