/** What the schema of questions refuses, as a mistake at its place in the text. */
import type { z } from 'zod';
import { FilterError, type Span } from '../filter/error.ts';
import { formatQuantityText } from '../filter/quantity.ts';

/** What parts of a question are called where they are written. */
const PARTS: Readonly<Record<string, string>> = {
  by: 'dimensions',
  limit: 'rows',
  stepMs: 'a step',
  fromMs: 'the time',
  toMs: 'the time',
  before: 'the time',
};

/**
 * The error for the first thing that is wrong.
 *
 * @param places where the parts of the question stand, by their names in it
 */
export function faultOf(
  text: string,
  issue: z.core.$ZodIssue,
  places: ReadonlyMap<string, Span>,
): FilterError {
  const part = String(issue.path[0] ?? '');
  const place = places.get(part) ?? { from: 0, to: text.length };
  return new FilterError(text, place, problemOf(part, issue));
}

function problemOf(part: string, issue: z.core.$ZodIssue): string {
  const name = PARTS[part] ?? part;
  if (name === 'the time')
    return issue.code === 'too_small'
      ? 'this is before 1970'
      : issue.code === 'too_big'
        ? 'this is later than a clock can show'
        : 'this ends when it begins';
  const written = (bound: number | bigint): string =>
    part === 'stepMs' ? formatQuantityText(Number(bound), 'duration') : String(bound);
  if (issue.code === 'too_big') return `${name}: at most ${written(issue.maximum)} here`;
  if (issue.code === 'too_small') return `${name}: at least ${written(issue.minimum)}`;
  return `${name}: ${issue.message}`;
}
