/** How a distributed bridge is made: hosts on a fabric, a Linux bridge per segment, and one BPF bridge process per host. */
import type { BridgeTopology, DhcpServer } from './bridge-topology.ts';
import { dhcpClient, dhcpPort, dhcpServer, dhcpServerSteps } from './dhcp.ts';
import { type Member, ownCommand } from './member.ts';
import type { Client, Host } from './places.ts';
import type { Plan } from './plan.ts';
import { memberDirectory } from './record.ts';
import {
  bridge,
  enableIpv6,
  endpointLines,
  fabricSteps,
  hostSteps,
  mac as macOf,
  namespaceOf,
  quietNamespace,
  type Step,
} from './steps.ts';

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
      ...[...hosts, ...dhcpServers, ...(topology.clientNamespaces === 'own' ? clients : [])].map(
        ({ namespace }) => namespaceOf(prefix, namespace),
      ),
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
      ...hosts
        .filter(({ name }) => clients.some(({ host }) => host === name))
        .map((host) => bridgeMember(topology, host, prefix)),
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
  return [
    ...hostSteps(topology, { host, index, fabric, namespace }),
    ...clients.flatMap((client) => {
      const mac = macOf(client.vni, index);
      return topology.clientNamespaces === 'own'
        ? ownClientSteps(topology, client, { namespace, mac, inside: namespaceOf(prefix, client.namespace) })
        : sharedClientSteps(topology, client, { namespace, mac });
    }),
    ...topology.dhcpServers
      .filter((server) => server.host === host.name)
      .flatMap((server) => dhcpServerSteps(server, { prefix, namespace, topology })),
  ];
}

/** The Linux bridge of a segment, which is the client itself. */
function sharedClientSteps(
  topology: BridgeTopology,
  client: Client,
  { namespace, mac }: { namespace: string; mac: string },
): Step[] {
  const lines = [bridge(client.interface, topology.mtu), `link set ${client.interface} address ${mac}`];
  return [{ kind: 'ip', namespace, lines }, ...readySteps(topology, client, namespace)];
}

/** A client in a namespace, with a cable to its host. */
function ownClientSteps(
  topology: BridgeTopology,
  client: Client,
  { namespace, mac, inside }: { namespace: string; mac: string; inside: string },
): Step[] {
  const { index } = topology.segments.find(({ vni }) => vni === client.vni)!;
  const [port, master] = [`c${index}`, `br${index}`];
  const { mtu } = topology;
  return [
    ...quietNamespace(inside),
    {
      kind: 'ip',
      namespace,
      lines: [
        ...(topology.ports === 'bridge' ? [bridge(master, mtu), `link set ${master} up`] : []),
        `link add ${port} mtu ${mtu} type veth peer name eth0 mtu ${mtu} address ${mac} netns ${inside}`,
        topology.ports === 'bridge' ? `link set ${port} master ${master} up` : `link set ${port} up`,
      ],
    },
    ...readySteps(topology, client, inside),
  ];
}

/** Without an address where DHCP gives it one. */
function readySteps(topology: BridgeTopology, client: Client, namespace: string): Step[] {
  const byDhcp = topology.dhcpServers.length > 0;
  const lines = byDhcp ? [`link set ${client.interface} up`] : endpointLines(client);
  return [...enableIpv6(namespace, [client]), { kind: 'ip', namespace, lines }];
}

/** The process of one host: its file says the segments of its clients and, for a mesh, all other hosts. */
function bridgeMember(topology: BridgeTopology, host: Host, prefix: string): Member {
  const name = `bridge-${host.name}`;
  const namespace = namespaceOf(prefix, host.namespace);
  const members = topology.segments.filter(({ vni }) =>
    topology.clients.some((client) => client.host === host.name && client.vni === vni),
  );
  const isMesh = topology.mode === 'mesh';
  const serversAt = (host: Host, vni: number): readonly DhcpServer[] =>
    topology.dhcpServers.filter((server) => server.host === host.name && server.vni === vni);
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
      ...(topology.ports === 'bridge'
        ? { bridge: `br${index}` }
        : { ports: [`c${index}`, ...serversAt(host, vni).map(() => dhcpPort(index))] }),
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
