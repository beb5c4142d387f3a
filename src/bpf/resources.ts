/** Accounts for what the library holds open in this thread, so that a test can fail on a leak. */

const open = new Map<symbol, string>();

/** Records that something is open; the returned function records that it is closed, and says whether it
 * was open until then. */
export function track(description: string): () => boolean {
  const token = Symbol(description);
  open.set(token, description);
  return () => open.delete(token);
}

/** Everything this thread opened through the library and has not closed: one line each, e.g. `map flows (fd 21)`. */
export function openResources(): readonly string[] {
  return [...open.values()];
}
