/**
 * Addresses as the records carry them: 16 octets in network order, IPv4 mapped into `::ffff:0:0/96`
 * (RFC 4291 section 2.5.5.2). They stay octets until the edge; these functions are that edge.
 */

/** Octets one address takes in an address column. */
export const ADDRESS_OCTETS = 16;

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
  const groups: number[] = [];
  for (let i = 0; i < 8; i++) groups.push((octets[offset + 2 * i]! << 8) | octets[offset + 2 * i + 1]!);
  const { start, length } = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i <= groups.length; i++) {
    if (groups[i] === 0) continue;
    if (i - start > best.length) best = { start, length: i - start };
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
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  const octets = new Uint8Array(ADDRESS_OCTETS);
  octets[10] = octets[11] = 0xff;
  for (let i = 0; i < 4; i++) {
    const part = match[i + 1]!;
    if (Number(part) > 255 || (part.length > 1 && part.startsWith('0'))) return undefined;
    octets[12 + i] = Number(part);
  }
  return octets;
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
  const parts: string[] = [];
  for (let i = 0; i < 6; i++) parts.push(octets[offset + i]!.toString(16).padStart(2, '0'));
  return parts.join(':');
}
