/** Configuration before it is checked: nested objects of values, in layers of which the later override the earlier. */

/** What YAML, JSON or flags hold. */
export type Tree = Readonly<Record<string, unknown>>;

/** Keys from the root; numbers are places in lists. */
export type Path = readonly PropertyKey[];

/** Whether it is an object with keys of its own. */
export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Each key of the later layers instead of that of the earlier; lists are replaced as a whole. */
export function mergeTrees(...layers: readonly Tree[]): Tree {
  const merged: Record<string, unknown> = {};
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer)) {
      const before = Object.hasOwn(merged, key) ? merged[key] : undefined;
      const both = isTree(before) && isTree(value) ? mergeTrees(before, value) : value;
      // "__proto__" is a key like any other: it is refused as unknown, and must not be set before.
      Object.defineProperty(merged, key, {
        value: both,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
  }
  return merged;
}

/** What stands at a path; undefined when nothing does. */
export function valueAt(tree: unknown, path: Path): unknown {
  let value = tree;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** The tree with one value set. */
export function withValue(tree: Tree, path: readonly string[], value: unknown): Tree {
  return mergeTrees(tree, path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Tree);
}

/** Paths of all values that are no sections, lists as a whole. */
export function leavesOf(tree: Tree, under: readonly string[] = []): (readonly string[])[] {
  return Object.entries(tree).flatMap(([key, value]) =>
    isTree(value) ? leavesOf(value, [...under, key]) : [[...under, key]],
  );
}
