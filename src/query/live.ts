/** What can be asked of the present, and of either: the asks of the past, over a window of the live view. */
import { z } from 'zod';
import {
  DIMENSIONS,
  type Dimension,
  type HistoryQuestion,
  HistoryQuestionSchema,
  MAX_ROWS,
  QUANTITIES,
  type ResultTable,
  TUNNEL_QUANTITIES,
} from './history.ts';
import { ViewFilterSchema, WINDOWS } from './view.ts';

/** Why the live view cannot tell flows apart by these: what can is a history. */
const OF_THE_PAST: Readonly<Partial<Record<Dimension, string>>> = {
  dscp: 'is of the first packet of a period',
  iface: 'is of one observation point, and the live view joins them',
  direction: 'is of one observation point, and the live view joins them',
  agent: 'is one here',
};

/** What the live view tells flows apart by. */
export type LiveDimension = Exclude<Dimension, 'dscp' | 'iface' | 'direction' | 'agent'>;
/** All of them. */
export const LIVE_DIMENSIONS: readonly LiveDimension[] = DIMENSIONS.filter(
  (each): each is LiveDimension => OF_THE_PAST[each] === undefined,
);

/** What is summed in a live series. */
export const LIVE_SERIES_QUANTITIES = ['octets', 'packets'] as const;

const dimension = z.enum(LIVE_DIMENSIONS, {
  error: ({ input }) => {
    const reason = OF_THE_PAST[input as Dimension];
    return reason && `"${input}" ${reason}; ask the past where a history is kept, as in last 5m`;
  },
});
const limit = (usual: number) => z.number().int().min(1).max(MAX_ROWS).default(usual);
const common = {
  /** The last 5 s, the last minute, or since the agent's start. */
  window: z.enum(WINDOWS),
  /** In the filter language, as of a view; absent: all. */
  filter: ViewFilterSchema.optional(),
  quantity: z.enum(QUANTITIES).default('octets'),
};

/** A question about now, answered from the newest epoch. Each packet counts once. */
export const LiveQuestionSchema = z.discriminatedUnion(
  'ask',
  [
    /** The largest groups, and all others together. */
    z.strictObject({
      ask: z.literal('top'),
      ...common,
      by: z.array(dimension).min(1).max(6),
      limit: limit(20),
    }),
    /** Who to whom: `by` two dimensions; the chord. */
    z.strictObject({
      ask: z.literal('matrix'),
      ...common,
      by: z.tuple([dimension, dimension]).default(['outer.src', 'outer.dst']),
      limit: limit(5000),
    }),
    /** The values of a dimension that are there, most first. */
    z.strictObject({ ask: z.literal('distinct'), ...common, of: dimension, limit: limit(100) }),
    /** Single uniflows with all that is known of them; times, flags, lengths and MACs since they were first seen. */
    z.strictObject({ ask: z.literal('flows'), ...common, limit: limit(100) }),
    /** Per epoch of the window, of the last 300 at most: altogether, or for the largest segments or kinds of tunnels. */
    z.strictObject({
      ask: z.literal('series'),
      window: common.window,
      quantity: z
        .enum(LIVE_SERIES_QUANTITIES, { error: 'a live series is of octets or packets' })
        .default('octets'),
      by: z
        .array(
          z.enum(['segment', 'tunnel'], { error: 'a live series is by segment or tunnel, or by nothing' }),
        )
        .max(1)
        .default([]),
      /** Most groups; the rest is one more, "other". */
      limit: z.number().int().min(1).max(50).default(10),
    }),
    /** Tunnels, each one way: what they carry, what that costs, and how it spreads over outer source ports. */
    z.strictObject({
      ask: z.literal('tunnels'),
      ...common,
      quantity: z.enum(TUNNEL_QUANTITIES).default('octets'),
      limit: limit(100),
    }),
  ],
  {
    error: ({ input }) =>
      (input as { readonly ask?: unknown } | null)?.ask === 'compare'
        ? 'compares two spans of the past: it takes fromMs, toMs and before'
        : undefined,
  },
);
/** A question about now. */
export type LiveQuestion = z.output<typeof LiveQuestionSchema>;
/** As it is written, defaults left out. */
export type LiveQuestionText = z.input<typeof LiveQuestionSchema>;

/** A question about the past, or about now: that has a `window`. */
export const QuestionSchema = z.union([HistoryQuestionSchema, LiveQuestionSchema]);
/** A question of either kind. */
export type Question = HistoryQuestion | LiveQuestion;

/** Whether a question is about now. */
export function isLive(question: Question): question is LiveQuestion {
  return 'window' in question;
}

/** Answers questions about now. */
export interface LiveQuery {
  /** Answers from the newest epoch. The table is shared by all who ask the same within an epoch: do not change it. */
  table(question: LiveQuestion): ResultTable;
}
