/** Numbers for people: three significant digits, units always, never a jump in width for the same magnitude. */

const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;
const DECIMAL = ['', 'k', 'M', 'G', 'T', 'P', 'E'] as const;

/** A number and its unit, apart, so that a view can mute the unit. */
export interface Quantity {
  readonly number: string;
  readonly unit: string;
}

/** Octets in powers of 1024 with IEC units: `318 MiB`, `1.24 GiB`, `882 B`. */
export function octetQuantity(octets: number): Quantity {
  return scaled(octets, 1024, (step) => BINARY[step]!);
}

/** A rate in bits per second with SI units: `1.24 Gbit/s`. */
export function bitRateQuantity(octetsPerSecond: number): Quantity {
  return scaled(octetsPerSecond * 8, 1000, (step) => `${DECIMAL[step]}bit/s`);
}

/** A rate of packets with SI units: `84.1 kpkt/s`. */
export function packetRateQuantity(packetsPerSecond: number): Quantity {
  return scaled(packetsPerSecond, 1000, (step) => `${DECIMAL[step]}pkt/s`);
}

/** A count with SI units: `5.21 M`. */
export function countQuantity(count: number): Quantity {
  return scaled(count, 1000, (step) => DECIMAL[step]!);
}

/** A share of a whole as a percentage: `63.4 %`, `< 0.1 %`. */
export function shareQuantity(part: number, whole: number): Quantity {
  const percent = whole > 0 ? (100 * part) / whole : 0;
  if (percent > 0 && percent < 0.1) return { number: '< 0.1', unit: '%' };
  return { number: percent >= 99.95 ? '100' : percent.toFixed(1), unit: '%' };
}

/** The quantity as one string. */
export function formatQuantity(quantity: Quantity): string {
  return quantity.unit === '' ? quantity.number : `${quantity.number} ${quantity.unit}`;
}

function scaled(value: number, base: number, unit: (step: number) => string): Quantity {
  let step = 0;
  let rest = value;
  // The next unit begins where rounding to whole numbers reaches it: never `1000 pkt/s`.
  while (rest >= base - 0.5 && step < DECIMAL.length - 1) {
    rest /= base;
    step++;
  }
  return { number: threeDigits(rest, step), unit: unit(step) };
}

function threeDigits(value: number, step: number): string {
  if (step === 0 && Number.isInteger(value)) return String(value);
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
