/**
 * The user's own labels, a line each:
 *
 *     10.0.0.1        web server
 *     10.0.5.0/24     office Berlin
 *     02:00:00:00:00:0a  printer
 *     segment vxlan:5001  tenant red       # a comment
 */
import { formatAddress, isIpv4Mapped } from '../flow/index.ts';
import { formatNetwork, type Name, networkOctets, parseNetwork, SegmentIdSchema } from '../query/index.ts';
import { type KeyedAddress, keyedAddress } from './address-key.ts';
import { NamesError } from './error.ts';
import { printableName } from './printable.ts';

/** Most lines with a label. */
const MOST = 100_000;
/** Bits before an IPv4 address in its mapped form. */
const MAPPED_BITS = 96;
const ALL_BITS = 128;

/** Networks of one length, by their first address. */
interface Networks {
  readonly bits: number;
  readonly mask: Uint8Array;
  readonly names: Map<string, Name>;
}

/** What a file of labels says. */
export class Labels {
  readonly #addresses = new Map<string, Name>();
  readonly #segments = new Map<string, Name>();
  /** Longest prefix first. */
  #networks: Networks[] = [];

  /** Reads a file of labels; of two of the same the last holds. @throws NamesError naming the first line that is wrong */
  constructor(text = '', path = '') {
    let count = 0;
    for (const [i, line] of text.split('\n').entries()) {
      const words = line.replace(/(^|\s)#.*/, '').trim();
      if (words === '') continue;
      const fault = count++ < MOST ? this.#read(words) : `there are more than ${MOST} labels`;
      if (fault !== undefined) throw new NamesError('NAMES_LABELS', `${path}:${i + 1}: ${fault}`);
    }
    this.#networks = this.#networks.toSorted((a, b) => b.bits - a.bits);
  }

  /** The label of an address, else that of the smallest network it is in. */
  ofAddress({ key, octets }: KeyedAddress): Name | undefined {
    const exact = this.#addresses.get(key);
    if (exact || !octets) return exact;
    const isIpv4 = isIpv4Mapped(octets);
    for (const { bits, mask, names } of this.#networks) {
      // A short prefix of IPv6 spans the mapped addresses, and does not mean them.
      if (isIpv4 && bits < MAPPED_BITS) return undefined;
      const found = names.get(formatAddress(octets.map((octet, i) => octet & mask[i]!)));
      if (found) return found;
    }
    return undefined;
  }

  ofSegment(id: string): Name | undefined {
    return this.#segments.get(id);
  }

  /** Every label, with what it is of. */
  *all(): Iterable<readonly [kind: 'addresses' | 'networks' | 'segments', text: string, name: Name]> {
    for (const [key, name] of this.#addresses) yield ['addresses', key, name];
    for (const { names } of this.#networks)
      for (const name of names.values()) yield ['networks', name.network!, name];
    for (const [id, name] of this.#segments) yield ['segments', id, name];
  }

  /** @returns what is wrong with the line */
  #read(words: string): string | undefined {
    const [, first = '', rest = ''] = /^(\S+)(?:\s+(.*))?$/.exec(words) ?? [];
    if (first === 'segment') return this.#readSegment(rest);
    const label = nameOf(rest);
    if (label === undefined) return `${shown(first)} has no name behind it`;
    const keyed = keyedAddress(first);
    if (keyed) this.#addresses.set(keyed.key, label);
    else if (!this.#readNetwork(first, label))
      return `${shown(first)} is no address, network or MAC, nor "segment"`;
    return undefined;
  }

  #readSegment(words: string): string | undefined {
    const [, id = '', rest = ''] = /^(\S+)(?:\s+(.*))?$/.exec(words) ?? [];
    if (!SegmentIdSchema.safeParse(id).success) return `${shown(id)} is no segment, e.g. vxlan:5001 or none`;
    const label = nameOf(rest);
    if (label === undefined) return `segment ${id} has no name behind it`;
    this.#segments.set(id, label);
    return undefined;
  }

  #readNetwork(text: string, label: Name): boolean {
    const network = parseNetwork(text);
    if (!network) return false;
    const { octets, mask, bits } = networkOctets(network);
    if (bits === ALL_BITS) this.#addresses.set(formatAddress(octets), label);
    else {
      let networks = this.#networks.find((each) => each.bits === bits);
      if (!networks) {
        networks = { bits, mask, names: new Map() };
        this.#networks.push(networks);
      }
      networks.names.set(formatAddress(octets), { ...label, network: formatNetwork(network) });
    }
    return true;
  }
}

function nameOf(text: string): Name | undefined {
  const name = printableName(text);
  return name === undefined ? undefined : { name, from: 'labels' };
}

function shown(word: string): string {
  return `"${word.length > 60 ? `${word.slice(0, 60)}…` : word}"`;
}
