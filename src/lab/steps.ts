/** What plans are made of: lines for `ip`, settings, and the pieces that every kind of topology has. */
import type { Client, Host, Places } from './places.ts';

/** One thing to do: lines for `ip -batch` (in a namespace when one is named), values below /proc/sys/net, or rules of nftables. */
export type Step =
  | { readonly kind: 'ip'; readonly namespace: string | undefined; readonly lines: readonly string[] }
  | {
      readonly kind: 'settings';
      readonly namespace: string;
      readonly settings: readonly (readonly [string, number])[];
    }
  | { readonly kind: 'nft'; readonly namespace: string; readonly rules: string };

/** The name a lab gives a namespace: the prefix makes it the lab's own (`ts-` and `host0` give `ts-host0`). */
export function namespaceOf(prefix: string, name: string): string {
  return `${prefix}${name}`;
}

type Endpoint = Pick<Host | Client, 'interface' | 'address' | 'prefixLength'>;

/** A host on the fabric: its namespace, its cable, its address. */
export function hostSteps(
  topology: Places,
  {
    host,
    index,
    fabric,
    namespace,
  }: { readonly host: Host; readonly index: number; readonly fabric: string; readonly namespace: string },
): Step[] {
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

/** A bridge that forwards from the first moment and floods groups: no spanning tree, no snooping, no queries of its own. */
export function bridge(name: string, mtu: number): string {
  return `link add ${name} mtu ${mtu} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`;
}

/** Gives an endpoint its address and sets it up. */
export function endpointLines(endpoint: Endpoint): string[] {
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
export function settingsOf(namespace: string, hasIpv6: boolean): Step {
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

/** Switches IPv6 on where an endpoint needs it. */
export function enableIpv6(namespace: string, endpoints: readonly Endpoint[]): Step[] {
  const settings = endpoints
    .filter(({ address }) => address.includes(':'))
    .map((endpoint) => [`ipv6/conf/${endpoint.interface}/disable_ipv6`, 0] as const);
  return settings.length === 0 ? [] : [{ kind: 'settings', namespace, settings }];
}

/** A locally administered address that says where it is: 02, the VNI (0 on the underlay), the host's number from 1. */
export function mac(vni: number, hostIndex: number): string {
  const octets = [2, vni >> 16, (vni >> 8) & 255, vni & 255, (hostIndex + 1) >> 8, (hostIndex + 1) & 255];
  return octets.map((octet) => octet.toString(16).padStart(2, '0')).join(':');
}

/** A namespace with a bridge that all hosts are at: the underlay. */
export function fabricSteps(fabric: string): Step[] {
  return [
    { kind: 'ip', namespace: undefined, lines: [`netns add ${fabric}`] },
    settingsOf(fabric, false),
    { kind: 'ip', namespace: fabric, lines: [bridge('br0', 1500), 'link set br0 up'] },
  ];
}

/** A namespace with nothing in it but loopback. */
export function quietNamespace(namespace: string): Step[] {
  return [
    { kind: 'ip', namespace: undefined, lines: [`netns add ${namespace}`] },
    settingsOf(namespace, false),
    { kind: 'ip', namespace, lines: ['link set lo up'] },
  ];
}

/** A port of a Linux bridge for a cable: a veth with one end in the bridge, the other, `name`, for whoever makes cables. */
export function cablePort(name: string, master: string): string[] {
  return [
    `link add ${name} type veth peer name ${name}p`,
    `link set ${name}p master ${master} up`,
    `link set ${name} up`,
  ];
}
