/** How the C side names observation points and reasons. */
import { Reason } from './gen/meter.ts';

const REASON_NAMES: readonly string[] = Object.entries(Reason)
  .sort(([, a], [, b]) => a - b)
  .map(([name]) => name.toLowerCase());

/** The observation point behind its number. */
export function pointOf(point: number): { ifindex: number; direction: 0 | 1 } {
  return { ifindex: point >>> 1, direction: (point & 1) as 0 | 1 };
}

/** Name of a reason, as the ledger has it: the enum's in lower case. */
export function reasonName(reason: number): string {
  return REASON_NAMES[reason] ?? `reason_${reason}`;
}
