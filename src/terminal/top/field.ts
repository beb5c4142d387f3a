/** Typing a filter: a line with a cursor, suggestions, and what is wrong with it once it is entered. */

import type { FilterField } from '../../query/index.ts';
import { type Completion, completeFilter, isViewField, type KnownValues } from '../../query/index.ts';
import type { TerminalInput } from './keys.ts';
import { type Field, readFilter } from './state.ts';

/** Suggestions in sight. */
export const MOST_SUGGESTIONS = 6;
/** A filter of a live view is no longer. */
const LONGEST = 2000;

/** What came of a key: typing goes on, or the filter is entered, or left as it was. */
export type Typed =
  | { readonly kind: 'typing'; readonly field: Field }
  | { readonly kind: 'entered'; readonly filter: string }
  | { readonly kind: 'left' };

/** The field as it opens. */
export function openField(filter: string): Field {
  return { text: filter, cursor: filter.length, suggestion: -1, isClosed: false, problem: undefined };
}

/** What could stand at the cursor, values in sight before operators. */
export function suggestionsOf({ text, cursor, isClosed }: Field, known: KnownValues): Completion {
  const completion = completeFilter(text, cursor, known);
  if (isClosed) return { ...completion, suggestions: [] };
  const typed = text.slice(completion.from, completion.to).toLowerCase();
  const fitting = completion.suggestions.filter(
    ({ kind, text: word }) =>
      (kind !== 'field' || isViewField(word as FilterField)) && word.toLowerCase() !== typed,
  );
  const [operators, others] = [true, false].map((isOperator) =>
    fitting.filter(({ kind }) => (kind === 'operator') === isOperator),
  ) as [typeof fitting, typeof fitting];
  return { ...completion, suggestions: [...others, ...operators].slice(0, MOST_SUGGESTIONS) };
}

/** Takes a key, or what was pasted. */
export function type(field: Field, input: TerminalInput, known: KnownValues): Typed {
  if (input.kind === 'pasted') return typing(insert(field, input.text.replace(/\s+/g, ' ')));
  if (input.kind !== 'key') return typing(field);
  const completion = suggestionsOf(field, known);
  const count = completion.suggestions.length;
  switch (input.key) {
    case 'escape':
      return { kind: 'left' };
    case 'ctrl-c':
      return { kind: 'left' };
    case 'enter':
      return field.suggestion >= 0 && count > 0 ? typing(accept(field, completion)) : enter(field);
    case 'tab':
      return typing(count > 0 ? accept(field, completion) : field);
    case 'up':
    case 'ctrl-p':
      return typing({ ...field, suggestion: Math.max(-1, field.suggestion - 1) });
    case 'down':
    case 'ctrl-n':
      return typing({ ...field, suggestion: Math.min(count - 1, field.suggestion + 1) });
    default:
      return typing(edit(field, input.key));
  }
}

function typing(field: Field): Typed {
  return { kind: 'typing', field };
}

function enter(field: Field): Typed {
  const read = readFilter(field.text);
  if ('filter' in read) return { kind: 'entered', filter: read.filter };
  return typing({ ...field, problem: read.problem, isClosed: true });
}

/** The chosen suggestion, or the first, in its place; the cursor stands behind it, ready for the next word. */
function accept(field: Field, { from, to, suggestions }: Completion): Field {
  const taken = suggestions[Math.max(0, field.suggestion)];
  if (!taken) return field;
  const rest = field.text.slice(to);
  const before = `${field.text.slice(0, from)}${taken.text}${rest === '' ? ' ' : ''}`;
  if (before.length + rest.length > LONGEST) return field;
  return changed(field, before + rest, before.length + (rest.startsWith(' ') ? 1 : 0));
}

function edit(field: Field, key: string): Field {
  const { text, cursor } = field;
  switch (key) {
    case 'left':
    case 'ctrl-b':
      return moved(field, cursor - stepBefore(text, cursor));
    case 'right':
    case 'ctrl-f':
      return moved(field, cursor + stepBehind(text, cursor));
    case 'home':
    case 'ctrl-a':
      return moved(field, 0);
    case 'end':
    case 'ctrl-e':
      return moved(field, text.length);
    case 'backspace':
      return removed(field, cursor - stepBefore(text, cursor), cursor);
    case 'delete':
    case 'ctrl-d':
      return removed(field, cursor, cursor + stepBehind(text, cursor));
    case 'ctrl-u':
      return removed(field, 0, cursor);
    case 'ctrl-k':
      return removed(field, cursor, text.length);
    case 'ctrl-w':
      return removed(field, /\S*\s*$/.exec(text.slice(0, cursor))!.index, cursor);
    default:
      return [...key].length === 1 ? insert(field, key) : field;
  }
}

function insert(field: Field, more: string): Field {
  const fits = more.slice(0, LONGEST - field.text.length);
  const text = field.text.slice(0, field.cursor) + fits + field.text.slice(field.cursor);
  return changed(field, text, field.cursor + fits.length);
}

function removed(field: Field, from: number, to: number): Field {
  if (from === to) return field;
  return changed(field, field.text.slice(0, from) + field.text.slice(to), from);
}

function moved(field: Field, cursor: number): Field {
  return {
    ...field,
    cursor: Math.max(0, Math.min(field.text.length, cursor)),
    suggestion: -1,
    isClosed: false,
  };
}

function changed(field: Field, text: string, cursor: number): Field {
  return { ...field, text, cursor, suggestion: -1, isClosed: false, problem: undefined };
}

/** UTF-16 units of the character before a place, and behind it. */
function stepBefore(text: string, at: number): number {
  return at >= 2 && text.codePointAt(at - 2)! > 0xffff ? 2 : Math.min(1, at);
}

function stepBehind(text: string, at: number): number {
  const code = text.codePointAt(at);
  return code === undefined ? 0 : code > 0xffff ? 2 : 1;
}
