import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/** One address with the length of its subnet prefix; `value` is the address as a number of 32 or 128 bits. */
export interface Cidr {
  readonly family: 4 | 6;
  readonly value: bigint;
  readonly prefixLength: number;
}

/** Reads `172.16.1.100/24` or `fd00::1/64`; undefined when it is neither. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', length = '', ...rest] = text.split('/');
  const family = isIPv4(address) ? 4 : isIPv6(address) && !address.includes('%') ? 6 : undefined;
  if (family === undefined || rest.length > 0 || !/^\d{1,3}$/.test(length)) return undefined;
  const prefixLength = Number(length);
  if (prefixLength < 1 || prefixLength > bits(family)) return undefined;
  return { family, value: family === 4 ? valueOf4(address) : valueOf6(address), prefixLength };
}

/** The address part as text, IPv6 in its shortest form (RFC 5952). */
export function addressText(cidr: Cidr): string {
  if (cidr.family === 4) return [24n, 16n, 8n, 0n].map((shift) => (cidr.value >> shift) & 255n).join('.');
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((cidr.value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  );
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}

/** The subnet as text, `172.16.1.0/24`. */
export function subnetText(cidr: Cidr): string {
  return `${addressText({ ...cidr, value: networkValue(cidr) })}/${cidr.prefixLength}`;
}

/** The address `steps` further on; undefined when that leaves the subnet or, for IPv4, is its broadcast address. */
export function hostAt(cidr: Cidr, steps: number): Cidr | undefined {
  const next = { ...cidr, value: cidr.value + BigInt(steps) };
  const last = networkValue(cidr) + subnetSize(cidr) - 1n;
  return next.value > last || (cidr.family === 4 && cidr.prefixLength < 31 && next.value === last)
    ? undefined
    : next;
}

/** The same address in the subnet `steps` further on; undefined past the end of the address space. */
export function subnetAt(cidr: Cidr, steps: number): Cidr | undefined {
  const next = { ...cidr, value: cidr.value + BigInt(steps) * subnetSize(cidr) };
  return next.value >> BigInt(bits(cidr.family)) === 0n ? next : undefined;
}

/** Whether the address is a multicast group (224.0.0.0/4, ff00::/8). */
export function isGroup(cidr: Cidr): boolean {
  return cidr.family === 4 ? cidr.value >> 28n === 0xen : cidr.value >> 120n === 0xffn;
}

/** Whether the address is that of the subnet itself, which no interface can have. */
export function isNetworkAddress(cidr: Cidr): boolean {
  return cidr.prefixLength < bits(cidr.family) - 1 && cidr.value === networkValue(cidr);
}

function bits(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

function subnetSize(cidr: Cidr): bigint {
  return 1n << BigInt(bits(cidr.family) - cidr.prefixLength);
}

function networkValue(cidr: Cidr): bigint {
  return cidr.value - (cidr.value % subnetSize(cidr));
}

function valueOf4(text: string): bigint {
  return text.split('.').reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
}

function valueOf6(text: string): bigint {
  // An IPv4 tail (::ffff:1.2.3.4) becomes two groups first.
  const plain = text.replace(/\d+\.\d+\.\d+\.\d+$/, (tail) => {
    const value = valueOf4(tail);
    return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  });
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  const groups = tail === undefined ? left : [...left, ...zeros, ...right];
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** The first address an interface can have in a subnet given as text; undefined when it is none. */
export function subnetFirst(subnet: string): Cidr | undefined {
  const base = parseCidr(subnet);
  return base === undefined ? undefined : hostAt({ ...base, value: networkValue(base) }, 1);
}

/** Whether an address is in a subnet given as text; compared as numbers. */
export function isWithin(address: string, subnet: string): boolean {
  const base = parseCidr(subnet);
  const at = base === undefined ? undefined : parseCidr(`${address}/${base.prefixLength}`);
  return (
    base !== undefined &&
    at !== undefined &&
    at.family === base.family &&
    networkValue(at) === networkValue(base)
  );
}
