/** Occasions in words. */
import type { Tellings } from '../function.ts';
import type { Occasion } from './notices.ts';

/** Tells of an occasion; what is only counted is not told. @param named a place by its number, in words */
export function tellOccasion(occasion: Occasion, tellings: Tellings, named: (place: number) => string): void {
  const telling = wordsFor(occasion, named);
  if (telling) tellings.add(...telling);
}

function wordsFor(
  { kind, vni, mac, place, former }: Occasion,
  named: (place: number) => string,
): [kind: string, words: string] | undefined {
  const of = `VNI ${vni}: ${mac}`;
  switch (kind) {
    case 'MOVED':
      return ['moved', `${of} moved from ${named(former)} to ${named(place)}`];
    case 'MOVE_DAMPED':
      return [
        'move-damped',
        `${of} moves too often: it stays at ${named(former)} for the rest of the period, though it spoke from ${named(place)}`,
      ];
    case 'TABLE_FULL':
      return ['table-full', `${of} at ${named(place)} was not learned: the table is full`];
    case 'SPOOF_SEEN':
      return [
        'spoofed',
        `${of} is a static entry at ${named(former)}; a frame from ${named(place)} was dropped`,
      ];
    default:
      return undefined;
  }
}
