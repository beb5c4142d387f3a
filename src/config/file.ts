/** A file of configuration as a tree, and where each of its values stands. */
import { readFileSync } from 'node:fs';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { ConfigFileError, type Mistake } from './error.ts';
import { isLegacy, translateLegacy } from './legacy.ts';
import { isTree, type Path, type Tree } from './tree.ts';

/** A file that was read; its values are not checked yet. */
export interface ConfigFile {
  readonly path: string;
  /** In the keys of the schema, also where the file has others. */
  readonly tree: Tree;
  /** It is a `config.json` of the reference's monitor. */
  readonly isLegacy: boolean;
  /** Where the value at a path of the tree stands; `key` for one that is unknown there, `from` for a place in its text. */
  place(path: Path, at?: { readonly key?: string; readonly from?: number }): Pick<Mistake, 'line' | 'column'>;
}

/** A megabyte is no configuration. */
const MAX_OCTETS = 1 << 20;

/** Reads YAML, and JSON, which is YAML too. @throws ConfigFileError */
export function readConfigFile(path: string): ConfigFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigFileError(path, (error as Error).message);
  }
  if (text.length > MAX_OCTETS) throw new ConfigFileError(path, `it is larger than ${MAX_OCTETS} octets`);
  return parseConfigFile(path, text);
}

/** @throws ConfigFileError with all that is no YAML */
export function parseConfigFile(path: string, text: string): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): Pick<Mistake, 'line' | 'column'> => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const faults = [...document.errors, ...document.warnings].map(
    ({ pos, message }): Mistake => ({ ...place(pos[0]), path: '', problem: message }),
  );
  if (faults.length > 0) throw new ConfigFileError(path, faults);
  const tree = treeOf(document, path);
  const legacy = isLegacy(tree) ? translateLegacy(tree) : undefined;
  if (legacy && legacy.mistakes.length > 0) {
    const mistakes = legacy.mistakes.map(({ key, problem }) => ({
      ...place(offsetOf(document, [], { key })),
      path: '',
      problem,
    }));
    throw new ConfigFileError(path, mistakes);
  }
  return {
    path,
    tree: legacy?.tree ?? tree,
    isLegacy: legacy !== undefined,
    place: (at, more = {}) => place(offsetOf(document, legacy ? legacy.origin(at) : at, { ...more, text })),
  };
}

function treeOf(document: Document, path: string): Tree {
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new ConfigFileError(path, [{ line: 1, column: 1, path: '', problem: (error as Error).message }]);
  }
  if (value === null || value === undefined) return {};
  if (isTree(value)) return value;
  const problem = 'this is not a list of keys with values such as "interval: 1s"';
  throw new ConfigFileError(path, [{ line: 1, column: 1, path: '', problem }]);
}

/** Where the value stands, or the nearest one around it that does. */
function offsetOf(
  document: Document,
  path: Path,
  { key, from, text }: { readonly key?: string; readonly from?: number; readonly text?: string },
): number {
  for (let depth = path.length; depth >= 0; depth--) {
    const node: unknown = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (!isNode(node)) continue;
    const start = node.range?.[0] ?? 0;
    if (depth < path.length) return start;
    if (key !== undefined && isMap(node)) {
      const pair = node.items.find(({ key: each }) => isScalar(each) && String(each.value) === key);
      if (pair && isNode(pair.key)) return pair.key.range?.[0] ?? start;
    }
    if (from === undefined || !isScalar(node)) return start;
    // Only where the file has the text as it is: behind escapes or folded lines the place would be a wrong one.
    const begin = node.type === 'PLAIN' ? start : start + 1;
    return text?.startsWith(String(node.value), begin) ? begin + from : start;
  }
  return 0;
}
