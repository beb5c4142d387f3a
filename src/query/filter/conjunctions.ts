/** Filters as a disjunction of conjunctions: what a packet must have, one of these lists of conditions whole. */
import { type Filter, fieldsOf } from './ast.ts';
import {
  type Conjunction,
  type DecisionField,
  decisionOf,
  isDecidable,
  mostOf,
  type NamedInterface,
} from './decision.ts';
import type { FilterField } from './fields.ts';
import { complement, intersection, isEmpty, isFull, textOf, union, type ValueSet } from './value-set.ts';

/** One filter may become at most so many conjunctions. */
export const MOST_OF_ONE = 4096;

/** A filter that comes to more conjunctions than {@link MOST_OF_ONE}. */
export class TooManyConjunctions extends Error {
  constructor() {
    super(`it comes to more than ${MOST_OF_ONE} combinations of conditions`);
    this.name = 'TooManyConjunctions';
  }
}

/** The first field of a filter by which no decision about a packet can be made: it says more than the flow's key. */
export function undecidableField(filter: Filter): FilterField | undefined {
  for (const field of fieldsOf(filter)) if (!isDecidable(field)) return field;
  return undefined;
}

/**
 * The conjunctions of which one must hold for the filter to hold; none: it never does.
 *
 * @throws TooManyConjunctions
 * @throws RangeError for a field that is {@link undecidableField}
 */
export function conjunctionsOf(filter: Filter, interfaces: readonly NamedInterface[]): Conjunction[] {
  return either(filter, interfaces, false);
}

function either(filter: Filter, interfaces: readonly NamedInterface[], isNegated: boolean): Conjunction[] {
  switch (filter.kind) {
    case 'any':
      return isNegated ? [] : [new Map()];
    case 'not':
      return either(filter.filter, interfaces, !isNegated);
    case 'and':
    case 'or': {
      const parts = filter.filters.map((each) => either(each, interfaces, isNegated));
      return (filter.kind === 'or') === isNegated ? parts.reduce(both, [new Map()]) : bounded(parts.flat());
    }
    case 'is':
    case 'compare': {
      const conjunctions = decisionOf(filter.field, filter, interfaces);
      if (!conjunctions) throw new RangeError(`no decision about a packet can be made by "${filter.field}"`);
      return isNegated
        ? conjunctions.map(negation).reduce(both, [new Map()])
        : conjunctions.flatMap(simplified);
    }
  }
}

/** One of its conditions does not hold. */
function negation(conjunction: Conjunction): Conjunction[] {
  return [...conjunction].flatMap(([field, set]) =>
    simplified(new Map([[field, complement(set, mostOf(field))]])),
  );
}

/** One of either holds. */
function both(some: readonly Conjunction[], others: readonly Conjunction[]): Conjunction[] {
  const joined: Conjunction[] = [];
  for (const a of some)
    for (const b of others) {
      joined.push(...simplified(merged(a, b)));
      bounded(joined);
    }
  return joined;
}

function merged(a: Conjunction, b: Conjunction): Conjunction {
  if (a.size === 0) return b;
  const all = new Map<DecisionField, ValueSet>(a);
  for (const [field, set] of b) {
    const other = all.get(field);
    all.set(field, other ? intersection(other, set) : set);
  }
  return all;
}

/** Without conditions that always hold; nothing where one never does. */
function simplified(conjunction: Conjunction): Conjunction[] {
  const sets = [...conjunction];
  if (sets.some(([, set]) => isEmpty(set))) return [];
  const isIdle = ([field, set]: [DecisionField, ValueSet]): boolean => isFull(set, mostOf(field));
  return sets.some(isIdle) ? [new Map(sets.filter((each) => !isIdle(each)))] : [conjunction];
}

function bounded(conjunctions: Conjunction[]): Conjunction[] {
  if (conjunctions.length > MOST_OF_ONE) throw new TooManyConjunctions();
  return conjunctions;
}

/**
 * The same in fewer conjunctions: those that differ in one field only become one, as a list of addresses does. A single
 * empty one when everything fits.
 */
export function merge(conjunctions: readonly Conjunction[], fields: readonly DecisionField[]): Conjunction[] {
  if (conjunctions.some(({ size }) => size === 0)) return [new Map()];
  const numbers = new Map<string, number>();
  const known = new WeakMap<ValueSet, number>();
  const numberOf = (set: ValueSet | undefined): number => {
    if (!set) return 0;
    let number = known.get(set);
    if (number === undefined) {
      const text = textOf(set);
      number = numbers.get(text) ?? numbers.size + 1;
      numbers.set(text, number);
      known.set(set, number);
    }
    return number;
  };
  let all: Numbered[] = conjunctions.map((each) => ({
    each,
    sets: fields.map((field) => numberOf(each.get(field))),
  }));
  for (const [place, field] of fields.entries()) {
    const groups = alikeBut(all, place);
    if (groups.length === all.length) continue;
    all = groups.map((group) => {
      if (group.length === 1) return group[0]!;
      const each = united(
        group.map((member) => member.each),
        field,
      );
      return { each, sets: group[0]!.sets.with(place, numberOf(each.get(field))) };
    });
    if (all.some(({ each }) => each.size === 0)) return [new Map()];
  }
  return all.map(({ each }) => each);
}

/** A conjunction and a number for each field's set, the same for equal ones; 0: it does not use the field. */
interface Numbered {
  readonly each: Conjunction;
  readonly sets: readonly number[];
}

/** Those that are alike in all fields but one, which they all use or all do not. */
function alikeBut(all: readonly Numbered[], place: number): Numbered[][] {
  const groups: Numbered[][] = [];
  const byHash = new Map<number, Numbered[][]>();
  for (const each of all) {
    const { sets } = each;
    let hash = sets[place] === 0 ? 0 : 1;
    for (let i = 0; i < sets.length; i++)
      if (i !== place) hash = (Math.imul(hash, 0x0100_0193) ^ sets[i]!) | 0;
    const near = byHash.get(hash) ?? [];
    const group = near.find(([first]) =>
      first!.sets.every((set, i) => (i === place ? (set === 0) === (sets[i] === 0) : set === sets[i])),
    );
    if (group) {
      group.push(each);
      continue;
    }
    const fresh = [each];
    groups.push(fresh);
    near.push(fresh);
    byHash.set(hash, near);
  }
  return groups;
}

function united(group: readonly Conjunction[], field: DecisionField): Conjunction {
  const [first] = group;
  if (!first!.has(field)) return first!;
  const all = new Map(first!).set(field, union(group.map((each) => each.get(field)!)));
  return simplified(all)[0]!;
}
