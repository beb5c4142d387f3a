/** What could be typed next in the filter of the page, with values that are in sight. */
import {
  type Completion,
  completeFilter,
  type FilterField,
  isViewField,
  type KnownValues,
  type StreamedView,
  type Suggestion,
} from '../../src/query/index.ts';

/** Values of one field that are suggested. */
const MOST_VALUES = 20;

/**
 * Completes the word at the cursor, as far as a live view takes it.
 *
 * @param view whose values are known, if there is one
 * @param seen values that were seen lately; they come behind those in sight
 */
export function suggest(
  text: string,
  cursor: number,
  view: StreamedView | undefined,
  seen: KnownValues = {},
): Completion {
  const completion = completeFilter(text, cursor, bothOf(view ? valuesIn(view) : {}, seen));
  const typed = text.slice(completion.from, completion.to).toLowerCase();
  const suggestions = completion.suggestions.filter(
    ({ kind, text: word }) =>
      (kind !== 'field' || isViewField(word as FilterField)) && word.toLowerCase() !== typed,
  );
  // An "=" may be left out: values in sight are nearer than operators.
  const isOperator = ({ kind }: Suggestion): boolean => kind === 'operator';
  return {
    ...completion,
    suggestions: [...suggestions.filter((each) => !isOperator(each)), ...suggestions.filter(isOperator)],
  };
}

/** The text with a suggestion in its place, and where the cursor stands then: behind it, ready for the next word. */
export function taken(
  text: string,
  { from, to }: Completion,
  suggestion: Suggestion,
): { readonly text: string; readonly cursor: number } {
  const rest = text.slice(to);
  const before = `${text.slice(0, from)}${suggestion.text}${rest === '' ? ' ' : ''}`;
  return { text: before + rest, cursor: before.length + (rest.startsWith(' ') ? 1 : 0) };
}

function bothOf(first: KnownValues, second: KnownValues): KnownValues {
  const fields = Object.keys({ ...first, ...second }) as FilterField[];
  return Object.fromEntries(
    fields.map((field) => [field, [...new Set([...(first[field] ?? []), ...(second[field] ?? [])])]]),
  );
}

/** What a view shows, by the fields that it is a value of; what carries most comes first, as in the view. */
function valuesIn({ level, segments, nodes, flows }: StreamedView): KnownValues {
  const most = (values: readonly (string | number | null)[]): string[] =>
    [...new Set(values.filter((value) => value !== null).map(String))].slice(0, MOST_VALUES);
  const ends = most(nodes.map(({ address }) => address));
  const inner = level === 'hosts' ? [] : ends;
  const outer = level === 'hosts' ? ends : [];
  const ids = most(segments.toSorted((a, b) => b.octetRate - a.octetRate).map(({ tunnelId }) => tunnelId));
  const from = most([...inner, ...flows.map(({ source }) => source)]);
  const to = most([...inner, ...flows.map(({ destination }) => destination)]);
  const sourcePorts = most(flows.map(({ sourcePort }) => sourcePort));
  const destinationPorts = most(flows.map(({ destinationPort }) => destinationPort));
  return {
    src: from,
    dst: to,
    host: most([...from, ...to]),
    'outer.src': outer,
    'outer.dst': outer,
    'outer.host': outer,
    vni: ids,
    sport: sourcePorts,
    dport: destinationPorts,
    port: most([...destinationPorts, ...sourcePorts]),
  };
}
