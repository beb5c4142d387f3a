/** Filters as fast tests of records. */
import type { FlowColumns, ObservationPoint } from '../../flow/index.ts';
import { addressTest } from './address-test.ts';
import type { Filter, FilterValue, OrderOperator } from './ast.ts';
import type { FilterField } from './fields.ts';
import { type Interval, intervalTest } from './interval.ts';
import { matchesPattern } from './pattern.ts';
import { FIELD_READERS, type FieldReader, type ReadNumber } from './read.ts';
import { codesOfName } from './value.ts';
import { type Views, viewsOf } from './views.ts';

/** Whether record `row` of these columns fits. */
export type RecordTest = (columns: FlowColumns, row: number) => boolean;

/** The same of columns whose words are at hand. */
type ViewTest = (views: Views, row: number) => boolean;

/**
 * Makes a test of a filter. It allocates nothing per record, only some views when it is given other columns than before:
 * one batch after the other is what it is made for.
 *
 * @param points names of the interfaces of the records
 */
export function compileFilter(filter: Filter, points: readonly ObservationPoint[]): RecordTest {
  const test = compile(filter, points);
  let views: Views | undefined;
  return (columns, row) => {
    if (views?.columns !== columns) views = viewsOf(columns);
    return test(views, row);
  };
}

function compile(filter: Filter, points: readonly ObservationPoint[]): ViewTest {
  switch (filter.kind) {
    case 'any':
      return () => true;
    case 'not': {
      const test = compile(filter.filter, points);
      return (v, row) => !test(v, row);
    }
    case 'and':
      return filter.filters
        .map((each) => compile(each, points))
        .reduceRight((rest, first) => (v, row) => first(v, row) && rest(v, row));
    case 'or':
      return filter.filters
        .map((each) => compile(each, points))
        .reduceRight((rest, first) => (v, row) => first(v, row) || rest(v, row));
    case 'compare':
      return numberTest(filter.field, orderTest(filter.operator, filter.number));
    case 'is':
      return compileIs(filter.field, filter.values, points);
  }
}

function compileIs(
  field: FilterField,
  values: readonly FilterValue[],
  points: readonly ObservationPoint[],
): ViewTest {
  const reader: FieldReader = FIELD_READERS[field];
  if (reader.kind === 'addresses') {
    const networks = values.filter((value) => value.kind === 'network');
    const tests = reader.views.map((view) => addressTest(view, networks));
    const { has } = reader;
    const [first, second = first] = tests;
    return (v, row) => has(v, row) !== 0 && (first!(v, row) || second!(v, row));
  }
  const intervals = values.flatMap((value) => intervalsOf(field, value, points));
  if (reader.kind === 'numbers') return numberTest(field, intervalTest(intervals));
  const mask = intervals.reduce((bits, [bit]) => bits | bit, 0);
  const { read } = reader;
  return (v, row) => (read(v, row) & mask) !== 0;
}

/** Of a field with several values one must fit. */
function numberTest(field: FilterField, fits: (number: number) => boolean): ViewTest {
  const reader: FieldReader = FIELD_READERS[field];
  if (reader.kind !== 'numbers') throw new RangeError(`"${field}" is no number`);
  return reader.read
    .map(
      (read: ReadNumber): ViewTest =>
        (v, row) =>
          fits(read(v, row)),
    )
    .reduceRight((rest, first) => (v, row) => first(v, row) || rest(v, row));
}

/** Codes below 0 are no numbers. */
function orderTest(operator: OrderOperator, bound: number): (number: number) => boolean {
  switch (operator) {
    case '<':
      return (number) => number >= 0 && number < bound;
    case '<=':
      return (number) => number >= 0 && number <= bound;
    case '>':
      return (number) => number > bound;
    case '>=':
      return (number) => number >= bound;
  }
}

function intervalsOf(
  field: FilterField,
  value: FilterValue,
  points: readonly ObservationPoint[],
): Interval[] {
  switch (value.kind) {
    case 'number':
      return [[value.number, value.number]];
    case 'range':
      return [[value.from, value.to]];
    case 'mac': {
      const address = Number.parseInt(value.mac.replaceAll(':', ''), 16);
      return [[address, address]];
    }
    case 'pattern':
      return points
        .filter(({ interfaceName }) => matchesPattern(interfaceName, value.pattern))
        .map(({ ifindex }) => [ifindex, ifindex]);
    case 'name':
      return codesOfName(field, value.name).map((code) => [code, code]);
    case 'network':
      throw new RangeError(`"${field}" is no address`);
  }
}
