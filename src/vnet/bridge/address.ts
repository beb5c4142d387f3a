/** Addresses of tunnel ends, between text and the words that the kernel's side has. */
import { formatAddress, isIpv4Mapped, parseAddress } from '../../flow/index.ts';

/** The address of a tunnel end, or of a group of them. */
export interface TunnelEnd {
  /** In the one form that addresses are written in: equal addresses have equal text. */
  readonly text: string;
  readonly family: 4 | 6;
  /** Multicast. */
  readonly isGroup: boolean;
  /** As struct bpf_tunnel_key has it: IPv4 in host order in the first, IPv6 in network order. */
  readonly words: Uint32Array;
}

/** Words of an address in struct place and struct peer_key. */
export const ADDRESS_WORDS = 4;

/** @returns undefined for what is no address, or the unspecified one, or IPv4 mapped into IPv6 */
export function parseTunnelEnd(text: string): TunnelEnd | undefined {
  const octets = parseAddress(text);
  if (octets === undefined) return undefined;
  const isMapped = isIpv4Mapped(octets);
  if (isMapped && text.includes(':')) return undefined;
  const words = new Uint32Array(ADDRESS_WORDS);
  if (isMapped) words[0] = new DataView(octets.buffer).getUint32(12);
  else new Uint8Array(words.buffer).set(octets);
  if (words.every((word) => word === 0)) return undefined;
  const isGroup = isMapped ? octets[12]! >= 224 && octets[12]! < 240 : octets[0] === 0xff;
  return { text: formatAddress(octets), family: isMapped ? 4 : 6, isGroup, words };
}

/** The text of an address as the kernel's side has it. @param words {@link ADDRESS_WORDS} of them */
export function formatTunnelEnd(words: Uint32Array, family: 4 | 6): string {
  const octets = new Uint8Array(16);
  if (family === 6) octets.set(new Uint8Array(words.buffer, words.byteOffset, 16));
  else {
    octets[10] = octets[11] = 0xff;
    new DataView(octets.buffer).setUint32(12, words[0]!);
  }
  return formatAddress(octets);
}
