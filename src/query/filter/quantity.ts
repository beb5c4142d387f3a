/** Numbers with units, as they are typed and written: `10MB`, `4KiB`, `5k`, `1m30s`. Both ways are exact. */
import type { NumberUnit } from './value-type.ts';

const DECIMAL = ['k', 'M', 'G', 'T', 'P'] as const;
const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi'] as const;
const DURATIONS: readonly (readonly [unit: string, ms: number])[] = [
  ['w', 604_800_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];

/** Reads a whole number in a unit's smallest part (octets, one, milliseconds). @returns undefined when it is none */
export function parseQuantity(text: string, unit: NumberUnit | undefined): number | undefined {
  if (unit === undefined) return parseWhole(text);
  return unit === 'duration' ? parseMilliseconds(text) : parseScaled(text, unit === 'octets');
}

/** Writes a number so that {@link parseQuantity} reads the same: in the largest unit that it is a multiple of. */
export function formatQuantityText(number: number, unit: NumberUnit | undefined): string {
  if (unit === undefined || number === 0) return `${number}${unit === 'duration' ? 'ms' : ''}`;
  if (unit === 'duration') {
    const [word, ms] = DURATIONS.find(([, each]) => number % each === 0)!;
    return `${number / ms}${word}`;
  }
  const suffix = unit === 'octets' ? 'B' : '';
  for (const [base, prefixes] of [
    [1000, DECIMAL],
    [1024, BINARY],
  ] as const) {
    let [step, rest] = [0, number];
    while (rest % base === 0 && step < prefixes.length) [step, rest] = [step + 1, rest / base];
    if (step > 0) return `${rest}${prefixes[step - 1]}${suffix}`;
  }
  return String(number);
}

function parseWhole(text: string): number | undefined {
  return /^(\d{1,16}|0x[0-9a-f]{1,13})$/i.test(text) ? safe(Number(text)) : undefined;
}

function parseScaled(text: string, isOctets: boolean): number | undefined {
  const [, digits, prefix = '', suffix] = /^(\d{1,16}(?:\.\d{1,9})?)([kmgtp]i?)?(b)?$/i.exec(text) ?? [];
  if (digits === undefined || (suffix !== undefined && !isOctets)) return undefined;
  const isBinary = prefix.length === 2;
  const step = 'kmgtp'.indexOf(prefix.charAt(0).toLowerCase()) + (prefix === '' ? 0 : 1);
  const number = Number(digits) * (isBinary ? 1024 : 1000) ** step;
  // A part of an octet is a mistake; that 1.1 is not exact in binary is none.
  const whole = Math.round(number);
  return Math.abs(number - whole) <= whole * Number.EPSILON ? safe(whole) : undefined;
}

function parseMilliseconds(text: string): number | undefined {
  if (!/^(\d{1,16}(\.\d{1,3})?(ms|s|m|h|d|w))+$/i.test(text)) return undefined;
  let sum = 0;
  for (const [, number, word] of text.matchAll(/([\d.]+)(ms|[smhdw])/gi))
    sum += Number(number) * DURATIONS.find(([each]) => each === word!.toLowerCase())![1];
  return safe(Math.round(sum));
}

function safe(number: number): number | undefined {
  return Number.isSafeInteger(number) ? number : undefined;
}
