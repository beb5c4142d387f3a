/** What schemas of the configuration are built of; messages follow "is not". */
import { z } from 'zod';
import { ConfigError } from './error.ts';

type Read<Value> = (field: string, text: string) => Value;

/** A value that one of the readers of the command line reads; `wanted` is for what is neither text nor number. */
export function scalar<Value>(wanted: string, read: Read<Value>) {
  return z.union([z.string(), z.number()], { error: wanted }).transform((value, context): Value => {
    try {
      return read('', String(value));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      context.addIssue({ code: 'custom', message: error.wanted, input: value });
      return z.NEVER;
    }
  });
}

/** A list of such. */
export function list<Item extends z.ZodType>(item: Item) {
  return z.array(item, { error: 'a list' });
}

/** A section in which there are no other keys. */
export function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, { error: 'a section with keys of its own' });
}

/** One word of a few. */
export const choice = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, { error: `one of ${words.join(', ')}` });
