/** How much tests do of what is merely many: `TEST_SCALE` of it (default 1), for machines far slower than usual ones. */
const SCALE = Number(process.env.TEST_SCALE ?? 1);

/** Whether less is done than on a usual machine. */
export const isScaled: boolean = SCALE < 1;

/** Part of a number, but no less than `least`. */
export function scaled(count: number, least = 1): number {
  return Math.max(least, Math.round(count * SCALE));
}

/** Part of many: every so-many-th, in the order they are in. */
export function sample<Item>(all: readonly Item[]): readonly Item[] {
  const step = Math.round(1 / SCALE);
  return all.filter((_, i) => i % step === 0);
}
