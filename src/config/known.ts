/** What keys there are and what they are by default, as the JSON Schema says. */
import { z } from 'zod';
import { jsonSchema } from './schema.ts';
import { isTree, type Path, type Tree } from './tree.ts';

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  /** Of a list. */
  readonly items?: SchemaNode;
  readonly default?: unknown;
  readonly description?: string;
}

let root: SchemaNode | undefined;

function nodeAt(path: Path): SchemaNode | undefined {
  root ??= jsonSchema() as SchemaNode;
  return below(root, path);
}

function below(root: SchemaNode, path: Path): SchemaNode | undefined {
  let node: SchemaNode | undefined = root;
  for (const key of path) {
    if (typeof key === 'number') node = node?.items;
    else node = Object.hasOwn(node?.properties ?? {}, key) ? node?.properties?.[String(key)] : undefined;
  }
  return node;
}

/** Names of the keys of a section of any schema; none where there is no section. */
export function keysIn(schema: z.ZodType, path: Path): readonly string[] {
  const node = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as SchemaNode;
  return Object.keys(below(node, path)?.properties ?? {});
}

/** Names of the keys of a section; none where there is no section. */
export function keysAt(path: Path): readonly string[] {
  return Object.keys(nodeAt(path)?.properties ?? {});
}

/** What a key is for; empty for a section without words and where there is no such key. */
export function descriptionAt(path: Path): string {
  return nodeAt(path)?.description ?? '';
}

/** Every key that has a default, with it, as written. */
export function defaultTree(path: Path = []): Tree {
  const tree: Record<string, unknown> = {};
  for (const key of keysAt(path)) {
    const under = [...path, key];
    const inner = nodeAt(under)!;
    if (inner.properties) tree[key] = defaultTree(under);
    else if (inner.default !== undefined) tree[key] = inner.default;
  }
  return tree;
}

/** The tree without keys that stand there with nothing behind them: those have their defaults. Unknown ones stay. */
export function withoutEmpty(tree: Tree, path: Path = []): Tree {
  const known = new Set(keysAt(path));
  const kept = Object.entries(tree).filter(([key, value]) => value !== null || !known.has(key));
  return Object.fromEntries(
    kept.map(([key, value]) => [key, isTree(value) ? withoutEmpty(value, [...path, key]) : value]),
  );
}
