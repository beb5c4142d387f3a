/** How a distributed bridge is made: hosts on a fabric, a Linux bridge per segment, and one BPF bridge process per host. */
import type { BridgeTopology } from './bridge-topology.ts';
import { dhcpClient, dhcpServer, dhcpServerSteps } from './dhcp.ts';
import { type Member, ownCommand } from './member.ts';
import type { Host } from './places.ts';
import type { Plan } from './plan.ts';
import { memberDirectory } from './record.ts';
import { bridge, endpointLines, fabricSteps, hostSteps, mac, namespaceOf, type Step } from './steps.ts';

/** Name of a host's instance. */
export function bridgeName(prefix: string, host: string): string {
  return `${prefix}bridge-${host}`;
}

/** Works a distributed bridge out into steps; touches nothing. */
export function planBridge(topology: BridgeTopology, prefix: string): Plan {
  const { hosts, dhcpServers, clients } = topology;
  const fabric = namespaceOf(prefix, 'fabric');
  const flag = (is: boolean): number => Number(is);
  const byDhcp = dhcpServers.length > 0;
  return {
    namespaces: [
      fabric,
      ...[...hosts, ...dhcpServers].map(({ namespace }) => namespaceOf(prefix, namespace)),
    ],
    stages: [
      {
        line: `multicast ${flag(topology.mode === 'multicast')} dhcp ${flag(byDhcp)} gretap ${flag(topology.tunnel === 'gretap')}`,
        steps: fabricSteps(fabric),
      },
      ...hosts.map((host, index) => ({
        line: `Launching host ${index + 1} of ${hosts.length}`,
        steps: bridgeHostSteps(topology, { host, index, fabric, prefix }),
      })),
    ],
    members: [
      ...hosts.map((host) => bridgeMember(topology, host, prefix)),
      ...dhcpServers.map((server) => dhcpServer(server, prefix)),
      ...(byDhcp ? clients.map((client) => dhcpClient(client, prefix)) : []),
    ],
    tools: byDhcp ? ['dnsmasq', 'udhcpc'] : [],
  };
}

function bridgeHostSteps(
  topology: BridgeTopology,
  { host, index, fabric, prefix }: { host: Host; index: number; fabric: string; prefix: string },
): Step[] {
  const namespace = namespaceOf(prefix, host.namespace);
  const clients = topology.clients.filter((client) => client.host === host.name);
  const byDhcp = topology.dhcpServers.length > 0;
  return [
    ...hostSteps(topology, { host, index, fabric, namespace }),
    {
      kind: 'ip',
      namespace,
      lines: clients.flatMap((client) => [
        bridge(client.interface, topology.mtu),
        `link set ${client.interface} address ${mac(client.vni, index)}`,
        ...(byDhcp ? [`link set ${client.interface} up`] : endpointLines(client)),
      ]),
    },
    ...topology.dhcpServers
      .filter((server) => server.host === host.name)
      .flatMap((server) => dhcpServerSteps(server, { prefix, namespace, mtu: topology.mtu })),
  ];
}

/** The process of one host: its file says the segments of its clients and, for a mesh, all other hosts. */
function bridgeMember(topology: BridgeTopology, host: Host, prefix: string): Member {
  const name = `bridge-${host.name}`;
  const namespace = namespaceOf(prefix, host.namespace);
  const members = topology.segments.filter(({ vni }) =>
    topology.clients.some((client) => client.host === host.name && client.vni === vni),
  );
  const isMesh = topology.mode === 'mesh';
  const others = topology.hosts.filter((each) => each.name !== host.name);
  const config = {
    mode: topology.mode,
    underlay: { device: host.interface, address: host.address },
    tunnel: {
      kind: topology.tunnel,
      device: topology.tunnel === 'vxlan' ? 'vxlan0' : 'gretap1',
      ...(topology.tunnel === 'vxlan' ? { port: topology.port } : {}),
    },
    segments: members.map(({ vni, index, group }) => ({
      vni,
      bridge: `br${index}`,
      ...(isMesh ? {} : { group }),
    })),
    ...(isMesh ? { peers: others.map(({ address }) => address) } : {}),
  };
  return bridgeProcess(prefix, { name, instance: bridgeName(prefix, host.name), namespace, config });
}

/** A process that is a bridge: `config` is its file. */
export function bridgeProcess(
  prefix: string,
  {
    name,
    instance,
    namespace,
    config,
  }: {
    readonly name: string;
    readonly instance: string;
    readonly namespace: string;
    readonly config: object;
  },
): Member {
  return {
    name,
    role: 'bridge',
    namespace,
    command: ownCommand(
      ...['vnet', 'bridge', 'run', '--name', instance, '--netns', namespace],
      ...['--config', `${memberDirectory(prefix, name)}/bridge.json`],
    ),
    files: { 'bridge.json': `${JSON.stringify(config, null, 1)}\n` },
    ready: ' forwards$',
  };
}
