/** Which question tells the values seen lately that could stand in a filter. */
import { filterExpectations, wordBefore } from '../filter/complete.ts';
import type { FilterField } from '../filter/fields.ts';
import { DIMENSIONS, type Dimension } from '../history.ts';
import { WHERE } from './complete.ts';

/** Fields of several values, by the dimension that has most of them. */
const OF_SEVERAL: Readonly<Partial<Record<FilterField, Dimension>>> = {
  host: 'src',
  port: 'dport',
  'outer.host': 'outer.src',
};

/** A field whose values could stand at the cursor, and the dimension that has them. */
export interface WantedValues {
  readonly field: FilterField;
  readonly dimension: Dimension;
}

/** What could stand at the cursor of a filter, if values that were seen are among it. */
export function wantedValues(text: string, cursor: number): WantedValues | undefined {
  const before = text.slice(0, cursor);
  const expected = filterExpectations(before.slice(0, before.length - wordBefore(before).length));
  for (const each of expected) {
    if (each.kind !== 'value' && each.kind !== 'number') continue;
    const dimension = dimensionOf(each.field);
    if (dimension !== undefined) return { field: each.field, dimension };
  }
  return undefined;
}

/** The same at the end of a question. */
export function wantedOfQuestion(text: string): WantedValues | undefined {
  const where = WHERE.exec(text);
  if (!where) return undefined;
  const filter = text.slice(where.index + where[0].length);
  return wantedValues(filter, filter.length);
}

function dimensionOf(field: FilterField): Dimension | undefined {
  const of = (name: string): Dimension | undefined =>
    OF_SEVERAL[name as FilterField] ?? DIMENSIONS.find((each) => each === name);
  return of(field) ?? of(field.replace(/^inner\./, ''));
}
