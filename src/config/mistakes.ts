/** What a schema finds wrong in a file, as mistakes with their places. */
import type { z } from 'zod';
import { nearest, quoted } from '../query/index.ts';
import { ConfigFileError, type Mistake } from './error.ts';
import { type ConfigFile, readConfigFile } from './file.ts';
import { keysIn } from './known.ts';
import { type Path, type Tree, valueAt } from './tree.ts';

/** What a schema says. */
export type Issue = { readonly code: string; readonly path: Path; readonly message: string } & (
  | { readonly code: 'unrecognized_keys'; readonly keys: readonly string[] }
  | { readonly code: 'custom'; readonly params?: Record<string, unknown> | undefined }
  | { readonly code: Exclude<string, 'unrecognized_keys' | 'custom'> }
);

/** A file that was read, and what keys it may have. */
interface Read {
  readonly file: ConfigFile;
  /** The values, where the schema's path finds them. */
  readonly text: Tree;
  readonly keysAt: (path: Path) => readonly string[];
}

/** All that is wrong, in the order of the file. */
export function fileError(issues: readonly Issue[], read: Read): ConfigFileError {
  const mistakes = issues.flatMap((issue) => mistakesOf(issue, read));
  return new ConfigFileError(
    read.file.path,
    mistakes.toSorted((a, b) => a.line - b.line || a.column - b.column),
  );
}

/** Reads a file of another kind than the main one, with a schema of its own. @throws ConfigFileError */
export function readConfigAs<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> {
  const file = readConfigFile(path);
  const parsed = schema.safeParse(file.tree);
  if (parsed.success) return parsed.data;
  throw fileError(parsed.error.issues, {
    file,
    text: file.tree,
    keysAt: (at) => keysIn(schema, at),
  });
}

function mistakesOf(issue: Issue, { file, text, keysAt }: Read): Mistake[] {
  const { path } = issue;
  if ('keys' in issue) {
    return issue.keys.map((key) => {
      const known = keysAt(path);
      const meant = nearest(key, known);
      const hint = meant === undefined ? `; there are ${known.join(', ')}` : `; did you mean "${meant}"?`;
      const problem = `there is no key ${quoted(key)}${hint}`;
      return { ...file.place(path, { key }), path: written(path), problem };
    });
  }
  const { from, of = 'rule' } = ('params' in issue ? issue.params : undefined) ?? {};
  if (typeof from === 'number') {
    // A rule or a filter says itself what is wrong in it.
    const problem = `column ${from + 1} of the ${of}: ${issue.message}`;
    return [{ ...file.place(path, { from }), path: written(path), problem }];
  }
  const problem = `${shown(valueAt(text, path))} is not ${issue.message}`;
  return [{ ...file.place(path), path: written(path), problem }];
}

/** `rules[2]`, `log.data.file`. */
function written(path: Path): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a section' : quoted(String(value));
}
