/** What kinds of values the fields of the filter language take. */
import {
  CASTS,
  DIRECTIONS,
  ethertypeNumbers,
  FRAGMENTS,
  MARK,
  NETWORK,
  protocolNumbers,
  REMARK,
  TUNNEL,
} from '../../flow/index.ts';

/** Words for values, and the codes each stands for; of words for the same codes the first is written. */
export type ValueNames = ReadonlyMap<string, readonly number[]>;

/** What may be compared with a field. */
export type ValueType =
  | { readonly kind: 'address' }
  | { readonly kind: 'mac' }
  | { readonly kind: 'interface' }
  /** Words only. */
  | { readonly kind: 'name'; readonly names: ValueNames }
  /** Numbers from 0 to `max`, ranges of them, and words for some. */
  | {
      readonly kind: 'number';
      readonly max: number;
      readonly unit?: NumberUnit;
      readonly names?: ValueNames;
      /** Written in hexadecimal. */
      readonly isHexadecimal?: true;
    };

/** Units a number may carry: octets `10MB`, `4KiB`; counts `5k`; durations `1m30s`. */
export type NumberUnit = 'octets' | 'count' | 'duration';

/** Code of the word `none` where a field is numbers: no number that can be typed or read. */
export const NONE_CODE = -2;
/** Code of `proto = arp`, which is no IP protocol. */
export const ARP_CODE = -3;
/** What a field that a flow lacks reads as: no word stands for it. */
export const ABSENT = -1;

const named = (codes: Readonly<Record<string, number>>): [string, number[]][] =>
  Object.entries(codes).map(([name, code]) => [name, [code]]);
const listed = (names: readonly string[]): [string, number[]][] => names.map((name, code) => [name, [code]]);
const lowerCase = (numbers: ReadonlyMap<string, number[]>): [string, number[]][] =>
  [...numbers].map(([name, codes]) => [name.toLowerCase(), codes]);

/** The types there are. */
export const VALUE_TYPES = {
  address: { kind: 'address' },
  mac: { kind: 'mac' },
  interface: { kind: 'interface' },
  port: { kind: 'number', max: 0xffff },
  protocol: {
    kind: 'number',
    max: 0xff,
    names: new Map([...lowerCase(protocolNumbers()), ['arp', [ARP_CODE]]]),
  },
  ethertype: {
    kind: 'number',
    max: 0xffff,
    isHexadecimal: true,
    names: new Map(lowerCase(ethertypeNumbers())),
  },
  vlan: { kind: 'number', max: 0xfff, names: new Map(named({ none: NONE_CODE })) },
  octet: { kind: 'number', max: 0xff },
  word: { kind: 'number', max: 0xffffffff },
  dscp: { kind: 'number', max: 63, names: new Map(dscpNames()) },
  octets: { kind: 'number', max: Number.MAX_SAFE_INTEGER, unit: 'octets' },
  count: { kind: 'number', max: Number.MAX_SAFE_INTEGER, unit: 'count' },
  duration: { kind: 'number', max: Number.MAX_SAFE_INTEGER, unit: 'duration' },
  network: { kind: 'name', names: new Map(named(NETWORK)) },
  tunnel: { kind: 'name', names: new Map(named(TUNNEL)) },
  mark: { kind: 'name', names: new Map(named(MARK)) },
  direction: { kind: 'name', names: new Map([...listed(DIRECTIONS), ['in', [0]], ['out', [1]]]) },
  cast: { kind: 'name', names: new Map(listed(CASTS)) },
  fragment: { kind: 'name', names: new Map(listed(FRAGMENTS)) },
  remark: { kind: 'name', names: new Map(named(REMARK)) },
  /** Octets 13 and 14 of the TCP header (RFC 9293 section 3.1; `ae` RFC 9768), by bit. */
  tcpFlags: {
    kind: 'name',
    names: new Map(named({ fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128, ae: 256 })),
  },
} as const satisfies Record<string, ValueType>;

/** Class selectors (RFC 2474), assured (RFC 2597), expedited (RFC 3246), admitted voice (RFC 5865), least effort (RFC 8622). */
function dscpNames(): [string, number[]][] {
  const names: [string, number[]][] = [
    ['le', [1]],
    ['ef', [46]],
    ['va', [44]],
  ];
  for (let level = 0; level < 8; level++) names.push([`cs${level}`, [8 * level]]);
  for (let level = 1; level <= 4; level++)
    for (let drop = 1; drop <= 3; drop++) names.push([`af${level}${drop}`, [8 * level + 2 * drop]]);
  return names;
}

/** The word that stands for exactly these codes, if there is one. */
export function nameOf(type: ValueType, codes: readonly number[]): string | undefined {
  for (const [name, each] of namesOf(type) ?? [])
    if (each.length === codes.length && each.every((code, i) => code === codes[i])) return name;
  return undefined;
}

/** The words there are for values of a type. */
export function namesOf(type: ValueType): ValueNames | undefined {
  return type.kind === 'name' || type.kind === 'number' ? type.names : undefined;
}

/** The codes that a word, in any case, stands for. */
export function codesOf(type: ValueType, word: string): readonly number[] | undefined {
  const wanted = word.toLowerCase();
  for (const [name, codes] of namesOf(type) ?? []) if (name.toLowerCase() === wanted) return codes;
  return undefined;
}

/** What a value of the type looks like, for errors. */
export function valueWords(type: ValueType): string {
  switch (type.kind) {
    case 'address':
      return 'an address or network, e.g. 10.0.0.1, 10.0.0.0/8 or fd00::/8';
    case 'mac':
      return 'a MAC address, e.g. 02:00:00:00:00:01';
    case 'interface':
      return 'the name of an interface, or a glob with * and ?';
    case 'name':
      return `one of ${someOf(type.names)}`;
    case 'number':
      return `${numberWords(type, ' or range')}${type.names ? ` or a name: ${someOf(type.names)}` : ''}`;
  }
}

/** The same where only numbers will do, because they have an order. */
export function orderedWords(type: ValueType): string {
  return type.kind === 'number' ? numberWords(type, '') : valueWords(type);
}

/** More words than this are in the documentation. */
const MOST_WORDS = 12;

function someOf(names: ValueNames): string {
  const words = [...names.keys()];
  return `${words.slice(0, MOST_WORDS).join(', ')}${words.length > MOST_WORDS ? ', …' : ''}`;
}

function numberWords(
  { max, unit, isHexadecimal }: Extract<ValueType, { kind: 'number' }>,
  more: string,
): string {
  if (unit === 'octets') return 'a number of octets, e.g. 1500, 10MB or 4MiB';
  if (unit === 'count') return 'a number, e.g. 100 or 5k';
  if (unit === 'duration') return 'a duration, e.g. 500ms, 5s, 1m30s or 7d';
  const bound = isHexadecimal ? `0x${max.toString(16)}` : max;
  return `a number${more} from 0 to ${bound}`;
}
