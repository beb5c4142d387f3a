/** Defaults, file, flags: the later override the earlier, here and nowhere else; and where each value came from. */
import { resolve as absolute, dirname } from 'node:path';
import { ConfigError } from './error.ts';
import type { ConfigFile } from './file.ts';
import { defaultTree, keysAt, withoutEmpty } from './known.ts';
import { fileError, type Issue } from './mistakes.ts';
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
  ['history', 'directory'],
  ['serve', 'adminTokenFile'],
  ['json', 'directory'],
  ['names', 'hosts'],
  ['names', 'labels'],
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
  return fileError(issues, { file, text: from.text, keysAt });
}
