/** Attributes that change with every update: React does not know them, so that an update is no reason to render. */

/** Attributes by name. */
export type Attributes = Readonly<Record<string, string | number>>;

const NONE: Attributes = {};

/** What was written last, as long as the elements live. */
const written = new WeakMap<Element, Attributes>();

/** Writes those that say something else than last time. An element must always be given the same names. */
export function writeAttributes(element: Element, next: Attributes): void {
  const last = written.get(element) ?? NONE;
  written.set(element, next);
  for (const name in next) {
    const value = next[name]!;
    if (value !== last[name]) element.setAttribute(name, String(value));
  }
}
