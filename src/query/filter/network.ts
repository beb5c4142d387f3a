/** Networks of addresses: `10.0.0.0/8`, `fd00::/8`, or a single address. */
import { ADDRESS_OCTETS, formatAddress, isIpv4Mapped, parseAddress } from '../../flow/index.ts';
import type { FilterValue } from './ast.ts';

/** A network as a filter has it. */
export type Network = Extract<FilterValue, { kind: 'network' }>;

/** What stands before an IPv4 address in its 16 octets: `::ffff:0:0/96`. */
export const MAPPED_BITS = 96;
const ALL_BITS = 8 * ADDRESS_OCTETS;

/** Reads an address, or a network whose address is cut to its prefix. @returns undefined when it is none */
export function parseNetwork(text: string): Network | undefined {
  const [, before, bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const octets = before === undefined ? undefined : parseAddress(before);
  if (!octets) return undefined;
  const isDotted = !before!.includes(':');
  const prefix = bits === undefined ? ALL_BITS : Number(bits) + (isDotted ? MAPPED_BITS : 0);
  if (prefix > ALL_BITS) return undefined;
  const mask = maskOf(prefix);
  const first = octets.map((octet, i) => octet & mask[i]!);
  const isIpv4 = isIpv4Mapped(first) && prefix >= MAPPED_BITS;
  return { kind: 'network', address: formatAddress(first), prefix: isIpv4 ? prefix - MAPPED_BITS : prefix };
}

/** Writes a network as it is read. */
export function formatNetwork({ address, prefix }: Network): string {
  return prefix === (isIpv6(address) ? ALL_BITS : ALL_BITS - MAPPED_BITS) ? address : `${address}/${prefix}`;
}

/** A network as its first address, 16 octets, and how many of its bits count. */
export function networkStart({ address, prefix }: Network): {
  readonly octets: Uint8Array;
  readonly bits: number;
} {
  const octets = parseAddress(address);
  if (!octets) throw new RangeError(`"${address}" is no address`);
  return { octets, bits: isIpv6(address) ? prefix : prefix + MAPPED_BITS };
}

/** The same with the mask of the bits that count. */
export function networkOctets(network: Network): {
  readonly octets: Uint8Array<ArrayBuffer>;
  readonly mask: Uint8Array<ArrayBuffer>;
  readonly bits: number;
} {
  const { octets, bits } = networkStart(network);
  return { octets: Uint8Array.from(octets), mask: maskOf(bits), bits };
}

function isIpv6(address: string): boolean {
  return address.includes(':');
}

function maskOf(prefix: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: ADDRESS_OCTETS }, (_, i) => {
    const bits = Math.min(8, Math.max(0, prefix - 8 * i));
    return 0xff & (0xff << (8 - bits));
  });
}
