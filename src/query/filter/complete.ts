/** What could be typed next in a filter. */
import { ORDER_OPERATORS } from './ast.ts';
import { bareWords } from './condition.ts';
import { type Expectation, FilterError, type Suggestion } from './error.ts';
import { FILTER_FIELD_NAMES, type FilterField, fieldDefinition } from './fields.ts';
import { parseFilter } from './parse.ts';
import type { FieldRefusal } from './token.ts';
import { isOrdered, parseOrdered, parseValue } from './value.ts';
import { namesOf } from './value-type.ts';

/** What fits at a place, and what of the text it replaces. */
export interface Completion {
  readonly from: number;
  readonly to: number;
  readonly suggestions: readonly Suggestion[];
}

/** Values seen lately, by field; those that are no value of the field are left out. */
export type KnownValues = Readonly<Partial<Record<FilterField, readonly string[]>>>;

/** What a word at the cursor is made of: as of the filter's tokens, without quotes. */
const WORD_BEFORE = /[^\s()[\],=!<>&|"]*$/;
const WORD_BEHIND = /^[^\s()[\],=!<>&|"]*/;

/**
 * Completes the word that the cursor stands in or behind, or says what could begin there. What stands before it decides;
 * after a mistake there is nothing to suggest.
 *
 * @param cursor in UTF-16 units from 0
 */
export function completeFilter(text: string, cursor: number, known: KnownValues = {}): Completion {
  return complete(text, cursor, { known, expectedAfter: (before) => filterExpectations(before) });
}

/** The word that a text ends in, maybe empty. */
export function wordBefore(text: string): string {
  return WORD_BEFORE.exec(text)![0];
}

/** How a text is completed. */
interface Completing {
  readonly known: KnownValues;
  /** What could have followed a text; nothing where that has a mistake. */
  readonly expectedAfter: (text: string) => readonly Expectation[];
  /** Fields that cannot stand in it. */
  readonly refusal?: FieldRefusal;
}

/** Completes a word in any language that is made of a filter's tokens, as {@link completeFilter} does. */
export function complete(
  text: string,
  cursor: number,
  { known, expectedAfter, refusal }: Completing,
): Completion {
  const before = text.slice(0, cursor);
  const typed = wordBefore(before).toLowerCase();
  const from = before.length - typed.length;
  const to = cursor + WORD_BEHIND.exec(text.slice(cursor))![0].length;
  const suggestions = expectedAfter(text.slice(0, from)).flatMap((each) => suggestionsOf(each, known));
  const seen = new Set<string>();
  return {
    from,
    to,
    suggestions: suggestions.filter(({ kind, text }) => {
      const isRefused = kind === 'field' && refusal?.(text as FilterField) !== undefined;
      const isNew = !isRefused && text.toLowerCase().startsWith(typed) && !seen.has(text);
      if (isNew) seen.add(text);
      return isNew;
    }),
  };
}

/** What the parser would have taken instead of the end. */
export function filterExpectations(text: string, refusal?: FieldRefusal): readonly Expectation[] {
  if (text.trim() === '') return [{ kind: 'condition' }];
  try {
    parseFilter(text, refusal);
    return [{ kind: 'words', words: ['and', 'or'] }];
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return error.span.from === text.length ? error.expected : [];
  }
}

function suggestionsOf(expected: Expectation, known: KnownValues): Suggestion[] {
  switch (expected.kind) {
    case 'condition':
      return [
        ...FILTER_FIELD_NAMES.map(
          (field): Suggestion => ({
            kind: 'field',
            text: field,
            meaning: fieldDefinition(field).meaning,
          }),
        ),
        ...bareWords().map((text): Suggestion => ({ kind: 'value', text, meaning: '' })),
        { kind: 'joiner', text: 'not', meaning: '' },
        { kind: 'joiner', text: 'any', meaning: 'every flow' },
      ];
    case 'operator': {
      const operators = ['=', '!=', 'in', ...(isOrdered(expected.field) ? ORDER_OPERATORS : [])];
      return operators.map((text) => ({ kind: 'operator', text, meaning: '' }));
    }
    case 'value':
      return valuesOf(expected.field, known).map((text) => ({ kind: 'value', text, meaning: '' }));
    case 'number':
      return (known[expected.field] ?? [])
        .filter((text) => parseOrdered(expected.field, text) !== undefined)
        .map((text) => ({ kind: 'value', text, meaning: '' }));
    case 'words':
      return expected.words.map((text) => ({ kind: 'joiner', text, meaning: '' }));
    case 'suggestions':
      return [...expected.suggestions];
  }
}

function valuesOf(field: FilterField, known: KnownValues): string[] {
  const { type } = fieldDefinition(field);
  const names = [...(namesOf(type)?.keys() ?? [])];
  return [...(known[field] ?? []).filter((text) => parseValue(field, text) !== undefined), ...names];
}
