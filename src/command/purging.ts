/** What meters that were killed, or were to be kept, have left in the kernel: found by the names of their instances. */
import type { LeftMeter } from '../meter/index.ts';

/** What was left by instances that do not run. */
export async function leftInKernel(): Promise<readonly LeftMeter[]> {
  // Loaded only here: stopping in order does without.
  const { leftMeters } = await import('../meter/index.ts');
  return leftMeters();
}

/** Takes away, unread, what an instance left. @returns words for it, if there was any */
export async function purge(name: string): Promise<string | undefined> {
  const { purgeMeter } = await import('../meter/index.ts');
  const left = (await leftInKernel()).filter(({ label }) => label === name);
  for (const each of left) await purgeMeter(each.name);
  return left.length === 0
    ? undefined
    : `"${name}" has stopped, and what it had left in the kernel is gone unread`;
}
