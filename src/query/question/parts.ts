/** The parts of a question as they are read, and the question that they come to. */
import { FilterError, type Span } from '../filter/error.ts';
import {
  type Dimension,
  type HistoryQuantity,
  type HistoryQuestion,
  HistoryQuestionSchema,
  TUNNEL_QUANTITIES,
} from '../history.ts';
import { LIVE_SERIES_QUANTITIES, type LiveQuestion, LiveQuestionSchema } from '../live.ts';
import type { ViewQuestion } from '../view.ts';
import { faultOf } from './fault.ts';
import type { Clock } from './moment.ts';
import { type Base, previousTo, type TimeSpan, USUAL_SPAN_MS } from './span.ts';
import { type Ask, DIMENSIONS_OF, type POINTS_WORDS, QUANTITY_WORDS } from './words.ts';

/** What is said so far; undefined: nothing. */
export interface QuestionParts {
  ask: Ask;
  limit: number | undefined;
  dimensions: Dimension[];
  quantity: HistoryQuantity | undefined;
  span: TimeSpan | undefined;
  /** Of a question about now. */
  window: ViewQuestion['window'] | undefined;
  /** What stands behind `with` is relative to the span, which may come later. */
  base: Base | undefined;
  stepMs: number | undefined;
  points: keyof typeof POINTS_WORDS | undefined;
  filter: string | undefined;
}

/** Where the text and each part of it stand, by their names in the question. */
export interface WrittenParts {
  readonly text: string;
  readonly places: ReadonlyMap<string, Span>;
}

/** Nothing said yet. */
export function noParts(): QuestionParts {
  return {
    ask: 'flows',
    limit: undefined,
    dimensions: [],
    quantity: undefined,
    span: undefined,
    window: undefined,
    base: undefined,
    stepMs: undefined,
    points: undefined,
    filter: undefined,
  };
}

/** The question about the past. @throws FilterError at the part that the schema refuses, and at `live` */
export function pastQuestion(
  parts: QuestionParts,
  { text, places }: WrittenParts,
  { nowMs }: Clock,
): HistoryQuestion {
  const { ask, stepMs, points } = parts;
  if (parts.window !== undefined)
    throw new FilterError(
      text,
      places.get('window')!,
      '"live" asks a running agent about now; what is kept is asked for as in last 5m or since 10:00',
    );
  const whole: Span = { from: 0, to: text.length };
  const span = parts.span ?? { fromMs: nowMs - USUAL_SPAN_MS, toMs: nowMs, place: whole };
  const base = parts.base?.(span) ?? { ...previousTo(span), place: span.place };
  const { fromMs, toMs } = span;
  const parsed = HistoryQuestionSchema.safeParse({
    ...commonParts(parts),
    fromMs,
    toMs,
    ...(ask === 'compare' && { before: { fromMs: base.fromMs, toMs: base.toMs } }),
    ...(stepMs !== undefined && { stepMs }),
    ...(points !== undefined && { points }),
  });
  if (parsed.success) return parsed.data;
  const timed = new Map(places).set('fromMs', span.place).set('toMs', span.place).set('before', base.place);
  throw faultOf(text, parsed.error.issues[0]!, timed);
}

/** The question about now. @throws FilterError at the part that the schema refuses */
export function liveQuestion(
  parts: QuestionParts,
  window: ViewQuestion['window'],
  { text, places }: WrittenParts,
): LiveQuestion {
  const parsed = LiveQuestionSchema.safeParse({ ...commonParts(parts), window });
  if (parsed.success) return parsed.data;
  throw faultOf(text, parsed.error.issues[0]!, places);
}

/** Whether what is said so far, if it is of no time, can be asked about now. */
export function canBeLive(parts: QuestionParts): boolean {
  return LiveQuestionSchema.safeParse({ ...commonParts(parts), window: '5s' }).success;
}

/** What can be summed, with its meaning. */
export function quantityWords({
  ask,
  window,
}: QuestionParts): Readonly<Partial<Record<HistoryQuantity, string>>> {
  let quantities: readonly string[] = Object.keys(QUANTITY_WORDS);
  if (ask === 'tunnels') quantities = TUNNEL_QUANTITIES;
  else if (ask === 'series' && window !== undefined) quantities = LIVE_SERIES_QUANTITIES;
  return Object.fromEntries(Object.entries(QUANTITY_WORDS).filter(([word]) => quantities.includes(word)));
}

/** What questions of both kinds have. */
function commonParts({ ask, limit, dimensions, quantity, filter }: QuestionParts): object {
  const by =
    ask === 'distinct' ? { of: dimensions[0] } : { by: dimensions.length > 0 ? dimensions : undefined };
  return {
    ask,
    ...(DIMENSIONS_OF[ask].most > 0 && by),
    ...(limit !== undefined && { limit }),
    ...(quantity !== undefined && { quantity }),
    ...(filter !== undefined && { filter }),
  };
}
