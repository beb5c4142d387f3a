/** Where to look for what is unexplained. */
import type { CounterLine } from '../flow/index.ts';
import { type ExactCount, isNone } from './span.ts';

/** What is known of an observation point. */
interface HintedPoint {
  readonly direction: 0 | 1;
  readonly interfaceName: string;
  readonly programs: CounterLine['programs'];
}

/** In a sentence; empty where nothing is unexplained. */
export function hintOf(
  { direction, programs, interfaceName }: HintedPoint,
  { inside, outside }: { readonly inside: ExactCount; readonly outside: ExactCount },
): string {
  if (!isNone(inside)) return 'seen by the hook and in no flow and no ledger line: a bug, please report it';
  if (isNone(outside)) return '';
  const more = outside.packets === 0n ? outside.octets > 0n : outside.packets > 0n;
  if (more) {
    return programs && programs.before.length > 0
      ? `counted by the interface, not seen by the hook: ${programs.before.join(', ')} runs before it and may drop or redirect packets`
      : 'counted by the interface, not seen by the hook: something before it takes packets (a program of others, XDP, a socket that bypasses it)';
  }
  const after = programs?.after ?? [];
  const who = after.length > 0 ? `${after.join(', ')} runs after it and may drop or redirect; else ` : '';
  return direction === 1
    ? `seen by the hook, not counted by the interface: ${who}dropped by the queue ("tc -s qdisc show dev ${interfaceName}")`
    : 'seen by the hook, not counted by the interface: packets put there by others (a redirect, a mirror)';
}
