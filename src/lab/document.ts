import { readdirSync, readFileSync } from 'node:fs';
import type { z } from 'zod';
import { nearest } from '../query/index.ts';
import { LabError, type LabErrorCode } from './error.ts';

/** One kind of file a person can write: where the shipped ones are, what they are called, which error they raise. */
export interface DocumentKind {
  readonly noun: string;
  readonly folder: URL;
  readonly code: LabErrorCode;
}

/** The names of the shipped documents of a kind, sorted. */
export function shippedNames(kind: DocumentKind): string[] {
  return readdirSync(kind.folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

/**
 * Reads a document by its shipped name (`overlay`) or by path (anything with a slash or ending in `.json`) and checks it
 * against its schema. Throws LabError naming each wrong field, the value found there and what was wanted.
 */
export function readDocument<Schema extends z.ZodType>(
  kind: DocumentKind,
  nameOrPath: string,
  schema: Schema,
): z.output<Schema> {
  return checkDocument(kind, nameOrPath, schema, parse(kind, nameOrPath));
}

/** The same check for a document that is already in memory; `name` stands in the error. */
export function checkDocument<Schema extends z.ZodType>(
  kind: DocumentKind,
  name: string,
  schema: Schema,
  raw: unknown,
): z.output<Schema> {
  const result = schema.safeParse(raw);
  if (result.success) return result.data;
  throw unusable(
    kind,
    name,
    result.error.issues.map((issue) => complaint(deepest(issue), raw)),
  );
}

/** The error for a document that is well formed but means something impossible. */
export function unusable(kind: DocumentKind, name: string, complaints: readonly string[]): LabError {
  return new LabError(
    kind.code,
    `Cannot use ${kind.noun} "${name}": ${complaints.join('; ')}`,
    `Correct the named fields, or use a shipped ${kind.noun}: ${shippedNames(kind).join(', ')}.`,
  );
}

function parse(kind: DocumentKind, nameOrPath: string): unknown {
  const isPath = nameOrPath.includes('/') || nameOrPath.endsWith('.json');
  if (!isPath && !shippedNames(kind).includes(nameOrPath)) {
    const meant = nearest(nameOrPath, shippedNames(kind));
    throw unusable(kind, nameOrPath, [
      `no shipped file has that name${meant === undefined ? '' : ` (did you mean "${meant}"?)`}; a path needs a slash or must end in .json`,
    ]);
  }
  try {
    return JSON.parse(readFileSync(isPath ? nameOrPath : new URL(`${nameOrPath}.json`, kind.folder), 'utf8'));
  } catch (cause) {
    throw unusable(kind, nameOrPath, [cause instanceof Error ? cause.message : String(cause)]);
  }
}

type Issue = z.core.$ZodIssue;

/** Of a union's branches, the one that got furthest is the one the person meant. */
function deepest(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors
    .flatMap((branch) => branch.slice(0, 1))
    .map((first) => deepest({ ...first, path: [...issue.path, ...first.path] }));
  return inner.reduce((best, next) => (next.path.length > best.path.length ? next : best), inner[0] ?? issue);
}

function complaint(issue: Issue, raw: unknown): string {
  const field = issue.path.map(String).join('.') || 'the whole file';
  const found = valueAt(raw, issue.path);
  return `${field} is ${found === undefined ? 'missing' : JSON.stringify(found)}: ${issue.message}`;
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    raw,
  );
}
