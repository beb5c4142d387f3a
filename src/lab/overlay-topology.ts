/** Overlays of the kernel's own: a VXLAN device and a bridge per host and segment. */
import { z } from 'zod';
import { addressText } from './address.ts';
import { type DocumentKind, unusable } from './document.ts';
import type { Client, Places } from './places.ts';
import {
  expandHosts,
  expandSegments,
  type HostsFile,
  HostsSchema,
  overlayMtu,
  repeated,
  type SegmentsFile,
  SegmentsSchema,
  subnetOf,
} from './series.ts';

/** An overlay as a person writes it. */
export interface OverlayFile {
  network?: 'overlay' | undefined;
  title: string;
  hosts: HostsFile;
  segments: SegmentsFile;
  /** Of the overlay, octets; what is left of 1500 by default. */
  mtu?: number | undefined;
  /** UDP destination port of the tunnel, 4789 by default. */
  port?: number | undefined;
  clients?: 'shared' | 'own' | undefined;
}

/**
 * Hosts and segments are either counted (`count` and the first of each number) or listed one by one; `clients` says
 * whether a client lives in its host's namespace (`shared`) or in one of its own.
 */
export const OverlaySchema: z.ZodType<OverlayFile> = z.strictObject({
  network: z.literal('overlay').optional(),
  title: z.string().min(1),
  hosts: HostsSchema,
  segments: SegmentsSchema,
  mtu: z.int().min(576).max(overlayMtu(4)).optional(),
  port: z.int().min(1).max(65535).optional(),
  clients: z.enum(['shared', 'own']).optional(),
});

/** An overlay worked out to the last name and number. */
export interface OverlayTopology extends Places {
  readonly network: 'overlay';
  readonly clientNamespaces: 'shared' | 'own';
}

/** Works a file out. @throws LabError `LAB_TOPOLOGY` with all that contradicts itself */
export function expandOverlay(kind: DocumentKind, name: string, file: OverlayFile): OverlayTopology {
  const complaints: string[] = [];
  const hosts = expandHosts(file.hosts, complaints);
  const spans = expandSegments(file.segments, hosts, complaints);
  const clientNamespaces = file.clients ?? 'shared';
  const underlay = hosts[0]?.address.includes(':') ? 6 : 4;
  if (hosts.some((host) => host.address.includes(':') !== (underlay === 6))) {
    complaints.push('hosts have addresses of both IP versions; wanted one underlay version');
  }
  const room = overlayMtu(underlay);
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
  if (complaints.length > 0) throw unusable(kind, name, complaints);
  return {
    network: 'overlay',
    name,
    title: file.title,
    underlay,
    port: file.port ?? 4789,
    mtu: file.mtu ?? room,
    clientNamespaces,
    hosts,
    segments,
    clients,
    monitored: { namespace: hosts[0]?.namespace ?? '', interface: 'eth0' },
  };
}
