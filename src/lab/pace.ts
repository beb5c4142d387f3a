import type { Rate } from './profile.ts';

/** The timer fires at most this often; at a high rate several messages leave at once. */
const SHORTEST_STEP_MS = 2;
const LONGEST_STEP_MS = 500;
const USUAL_STEP_MS = 10;

/** At most this many messages leave at once, so that a receiver's buffer (about 90 full datagrams by default) holds them. */
const LARGEST_BURST = 32;

/**
 * Calls `emit` at a rate until its count is reached, its time is over or `signal` aborts: a token bucket whose size
 * bounds the burst after a stall, so what a stall cost is not made up for. `emit` returns false when it cannot send
 * now; it is asked again later. Resolves at the end, never rejects unless `emit` throws.
 */
export async function paced(rate: Rate, signal: AbortSignal, emit: () => boolean): Promise<void> {
  const burst = Math.min(LARGEST_BURST, Math.ceil(rate.perSecond / 20) + 1);
  const stepMs = Math.max(SHORTEST_STEP_MS, Math.min(USUAL_STEP_MS, (500 * LARGEST_BURST) / rate.perSecond));
  const begin = performance.now();
  let last = begin;
  let tokens = 1;
  let emitted = 0;
  while (!signal.aborted) {
    const now = performance.now();
    if (rate.seconds !== undefined && now - begin >= rate.seconds * 1000) return;
    if (isOn(rate, now - begin)) tokens = Math.min(burst, tokens + ((now - last) / 1000) * rate.perSecond);
    last = now;
    while (tokens >= 1 && emit()) {
      tokens -= 1;
      emitted += 1;
      if (emitted === rate.count) return;
    }
    const dueMs = ((1 - tokens) / rate.perSecond) * 1000;
    await wait(Math.min(LONGEST_STEP_MS, Math.max(stepMs, dueMs)), signal);
  }
}

/** Resolves after a time, or as soon as `signal` aborts. */
export function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    resolve();
  };
  const timer = setTimeout(end, milliseconds);
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  return promise;
}

function isOn(rate: Rate, elapsedMs: number): boolean {
  const on = rate.onSeconds ?? 0;
  const off = rate.offSeconds ?? 0;
  return off === 0 || on === 0 || (elapsedMs / 1000) % (on + off) < on;
}
