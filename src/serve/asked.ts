/** What a request asks, by the table of operations: validated, or refused with field and value. */
import type { z } from 'zod';
import { readJson } from './body.ts';
import type { HttpContext } from './context.ts';
import type { Operation } from './operations.ts';
import { badValue, problemOf, Refusal } from './problem.ts';

/** Reads parameters and body. @throws Refusal */
export async function readAsked(
  c: HttpContext,
  { parameters, body }: Operation,
): Promise<{ readonly parameters: unknown; readonly body: unknown }> {
  const words = readWords(c, Object.keys(parameters?.shape ?? {}));
  return {
    parameters: parameters && validated(parameters, words),
    body: body && validated(body.schema, await readJson(c.env.incoming, body.mostOctets)),
  };
}

/** @throws Refusal 400 that names the first thing wrong */
export function validated<Schema extends z.ZodType>(schema: Schema, asked: unknown): z.output<Schema> {
  const parsed = schema.safeParse(asked);
  if (parsed.success) return parsed.data;
  throw new Refusal(400, problemOf(parsed.error.issues, asked));
}

/** The words of the address, each field once. */
function readWords(c: HttpContext, known: readonly string[]): Record<string, string> {
  const words: Record<string, string> = {};
  for (const [field, values] of Object.entries(c.req.queries())) {
    const value = values[0] ?? '';
    if (!known.includes(field)) {
      const hint = known.length === 0 ? 'there are none here' : `there are ${known.join(', ')}`;
      throw new Refusal(400, badValue(field, value, `is no field; ${hint}`));
    }
    if (values.length > 1)
      throw new Refusal(400, badValue(field, values.join(', '), 'is given more than once'));
    words[field] = value;
  }
  return words;
}
