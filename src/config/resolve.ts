/** Defaults, file, flags: the later override the earlier, here and nowhere else; and where each value came from. */
import { resolve as absolute, dirname } from 'node:path';
import { nearest, quoted } from '../query/index.ts';
import { ConfigError, ConfigFileError, type Mistake } from './error.ts';
import type { ConfigFile } from './file.ts';
import { defaultTree, keysAt, withoutEmpty } from './known.ts';
import { type Configuration, ConfigurationSchema } from './schema.ts';
import { leavesOf, mergeTrees, type Path, type Tree, valueAt, withValue } from './tree.ts';

/** Values that flags gave, and the name of the flag behind each path (`interval` → `--interval`). */
export interface FlagLayer {
  readonly tree: Tree;
  readonly names: Readonly<Record<string, string>>;
}

/** A configuration with its history. */
export interface Resolved {
  readonly configuration: Configuration;
  /** As it would be written, defaults included. */
  readonly text: Tree;
  readonly file: ConfigFile | undefined;
  /** `default`, `FILE:LINE` or `--flag` of the value at a path. */
  origin(path: readonly string[]): string;
}

const NO_FLAGS: FlagLayer = { tree: {}, names: {} };

/** Values that name files. Relative ones are meant from the file they stand in, of flags from where we are. */
const FILE_PATHS = [
  ['rulesFile'],
  ['serve', 'tokenFile'],
  ['json', 'directory'],
  ['log', 'file'],
  ['log', 'data', 'file'],
] as const;

/**
 * Puts the layers together and checks the whole.
 *
 * @throws ConfigError of the first flag that is wrong, or ConfigFileError with all that is wrong in the file
 */
export function resolveConfiguration({
  file,
  flags = NO_FLAGS,
}: {
  readonly file?: ConfigFile | undefined;
  readonly flags?: FlagLayer;
} = {}): Resolved {
  const inFile = file ? absoluteFiles(withoutEmpty(file.tree), dirname(file.path)) : {};
  const inFlags = absoluteFiles(flags.tree, '.');
  const text = mergeTrees(defaultTree(), inFile, inFlags);
  const parsed = ConfigurationSchema.safeParse(text);
  const flagOf = (path: Path): string | undefined =>
    valueAt(inFlags, path) === undefined ? undefined : nameOfFlag(flags, path);
  if (!parsed.success) throw problemOf(parsed.error.issues, { text, file, flagOf });
  return {
    configuration: parsed.data,
    text,
    file,
    origin(path) {
      const flag = flagOf(path);
      if (flag !== undefined) return flag;
      if (!file || valueAt(inFile, path) === undefined) return 'default';
      return `${file.path}:${file.place(path).line}`;
    },
  };
}

/** Paths of all values of a resolved configuration. */
export function valuePaths({ text }: Resolved): (readonly string[])[] {
  return leavesOf(text);
}

/** Of a list or a section of a flag also its members'; none for a section of the file that some flag is in. */
function nameOfFlag({ names }: FlagLayer, path: Path): string | undefined {
  for (let depth = path.length; depth > 0; depth--) {
    const name = names[path.slice(0, depth).join('.')];
    if (name !== undefined) return name;
  }
  return undefined;
}

function absoluteFiles(tree: Tree, from: string): Tree {
  let done = tree;
  for (const path of FILE_PATHS) {
    const value = valueAt(tree, path);
    if (typeof value === 'string' && value !== '') done = withValue(done, path, absolute(from, value));
  }
  return done;
}

type Issue = { readonly code: string; readonly path: Path; readonly message: string } & (
  | { readonly code: 'unrecognized_keys'; readonly keys: readonly string[] }
  | { readonly code: 'custom'; readonly params?: Record<string, unknown> | undefined }
  | { readonly code: Exclude<string, 'unrecognized_keys' | 'custom'> }
);

function problemOf(
  issues: readonly Issue[],
  from: {
    readonly text: Tree;
    readonly file: ConfigFile | undefined;
    readonly flagOf: (path: Path) => string | undefined;
  },
): Error {
  for (const { path, message } of issues) {
    const flag = from.flagOf(path);
    if (flag !== undefined) return new ConfigError(flag, String(valueAt(from.text, path)), message);
  }
  const { file } = from;
  if (!file) throw new TypeError(`the defaults contradict the schema: ${JSON.stringify(issues)}`);
  const mistakes = issues.flatMap((issue) => mistakesOf(issue, from.text, file));
  return new ConfigFileError(
    file.path,
    mistakes.toSorted((a, b) => a.line - b.line || a.column - b.column),
  );
}

function mistakesOf(issue: Issue, text: Tree, file: ConfigFile): Mistake[] {
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
  const from = 'params' in issue ? issue.params?.from : undefined;
  if (typeof from === 'number') {
    // A rule says itself what is wrong in it.
    const problem = `column ${from + 1} of the rule: ${issue.message}`;
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
