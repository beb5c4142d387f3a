/** Questions as parameters of an address: every value is text there, and says what it is in the description of the API. */
import { z } from 'zod';
import {
  DIMENSIONS,
  type Dimension,
  MAX_ROWS,
  nearest,
  QUANTITIES,
  ViewQuestionSchema,
} from '../query/index.ts';

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

function dimensionOf(word: string, refinement: z.RefinementCtx): Dimension {
  const found = DIMENSIONS.find((each) => each === word);
  if (found !== undefined) return found;
  const meant = nearest(word, DIMENSIONS);
  const hint = meant === undefined ? `there are ${DIMENSIONS.join(', ')}` : `did you mean ${meant}?`;
  refinement.addIssue({ code: 'custom', message: `"${word}" is no dimension; ${hint}` });
  return z.NEVER;
}

const dimension = () =>
  z
    .string()
    .transform(dimensionOf)
    .meta({ enum: [...DIMENSIONS] });
const dimensions = () =>
  z
    .string()
    .transform((text, refinement) => text.split(',').map((word) => dimensionOf(word.trim(), refinement)))
    .meta({ type: 'array', items: { type: 'string', enum: [...DIMENSIONS] } });

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SPAN = /^(\d{1,6})(s|m|h|d)$/;
const span = () =>
  z
    .string()
    .regex(SPAN, 'is no length of time, e.g. 15m, 1h or 7d')
    .transform((text) => {
      const [, number, unit] = SPAN.exec(text) ?? [];
      return Number(number) * UNIT_MS[unit!]!;
    });

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;
const WANTED_MOMENT = 'is no moment: milliseconds since 1970, or e.g. 2026-11-21T10:00:00Z';
const moment = () =>
  z.string().transform((text, refinement) => {
    const ms = /^\d{1,16}$/.test(text) ? Number(text) : MOMENT.test(text) ? Date.parse(text) : Number.NaN;
    if (ms >= 0 && ms <= 8.64e15) return ms;
    refinement.addIssue({ code: 'custom', message: WANTED_MOMENT });
    return z.NEVER;
  });

/** `GET /api/v1/view` and `/api/v1/stream`. */
export const ViewParametersSchema = z.object({
  window: ViewQuestionSchema.shape.window.describe('how far back: 5 s, a minute, or since the start'),
  segment: ViewQuestionSchema.shape.segment.describe(
    '`all`, `none` (plain traffic), or one such as `vxlan:10001`',
  ),
  host: ViewQuestionSchema.shape.host.describe('an outer address: the clients of this host'),
  pair: ViewQuestionSchema.shape.pair.describe(
    'two nodes of the view, joined by `~`: the flows between them',
  ),
  filter: ViewQuestionSchema.shape.filter.describe('only flows that fit ([filter.md](filter.md))'),
});

/** `GET /api/v1/vnet`. */
export const NetworkParametersSchema = z.object({
  entries: wholeNumber(0, 999_999_999, '500')
    .optional()
    .describe('at most so many learned addresses of each bridge'),
});

/** Where nothing else is said. */
const USUAL_SPAN_MS = 3_600_000;

/** `GET /api/v1/query`: what a line can hold. Comparing two spans takes a body. */
export const HistoryParametersSchema = z.object({
  ask: z.enum(['top', 'series', 'matrix', 'distinct', 'flows']).default('top').describe('what to find out'),
  last: span().optional().describe('the time up to now, such as `15m`, `1h`, `7d`; else 1h'),
  fromMs: moment().optional().describe('instead of `last`: from this moment on (milliseconds, or RFC 3339)'),
  toMs: moment().optional().describe('up to before this moment; else now'),
  by: dimensions().optional().describe('what flows are told apart by, joined by commas'),
  of: dimension().optional().describe('with `ask=distinct`: whose values'),
  filter: z.string().optional().describe('only flows that fit ([filter.md](filter.md))'),
  quantity: z.enum(QUANTITIES).optional().describe('what is summed; else octets'),
  points: z.enum(['once', 'every']).optional().describe('each packet once, or at each observation point'),
  limit: wholeNumber(1, MAX_ROWS, '20').optional().describe('most rows'),
  stepMs: wholeNumber(1000, 8.64e12, '60000').optional().describe('with `ask=series`: length of a step'),
});
/** What stands in an address. */
export type HistoryParameters = z.output<typeof HistoryParametersSchema>;

/** The question of an address, not validated yet. */
export function questionOf({ last, fromMs, toMs, ...others }: HistoryParameters, nowMs: number): object {
  const to = toMs ?? nowMs;
  return { ...others, fromMs: fromMs ?? Math.max(0, to - (last ?? USUAL_SPAN_MS)), toMs: to };
}
