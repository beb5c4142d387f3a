/** Time stamps of pcapng: 64 bits in units of a power of 10 or of 2 of a second. */
import type { Filling } from './batch.ts';

const DECIMAL_NANOSECONDS = 9;

/** How the time stamps of an interface are turned into seconds and nanoseconds. */
export interface Clock {
  /** Units per second. */
  readonly resolution: bigint;
  readonly offsetSeconds: number;
  /** Units per second, and nanoseconds per unit, when the unit is a power of 10 and no finer than a nanosecond; 0 otherwise. */
  readonly perSecond: number;
  readonly unitNs: number;
}

/** @param tsresol The option's octet: a negative power of 10, or with the highest bit set of 2. */
export function clockOf(tsresol: number, offsetSeconds: number): Clock {
  const exponent = tsresol & 0x7f;
  const binary = tsresol !== exponent;
  const plain = !binary && exponent <= DECIMAL_NANOSECONDS;
  return {
    resolution: (binary ? 2n : 10n) ** BigInt(exponent),
    offsetSeconds,
    perSecond: plain ? 10 ** exponent : 0,
    unitNs: plain ? 10 ** (DECIMAL_NANOSECONDS - exponent) : 0,
  };
}

/** Writes the time of the next packet of a batch. Four parameters, because an object for each packet costs more. */
export function setTime(batch: Filling, clock: Clock, high: number, low: number): void {
  const { seconds, nanoseconds, count: row } = batch;
  const { perSecond } = clock;
  if (perSecond === 0) {
    const units = (BigInt(high) << 32n) | BigInt(low);
    const whole = units / clock.resolution;
    seconds[row] = Number(whole) + clock.offsetSeconds;
    nanoseconds[row] = Number(((units - whole * clock.resolution) * 1_000_000_000n) / clock.resolution);
    return;
  }
  // Long division by 16-bit digits: perSecond < 2^30, so that each dividend is below 2^46 and exact.
  const first = Math.floor(high / perSecond);
  const middle = (high - first * perSecond) * 0x1_0000 + (low >>> 16);
  const second = Math.floor(middle / perSecond);
  const last = (middle - second * perSecond) * 0x1_0000 + (low & 0xffff);
  const third = Math.floor(last / perSecond);
  seconds[row] = first * 0x1_0000_0000 + second * 0x1_0000 + third + clock.offsetSeconds;
  nanoseconds[row] = (last - third * perSecond) * clock.unitNs;
}
