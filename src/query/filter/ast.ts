/** A filter as plain data: what every part of the program that selects flows is given. */
import type { FilterField } from './fields.ts';

/** What a field is compared with. Which kinds a field takes says its {@link ValueType}. */
export type FilterValue =
  | { readonly kind: 'number'; readonly number: number }
  /** Both ends included. */
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  /** A word of the field's table, as that table writes it. */
  | { readonly kind: 'name'; readonly name: string }
  /** The first address of a network and the bits it fixes: 32 (128 for IPv6) for a single address. */
  | { readonly kind: 'network'; readonly address: string; readonly prefix: number }
  | { readonly kind: 'mac'; readonly mac: string }
  /** An interface's name, or a glob with `*` and `?`. */
  | { readonly kind: 'pattern'; readonly pattern: string };

/** How numbers are compared by their order. */
export const ORDER_OPERATORS = ['<', '<=', '>', '>='] as const;
export type OrderOperator = (typeof ORDER_OPERATORS)[number];

/**
 * A condition on one flow record.
 *
 * A field that a flow lacks (the port of an ICMP packet) is no value and has no order: `is` and `compare` are false, and
 * `not` of them is true.
 */
export type Filter =
  /** Every flow. */
  | { readonly kind: 'any' }
  /** One of the values of the field (a flow has two ports) is one of these. */
  | { readonly kind: 'is'; readonly field: FilterField; readonly values: readonly FilterValue[] }
  | {
      readonly kind: 'compare';
      readonly field: FilterField;
      readonly operator: OrderOperator;
      readonly number: number;
    }
  | { readonly kind: 'not'; readonly filter: Filter }
  | { readonly kind: 'and' | 'or'; readonly filters: readonly Filter[] };

/** All of them; every flow when there is none. An `and` in an `and` is opened: order is all that is kept. */
export function allOf(filters: readonly Filter[]): Filter {
  return join('and', filters);
}

/** At least one of them; every flow when there is none, as for an empty list of rules. */
export function anyOf(filters: readonly Filter[]): Filter {
  return join('or', filters);
}

function join(kind: 'and' | 'or', filters: readonly Filter[]): Filter {
  const flat = filters.flatMap((filter) => (filter.kind === kind ? filter.filters : [filter]));
  if (flat.length === 0) return { kind: 'any' };
  return flat.length === 1 ? flat[0]! : { kind, filters: flat };
}

/** The fields a filter speaks of. */
export function fieldsOf(filter: Filter): Set<FilterField> {
  switch (filter.kind) {
    case 'any':
      return new Set();
    case 'not':
      return fieldsOf(filter.filter);
    case 'and':
    case 'or':
      return new Set(filter.filters.flatMap((each) => [...fieldsOf(each)]));
    case 'is':
    case 'compare':
      return new Set([filter.field]);
  }
}
