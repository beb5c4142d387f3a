/** Overlays of our own: a distributed bridge in BPF on every host, a Linux bridge per segment before it. */
import { z } from 'zod';
import { addressText, hostAt, subnetFirst } from './address.ts';
import { type DocumentKind, unusable } from './document.ts';
import type { Client, Places } from './places.ts';
import {
  expandHosts,
  expandSegments,
  type HostsFile,
  HostsSchema,
  hostName,
  overlayMtu,
  repeated,
  type SegmentSpan,
  type SegmentsFile,
  SegmentsSchema,
  subnetOf,
} from './series.ts';

/** A distributed bridge as a person writes it. */
export interface BridgeFile {
  network: 'bridge';
  title: string;
  mode: 'multicast' | 'mesh';
  tunnel?: 'vxlan' | 'gretap' | undefined;
  hosts: HostsFile;
  segments: SegmentsFile;
  port?: number | undefined;
  /** A client is its host's Linux bridge (`shared`), or has a namespace of its own with a cable into it. */
  clients?: 'shared' | 'own' | undefined;
  /** Whether cables of clients go into a Linux bridge or are ports of the BPF bridge themselves. */
  ports?: 'bridge' | 'direct' | undefined;
  /** With it addresses come by DHCP: the host behind which the server of each segment is. */
  dhcp?: { server: string; servers?: Record<string, string> | undefined } | undefined;
}

/** What {@link BridgeFile} may hold. */
export const BridgeSchema: z.ZodType<BridgeFile> = z.strictObject({
  network: z.literal('bridge'),
  title: z.string().min(1),
  mode: z.enum(['multicast', 'mesh']),
  tunnel: z.enum(['vxlan', 'gretap']).optional(),
  hosts: HostsSchema,
  segments: SegmentsSchema,
  port: z.int().min(1).max(65535).optional(),
  clients: z.enum(['shared', 'own']).optional(),
  ports: z.enum(['bridge', 'direct']).optional(),
  dhcp: z
    .strictObject({
      server: hostName,
      servers: z.record(z.string().regex(/^\d{1,8}$/, 'wanted a VNI'), hostName).optional(),
    })
    .optional(),
});

/** The DHCP server of a segment: behind which host, and the addresses it has. */
export interface DhcpServer {
  readonly vni: number;
  /** Number of the segment, as in `br0`. */
  readonly index: number;
  readonly host: string;
  readonly namespace: string;
  readonly address: string;
  readonly prefixLength: number;
  readonly firstLease: string;
  readonly lastLease: string;
}

/** A distributed bridge worked out. A client with the address `0.0.0.0` gets one by DHCP. */
export interface BridgeTopology extends Places {
  readonly network: 'bridge';
  readonly mode: 'multicast' | 'mesh';
  readonly tunnel: 'vxlan' | 'gretap';
  readonly clientNamespaces: 'shared' | 'own';
  readonly ports: 'bridge' | 'direct';
  /** One per segment; none: addresses are fixed. */
  readonly dhcpServers: readonly DhcpServer[];
}

/** The address of a client that has none yet. */
export const NO_ADDRESS = '0.0.0.0';

/** Works a file out. @throws LabError `LAB_TOPOLOGY` with all that contradicts itself */
export function expandBridge(kind: DocumentKind, name: string, file: BridgeFile): BridgeTopology {
  const complaints: string[] = [];
  const hosts = expandHosts(file.hosts, complaints);
  const spans = expandSegments(file.segments, hosts, complaints);
  const underlay = hosts[0]?.address.includes(':') ? 6 : 4;
  const { dhcp, ports = 'bridge' } = file;
  const own = file.clients === 'own';
  if (ports === 'direct' && !own)
    complaints.push(`clients is "${file.clients ?? 'shared'}": wanted "own" where ports are "direct"`);
  const clients = spans.flatMap(({ segment, members }) =>
    members.map(
      ({ host, at }): Client => ({
        host,
        vni: segment.vni,
        namespace: own ? `c-${host}-${segment.vni}` : host,
        interface: own ? 'eth0' : `br${segment.index}`,
        address: dhcp === undefined ? addressText(at) : NO_ADDRESS,
        prefixLength: at.prefixLength,
      }),
    ),
  );
  const segments = spans.map(({ segment }) => segment);
  const dhcpServers = dhcp === undefined ? [] : expandServers(dhcp, { spans, complaints });
  complaints.push(...repeated('host name', hosts, (host) => host.name));
  complaints.push(...repeated('host address', hosts, (host) => host.address));
  complaints.push(...repeated('VNI', segments, (segment) => String(segment.vni)));
  if (dhcp === undefined)
    complaints.push(
      ...repeated('subnet in one namespace', clients, (client) => `${client.namespace} ${subnetOf(client)}`),
    );
  if (complaints.length > 0) throw unusable(kind, name, complaints);
  return {
    network: 'bridge',
    name,
    title: file.title,
    underlay,
    port: file.port ?? 4789,
    mtu: overlayMtu(underlay),
    mode: file.mode,
    tunnel: file.tunnel ?? 'vxlan',
    clientNamespaces: own ? 'own' : 'shared',
    ports,
    hosts,
    segments,
    clients,
    dhcpServers,
    monitored: { namespace: hosts[0]?.namespace ?? '', interface: 'eth0' },
  };
}

function expandServers(
  dhcp: NonNullable<BridgeFile['dhcp']>,
  { spans, complaints }: { readonly spans: readonly SegmentSpan[]; readonly complaints: string[] },
): DhcpServer[] {
  for (const vni of Object.keys(dhcp.servers ?? {}))
    if (!spans.some(({ segment }) => String(segment.vni) === vni))
      complaints.push(`dhcp.servers names VNI ${vni}: there is no such segment`);
  return spans.flatMap(({ segment: { vni, index, subnet }, members }): DhcpServer[] => {
    const host = dhcp.servers?.[String(vni)] ?? dhcp.server;
    if (!members.some((each) => each.host === host))
      complaints.push(`the DHCP server of VNI ${vni} is to be behind ${host}: no such host in that segment`);
    const base = subnetFirst(subnet);
    const last = base === undefined ? undefined : hostAt(base, 253);
    const second = base === undefined ? undefined : hostAt(base, 1);
    if (base === undefined || base.family !== 4 || last === undefined || second === undefined) {
      complaints.push(`segment ${vni} is ${subnet}: wanted IPv4 with room for 254 addresses, for DHCP`);
      return [];
    }
    return [
      {
        vni,
        index,
        host,
        namespace: `dhcp-${vni}`,
        address: addressText(base),
        prefixLength: base.prefixLength,
        firstLease: addressText(second),
        lastLease: addressText(last),
      },
    ];
  });
}
