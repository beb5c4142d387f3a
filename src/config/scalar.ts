/** Single values as people write them, on the command line and in the file: what is wanted is said in one place. */
import { PORT_NAMES, type PortName, type TunnelPorts } from '../flow/index.ts';
import { type Listen, parseListen } from '../listen.ts';
import { type AlertQuantity, INTERFACE_PATTERN } from '../query/index.ts';
import { ConfigError } from './error.ts';

/** Octets in a unit: SI by thousands, IEC by 1024. */
const UNIT_OCTETS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Reads a duration such as `5s`, `500ms`, `1m30s` (Go's form), or plain seconds. @returns milliseconds */
export function parseDuration(field: string, text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return checkPositive(field, text, Number(text) * 1000);
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text))
    throw new ConfigError(field, text, 'a duration such as 5s, 500ms or 1m30s');
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    sum += Number(number) * UNIT_MS[unit!]!;
  return checkPositive(field, text, sum);
}

function checkPositive(field: string, text: string, ms: number): number {
  if (ms < 100 || ms > 3_600_000) throw new ConfigError(field, text, 'between 100ms and 1h');
  return ms;
}

const AGE_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const OLDEST_MS = 36_525 * AGE_MS.d!;

/** Reads how long something is kept, such as `24h` or `400d`. @returns milliseconds */
export function parseAge(field: string, text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(s|m|h|d)$/.exec(text) ?? [];
  const ms = number === undefined ? 0 : Number(number) * AGE_MS[unit!]!;
  if (ms < 1000 || ms > OLDEST_MS)
    throw new ConfigError(field, text, 'an age such as 24h or 14d, up to a hundred years');
  return ms;
}

/** Reads the length of the periods of a history, of which a minute is a multiple. @returns milliseconds */
export function parsePeriod(field: string, text: string): number {
  const [, number] = /^(\d+)s$/.exec(text) ?? [];
  const seconds = Number(number ?? 0);
  if (seconds < 1 || 60 % seconds !== 0)
    throw new ConfigError(
      field,
      text,
      'seconds that a minute is a multiple of: 1s, 2s, 5s, 10s, 20s, 30s, …',
    );
  return 1000 * seconds;
}

/** Reads a whole number within bounds, both included. */
export function parseCount(
  field: string,
  text: string,
  bounds: { readonly min: number; readonly max: number },
): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < bounds.min || value > bounds.max) {
    throw new ConfigError(field, text, `a whole number from ${bounds.min} to ${bounds.max}`);
  }
  return value;
}

/** Reads a number of milliseconds, 0 and fractions included. */
export function parseMilliseconds(field: string, text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text) || Number(text) > 60_000)
    throw new ConfigError(field, text, 'milliseconds from 0 to 60000');
  return Number(text);
}

/** Reads a pattern of 32 bits, `0xE7A5C318`. */
export function parsePattern(field: string, text: string): number {
  if (!/^0x[0-9a-f]{1,8}$/i.test(text))
    throw new ConfigError(field, text, 'a pattern of 32 bits such as 0xE7A5C318');
  return Number(text);
}

/** Reads a size such as `10MB`, `64KiB` or plain octets, at least 4 kB. @returns octets */
export function parseSize(field: string, text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?(B|kB|MB|GB|KiB|MiB|GiB|)$/.exec(text) ?? [];
  const octets = number === undefined ? 0 : Math.floor(Number(number) * UNIT_OCTETS[unit]!);
  if (octets < 4000 || octets > 2 ** 40)
    throw new ConfigError(field, text, 'a size from 4kB on, such as 10MB or 64KiB');
  return octets;
}

const PREFIXES: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };
/** By quantity: units, what one is of it, and how a threshold is written. */
const THRESHOLDS: Readonly<
  Record<AlertQuantity, { readonly units: Readonly<Record<string, number>>; readonly wanted: string }>
> = {
  octets: { units: { 'bit/s': 1 / 8, 'B/s': 1 }, wanted: 'a rate such as 1Gbit/s or 100MB/s' },
  packets: { units: { 'pkt/s': 1 }, wanted: 'a rate of packets such as 10kpkt/s' },
  flows: { units: { '': 1, flows: 1 }, wanted: 'a number of flows such as 5000 or 5k' },
};

/** Reads the threshold of an alert. @returns octets or packets per second, or flows */
export function parseThreshold(field: string, text: string, quantity: AlertQuantity): number {
  const { units, wanted } = THRESHOLDS[quantity];
  const [, number, prefix = '', unit = ''] =
    /^(\d{1,15}(?:\.\d{1,9})?) ?([kMGT]?)(bit\/s|B\/s|pkt\/s|flows|)$/.exec(text) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (number === undefined || factor === undefined) throw new ConfigError(field, text, wanted);
  return Number(number) * PREFIXES[prefix]! * factor;
}

/** Reads UDP ports, comma-separated; nothing for none. */
function parsePorts(field: string, text: string): number[] {
  if (text === '') return [];
  return text.split(',').map((part) => parseCount(field, part.trim(), { min: 1, max: 65_535 }));
}

/** Reads which ports carry which tunnel: `KIND=PORT,PORT`, repeated; `KIND=` switches a kind off. */
export function parseTunnelPorts(field: string, texts: readonly string[]): Partial<TunnelPorts> {
  const ports: Partial<Record<PortName, readonly number[]>> = {};
  for (const text of texts) {
    const [, word, list] = /^([^=]*)=(.*)$/.exec(text) ?? [];
    const name = PORT_NAMES.find((each) => each === word);
    if (name === undefined || list === undefined)
      throw new ConfigError(field, text, `KIND=PORT,… with a kind of ${PORT_NAMES.join(', ')}`);
    ports[name] = parsePorts(field, list);
  }
  return ports;
}

/** Reads interface names or globs, comma-separated; `+` before one adds it to the default choice. */
export function parseInterfaces(field: string, texts: readonly string[]): string[] {
  const names = texts.flatMap((text) => text.split(',')).map((text) => text.trim());
  return names.map((name) => parseInterface(field, name));
}

/** Reads one interface name or glob; `+` before it adds it to the default choice. */
export function parseInterface(field: string, text: string): string {
  if (INTERFACE_PATTERN.test(text)) return text;
  throw new ConfigError(field, text, 'an interface name or glob (at most 15 characters)');
}

/** Reads the name of a network namespace under /run/netns. */
export function parseNamespace(field: string, text: string): string {
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(text) || text.startsWith('.')) {
    throw new ConfigError(field, text, 'the name of a network namespace as "ip netns" lists it');
  }
  return text;
}

/** Reads the name of an instance: it stands in names of files and of services. */
export function parseInstance(field: string, text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,47}$/.test(text)) return text;
  throw new ConfigError(field, text, 'a name of letters, digits, "_", "." and "-" (at most 48)');
}

/** Reads the name of a group of users. */
export function parseGroup(field: string, text: string): string {
  if (/^[a-z_][a-z0-9_-]{0,31}$/.test(text)) return text;
  throw new ConfigError(field, text, 'the name of a group as /etc/group has it');
}

/** Reads one word of a few. */
export function parseChoice<Word extends string>(field: string, text: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === text);
  if (found === undefined) throw new ConfigError(field, text, `one of ${words.join(', ')}`);
  return found;
}

/** Reads `HOST:PORT`. */
export function parseAddressAndPort(field: string, text: string): Listen {
  try {
    return parseListen(text);
  } catch {
    throw new ConfigError(field, text, 'an address to listen on such as 127.0.0.1:8080, 8080 or [::1]:8080');
  }
}

/** Reads the name of a host as the Host header has it: letters, digits, dots, dashes, colons in brackets; no port. */
export function parseHostName(field: string, text: string): string {
  if (!/^([A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])$/.test(text)) {
    throw new ConfigError(field, text, 'a host name or address without a port');
  }
  return text.toLowerCase();
}
