/** Hosts and segments of a topology file, counted or listed, worked out one by one. */
import { z } from 'zod';
import {
  addressText,
  type Cidr,
  hostAt,
  isGroup,
  isNetworkAddress,
  parseCidr,
  subnetAt,
  subnetText,
} from './address.ts';
import type { Host, Segment } from './places.ts';

/** Octets an IP packet may have on the fabric. */
const UNDERLAY_MTU = 1500;

/** Outer headers of VXLAN by underlay version: Ethernet 14 + IP 20 or 40 + UDP 8 + VXLAN 8 octets (RFC 7348 section 5). */
const TUNNEL_OCTETS = { 4: 50, 6: 70 } as const;

/** Octets an IP packet may have in an overlay over that version of IP. */
export function overlayMtu(underlay: 4 | 6): number {
  return UNDERLAY_MTU - TUNNEL_OCTETS[underlay];
}

/** An address with its prefix length, as text. */
export const cidr: z.ZodString = z.string().refine((text) => parseCidr(text) !== undefined, {
  error: 'wanted an address with its prefix length, such as 172.16.1.100/24',
});
const group = z.string().refine((text) => multicastGroup(text) !== undefined, {
  error: 'wanted a multicast group, such as 239.1.1.1',
});
/** The name of a host. */
export const hostName: z.ZodString = z.string().regex(/^host\d{1,4}$/, 'wanted a name such as host0');
const vni = z.int().min(1).max(0xffffff);

/** Hosts as a person writes them. */
export type HostsFile = { count: number; firstAddress: string } | { name: string; address: string }[];

/** Segments as a person writes them. */
export type SegmentsFile =
  | {
      count: number;
      firstVni: number;
      firstGroup: string;
      firstSubnet: string;
      /** true: every segment has the same addresses, as tenants that know nothing of each other do. */
      sameSubnet?: boolean | undefined;
    }
  | { vni: number; group: string; clients: Record<string, string> }[];

/** What {@link HostsFile} may hold. */
export const HostsSchema: z.ZodType<HostsFile> = z.union([
  z.strictObject({ count: z.int().min(1).max(200), firstAddress: cidr }),
  z.array(z.strictObject({ name: hostName, address: cidr })).min(1),
]);

/** What {@link SegmentsFile} may hold. */
export const SegmentsSchema: z.ZodType<SegmentsFile> = z.union([
  z.strictObject({
    count: z.int().min(1).max(64),
    firstVni: vni,
    firstGroup: group,
    firstSubnet: cidr,
    sameSubnet: z.boolean().optional(),
  }),
  z.array(z.strictObject({ vni, group, clients: z.record(hostName, cidr) })),
]);

/** A segment with the addresses of its members, by host. */
export interface SegmentSpan {
  readonly segment: Segment;
  readonly members: readonly { readonly host: string; readonly at: Cidr }[];
}

/** Works hosts out; what is wrong goes to the complaints. */
export function expandHosts(file: HostsFile, complaints: string[]): Host[] {
  const host = (name: string, at: Cidr): Host => ({
    name,
    namespace: name,
    interface: 'eth0',
    address: addressText(at),
    prefixLength: at.prefixLength,
  });
  if (Array.isArray(file)) {
    return file.map(({ name, address }) => host(name, endpoint(`hosts ${name}`, address, complaints)));
  }
  const { count, firstAddress } = file;
  const first = endpoint('hosts.firstAddress', firstAddress, complaints);
  const addresses = Array.from({ length: count }, (_, i) => hostAt(first, i));
  const fit = addresses.filter((at) => at !== undefined);
  if (fit.length < count)
    complaints.push(`hosts.count is ${count}: only ${fit.length} fit from ${firstAddress}`);
  return fit.map((at, i) => host(`host${i}`, at));
}

/** Works segments out; what is wrong goes to the complaints. */
export function expandSegments(
  file: SegmentsFile,
  hosts: readonly Host[],
  complaints: string[],
): SegmentSpan[] {
  if (Array.isArray(file)) {
    return file.map(({ vni, group, clients }, index) => {
      const members = Object.entries(clients).map(([host, address]) => {
        if (!hosts.some(({ name }) => name === host))
          complaints.push(`segments.${index}.clients names ${host}: no such host`);
        return { host, at: endpoint(`segments.${index}.clients.${host}`, address, complaints) };
      });
      const subnet = members[0] === undefined ? '' : subnetText(members[0].at);
      const stray = members.find(({ at }) => subnetText(at) !== subnet);
      if (stray)
        complaints.push(
          `segments.${index}.clients.${stray.host} is ${addressText(stray.at)}: wanted one in ${subnet}`,
        );
      return { segment: { index, vni, group, subnet }, members };
    });
  }
  const { count, firstVni, firstGroup, firstSubnet, sameSubnet } = file;
  if (!isNetworkAddress(checkedCidr(firstSubnet))) {
    complaints.push(`segments.firstSubnet is "${firstSubnet}": wanted the subnet's own address`);
  }
  const spans: SegmentSpan[] = [];
  for (let index = 0; index < count; index++) {
    const base = subnetAt(checkedCidr(firstSubnet), sameSubnet ? 0 : index);
    const groupAt = hostAt(checkedCidr(`${firstGroup}/${firstGroup.includes(':') ? 120 : 24}`), index);
    if (base === undefined || groupAt === undefined || firstVni + index > 0xffffff) {
      complaints.push(`segments.count is ${count}: no number is left for segment ${index}`);
      break;
    }
    const members = hosts.flatMap(({ name }, i) => {
      const at = hostAt(base, i + 1);
      return at === undefined ? [] : [{ host: name, at }];
    });
    if (members.length < hosts.length)
      complaints.push(`segments.firstSubnet is ${firstSubnet}: too small for ${hosts.length} hosts`);
    spans.push({
      segment: { index, vni: firstVni + index, group: addressText(groupAt), subnet: subnetText(base) },
      members,
    });
  }
  return spans;
}

function endpoint(field: string, text: string, complaints: string[]): Cidr {
  const at = checkedCidr(text);
  if (isGroup(at) || isNetworkAddress(at))
    complaints.push(`${field} is "${text}": wanted the address of an endpoint`);
  return at;
}

function checkedCidr(text: string): Cidr {
  const at = parseCidr(text);
  if (at === undefined)
    throw new TypeError(`Reading an address: found "${text}", which the schema should have refused.`);
  return at;
}

function multicastGroup(text: string): Cidr | undefined {
  const at = parseCidr(`${text}/${text.includes(':') ? 128 : 32}`);
  return at !== undefined && isGroup(at) ? at : undefined;
}

/** The subnet of an address, as text. */
export function subnetOf(client: { readonly address: string; readonly prefixLength: number }): string {
  return subnetText(checkedCidr(`${client.address}/${client.prefixLength}`));
}

/** A complaint for each key that is there twice. */
export function repeated<Each>(noun: string, all: readonly Each[], key: (each: Each) => string): string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const each of all) (seen.has(key(each)) ? twice : seen).add(key(each));
  return [...twice].map((value) => `${noun} ${value} is used twice`);
}
