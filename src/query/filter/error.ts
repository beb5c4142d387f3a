/** What is wrong with a filter, and where. */
import type { FilterField } from './fields.ts';

/** What could have stood at a place. */
export type Expectation =
  /** The beginning of a condition: a field, a bare value, `not` or `(`. */
  | { readonly kind: 'condition' }
  | { readonly kind: 'operator'; readonly field: FilterField }
  | { readonly kind: 'value'; readonly field: FilterField }
  /** What has an order: no words. */
  | { readonly kind: 'number'; readonly field: FilterField }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'suggestions'; readonly suggestions: readonly Suggestion[] };

/** A word that fits. */
export interface Suggestion {
  readonly kind: 'field' | 'value' | 'operator' | 'joiner' | 'clause' | 'dimension';
  readonly text: string;
  /** In a few words; empty where the word says it all. */
  readonly meaning: string;
}

/** Where something stands in a text, in UTF-16 units from 0; `to` is just behind. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** More than this around the fault is not shown. */
const SHOWN = 60;

/** A text that is no filter. */
export class FilterError extends Error {
  readonly code = 'FILTER_INVALID';
  /** All of the text. */
  readonly text: string;
  readonly span: Span;
  /** What could have stood at the beginning of the span; empty where that is not the point. */
  readonly expected: readonly Expectation[];
  /** The nearest word that would have been right. */
  readonly suggestion: string | undefined;

  constructor(
    text: string,
    span: Span,
    problem: string,
    more: { readonly expected?: readonly Expectation[]; readonly suggestion?: string | undefined } = {},
  ) {
    const hint = more.suggestion === undefined ? '' : `; did you mean "${more.suggestion}"?`;
    super(`column ${span.from + 1}: ${problem}${hint}`);
    this.name = 'FilterError';
    this.text = text;
    this.span = span;
    this.expected = more.expected ?? [];
    this.suggestion = more.suggestion;
  }

  /** From 1. */
  get column(): number {
    return this.span.from + 1;
  }

  /** Two lines for a terminal: the text around the fault, and carets under it. */
  caret(): string {
    const from = Math.max(0, this.span.from - SHOWN);
    const shown = visible(this.text.slice(from, this.span.to + SHOWN));
    const before = ' '.repeat(this.span.from - from);
    const width = Math.min(Math.max(1, this.span.to - this.span.from), shown.length - before.length + 1);
    return `  ${shown}\n  ${before}${'^'.repeat(Math.max(1, width))}`;
  }
}

/** A word of the user's in an error: what a terminal would act on is left out, and it is not endless. */
export function quoted(word: string): string {
  const characters = [...visible(word)];
  return `"${characters.length > SHOWN ? `${characters.slice(0, SHOWN).join('')}…` : characters.join('')}"`;
}

/** One character for one: whatever is no printable ASCII or letter is a middle dot, so that carets stay in their place. */
function visible(text: string): string {
  return text.replace(/\s/g, ' ').replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, (found) => '·'.repeat(found.length));
}
