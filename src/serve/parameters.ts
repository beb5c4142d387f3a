/** What stands in an address: every value is text there, and says what it is in the description of the API. */
import { z } from 'zod';
import {
  FilterError,
  type HistorySpan,
  MAX_CONNECTIONS,
  parseQuestion,
  parseSpan,
  type Question,
  USUAL_CONNECTIONS,
  ViewQuestionSchema,
} from '../query/index.ts';
import { badValue, Refusal } from './problem.ts';

/** A whole number within bounds, both included. */
function wholeNumber(minimum: number, maximum: number, example: string) {
  const wanted = `is no whole number from ${minimum} to ${maximum}, e.g. ${example}`;
  return z
    .string()
    .regex(/^\d{1,16}$/, wanted)
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, wanted)
    .meta({ type: 'integer', minimum, maximum, pattern: undefined });
}

const moment = () => wholeNumber(0, 8.64e15, '1700000000000');

const { window, segment, host, pair, filter } = ViewQuestionSchema.shape;

/** `GET /api/v1/view` and `/api/v1/stream`. */
export const ViewParametersSchema = z.object({
  window: window.describe('how far back: 5 s, a minute, or since the start'),
  segment: segment.describe('`all`, `none` (plain traffic), or one such as `vxlan:10001`'),
  host: host.describe('an outer address: the clients of this host'),
  pair: pair.describe('two nodes of the view, joined by `~`: the flows between them'),
  filter: filter.describe('only flows that fit ([filter.md](filter.md))'),
});

/** `GET /api/v1/vnet`. */
export const NetworkParametersSchema = z.object({
  entries: wholeNumber(0, 999_999_999, '500')
    .optional()
    .describe('at most so many learned addresses of each bridge'),
});

/** Only names as the database has them: they are kept, and other spellings of them have no end. */
const TIME_ZONES: ReadonlySet<string> = new Set(['UTC', ...Intl.supportedValuesOf('timeZone')]);

/** `GET /api/v1/connections`. */
export const ConnectionsParametersSchema = z.object({
  limit: wholeNumber(1, MAX_CONNECTIONS, '20')
    .optional()
    .describe(`at most so many, the busiest; ${USUAL_CONNECTIONS} unless said`),
  filter: filter.describe('only connections of which one way fits ([filter.md](filter.md))'),
});

/** `GET /api/v1/names`. */
export const FindNamesParametersSchema = z.object({
  find: z
    .string()
    .min(1, 'is empty; e.g. web')
    .max(253, 'is longer than any name')
    .describe('part of a name, in large or small letters'),
});

/** `GET /api/v1/query`. */
export const HistoryParametersSchema = z.object({
  q: z.string().min(1, 'is empty; e.g. top 10 src last 1h').describe('the question ([query.md](query.md))'),
  timeZone: z
    .string()
    .refine((name) => TIME_ZONES.has(name), 'is no time zone, e.g. UTC or Europe/Berlin')
    .optional()
    .describe("whose clocks are meant where a time says no zone, e.g. `Europe/Berlin`; else the agent's"),
});

/** `GET /api/v1/audit/past`. */
export const PastAuditParametersSchema = z.object({
  q: z
    .string()
    .min(1, 'is empty; e.g. last 24h')
    .optional()
    .describe(
      'the time, as of a question: `last 24h`, `from … to …` ([query.md](query.md)); else the last hour',
    ),
  fromMs: moment().optional().describe('the time by its two ends, Unix epoch, milliseconds, instead of `q`'),
  toMs: moment().optional().describe('to before this'),
  timeZone: HistoryParametersSchema.shape.timeZone,
});

/** Reads a time. @throws Refusal with its place */
export function spanOf(
  { q, fromMs, toMs, timeZone }: z.output<typeof PastAuditParametersSchema>,
  nowMs: number,
): HistorySpan {
  if (fromMs === undefined && toMs === undefined)
    return readText(q ?? '', (text) =>
      parseSpan(text, { nowMs, ...(timeZone !== undefined && { timeZone }) }),
    );
  if (q !== undefined)
    throw new Refusal(400, badValue('q', q, 'says the time as `fromMs` and `toMs` do; only one can'));
  if (fromMs === undefined) throw new Refusal(400, badValue('fromMs', '', 'is missing beside toMs'));
  if (toMs === undefined) throw new Refusal(400, badValue('toMs', '', 'is missing beside fromMs'));
  if (toMs <= fromMs) throw new Refusal(400, badValue('toMs', String(toMs), 'is not after fromMs'));
  return { fromMs, toMs };
}

/** Reads a question as text. @throws Refusal with its place */
export function questionOf(
  { q, timeZone }: z.output<typeof HistoryParametersSchema>,
  nowMs: number,
): Question {
  return readText(q, (text) => parseQuestion(text, { nowMs, ...(timeZone !== undefined && { timeZone }) }));
}

function readText<Meaning>(q: string, read: (text: string) => Meaning): Meaning {
  try {
    return read(q);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    const { column } = error;
    throw new Refusal(400, { ...badValue('q', q, error.message), column, caret: error.caret() });
  }
}
