/** How an overlay of the kernel's own is made: the fabric, each host on it, each host's tunnels and clients. */
import type { OverlayTopology } from './overlay-topology.ts';
import type { Client, Host, Segment } from './places.ts';
import type { Plan } from './plan.ts';
import {
  bridge,
  enableIpv6,
  endpointLines,
  fabricSteps,
  hostSteps,
  mac,
  namespaceOf,
  type Step,
  settingsOf,
} from './steps.ts';

/** Works an overlay out into steps; touches nothing. */
export function planOverlay(topology: OverlayTopology, prefix: string): Plan {
  const inPrefix = (name: string): string => namespaceOf(prefix, name);
  const own = topology.clientNamespaces === 'own' ? topology.clients.map((client) => client.namespace) : [];
  const fabric = inPrefix('fabric');
  const { hosts } = topology;
  const tunnels = hosts.flatMap((host, index) => {
    const clients = topology.clients.filter((client) => client.host === host.name);
    return clients.length === 0 ? [] : [tunnelSteps(topology, host, index, clients, inPrefix)];
  });
  return {
    namespaces: ['fabric', ...hosts.map((host) => host.namespace), ...own].map(inPrefix),
    stages: [
      { steps: fabricSteps(fabric) },
      ...hosts.map((host, index) => ({
        line: `Launching host ${index + 1} of ${hosts.length}`,
        steps: hostSteps(topology, { host, index, fabric, namespace: inPrefix(host.namespace) }),
      })),
      ...tunnels.map((steps, index) => ({
        line: `Starting tunnel ${index + 1} of ${tunnels.length}`,
        steps,
      })),
    ],
    members: [],
    tools: [],
  };
}

function tunnelSteps(
  topology: OverlayTopology,
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
function segmentLines(topology: OverlayTopology, segment: Segment, peer: string): string[] {
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
