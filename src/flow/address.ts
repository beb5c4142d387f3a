/**
 * Addresses as the records carry them: 16 octets in network order, IPv4 mapped into `::ffff:0:0/96`
 * (RFC 4291 section 2.5.5.2). They stay octets until the edge; these functions are that edge.
 */

/** Octets one address takes in an address column. */
export const ADDRESS_OCTETS = 16;

const ZERO = '0'.charCodeAt(0);
const HEXADECIMAL = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'));

/**
 * Writes 16 address octets as text: dotted for IPv4, RFC 5952 for IPv6.
 *
 * @param octets column of addresses, 16 octets each
 * @param offset where the address begins, in octets
 */
export function formatAddress(octets: Uint8Array, offset = 0): string {
  if (isIpv4Mapped(octets, offset)) {
    return `${octets[offset + 12]}.${octets[offset + 13]}.${octets[offset + 14]}.${octets[offset + 15]}`;
  }
  return formatIpv6(octets, offset);
}

/** Whether the address at `offset` is an IPv4 address in its mapped form. */
export function isIpv4Mapped(octets: Uint8Array, offset = 0): boolean {
  for (let i = 0; i < 10; i++) if (octets[offset + i] !== 0) return false;
  return octets[offset + 10] === 0xff && octets[offset + 11] === 0xff;
}

/** Whether all 16 octets are zero: no address was seen (a frame that carries none). */
export function isUnspecified(octets: Uint8Array, offset = 0): boolean {
  for (let i = 0; i < ADDRESS_OCTETS; i++) if (octets[offset + i] !== 0) return false;
  return true;
}

function formatIpv6(octets: Uint8Array, offset: number): string {
  const { start, end } = longestZeroRun(octets, offset);
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (i === start) {
      text += '::';
      i = end - 1;
      continue;
    }
    const group = (octets[offset + 2 * i]! << 8) | octets[offset + 2 * i + 1]!;
    text += i === 0 || i === end ? group.toString(16) : `:${group.toString(16)}`;
  }
  return text;
}

/** The first of the longest runs of two or more groups of zeros (RFC 5952 section 4.2); none is at −1. */
function longestZeroRun(octets: Uint8Array, offset: number): { start: number; end: number } {
  let best = { start: -1, end: -1 };
  let start = 0;
  for (let i = 0; i <= 8; i++) {
    if (i < 8 && octets[offset + 2 * i] === 0 && octets[offset + 2 * i + 1] === 0) continue;
    if (i - start > Math.max(1, best.end - best.start)) best = { start, end: i };
    start = i + 1;
  }
  return best;
}

/**
 * Reads an IPv4 or IPv6 address.
 *
 * @returns 16 octets (IPv4 mapped), or `undefined` when the text is no address.
 */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): Uint8Array | undefined {
  const octets = new Uint8Array(ADDRESS_OCTETS);
  octets[10] = octets[11] = 0xff;
  let part = 12;
  let digits = 0;
  let value = 0;
  // Character by character: reports read each address they sort.
  for (let i = 0; i <= text.length; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit >= 0 && digit <= 9) {
      value = 10 * value + digit;
      if (++digits > 3 || value > 255 || (digits > 1 && value < 10)) return undefined;
    } else {
      const isEnd = i === text.length;
      if (digits === 0 || part === 16 || (!isEnd && text[i] !== '.')) return undefined;
      octets[part++] = value;
      digits = value = 0;
    }
  }
  return part === 16 ? octets : undefined;
}

function parseIpv6(text: string): Uint8Array | undefined {
  let source = text;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted) {
    const low = parseIpv4(dotted[2]!);
    if (!low) return undefined;
    const pair = (at: number): string => ((low[at]! << 8) | low[at + 1]!).toString(16);
    source = `${dotted[1]}${pair(12)}:${pair(14)}`;
  }
  const halves = source.split('::');
  if (halves.length > 2) return undefined;
  const groupsOf = (half: string | undefined): string[] => (half ? half.split(':') : []);
  const head = groupsOf(halves[0]);
  const tail = groupsOf(halves[1]);
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<string>(missing).fill('0'), ...tail];
  const octets = new Uint8Array(ADDRESS_OCTETS);
  for (const [i, group] of groups.entries()) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    const value = Number.parseInt(group, 16);
    octets[2 * i] = value >> 8;
    octets[2 * i + 1] = value & 0xff;
  }
  return octets;
}

/** Writes six octets as a MAC address, lower-case with colons. */
export function formatMac(octets: Uint8Array, offset = 0): string {
  let text = HEXADECIMAL[octets[offset]!]!;
  for (let i = offset + 1; i < offset + 6; i++) text += `:${HEXADECIMAL[octets[i]!]}`;
  return text;
}
