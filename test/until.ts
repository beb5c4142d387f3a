import assert from 'node:assert/strict';
import { isScaled } from './scale.ts';

/** Where less is done because everything is slow, it may take longer all the same. */
const PATIENCE = isScaled ? 6 : 1;

/** Waits for a condition, with a deadline; under emulation a longer one. */
export async function until(
  condition: () => Promise<boolean> | boolean,
  what: string,
  deadlineMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + PATIENCE * deadlineMs;
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, `waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
