/** How much bigger something must be to overtake its neighbour: keeps the picture from dancing. */
const OVERTAKE = 1.1;

/** Something with an identity and a size. */
export interface Sized {
  readonly id: string;
  readonly size: number;
}

/**
 * Sorts by size, descending, but keeps the previous order of two neighbours unless the later is more than 10 % bigger.
 * Without a previous order it is a plain sort; equal sizes stand by id.
 */
export function stableOrder(sized: readonly Sized[], previous: readonly string[]): string[] {
  const rank = new Map(previous.map((id, index) => [id, index]));
  const kept = sized.filter((one) => rank.has(one.id)).sort((a, b) => rank.get(a.id)! - rank.get(b.id)!);
  const fresh = sized.filter((one) => !rank.has(one.id)).sort(bySize);
  if (kept.length === 0) return fresh.map((one) => one.id);
  bubble(kept);
  const order = [...kept];
  for (const one of fresh) {
    const at = order.findIndex((other) => bySize(one, other) < 0);
    order.splice(at < 0 ? order.length : at, 0, one);
  }
  return order.map((one) => one.id);
}

function bySize(a: Sized, b: Sized): number {
  return b.size - a.size || (a.id < b.id ? -1 : 1);
}

/** Swaps neighbours until none overtakes. Each swap puts a bigger one first, so it ends. */
function bubble(order: Sized[]): void {
  for (let end = 1; end < order.length; end++) {
    for (let i = end; i > 0 && order[i]!.size > order[i - 1]!.size * OVERTAKE; i--) {
      [order[i - 1], order[i]] = [order[i]!, order[i - 1]!];
    }
  }
}
