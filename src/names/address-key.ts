/** Addresses as keys: equal where they are the same address, however written. */
import { formatAddress, isUnspecified, parseAddress } from '../flow/index.ts';

const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;

/** An address, and how it is known in tables of names. */
export interface KeyedAddress {
  /** IPv4 dotted, IPv6 as in RFC 5952, a MAC in small letters. */
  readonly key: string;
  /** 16, IPv4 mapped; undefined of a MAC. */
  readonly octets: Uint8Array | undefined;
}

/** Reads an address or a MAC. @returns undefined when it is neither, or stands for none */
export function keyedAddress(text: string): KeyedAddress | undefined {
  const octets = parseAddress(text);
  if (octets) {
    const key = formatAddress(octets);
    return isUnspecified(octets) || key === '0.0.0.0' ? undefined : { key, octets };
  }
  const mac = text.toLowerCase();
  return MAC.test(mac) ? { key: mac, octets: undefined } : undefined;
}
