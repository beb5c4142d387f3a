/** What is asked of the history to draw a chord of it: the same levels as the live view has. */
import { hasTunnelId, isTunnelName } from '../../src/flow/index.ts';
import { type HistoryQuestionText, MAX_ROWS, type ViewQuestion } from '../../src/query/index.ts';

/** A span of the past. Unix epoch, milliseconds. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Most flows listed of a pair, as in the live view. */
const MAX_FLOWS = 500;

/** All that must be known of one level. What is absent is not asked there. */
export interface PastQuestions {
  /** Octets by segment, of everything: the list of segments. */
  readonly segments: HistoryQuestionText;
  /** The same of what the level shows: its total. */
  readonly total: HistoryQuestionText;
  /** Who to whom by segment: between ends of tunnels. */
  readonly carried: HistoryQuestionText | undefined;
  /** The same between who speaks: plain traffic, or clients. */
  readonly spoken: HistoryQuestionText;
  readonly flows: HistoryQuestionText | undefined;
  /** Who sent most. */
  readonly senders: HistoryQuestionText;
  /** The total without the reader's filter, where there is one. */
  readonly unfiltered: HistoryQuestionText | undefined;
}

/** The questions of a place. */
export function pastQuestions(question: ViewQuestion, span: Span): PastQuestions {
  const filter = joinFilters(question.filter, filterOfSegment(question.segment), filterOfPlace(question));
  const about = (...more: (string | undefined)[]): Span & { readonly filter?: string } => {
    const joined = joinFilters(filter, ...more);
    return { ...span, ...(joined !== undefined && { filter: joined }) };
  };
  const isOfHosts = question.pair === undefined ? question.host === undefined : !question.pair.includes('/');
  return {
    segments: { ask: 'top', by: ['segment'], limit: MAX_ROWS, ...span },
    total: { ask: 'top', by: ['segment'], limit: MAX_ROWS, ...about() },
    carried: isOfHosts
      ? { ask: 'top', by: ['segment', 'outer.src', 'outer.dst'], limit: MAX_ROWS, ...about(CARRIED) }
      : undefined,
    spoken: {
      ask: 'top',
      by: ['segment', 'src', 'dst'],
      limit: MAX_ROWS,
      ...about(isOfHosts ? NOT_CARRIED : undefined),
    },
    flows: question.pair === undefined ? undefined : { ask: 'flows', limit: MAX_FLOWS, ...about() },
    senders: { ask: 'top', by: ['segment', 'src'], limit: LARGEST, ...about() },
    unfiltered:
      question.filter === undefined ? undefined : pastQuestions(withoutFilter(question), span).total,
  };
}

/** What is asked of the one that sent most: to whom, and from behind which end of a tunnel. */
export interface LeaderQuestions {
  readonly peers: HistoryQuestionText;
  readonly hosts: HistoryQuestionText;
}

/** The questions about a sender at a place. */
export function leaderQuestions(
  question: ViewQuestion,
  span: Span,
  sender: { readonly segment: string; readonly address: string },
): LeaderQuestions {
  const filter = joinFilters(
    question.filter,
    filterOfPlace(question),
    filterOfSegment(sender.segment),
    sender.address === NO_ADDRESS ? 'network = none' : `src = ${sender.address}`,
  );
  const common = { limit: LARGEST, ...span, ...(filter !== undefined && { filter }) };
  return {
    peers: { ask: 'top', by: ['segment', 'dst'], ...common },
    hosts: { ask: 'top', by: ['segment', 'outer.src'], ...common },
  };
}

/** Groups asked for where the largest is meant: a filter for a segment also lets through those that have it inside. */
const LARGEST = 20;

function withoutFilter({ filter: _, ...question }: ViewQuestion): ViewQuestion {
  return question;
}

/** In tunnels that a network layer carries, so that their ends have addresses. */
const CARRIED = 'outer.network != none';
const NOT_CARRIED = 'outer.network = none';

/** Traffic of a segment; of nested tunnels also what has it inside, which its rows tell apart. */
export function filterOfSegment(segment: string): string | undefined {
  if (segment === 'all') return undefined;
  if (segment === 'none') return 'tunnel = none';
  const [kind = '', id] = segment.split(':');
  const hasId = isTunnelName(kind) && hasTunnelId(kind);
  return hasId ? `tunnel = ${kind} and vni = ${id}` : `tunnel = ${kind}`;
}

/** Joins filters by `and`; undefined where there is none. */
export function joinFilters(...filters: readonly (string | undefined)[]): string | undefined {
  const parts = filters.filter((each) => each !== undefined && each !== '');
  if (parts.length <= 1) return parts[0];
  return parts.map((part) => `(${part})`).join(' and ');
}

/** What crosses the chosen host, and lies between the chosen pair. */
function filterOfPlace({ host, pair }: ViewQuestion): string | undefined {
  const ofHost = (address: string): string =>
    address === NO_ADDRESS
      ? `${NOT_CARRIED} and network = none`
      : `outer.host = ${address} or (${NOT_CARRIED} and host = ${address})`;
  return joinFilters(
    host === undefined ? undefined : ofHost(host),
    pair === undefined ? undefined : filterOfPair(pair),
  );
}

function filterOfPair(pair: string): string {
  const [left = '', right = ''] = pair.split('~');
  if (!left.includes('/')) {
    const carried = bothWays('outer.src', 'outer.dst', [left, right]);
    return `${carried} or (${NOT_CARRIED} and (${bothWays('src', 'dst', [left, right])}))`;
  }
  const [segment, a] = splitClient(left);
  const [, b] = splitClient(right);
  return joinFilters(filterOfSegment(segment), bothWays('src', 'dst', [a, b])) ?? 'any';
}

function bothWays(from: string, to: string, [a, b]: readonly [string, string]): string {
  if (a === NO_ADDRESS || b === NO_ADDRESS) return 'network = none';
  return `(${from} = ${a} and ${to} = ${b}) or (${from} = ${b} and ${to} = ${a})`;
}

/** Who speaks in frames without addresses; a history does not tell them apart. */
export const NO_ADDRESS = '(no address)';

/** `vxlan:10001/192.168.0.1` → the segment and the address. */
export function splitClient(id: string): readonly [segment: string, address: string] {
  const slash = id.indexOf('/');
  return [id.slice(0, slash), id.slice(slash + 1)];
}
