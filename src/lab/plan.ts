import type { Client, Host, Segment, Topology } from './topology.ts';

/** One thing to do: lines for `ip -batch` (in a namespace when one is named), or values below /proc/sys/net. */
export type Step =
  | { readonly kind: 'ip'; readonly namespace: string | undefined; readonly lines: readonly string[] }
  | {
      readonly kind: 'settings';
      readonly namespace: string;
      readonly settings: readonly (readonly [string, number])[];
    };

/** Everything that makes a topology stand, in order: the fabric, each host on it, each host's tunnels and clients. */
export interface Plan {
  readonly namespaces: readonly string[];
  readonly fabric: readonly Step[];
  readonly hosts: readonly (readonly Step[])[];
  readonly tunnels: readonly (readonly Step[])[];
}

/** The name a lab gives a namespace: the prefix makes it the lab's own (`ts-` and `host0` give `ts-host0`). */
export function namespaceOf(prefix: string, name: string): string {
  return `${prefix}${name}`;
}

/**
 * Works a topology out into steps; touches nothing. No link is ever made in the namespace the caller runs in: the
 * underlay is a bridge in a namespace of its own, and each veth is born with its ends where they belong.
 */
export function planOf(topology: Topology, prefix: string): Plan {
  const inPrefix = (name: string): string => namespaceOf(prefix, name);
  const own = topology.clientNamespaces === 'own' ? topology.clients.map((client) => client.namespace) : [];
  const fabric = inPrefix('fabric');
  return {
    namespaces: ['fabric', ...topology.hosts.map((host) => host.namespace), ...own].map(inPrefix),
    fabric: [
      { kind: 'ip', namespace: undefined, lines: [`netns add ${fabric}`] },
      settingsOf(fabric, false),
      { kind: 'ip', namespace: fabric, lines: [bridge('br0', 1500), 'link set br0 up'] },
    ],
    hosts: topology.hosts.map((host, index) =>
      hostSteps(topology, host, index, fabric, inPrefix(host.namespace)),
    ),
    tunnels: topology.hosts.map((host, index) => {
      const clients = topology.clients.filter((client) => client.host === host.name);
      return clients.length === 0 ? [] : tunnelSteps(topology, host, index, clients, inPrefix);
    }),
  };
}

function hostSteps(topology: Topology, host: Host, index: number, fabric: string, namespace: string): Step[] {
  const hasIpv6 = [host, ...topology.clients].some(({ address }) => address.includes(':'));
  return [
    { kind: 'ip', namespace: undefined, lines: [`netns add ${namespace}`] },
    settingsOf(namespace, hasIpv6),
    {
      kind: 'ip',
      namespace: fabric,
      lines: [
        `link add ${host.name} type veth peer name eth0 address ${mac(0, index)} netns ${namespace}`,
        `link set ${host.name} master br0 up`,
      ],
    },
    ...enableIpv6(namespace, [host]),
    { kind: 'ip', namespace, lines: ['link set lo up', ...endpointLines(host)] },
  ];
}

function tunnelSteps(
  topology: Topology,
  host: Host,
  index: number,
  clients: readonly Client[],
  inPrefix: (name: string) => string,
): Step[] {
  const namespace = inPrefix(host.namespace);
  const placed = clients.flatMap((client) => {
    const segment = topology.segments.find(({ vni }) => vni === client.vni);
    return segment === undefined ? [] : [{ client, segment }];
  });
  const own = clients.filter((client) => client.namespace !== host.namespace);
  const shared = clients.filter((client) => client.namespace === host.namespace);
  return [
    ...own.flatMap((client): Step[] => [
      { kind: 'ip', namespace: undefined, lines: [`netns add ${inPrefix(client.namespace)}`] },
      settingsOf(inPrefix(client.namespace), client.address.includes(':')),
    ]),
    {
      kind: 'ip',
      namespace,
      lines: placed.flatMap(({ client, segment }) => {
        const where = client.namespace === host.namespace ? '' : ` netns ${inPrefix(client.namespace)}`;
        return segmentLines(
          topology,
          segment,
          `name ${client.interface} address ${mac(segment.vni, index)}${where}`,
        );
      }),
    },
    ...enableIpv6(namespace, shared),
    ...(shared.length === 0
      ? []
      : [{ kind: 'ip' as const, namespace, lines: shared.flatMap(endpointLines) }]),
    ...own.flatMap((client): Step[] => [
      ...enableIpv6(inPrefix(client.namespace), [client]),
      {
        kind: 'ip',
        namespace: inPrefix(client.namespace),
        lines: ['link set lo up', ...endpointLines(client)],
      },
    ]),
  ];
}

/** Tunnel device, bridge and the client's cable of one segment on one host; `peer` describes the client's end. */
function segmentLines(topology: Topology, segment: Segment, peer: string): string[] {
  const { index, vni, group } = segment;
  return [
    `link add vxlan${index} mtu ${topology.mtu} type vxlan id ${vni} dev eth0 group ${group} dstport ${topology.port}`,
    bridge(`br${index}`, topology.mtu),
    `link add c${index}b mtu ${topology.mtu} type veth peer mtu ${topology.mtu} ${peer}`,
    `link set vxlan${index} master br${index} up`,
    `link set c${index}b master br${index} up`,
    `link set br${index} up`,
  ];
}

/** A bridge that forwards from the first moment and floods groups: no spanning tree, no snooping, no queries of its own. */
function bridge(name: string, mtu: number): string {
  return `link add ${name} mtu ${mtu} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`;
}

function endpointLines(endpoint: Host | Client): string[] {
  const nodad = endpoint.address.includes(':') ? ' nodad' : '';
  return [
    `addr add ${endpoint.address}/${endpoint.prefixLength} dev ${endpoint.interface}${nodad}`,
    `link set ${endpoint.interface} up`,
  ];
}

/**
 * A namespace that says nothing by itself, so that every packet in a capture has a cause: IPv6 is off on every new
 * interface, and where it is switched on there is no link-local address, no duplicate detection, no router search.
 * What remains are the group reports of IGMP and MLD, which tunnels and neighbour discovery need.
 * IPv4 values are written out because a new namespace takes them from the caller's (net/ipv4/devinet.c), who may forward.
 */
function settingsOf(namespace: string, hasIpv6: boolean): Step {
  return {
    kind: 'settings',
    namespace,
    settings: [
      ['ipv4/ip_forward', 0],
      ['ipv4/conf/all/rp_filter', 0],
      ['ipv4/conf/default/rp_filter', 0],
      ...(hasIpv6 ? [] : [['ipv6/conf/all/disable_ipv6', 1] as const]),
      ['ipv6/conf/default/disable_ipv6', 1],
      ['ipv6/conf/default/accept_ra', 0],
      ['ipv6/conf/default/accept_dad', 0],
      ['ipv6/conf/default/autoconf', 0],
      ['ipv6/conf/default/router_solicitations', 0],
      ['ipv6/conf/default/addr_gen_mode', 1],
    ],
  };
}

function enableIpv6(namespace: string, endpoints: readonly (Host | Client)[]): Step[] {
  const settings = endpoints
    .filter(({ address }) => address.includes(':'))
    .map((endpoint) => [`ipv6/conf/${endpoint.interface}/disable_ipv6`, 0] as const);
  return settings.length === 0 ? [] : [{ kind: 'settings', namespace, settings }];
}

/** A locally administered address that says where it is: 02, the VNI (0 on the underlay), the host's number from 1. */
function mac(vni: number, hostIndex: number): string {
  const octets = [2, vni >> 16, (vni >> 8) & 255, vni & 255, (hostIndex + 1) >> 8, (hostIndex + 1) & 255];
  return octets.map((octet) => octet.toString(16).padStart(2, '0')).join(':');
}
