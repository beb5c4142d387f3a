/** A question as text, in the one form that equal questions share. */
import { parseHistoryFilter } from '../filter/history.ts';
import { formatQuantityText } from '../filter/quantity.ts';
import type { HistoryQuestion } from '../history.ts';
import { isLive, type LiveQuestion, type Question, QuestionSchema } from '../live.ts';
import { filterText } from './filter-text.ts';
import { usualWindow } from './words.ts';

/** Writes a question, its times in UTC and what is usual left out; `parseQuestion` reads the same question from it. */
export function printQuestion(question: Question): string {
  const { ask, limit, quantity } = question;
  const dimensions = question.ask === 'distinct' ? [question.of] : 'by' in question ? question.by : [];
  const filter = 'filter' in question ? canonicalFilter(question.filter) : undefined;
  const parts = [
    ask,
    isUsual(question, 'limit') ? '' : String(limit),
    question.ask !== 'distinct' && isUsual(question, 'by') ? '' : dimensions.join(', '),
    isUsual(question, 'quantity') ? '' : `by ${quantity}`,
    ...(isLive(question) ? [liveText(question)] : pastParts(question)),
    filter === undefined ? '' : `where ${filter}`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** What questions about the past have of their own. */
function pastParts(question: HistoryQuestion): string[] {
  return [
    spanText(question),
    question.ask === 'compare' ? `with ${spanText(question.before)}` : '',
    question.ask === 'series' && question.stepMs !== undefined
      ? `step ${formatQuantityText(question.stepMs, 'duration')}`
      : '',
    question.points === undefined ? '' : `points ${question.points}`,
  ];
}

/** A moment as ISO 8601 has it, in UTC, without seconds that are 0. */
export function formatMoment(ms: number): string {
  return new Date(ms).toISOString().replace(/(:00)?\.000Z$/, 'Z');
}

function liveText({ ask, window }: LiveQuestion): string {
  return window === usualWindow(ask) ? 'live' : `live ${window}`;
}

function spanText({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): string {
  return `from ${formatMoment(fromMs)} to ${formatMoment(toMs)}`;
}

function canonicalFilter(text: string | undefined): string | undefined {
  return text === undefined ? undefined : filterText(text.trim(), parseHistoryFilter(text));
}

/** Whether a part is what it would be if it were left out. */
function isUsual(question: Question, part: string): boolean {
  const { [part]: value, filter: _, ...rest } = question as Record<string, unknown>;
  const without = QuestionSchema.safeParse(rest);
  return (
    without.success &&
    JSON.stringify((without.data as Record<string, unknown>)[part]) === JSON.stringify(value)
  );
}
