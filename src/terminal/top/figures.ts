/** A value as a text of a fixed width: three significant digits, and a unit that stays in its place. */
import {
  bitRateQuantity,
  countQuantity,
  octetQuantity,
  packetRateQuantity,
  type Quantity,
} from '../../flow/index.ts';
import type { Units } from './state.ts';

/** Characters of a quantity: four of its number (`1.24`, `84.1`, ` 318`, `9999`), a blank, six of its unit (`Gbit/s`). */
export const QUANTITY_WIDTH = 11;
const NUMBER_WIDTH = 4;
const UNIT_WIDTH = 6;

/** The number from the right, and its unit behind it; `text` has both, always as wide. */
export interface Figure {
  readonly number: string;
  readonly unit: string;
}

/** A quantity whose digits and unit stand below those of others. */
export function figure({ number, unit }: Quantity, unitWidth: number = UNIT_WIDTH): Figure {
  return { number: number.padStart(NUMBER_WIDTH), unit: ` ${unit.padStart(unitWidth)}` };
}

/** Octets of a window as the units say. @param seconds what the window covers */
export function octetFigure(octets: number, units: Units, seconds: number): Figure {
  if (units === 'amount') return figure(octetQuantity(octets));
  const rate = seconds > 0 ? octets / seconds : 0;
  if (units === 'bits') return figure(bitRateQuantity(rate));
  const { number, unit } = octetQuantity(rate);
  return figure({ number, unit: `${unit}/s` });
}

/** Packets of a window as the units say. */
export function packetFigure(packets: number, units: Units, seconds: number): Figure {
  if (units !== 'amount') return figure(packetRateQuantity(seconds > 0 ? packets / seconds : 0));
  const { number, unit } = countQuantity(packets);
  return figure({ number, unit: `${unit}pkt` });
}

/** A count, every digit up to a million, then with a prefix; six characters. */
export function countText(count: number): string {
  if (count < 1_000_000) return String(Math.round(count)).padStart(6);
  const { number, unit } = countQuantity(count);
  return `${number} ${unit}`.padStart(6);
}

/** Octets whatever the units are: `1.24 GiB`. */
export function sizeFigure(octets: number): Figure {
  return figure(octetQuantity(octets), 3);
}

/** Every digit, in groups of three. */
export function exactText(value: number): string {
  return Math.trunc(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** `63.4 %`, never wider than seven characters; a little is not nothing. */
export function partText(part: number): string {
  const percent = 100 * part;
  if (percent > 0 && percent < 0.1) return '< 0.1 %';
  return `${percent >= 99.95 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}

/** `812 µs`, `1.24 ms`, `2.31 s`. */
export function latencyFigure(ms: number): Figure {
  const [value, unit] = ms < 0.9995 ? [1000 * ms, 'µs'] : ms < 999.5 ? [ms, 'ms'] : [ms / 1000, 's'];
  return figure({ number: threeDigits(value), unit }, 2);
}

/** Time in at most eight characters: `812 ms`, `12.3 s`, `3:07`, `2:15:09`, `4 d 3 h`, `347 d`. */
export function durationText(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 59.95) return `${threeDigits(seconds)} s`;
  const whole = Math.floor(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 9) return `${days} d`;
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Time of the day by this machine's clock. */
export function clockText(ms: number): string {
  const time = new Date(ms);
  return [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** A bar for 0…1 of a width, in eighths of a character; a little is at least one eighth. */
export function barText(share: number, width: number): string {
  const eighths = Math.round(Math.max(0, Math.min(1, share)) * width * 8);
  const shown = share > 0 ? Math.max(1, eighths) : 0;
  return '█'.repeat(Math.floor(shown / 8)) + EIGHTHS[shown % 8];
}

function threeDigits(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
