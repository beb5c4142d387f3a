/** Two tenants on several hypervisors: orange in one bridged segment, green behind a router with NAT on each of its hosts. */
import { z } from 'zod';
import { addressText, hostAt, isNetworkAddress, parseCidr, subnetFirst } from './address.ts';
import { type DocumentKind, unusable } from './document.ts';
import type { Client, Host, Places } from './places.ts';
import { cidr, expandHosts, type HostsFile, HostsSchema, hostName, overlayMtu } from './series.ts';

/** Tenants as a person writes them. */
export interface TenantsFile {
  network: 'tenants';
  title: string;
  hosts: HostsFile;
  orange: { vni: number; subnet: string };
  green: { vni: number; subnet: string; inside: string; hosts: string[] };
}

const vni = z.int().min(1).max(0xffffff);

/** `green.subnet` joins its routers, `green.inside` is behind each of them, the same one everywhere. */
export const TenantsSchema: z.ZodType<TenantsFile> = z.strictObject({
  network: z.literal('tenants'),
  title: z.string().min(1),
  hosts: HostsSchema,
  orange: z.strictObject({ vni, subnet: cidr }),
  green: z.strictObject({ vni, subnet: cidr, inside: cidr, hosts: z.array(hostName).min(2) }),
});

/** Green's part of a host: a machine behind a router. */
export interface GreenSite {
  readonly host: string;
  readonly machine: Host;
  /** Inside, towards the machine. */
  readonly gateway: string;
  /** The router, with its address towards the other hosts. */
  readonly router: Host;
}

/** Tenants worked out; `clients` are orange's machines. */
export interface TenantsTopology extends Places {
  readonly network: 'tenants';
  readonly orangeVni: number;
  readonly greenVni: number;
  readonly green: readonly GreenSite[];
}

/** Works a file out. @throws LabError `LAB_TOPOLOGY` */
export function expandTenants(kind: DocumentKind, name: string, file: TenantsFile): TenantsTopology {
  const complaints: string[] = [];
  const hosts = expandHosts(file.hosts, complaints);
  const { orange, green } = file;
  for (const [field, subnet] of [
    ['orange.subnet', orange.subnet],
    ['green.subnet', green.subnet],
    ['green.inside', green.inside],
  ] as const) {
    const base = parseCidr(subnet)!;
    if (base.family !== 4 || !isNetworkAddress(base) || hostAt(base, hosts.length + 1) === undefined)
      complaints.push(`${field} is "${subnet}": wanted an IPv4 subnet's own address with room for all hosts`);
  }
  for (const host of green.hosts)
    if (!hosts.some((each) => each.name === host)) complaints.push(`green.hosts names ${host}: no such host`);
  if (orange.vni === green.vni) complaints.push(`both tenants have VNI ${green.vni}: wanted two`);
  if (complaints.length > 0) throw unusable(kind, name, complaints);
  const at = (subnet: string, steps: number): Pick<Host, 'address' | 'prefixLength'> => {
    const cidr = hostAt(subnetFirst(subnet)!, steps)!;
    return { address: addressText(cidr), prefixLength: cidr.prefixLength };
  };
  const clients = hosts.map((host, i): Client => {
    const namespace = `c-${host.name}-${orange.vni}`;
    return { host: host.name, vni: orange.vni, namespace, interface: 'eth0', ...at(orange.subnet, i) };
  });
  const sites = hosts.flatMap((host, i): GreenSite[] => {
    if (!green.hosts.includes(host.name)) return [];
    const machine = `c-${host.name}-${green.vni}`;
    const router = `r-${host.name}`;
    return [
      {
        host: host.name,
        machine: { name: machine, namespace: machine, interface: 'eth0', ...at(green.inside, 1) },
        gateway: at(green.inside, 0).address,
        router: { name: router, namespace: router, interface: 'eth1', ...at(green.subnet, i) },
      },
    ];
  });
  return {
    network: 'tenants',
    name,
    title: file.title,
    underlay: 4,
    port: 4789,
    mtu: overlayMtu(4),
    hosts,
    segments: [],
    clients,
    monitored: { namespace: hosts[0]!.namespace, interface: 'eth0' },
    orangeVni: orange.vni,
    greenVni: green.vni,
    green: sites,
  };
}
