/** Whether a lab that stands does what its topology is for. */
import { setTimeout as pause } from 'node:timers/promises';
import { LabError } from './error.ts';

/** How a check is made. */
export interface CheckOptions {
  readonly prefix: string;
  readonly signal?: AbortSignal | undefined;
  /** How long interfaces may be without an address, ms; a minute where nothing is said. */
  readonly patienceMs?: number | undefined;
  /** Gets the lines that people see. */
  readonly progress: (line: string) => void;
}

const LOOK_AGAIN_MS = 50;

/** Looks again and again until something is there, at most so long. @returns undefined when it was not */
export async function eventually<Found>(
  look: () => Promise<Found | undefined> | Found | undefined,
  { withinMs, signal }: { readonly withinMs: number; readonly signal?: AbortSignal | undefined },
): Promise<Found | undefined> {
  const deadline = performance.now() + withinMs;
  while (true) {
    signal?.throwIfAborted();
    const found = await look();
    if (found !== undefined || performance.now() > deadline) return found;
    await pause(LOOK_AGAIN_MS);
  }
}

/** The error for something that the lab should do and does not. */
export function unfulfilled(action: string, found: string, wanted: string): LabError {
  return new LabError(
    'LAB_CHECK',
    `${action}: ${found}; wanted ${wanted}`,
    'The lab still stands: `tunnelscope lab status` says what runs in it, `tunnelscope lab check` checks it again, `tunnelscope lab down` removes it.',
  );
}
