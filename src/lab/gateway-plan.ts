/**
 * How a gateway is made:
 *
 *     client1 eth0 ─ c1 ┐                                 ┌ veth1 ─ eth0 worker1
 *     client2 eth0 ─ c2 ┼ trunk eth0a ─ eth0b gateway ════┼ veth2 ─ eth0 worker2
 *     client3 eth0 ─ c3 ┘                                 └ veth3 ─ eth0 worker3
 *
 * Where the kernel has 802.1Q devices a client's eth0 is one, made on eth0a. Elsewhere a tc program in `trunk` puts the tags on.
 */
import type { GatewayTopology, VlanPair } from './gateway-topology.ts';
import { type Member, ownCommand, ownProgram } from './member.ts';
import type { Plan } from './plan.ts';
import { memberDirectory } from './record.ts';
import { endpointLines, namespaceOf, quietNamespace, type Step } from './steps.ts';

/** Name of the gateway's instance. */
export function gatewayName(prefix: string): string {
  return `${prefix}gateway`;
}

/** Works a gateway out into steps; touches nothing. */
export function planGateway(
  topology: GatewayTopology,
  prefix: string,
  { vlanDevices }: { readonly vlanDevices: boolean },
): Plan {
  const { pairs } = topology;
  const inPrefix = (name: string): string => namespaceOf(prefix, name);
  const [trunk, gateway] = [inPrefix('trunk'), inPrefix('gateway')];
  return {
    namespaces: [trunk, gateway, ...topology.hosts.map(({ namespace }) => inPrefix(namespace))],
    stages: [
      {
        line: `VLANs ${pairs.map(({ vid }) => vid).join(', ')}, ${vlanDevices ? 'by 802.1Q devices' : 'tagged by a tc program'}`,
        steps: [
          ...[trunk, gateway].flatMap(quietNamespace),
          {
            kind: 'ip',
            namespace: gateway,
            lines: [`link add eth0b type veth peer name eth0a netns ${trunk}`, 'link set eth0b up'],
          },
          { kind: 'ip', namespace: trunk, lines: ['link set eth0a up'] },
        ],
      },
      ...pairs.map((pair, i) => ({
        line: `Launching worker and client ${i + 1} of ${pairs.length}`,
        steps: [
          ...workerSteps(pair, i, { gateway, worker: inPrefix(pair.worker.namespace) }),
          ...clientSteps(pair, i, { trunk, client: inPrefix(pair.client.namespace), vlanDevices }),
        ],
      })),
    ],
    members: [
      gatewayMember(topology, prefix),
      ...(vlanDevices ? [] : [switchMember(topology, prefix)]),
      ...pairs.map(({ worker }) => webServer(worker.name, inPrefix(worker.namespace))),
    ],
    tools: [],
  };
}

function workerSteps(
  pair: VlanPair,
  index: number,
  { gateway, worker }: { readonly gateway: string; readonly worker: string },
): Step[] {
  const port = `veth${index + 1}`;
  return [
    ...quietNamespace(worker),
    {
      kind: 'ip',
      namespace: gateway,
      lines: [`link add ${port} type veth peer name eth0 netns ${worker}`, `link set ${port} up`],
    },
    { kind: 'ip', namespace: worker, lines: endpointLines(pair.worker) },
  ];
}

function clientSteps(
  { client: host, mac, vid }: VlanPair,
  index: number,
  {
    trunk,
    client,
    vlanDevices,
  }: { readonly trunk: string; readonly client: string; readonly vlanDevices: boolean },
): Step[] {
  const port = `c${index + 1}`;
  return [
    ...quietNamespace(client),
    {
      kind: 'ip',
      namespace: trunk,
      lines: vlanDevices
        ? [
            `link add link eth0a name ${port} address ${mac} type vlan id ${vid}`,
            `link set ${port} netns ${client} name eth0`,
          ]
        : [`link add ${port} type veth peer name eth0 address ${mac} netns ${client}`, `link set ${port} up`],
    },
    { kind: 'ip', namespace: client, lines: endpointLines(host) },
  ];
}

function gatewayMember({ pairs }: GatewayTopology, prefix: string): Member {
  const namespace = namespaceOf(prefix, 'gateway');
  const config = {
    trunk: 'eth0b',
    clients: pairs.map(({ mac }, i) => ({ mac, worker: `veth${i + 1}` })),
  };
  return {
    name: 'gateway',
    role: 'gateway',
    namespace,
    command: ownCommand(
      ...['vnet', 'gateway', 'run', '--name', gatewayName(prefix), '--netns', namespace],
      ...['--config', `${memberDirectory(prefix, 'gateway')}/gateway.json`],
    ),
    files: { 'gateway.json': `${JSON.stringify(config, null, 1)}\n` },
    ready: ' forwards$',
  };
}

function switchMember({ pairs }: GatewayTopology, prefix: string): Member {
  const namespace = namespaceOf(prefix, 'trunk');
  const ports = pairs.map(({ vid }, i) => `c${i + 1}=${vid}`);
  return {
    name: 'vlan-switch',
    role: 'VLAN switch',
    namespace,
    command: ownProgram('vlan-switch.ts', namespace, 'eth0a', ...ports),
    ready: '^at work$',
  };
}

function webServer(worker: string, namespace: string): Member {
  return {
    name: `web-server-${worker}`,
    role: 'web server',
    namespace,
    command: ['ip', 'netns', 'exec', namespace, ...ownProgram('web-server.ts', worker)],
    ready: '^listening$',
  };
}
