/** A span that is moved and stretched within a range. Unix epoch, milliseconds; ends are whole seconds. */
import type { Span } from '../past-questions.ts';

/** Which part of a span is held. */
export type Grip = 'from' | 'to' | 'whole';

/** The shortest span there is. */
const LEAST_MS = 1000;

/** Moves what is held by so much, as far as the range goes; an end does not pass the other one. */
export function dragged(span: Span, grip: Grip, { byMs, range }: { byMs: number; range: Span }): Span {
  const lengthMs = span.toMs - span.fromMs;
  if (grip === 'whole') {
    const most = Math.max(range.fromMs, range.toMs - lengthMs);
    const fromMs = second(clamp(span.fromMs + byMs, range.fromMs, most));
    return { fromMs, toMs: fromMs + lengthMs };
  }
  if (grip === 'from') {
    const fromMs = second(clamp(span.fromMs + byMs, range.fromMs, span.toMs - LEAST_MS));
    return { fromMs: Math.min(fromMs, span.toMs - LEAST_MS), toMs: span.toMs };
  }
  const toMs = second(clamp(span.toMs + byMs, span.fromMs + LEAST_MS, range.toMs));
  return { fromMs: span.fromMs, toMs: Math.max(toMs, span.fromMs + LEAST_MS) };
}

/** The same length with its middle there, as far as the range goes. */
export function centred(span: Span, atMs: number, range: Span): Span {
  return dragged(span, 'whole', { byMs: atMs - (span.fromMs + span.toMs) / 2, range });
}

/** The next span of a play: a quarter on; undefined at the end of the range. */
export function playedOn(span: Span, range: Span): Span | undefined {
  if (span.toMs >= range.toMs) return undefined;
  return dragged(span, 'whole', { byMs: Math.max(LEAST_MS, (span.toMs - span.fromMs) / 4), range });
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), Math.max(least, most));
}

function second(ms: number): number {
  return 1000 * Math.round(ms / 1000);
}
