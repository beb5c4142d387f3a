/** Which pairs are drawn as ribbons of their own, and in which order they lie on each other. */
import type { Pair } from './fold.ts';
import { stableOrder } from './order.ts';

/** Bands drawn one by one; the many thin ones beyond are drawn together as lines, one path per segment. */
const BAND_LIMIT = 240;

/** Whose ribbon was drawn keeps it until this many bands: no coming and going at the limit. */
const KEPT_LIMIT = 300;

/**
 * The pairs that get ribbons of their own: the largest, which lie lowest. Ribbons drawn before keep their places
 * among each other as arcs do.
 *
 * @param previous ids of the ribbons drawn last, in order
 */
export function ownRibbons(pairs: readonly Pair[], previous: readonly string[] = []): readonly Pair[] {
  const drawn = new Set(previous);
  const own = new Map<string, Pair>();
  let bands = 0;
  for (const pair of pairs) {
    bands += pair.bands.length;
    if (bands > KEPT_LIMIT) break;
    if (bands <= BAND_LIMIT || drawn.has(pair.id)) own.set(pair.id, pair);
  }
  const sized = [...own.values()].map((pair) => ({ id: pair.id, size: pair.forward + pair.backward }));
  return stableOrder(sized, previous).map((id) => own.get(id)!);
}

/** What was drawn and is gone, in its old place between what is there now. */
export function withLeaving<T extends { readonly id: string }>(
  before: readonly T[],
  now: readonly T[],
): readonly { readonly one: T; readonly leaving: boolean }[] {
  const here = new Set(now.map((one) => one.id));
  const after = new Map<string, T[]>();
  let last = '';
  for (const one of before) {
    if (here.has(one.id)) last = one.id;
    else if (after.has(last)) after.get(last)!.push(one);
    else after.set(last, [one]);
  }
  const gone = (id: string) => (after.get(id) ?? []).map((one) => ({ one, leaving: true }));
  return [...gone(''), ...now.flatMap((one) => [{ one, leaving: false }, ...gone(one.id)])];
}
