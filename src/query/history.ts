/**
 * What can be asked of the past, and the answer: one table. A store answers; commands, the API and the page ask.
 *
 * Octets and packets count the wire. A packet that crosses several observation points of a host counts once, as in the live
 * view, unless the question is about points.
 */
import { z } from 'zod';
import { FilterError } from './filter/error.ts';
import { parseHistoryFilter } from './filter/history.ts';
import type { FilterFault } from './view.ts';

/** What flows can be told apart by, each one value of a flow; names as in the filter language where it has them. */
export const DIMENSIONS = [
  'src',
  'dst',
  'sport',
  'dport',
  'proto',
  'network',
  'segment',
  'tunnel',
  'vni',
  'outer.src',
  'outer.dst',
  'vlan',
  'inner.vlan',
  'ethertype',
  'icmp.type',
  'icmp.code',
  'dscp',
  'mark',
  'cast',
  'iface',
  'direction',
  'agent',
] as const;
/** A way to tell flows apart. */
export type Dimension = (typeof DIMENSIONS)[number];

/** What is summed. `flows` are uniflows, each counted once however often it was seen. */
export const QUANTITIES = ['octets', 'packets', 'payload', 'flows'] as const;
export type HistoryQuantity = (typeof QUANTITIES)[number];
/** What tunnels are sorted by. */
export const TUNNEL_QUANTITIES = ['octets', 'packets', 'flows'] as const satisfies readonly HistoryQuantity[];

/** What all but the largest groups of a series are called. */
export const OTHER = 'other';

/** Most rows of an answer. */
export const MAX_ROWS = 10_000;
/** Most rows of an answer with single flows: some 30 MB as JSON. */
export const MAX_FLOWS = 100_000;
/** Most steps of a time series. */
export const MAX_STEPS = 2_000;

const FilterSchema = z.string().superRefine((text, refinement) => {
  try {
    parseHistoryFilter(text);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    const params: FilterFault = { ...error.span, caret: error.caret() };
    refinement.addIssue({ code: 'custom', message: error.message, params: { ...params } });
  }
});

const time = () => z.number().int().min(0).max(8.64e15);
const span = { fromMs: time(), toMs: time() };
const common = {
  /** From this moment on to before that, Unix epoch, milliseconds. Widened to the bounds of what is stored; see `covered`. */
  ...span,
  /** In the filter language; absent: all. */
  filter: FilterSchema.optional(),
  quantity: z.enum(QUANTITIES).default('octets'),
  /** `once`: each packet once; `every`: at each observation point. Default: `every` where iface or direction is named. */
  points: z.enum(['once', 'every']).optional(),
};
const dimension = z.enum(DIMENSIONS);
const limit = (usual: number, most: number = MAX_ROWS) => z.number().int().min(1).max(most).default(usual);

/** A question about the past. */
export const HistoryQuestionSchema = z
  .discriminatedUnion('ask', [
    /** The largest groups, and all others together. */
    z.strictObject({
      ask: z.literal('top'),
      ...common,
      by: z.array(dimension).min(1).max(6),
      limit: limit(20),
    }),
    /** Per step of time, altogether or for the largest groups. */
    z.strictObject({
      ask: z.literal('series'),
      ...common,
      by: z.array(dimension).max(3).default([]),
      /** Length of a step; default: what gives some 200 of them, a multiple of what is stored. */
      stepMs: z.number().int().min(1000).optional(),
      /** Most groups; the rest is one more, "other". */
      limit: z.number().int().min(1).max(50).default(10),
    }),
    /** Who to whom: `by` two dimensions; the chord. */
    z.strictObject({
      ask: z.literal('matrix'),
      ...common,
      by: z.tuple([dimension, dimension]).default(['outer.src', 'outer.dst']),
      limit: limit(5000),
    }),
    /** The values of a dimension that were there, most first. */
    z.strictObject({ ask: z.literal('distinct'), ...common, of: dimension, limit: limit(100) }),
    /** Single uniflows with all that is known of them: first and last packet, flags, lengths, MACs. */
    z.strictObject({ ask: z.literal('flows'), ...common, limit: limit(100, MAX_FLOWS) }),
    /** Tunnels, each one way: what they carry, what that costs, and how it spreads over outer source ports. */
    z.strictObject({
      ask: z.literal('tunnels'),
      ...common,
      quantity: z.enum(TUNNEL_QUANTITIES).default('octets'),
      limit: limit(100),
    }),
    /** Two spans beside each other: what grew most comes first. */
    z.strictObject({
      ask: z.literal('compare'),
      ...common,
      by: z.array(dimension).min(1).max(6),
      before: z.strictObject(span),
      limit: limit(20),
    }),
  ])
  .superRefine((question, refinement) => {
    const spans = question.ask === 'compare' ? [question, question.before] : [question];
    for (const { fromMs, toMs } of spans)
      if (fromMs >= toMs)
        refinement.addIssue({ code: 'custom', path: ['toMs'], message: 'is not after fromMs' });
  });
export type HistoryQuestion = z.output<typeof HistoryQuestionSchema>;
/** As it is written, defaults left out. */
export type HistoryQuestionText = z.input<typeof HistoryQuestionSchema>;

/** A time of the past: from a moment on to before another, Unix epoch, milliseconds. */
export const HistorySpanSchema = z
  .strictObject(span)
  .refine(({ fromMs, toMs }) => fromMs < toMs, { path: ['toMs'], message: 'is not after fromMs' });
export type HistorySpan = z.output<typeof HistorySpanSchema>;

/** Which rows are meant: those of a span that fit a filter. */
export const HistorySelectionSchema = z.strictObject({
  ...span,
  filter: common.filter,
  points: common.points,
});
export type HistorySelection = z.output<typeof HistorySelectionSchema>;

/** How values of a column are to be read. */
export const COLUMN_KINDS = [
  'text',
  'address',
  'mac',
  'number',
  'octets',
  'packets',
  'flows',
  'share',
  'bits',
  'time',
  'duration',
] as const;

/** How much detail a store gives. Coarser ones reach further back. Of an answer about now it is `live`. */
export const LEVELS = ['raw', 'minute', 'hour'] as const;
export type HistoryLevel = (typeof LEVELS)[number];

/** The answer: a table, and what it stands on. */
export const ResultTableSchema = z.object({
  columns: z.array(z.object({ name: z.string(), kind: z.enum(COLUMN_KINDS) })),
  /** Times are Unix epoch, milliseconds; durations milliseconds; what a flow has not is null. */
  rows: z.array(z.array(z.union([z.string(), z.number(), z.null()]))),
  /** Of everything that fits, listed or not. */
  total: z.object({ octets: z.number(), packets: z.number() }),
  /** Whether there were more rows than the limit. */
  isCut: z.boolean(),
  /** How many rows there would be without a limit; of a series nobody counts them. */
  count: z.number().optional(),
  /** What the answer is of: the span asked for, widened to the bounds of what is stored, cut to what there is. */
  covered: z.object({ fromMs: z.number(), toMs: z.number(), level: z.enum([...LEVELS, 'live']) }),
  /** Spans within it of which nothing is stored: nobody metered. */
  gaps: z.array(z.object(span)),
  /** Octets and packets in it that are in no flow: the ledger, and what the spool had to drop. */
  ledger: z.array(z.object({ reason: z.string(), octets: z.number(), packets: z.number() })),
  /** Of a series: what of the ledger is in each step, in order of time; in a step without lines all is in flows. */
  ledgerSteps: z
    .array(z.object({ fromMs: time(), reason: z.string(), octets: z.number(), packets: z.number() }))
    .optional(),
  /** Of a series: the length of a step, of which each row's time is the beginning. */
  stepMs: z.number().optional(),
  tookMs: z.number(),
});
export type ResultTable = z.output<typeof ResultTableSchema>;

/** Answers questions about the past. */
export interface FlowQuery {
  /**
   * @param signal ends the work when nobody waits for the answer any more
   * @throws an error with `code` and `remedy` when it takes too long or cannot be answered
   */
  answer(question: HistoryQuestion, options: { readonly signal: AbortSignal }): Promise<ResultTable>;
}

/** The answer to a SELECT of a user's own. */
export const SqlTableSchema = z.object({
  /** Types in the words of the store. */
  columns: z.array(z.object({ name: z.string(), type: z.string() })).readonly(),
  /** Numbers as long as they are exact, else their digits. */
  rows: z.array(z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).readonly()).readonly(),
  /** Whether there were more rows than are listed. */
  isCut: z.boolean(),
});
export type SqlTable = z.output<typeof SqlTableSchema>;

/** Answers in SQL as well. Reads only. */
export interface SqlQuery extends FlowQuery {
  /** The statement that answers a question. */
  sqlOf(question: HistoryQuestion): Promise<string>;
  /**
   * Runs a SELECT.
   *
   * @throws as `answer`
   */
  query(sql: string, options: { readonly signal: AbortSignal }): Promise<SqlTable>;
}

/** Formats of files; `json` is an object per line. */
export const EXPORT_FORMATS = ['parquet', 'csv', 'json'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** What was written. */
export const ExportedSchema = z.object({
  rows: z.number(),
  covered: ResultTableSchema.shape.covered,
  gaps: ResultTableSchema.shape.gaps,
});
export type Exported = Readonly<z.output<typeof ExportedSchema>>;

/** Writes rows to files. */
export interface HistoryExport {
  /**
   * Writes the rows that are meant.
   *
   * @param target.path written anew; what is there after a failure is no file to use
   * @throws as `answer`
   */
  copyTo(
    selection: HistorySelection,
    target: { readonly format: ExportFormat; readonly path: string },
    options: { readonly signal: AbortSignal },
  ): Promise<Exported>;
}
