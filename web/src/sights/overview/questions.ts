/** What the overview asks. */
import {
  type Dimension,
  type HistoryQuestionText,
  MAX_ROWS,
  type ResultTable,
} from '../../../../src/query/index.ts';
import type { QuestionTime } from '../../moment.ts';
import { filterOfSegment, joinFilters } from '../../past-questions.ts';
import type { Place } from '../../question.ts';

/** Lines of a list. */
export const LINES = 8;

/** What stands for the address of frames that have none. */
export const NO_ADDRESS = 'no address';

/** Who a line is of. */
const TALKER: Dimension[] = ['src', 'segment', 'outer.src'];

/** The questions of an overview; undefined where nobody could answer. */
export interface OverviewQuestions {
  readonly series: HistoryQuestionText | undefined;
  readonly segments: HistoryQuestionText | undefined;
  readonly talkers: HistoryQuestionText | undefined;
  readonly changes: HistoryQuestionText | undefined;
  /** How much of the span before was metered. */
  readonly before: HistoryQuestionText | undefined;
}

const NONE: OverviewQuestions = {
  series: undefined,
  segments: undefined,
  talkers: undefined,
  changes: undefined,
  before: undefined,
};

/** Asks about a span, and what changed against the one before it. */
export function overviewQuestions(
  { question }: Pick<Place, 'question'>,
  time: QuestionTime | undefined,
): OverviewQuestions {
  if (!time || 'window' in time) return NONE;
  const filter = joinFilters(question.filter, filterOfSegment(question.segment));
  const common = { ...time, ...(filter !== undefined && { filter }) };
  const before = { fromMs: Math.max(0, 2 * time.fromMs - time.toMs), toMs: time.fromMs };
  return {
    series: { ask: 'series', by: ['segment'], ...common },
    segments: { ask: 'top', by: ['segment'], limit: MAX_ROWS, ...common },
    talkers: { ask: 'top', by: TALKER, limit: LINES, ...common },
    changes: {
      ask: 'compare',
      by: TALKER,
      limit: LINES,
      before,
      ...common,
    },
    before: { ask: 'top', by: ['segment'], limit: 1, ...before },
  };
}

/** Who sent how much. */
export interface Talker {
  readonly address: string;
  readonly segment: string;
  /** Where its tunnel begins; null where it is its own. */
  readonly host: string | null;
  readonly octets: number;
  /** In the span before; of a comparison. */
  readonly before: number | undefined;
}

/** Reads the answers to who talks and what changed. */
export function readTalkers({ columns, rows }: Pick<ResultTable, 'columns' | 'rows'>): Talker[] {
  const at = (name: string): number => columns.findIndex((column) => column.name === name);
  const [src, segment, host, octets, before] = ['src', 'segment', 'outer.src', 'octets', 'before.octets'].map(
    at,
  ) as [number, number, number, number, number];
  return rows.map((row) => ({
    address: row[src] === null ? NO_ADDRESS : String(row[src]),
    segment: String(row[segment]),
    host: row[host] === null ? null : String(row[host]),
    octets: Number(row[octets]),
    before: before < 0 ? undefined : Number(row[before]),
  }));
}

/** Octets inside tunnels and outside of them, from the sums of segments. */
export function insideAndOutside({ columns, rows, total }: Pick<ResultTable, 'columns' | 'rows' | 'total'>): {
  readonly inside: number;
  readonly outside: number;
  readonly segments: number;
} {
  const octets = columns.findIndex(({ name }) => name === 'octets');
  const plain = rows.find(([segment]) => segment === 'none');
  const outside = plain ? Number(plain[octets]) : 0;
  return { inside: total.octets - outside, outside, segments: rows.length - (plain ? 1 : 0) };
}
