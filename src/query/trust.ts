/** How far the numbers can be trusted, in the words of the page and of the terminal. */
import { excludedOf, formatQuantity, octetQuantity } from '../flow/index.ts';
import type { Exactness } from './view.ts';

/** Can the numbers be trusted? */
export interface Trust {
  readonly state: 'exact' | 'coarse' | 'wrong';
  /** `all counted`, `0.02 % unexplained`. */
  readonly words: string;
  /** The sentence behind it. */
  readonly more: string;
}

/** Judges the exactness. */
export function trust({ seen, recorded, overflow, ledger, unexplained, outside }: Exactness): Trust {
  const excluded = excludedOf(ledger).octets;
  const named = ledger.reduce((sum, line) => sum + line.octets, 0) - excluded;
  const more = [
    `${formatQuantity(octetQuantity(seen.octets))} seen, ${formatQuantity(octetQuantity(recorded.octets))} in flows`,
    `${formatQuantity(octetQuantity(named))} in named ledger lines`,
    ...(excluded > 0 ? [`${formatQuantity(octetQuantity(excluded))} excluded by the rules`] : []),
    `${formatQuantity(octetQuantity(Math.abs(unexplained.octets)))} unexplained by the flows`,
    outside.points > 0
      ? `${packetCount(outside.packets)} by the interfaces`
      : 'no interface tells what it counted',
  ].join(', ');
  if (unexplained.octets !== 0 || unexplained.packets !== 0) {
    const share = finePercent(Math.abs(unexplained.octets), seen.octets);
    return { state: 'wrong', words: `${share} unexplained`, more };
  }
  if (outside.packets !== 0 || outside.octets !== 0) {
    const words =
      outside.packets !== 0
        ? `${packetCount(outside.packets)} unexplained`
        : `${formatQuantity(octetQuantity(outside.octets))} unexplained`;
    return { state: 'wrong', words, more };
  }
  if (overflow.octets > 0) {
    return {
      state: 'coarse',
      words: `all counted, ${finePercent(overflow.octets, seen.octets)} without detail`,
      more,
    };
  }
  const words =
    excluded > 0 ? `all counted, ${finePercent(excluded, seen.octets)} excluded by the rules` : 'all counted';
  return { state: 'exact', words, more };
}

function packetCount(packets: number): string {
  return `${exactly(packets)} ${packets === 1 ? 'packet' : 'packets'}`;
}

/** Every digit, in groups of three: `12 304`. */
export function exactly(value: number): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** Two significant digits, for shares that should be nothing: `0.02 %`. */
export function finePercent(part: number, whole: number): string {
  const value = whole > 0 ? (100 * part) / whole : 0;
  // All but a little is not all.
  if (value > 99.5 && value < 100) return value > 99.99 ? '> 99.99 %' : `${value.toFixed(2)} %`;
  if (value === 0 || value >= 10) return `${Math.round(value)} %`;
  return value < 0.001 ? '< 0.001 %' : `${Number(value.toPrecision(2))} %`;
}
