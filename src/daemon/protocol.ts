/**
 * What is said over the control socket: a request a line, an answer a line, both JSON, the version of this protocol in
 * each. One connection may ask several times, one after the other.
 */
import { z } from 'zod';
import {
  EXPORT_FORMATS,
  ExportedSchema,
  HistoryQuestionSchema,
  HistorySelectionSchema,
  HistorySpanSchema,
  PastAuditSchema,
  QuestionSchema,
  ResultTableSchema,
  SqlTableSchema,
  StatusSchema,
} from '../query/index.ts';

/** Rises when an older asker could not understand the answers. */
export const PROTOCOL_VERSION = 1;

/** A longer request is none of ours: ten thousand rules are a megabyte. */
export const MAX_REQUEST_OCTETS = 8 * 1024 * 1024;
/** A longer answer is none of ours: a status has some hundred octets per interface. */
export const MAX_ANSWER_OCTETS = 16 * 1024 * 1024;

/** What can be asked of a kind of instance: by name, the words that come with a request, and the answer of success. */
export interface Dialogue {
  readonly [request: string]: { readonly words: z.ZodType; readonly answer: z.ZodType };
}

/** What comes with a request of this name. */
export type Words<D extends Dialogue, Name extends keyof D> = z.infer<D[Name]['words']>;
/** The answer to a request of this name. */
export type AnswerOf<D extends Dialogue, Name extends keyof D> = z.infer<D[Name]['answer']>;

/** A line that asks. */
export const RequestSchema = z.object({
  version: z.number(),
  request: z.string().max(64),
  words: z.unknown().optional(),
});

/** Of a request that needs no words. */
export const NO_WORDS: z.ZodOptional<z.ZodNull> = z.null().optional();

const CountSchema = z.object({ packets: z.number(), octets: z.number() });

/** What an instance says of itself. */
export const InstanceStatusSchema = z.object({
  name: z.string(),
  pid: z.number().int().positive(),
  startTicks: z.number(),
  state: z.enum(['starting', 'metering', 'stopping']),
  startedMs: z.number(),
  nowMs: z.number(),
  versions: z.object({ tunnelscope: z.string(), node: z.string(), kernel: z.string() }),
  /** Octets: resident of the whole process, and of the parts that Node knows. */
  memory: z.object({ resident: z.number(), heap: z.number(), buffers: z.number() }),
  /** Seconds of processor time since the start. */
  cpuSeconds: z.number(),
  /** The configuration's file; null when all came from flags. */
  configuration: z.string().nullable(),
  rules: z.array(z.string()),
  /** Where it logs: a file, the journal, or what it was started in. */
  log: z.object({ kind: z.enum(['file', 'journal', 'output']), file: z.string().nullable() }),
  dataLog: z.string().nullable(),
  url: z.string().nullable(),
  /** Null until it meters. */
  agent: StatusSchema.nullable(),
  /** Null until the first epoch. */
  audit: z.object({ epoch: z.number(), points: z.number(), persistent: CountSchema }).nullable(),
  /** Of the newest epoch, frames and octets as the stack held them, per second. */
  rates: z.array(
    z.object({
      interfaceName: z.string(),
      direction: z.enum(['ingress', 'egress']),
      packetRate: z.number(),
      octetRate: z.number(),
    }),
  ),
});
/** A validated status. */
export type InstanceStatus = z.infer<typeof InstanceStatusSchema>;

/** What a reload came to: keys by what became of them. */
export const ReloadSchema = z.object({
  changed: z.array(z.string()),
  /** Changed in the file, and in force only after a new start. */
  waiting: z.array(z.string()),
});
/** A validated outcome. */
export type Reload = z.infer<typeof ReloadSchema>;

/** The rules in force. */
export const RulesSchema = z.object({
  rules: z.array(z.string()),
  /** Further ones stand there; null without such a file. */
  file: z.string().nullable(),
});
/** Validated rules. */
export type Rules = z.infer<typeof RulesSchema>;

/** Which process it is. */
export const IdentitySchema = z.object({ pid: z.number().int().positive(), startTicks: z.number() });

/** How to stop; without words in order. `keep`: its programs count on in the kernel, for the next start of its history. */
export const STOP_WORDS = z.object({ keep: z.boolean().optional() }).nullable().optional();

/**
 * What can be asked of a metering instance. `ready` is answered when it meters; `rules` come with the request of that name, to
 * have them hold: without them it only asks. `query` is about its history or about now, `audit`, `sqlOf` and `sql` are about its history,
 * as are exports: one is begun, fetched in parts until one is empty, and ended.
 */
export const METERING = {
  status: { words: NO_WORDS, answer: InstanceStatusSchema },
  ready: { words: NO_WORDS, answer: IdentitySchema },
  stop: { words: STOP_WORDS, answer: IdentitySchema },
  reload: { words: NO_WORDS, answer: ReloadSchema },
  rules: {
    words: z.object({ rules: z.array(z.string().max(65_536)).max(100_000).optional() }),
    answer: RulesSchema,
  },
  query: { words: z.object({ question: QuestionSchema }), answer: ResultTableSchema },
  audit: { words: z.object({ span: HistorySpanSchema }), answer: PastAuditSchema },
  sqlOf: { words: z.object({ question: HistoryQuestionSchema }), answer: z.object({ sql: z.string() }) },
  export: {
    words: z.object({ selection: HistorySelectionSchema, format: z.enum(EXPORT_FORMATS) }),
    answer: ExportedSchema.extend({ id: z.string(), octets: z.number() }),
  },
  exportPart: {
    words: z.object({ id: z.string().max(64), offset: z.number().int().min(0) }),
    answer: z.object({ data: z.base64() }),
  },
  exportEnd: { words: z.object({ id: z.string().max(64) }), answer: z.object({}) },
  sql: { words: z.object({ sql: z.string().max(65_536) }), answer: SqlTableSchema },
} as const satisfies Dialogue;

/** Every line of an answer. */
export const EnvelopeSchema = z.object({
  version: z.number(),
  answer: z.unknown().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});
