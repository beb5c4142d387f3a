/** What is said when a question is not answered: in words, and for a program. */
import { z } from 'zod';
import type { FilterFault } from '../query/index.ts';

/** The body of every answer that is none. */
export const ProblemSchema = z.object({
  /** What is wrong, in words. */
  error: z.string(),
  /** Of a failure that docs/errors.md lists. */
  code: z.string().optional(),
  /** What to do about it. */
  remedy: z.string().optional(),
  /** Of a wrong question: which field, and its value as given, shortened. */
  field: z.string().optional(),
  value: z.string().optional(),
  /** Of a wrong filter or rule: where, from 1, and two lines that point at it. */
  column: z.number().optional(),
  caret: z.string().optional(),
});
/** A validated problem. */
export type Problem = z.infer<typeof ProblemSchema>;

/** A request that gets no answer but this. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, problem: Problem | string, headers: Readonly<Record<string, string>> = {}) {
    const told = typeof problem === 'string' ? { error: problem } : problem;
    super(told.error);
    this.status = status;
    this.problem = told;
    this.headers = headers;
  }
}

/** A wrong value: the field, the value, and what is wrong with it. */
export function badValue(field: string, value: string, reason: string): Problem {
  return {
    error: `${shorten(field)} "${shorten(value)}": ${reason}`,
    field: shorten(field),
    value: shorten(value),
  };
}

/** What a schema found wrong, as far as it matters here. */
export interface Issue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  /** Of a choice none of which fits: what is wrong with each. */
  readonly errors?: readonly (readonly Issue[])[];
}

/** The first thing that a schema found wrong in a question. */
export function problemOf(issues: readonly Issue[], asked: unknown): Problem {
  const issue = closest(issues)[0]!;
  const [unknown] = issue.keys ?? [];
  const path = unknown === undefined ? issue.path : [...issue.path, unknown];
  const reason =
    unknown === undefined
      ? (WORDS[`${issue.code} ${path.join('.')}`] ?? lowerFirst(issue.message))
      : 'does not belong here';
  const bad = badValue(written(path), shown(valueAt(asked, path)), reason);
  const { params } = issue;
  if (issue.code !== 'custom' || typeof params?.caret !== 'string') return bad;
  const { from, caret } = params as unknown as FilterFault;
  return { ...bad, column: from + 1, caret };
}

/** Of a choice as a whole the one that was meant: with the least wrong. */
function closest(issues: readonly Issue[]): readonly Issue[] {
  const [{ path, errors = [] }] = issues as readonly [Issue];
  if (path.length > 0 || errors.length === 0) return issues;
  return errors.reduce((least, each) => (each.length < least.length ? each : least));
}

/** Better words than a schema has, by its code and the field. */
const WORDS: Readonly<Record<string, string>> = {
  'invalid_union segment': 'is neither all nor a segment, e.g. none or vxlan:10001',
};

/** Text of a stranger, short enough to be repeated to him. */
export function shorten(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

function written(path: readonly PropertyKey[]): string {
  const text = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return text.replace(/^\./, '') || 'the question';
}

function valueAt(asked: unknown, path: readonly PropertyKey[]): unknown {
  let value = asked;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function shown(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
