/** The words of questions, each with its meaning: what the parser knows, completion proposes and docs/query.md lists. */
import type { Expectation, Suggestion } from '../filter/error.ts';
import { fieldNamed } from '../filter/fields.ts';
import { DIMENSIONS, type Dimension, type HistoryQuantity } from '../history.ts';
import type { Question } from '../live.ts';
import type { ViewQuestion } from '../view.ts';
import { SPAN_CLAUSES } from './span.ts';

/** A kind of question. */
export type Ask = Question['ask'];

/** What can be asked. */
export const ASKS: Readonly<Record<Ask, string>> = {
  top: 'the largest, and all others together: top 20 src, dst',
  series: 'over time, a line for each of the largest: series segment',
  matrix: 'who to whom: matrix outer.src, outer.dst',
  distinct: 'the values that were there: distinct vni',
  flows: 'single flows with all that is known of them',
  tunnels: 'tunnels with what they carry and what that costs: tunnels last 1h where vni 5001',
  compare: 'two spans beside each other: compare src with previous',
};

/** The words that questions begin with. */
export const ASK_WORDS: readonly string[] = Object.keys(ASKS);

/** What is summed, and said by `by`. */
export const QUANTITY_WORDS: Readonly<Record<HistoryQuantity, string>> = {
  octets: 'octets on the wire (this is usual)',
  packets: 'packets on the wire',
  payload: 'octets behind the innermost transport header',
  flows: 'uniflows, each once',
};

/** Clauses behind what is asked, but for those of time. */
export const CLAUSES = {
  live: 'now, of a running agent: the last 5 s; live 1m, live all',
  by: 'what is summed: by packets',
  step: 'length of a step: step 5m',
  with: 'what it is compared with: with previous',
  points: 'count each packet once, or at every observation point',
  where: 'which flows: where vni 5001 and not port 22',
} as const;
/** A clause that is said once at most; `span` is any of those of time. */
export type Clause = keyof typeof CLAUSES | 'span';

/** The window of a live question, as `live` says it. */
export const WINDOW_WORDS: Readonly<Record<ViewQuestion['window'], string>> = {
  '5s': 'the last 5 s',
  '1m': 'the last minute',
  all: "since the agent's start",
};

/** The window of `live` alone: of a series as much as is kept. */
export function usualWindow(ask: Ask): ViewQuestion['window'] {
  return ask === 'series' ? 'all' : '5s';
}

/** How often packets count, as `points` says it. */
export const POINTS_WORDS = {
  once: 'each packet once, however many points saw it',
  every: 'at each point that saw it',
} as const;

/** What flows are told apart by. */
export const DIMENSION_MEANINGS: Readonly<Record<Dimension, string>> = {
  src: 'source address of the innermost flow',
  dst: 'destination address of the innermost flow',
  sport: 'source port of the innermost flow',
  dport: 'destination port of the innermost flow',
  proto: 'IP protocol of the innermost flow, or arp',
  network: 'network layer of the innermost flow',
  segment: 'outermost tunnel with its VNI, e.g. vxlan:5001: what the page has a colour for',
  tunnel: 'kind of the outermost tunnel',
  vni: 'identifier of the outermost tunnel: VNI, key, TEID, label, …',
  'outer.src': 'source address of the packet that carries the tunnel',
  'outer.dst': 'destination address of that packet',
  vlan: 'VLAN of the outermost frame',
  'inner.vlan': 'VLAN of the innermost frame',
  ethertype: 'ethertype of the innermost frame',
  'icmp.type': 'type of ICMP or ICMPv6',
  'icmp.code': 'code of ICMP or ICMPv6',
  dscp: 'DSCP of the innermost IP header',
  mark: 'protocol that names an encrypted or routed flow',
  cast: 'unicast, multicast or broadcast',
  iface: 'interface where it was seen',
  direction: 'ingress or egress, there',
  agent: 'which run of the meter saw it',
};

/** Every dimension, to be proposed. */
export const DIMENSION_SUGGESTIONS: readonly Suggestion[] = DIMENSIONS.map((text) => ({
  kind: 'dimension',
  text,
  meaning: DIMENSION_MEANINGS[text],
}));

/** Words with their meanings as what could be typed. */
export function suggestionsOf(
  words: Readonly<Record<string, string>>,
  kind: Suggestion['kind'],
): readonly Suggestion[] {
  return Object.entries(words).map(([text, meaning]) => ({ kind, text, meaning }));
}

/** The words that clauses begin with, but for those that are said already. */
export function clauseSuggestions(possible: ReadonlySet<Clause>): readonly Suggestion[] {
  const clauses = suggestionsOf(CLAUSES, 'clause').filter(({ text }) => possible.has(text as Clause));
  const spans = possible.has('span') ? suggestionsOf(SPAN_CLAUSES, 'clause') : [];
  return [...spans, ...clauses];
}

/** How many dimensions stand behind what is asked: none, at most one, two, or as many as the schema takes. */
export const DIMENSIONS_OF: Readonly<Record<Ask, { readonly least: number; readonly most: number }>> = {
  top: { least: 1, most: Number.POSITIVE_INFINITY },
  series: { least: 0, most: Number.POSITIVE_INFINITY },
  matrix: { least: 0, most: 2 },
  distinct: { least: 1, most: 1 },
  flows: { least: 0, most: 0 },
  tunnels: { least: 0, most: 0 },
  compare: { least: 1, most: Number.POSITIVE_INFINITY },
};

/** Clauses of some questions only. */
export const CLAUSE_OF: Readonly<Partial<Record<Clause, Ask>>> = { step: 'series', with: 'compare' };

/** Clauses that are of the past only. */
export const OF_THE_PAST: readonly Clause[] = ['span', 'step', 'with', 'points'];

/** A dimension could stand here. */
export const DIMENSION: Expectation = { kind: 'suggestions', suggestions: DIMENSION_SUGGESTIONS };

/** The words that clauses begin with. */
export const CLAUSE_WORDS: readonly string[] = [...Object.keys(SPAN_CLAUSES), ...Object.keys(CLAUSES)];

/** Whether a clause begins with this word. */
export function isClauseWord(word: string): boolean {
  return CLAUSE_WORDS.includes(word.toLowerCase());
}

/** The dimension that a word names, by its name or an alias that the filter language has for it. */
export function dimensionNamed(word: string): Dimension | undefined {
  const name = fieldNamed(word) ?? word.toLowerCase();
  return DIMENSIONS.find((each) => each === name);
}

/** `a, b or c`. */
export function oneOf(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')}${words.length > 1 ? ' or ' : ''}${words.at(-1)}`;
}

/** All words with their meanings, as docs/query.md lists them. */
export const QUESTION_WORDS: Readonly<
  Record<'asks' | 'clauses' | 'quantities' | 'dimensions', Readonly<Record<string, string>>>
> = {
  asks: ASKS,
  clauses: { ...SPAN_CLAUSES, ...CLAUSES },
  quantities: QUANTITY_WORDS,
  dimensions: DIMENSION_MEANINGS,
};
