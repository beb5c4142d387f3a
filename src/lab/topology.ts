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
import { type DocumentKind, readDocument, shippedNames, unusable } from './document.ts';

const KIND: DocumentKind = {
  noun: 'topology',
  folder: new URL('./topologies/', import.meta.url),
  code: 'LAB_TOPOLOGY',
};

/** Octets an IP packet may have on the fabric. */
const UNDERLAY_MTU = 1500;

/** Outer headers of VXLAN by underlay version: Ethernet 14 + IP 20 or 40 + UDP 8 + VXLAN 8 octets (RFC 7348 section 5). */
const TUNNEL_OCTETS = { 4: 50, 6: 70 } as const;

const cidr = z.string().refine((text) => parseCidr(text) !== undefined, {
  error: 'wanted an address with its prefix length, such as 172.16.1.100/24',
});
const group = z.string().refine((text) => multicastGroup(text) !== undefined, {
  error: 'wanted a multicast group, such as 239.1.1.1',
});
const hostName = z.string().regex(/^host\d{1,4}$/, 'wanted a name such as host0');
const vni = z.int().min(1).max(0xffffff);
const mtu = z
  .int()
  .min(576)
  .max(UNDERLAY_MTU - TUNNEL_OCTETS[4]);

/**
 * A topology as a person writes it. Hosts and segments are either counted (`count` and the first of each number) or
 * listed one by one; `clients` says whether a client lives in its host's namespace (`shared`) or in one of its own.
 */
export const TopologySchema: z.ZodType<TopologyFile> = z.strictObject({
  title: z.string().min(1),
  hosts: z.union([
    z.strictObject({ count: z.int().min(1).max(200), firstAddress: cidr }),
    z.array(z.strictObject({ name: hostName, address: cidr })).min(1),
  ]),
  segments: z.union([
    z.strictObject({
      count: z.int().min(1).max(64),
      firstVni: vni,
      firstGroup: group,
      firstSubnet: cidr,
      sameSubnet: z.boolean().optional(),
    }),
    z.array(z.strictObject({ vni, group, clients: z.record(hostName, cidr) })),
  ]),
  mtu: mtu.optional(),
  port: z.int().min(1).max(65535).optional(),
  clients: z.enum(['shared', 'own']).optional(),
});

/** What TopologySchema accepts. */
export interface TopologyFile {
  title: string;
  hosts: { count: number; firstAddress: string } | { name: string; address: string }[];
  segments:
    | {
        count: number;
        firstVni: number;
        firstGroup: string;
        firstSubnet: string;
        /** true: every segment has the same addresses, as tenants that know nothing of each other do. */
        sameSubnet?: boolean | undefined;
      }
    | { vni: number; group: string; clients: Record<string, string> }[];
  /** Of the overlay, octets; what is left of 1500 by default. */
  mtu?: number | undefined;
  /** UDP destination port of the tunnel, 4789 by default. */
  port?: number | undefined;
  clients?: 'shared' | 'own' | undefined;
}

/** A host: one namespace with one interface on the fabric. Names are without the lab's prefix. */
export interface Host {
  readonly name: string;
  readonly namespace: string;
  readonly interface: 'eth0';
  readonly address: string;
  readonly prefixLength: number;
}

/** One overlay network; `index` numbers its devices on every host: `vxlan<index>`, `br<index>`, `c<index>a`, `c<index>b`. */
export interface Segment {
  readonly index: number;
  readonly vni: number;
  readonly group: string;
  readonly subnet: string;
}

/** An endpoint inside a segment, behind a host. In a namespace of its own its interface is `eth0`. */
export interface Client {
  readonly host: string;
  readonly vni: number;
  readonly namespace: string;
  readonly interface: string;
  readonly address: string;
  readonly prefixLength: number;
}

/** A topology worked out to the last name and number: plain data, equal input gives equal output. */
export interface Topology {
  readonly name: string;
  readonly title: string;
  /** IP version of the underlay. */
  readonly underlay: 4 | 6;
  readonly port: number;
  /** Of the overlay, octets. */
  readonly mtu: number;
  readonly clientNamespaces: 'shared' | 'own';
  readonly hosts: readonly Host[];
  readonly segments: readonly Segment[];
  readonly clients: readonly Client[];
}

/** What a caller may change about a topology; counts only where the file counts and does not list. */
export interface TopologyOptions {
  readonly hosts?: number | undefined;
  readonly segments?: number | undefined;
  readonly clients?: 'shared' | 'own' | undefined;
}

/** Names of the shipped topologies. */
export function topologyNames(): string[] {
  return shippedNames(KIND);
}

/**
 * Reads a shipped topology by name or a file by path and works it out.
 * Throws LabError (`LAB_TOPOLOGY`) naming every wrong field and the value found.
 */
export function loadTopology(nameOrPath: string, options: TopologyOptions = {}): Topology {
  const file = readDocument(KIND, nameOrPath, TopologySchema);
  return expand(nameOrPath, resized(nameOrPath, file, options));
}

function resized(name: string, file: TopologyFile, options: TopologyOptions): TopologyFile {
  const result = { ...file, clients: options.clients ?? file.clients };
  for (const field of ['hosts', 'segments'] as const) {
    const count = options[field];
    if (count === undefined) continue;
    const series = result[field];
    if (Array.isArray(series)) {
      throw unusable(KIND, name, [
        `${field} is asked to be ${count}, but this topology lists its ${field} one by one`,
      ]);
    }
    const checked = TopologySchema.safeParse({ ...result, [field]: { ...series, count } });
    if (!checked.success)
      throw unusable(KIND, name, [`${field} is ${count}: ${checked.error.issues[0]?.message ?? ''}`]);
    Object.assign(result, { [field]: checked.data[field] });
  }
  return result;
}

function expand(name: string, file: TopologyFile): Topology {
  const complaints: string[] = [];
  const hosts = expandHosts(file, complaints);
  const spans = expandSegments(file, hosts, complaints);
  const clientNamespaces = file.clients ?? 'shared';
  const underlay = hosts[0]?.address.includes(':') ? 6 : 4;
  if (hosts.some((host) => host.address.includes(':') !== (underlay === 6))) {
    complaints.push('hosts have addresses of both IP versions; wanted one underlay version');
  }
  const room = UNDERLAY_MTU - TUNNEL_OCTETS[underlay];
  if (file.mtu !== undefined && file.mtu > room)
    complaints.push(`mtu is ${file.mtu}: wanted at most ${room}`);
  const clients = spans.flatMap(({ segment, members }) =>
    members.map(({ host, at }): Client => {
      const own = clientNamespaces === 'own';
      return {
        host,
        vni: segment.vni,
        namespace: own ? `c-${host}-${segment.vni}` : host,
        interface: own ? 'eth0' : `c${segment.index}a`,
        address: addressText(at),
        prefixLength: at.prefixLength,
      };
    }),
  );
  const segments = spans.map(({ segment }) => segment);
  if (segments.some((segment) => segment.group.includes(':') !== (underlay === 6))) {
    complaints.push(`segments have groups of another IP version than the underlay, which is IPv${underlay}`);
  }
  complaints.push(...repeated('host name', hosts, (host) => host.name));
  complaints.push(...repeated('host address', hosts, (host) => host.address));
  complaints.push(...repeated('VNI', segments, (segment) => String(segment.vni)));
  complaints.push(
    ...repeated('client address', clients, (client) => `${client.address} in VNI ${client.vni}`),
  );
  complaints.push(
    ...repeated(
      'subnet in one namespace',
      clients,
      (client) => `${client.namespace} ${subnetOf(client)}`,
    ).map((text) => `${text} (clients must be "own" when segments share addresses)`),
  );
  if (complaints.length > 0) throw unusable(KIND, name, complaints);
  return {
    name,
    title: file.title,
    underlay,
    port: file.port ?? 4789,
    mtu: file.mtu ?? room,
    clientNamespaces,
    hosts,
    segments,
    clients,
  };
}

function expandHosts(file: TopologyFile, complaints: string[]): Host[] {
  const host = (name: string, at: Cidr): Host => ({
    name,
    namespace: name,
    interface: 'eth0',
    address: addressText(at),
    prefixLength: at.prefixLength,
  });
  if (Array.isArray(file.hosts)) {
    return file.hosts.map(({ name, address }) => host(name, endpoint(`hosts ${name}`, address, complaints)));
  }
  const { count, firstAddress } = file.hosts;
  const first = endpoint('hosts.firstAddress', firstAddress, complaints);
  const addresses = Array.from({ length: count }, (_, i) => hostAt(first, i));
  const fit = addresses.filter((at) => at !== undefined);
  if (fit.length < count)
    complaints.push(`hosts.count is ${count}: only ${fit.length} fit from ${firstAddress}`);
  return fit.map((at, i) => host(`host${i}`, at));
}

interface SegmentSpan {
  readonly segment: Segment;
  readonly members: readonly { readonly host: string; readonly at: Cidr }[];
}

function expandSegments(file: TopologyFile, hosts: readonly Host[], complaints: string[]): SegmentSpan[] {
  if (Array.isArray(file.segments)) {
    return file.segments.map(({ vni, group, clients }, index) => {
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
  const { count, firstVni, firstGroup, firstSubnet, sameSubnet } = file.segments;
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

function subnetOf(client: Client): string {
  return subnetText(checkedCidr(`${client.address}/${client.prefixLength}`));
}

function repeated<Item>(noun: string, items: readonly Item[], key: (item: Item) => string): string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const item of items) (seen.has(key(item)) ? twice : seen).add(key(item));
  return [...twice].map((value) => `${noun} ${value} is used twice`);
}
