/**
 * How two tenants are made. On each host, ─ a veth or a bridge's port, ═ BPF (a cable of the relay, or the distributed bridge):
 *
 *     orange machine eth0 ─ om ═ ob ─ br1 ═ VXLAN
 *     green machine eth0 ─ gm ═ gb ─ gin ─ gr ═ ri ─ eth0 router eth1 ─ ro ═ go ─ br0 ═ VXLAN
 *
 * The router forwards, hides what is inside behind its own address, and passes web requests on to the machine.
 */
import { bridgeProcess } from './bridge-plan.ts';
import { type Member, ownCommand, ownProgram } from './member.ts';
import type { Client, Host } from './places.ts';
import type { Plan } from './plan.ts';
import {
  bridge,
  cablePort,
  endpointLines,
  fabricSteps,
  hostSteps,
  namespaceOf,
  quietNamespace,
  type Step,
} from './steps.ts';
import type { GreenSite, TenantsTopology } from './tenants-topology.ts';

/** Works tenants out into steps; touches nothing. */
export function planTenants(topology: TenantsTopology, prefix: string): Plan {
  const inPrefix = (name: string): string => namespaceOf(prefix, name);
  const { hosts, clients, green } = topology;
  const fabric = inPrefix('fabric');
  return {
    namespaces: [
      fabric,
      ...[...hosts, ...clients].map(({ namespace }) => inPrefix(namespace)),
      ...green.flatMap(({ machine, router }) =>
        [machine, router].map(({ namespace }) => inPrefix(namespace)),
      ),
    ],
    stages: [
      { steps: fabricSteps(fabric) },
      ...hosts.map((host, index) => {
        const namespace = inPrefix(host.namespace);
        const site = green.find((each) => each.host === host.name);
        return {
          line: `Launching host ${index + 1} of ${hosts.length}`,
          steps: [
            ...hostSteps(topology, { host, index, fabric, namespace }),
            ...orangeSteps(clients[index]!, { namespace, mtu: topology.mtu, inPrefix }),
            ...(site ? greenSteps(site, { namespace, mtu: topology.mtu, inPrefix }) : []),
          ],
        };
      }),
    ],
    members: [
      ...hosts.flatMap((host) => joiners(topology, host, prefix)),
      ...green.map((site): Member => {
        const namespace = inPrefix(site.machine.namespace);
        return {
          name: `web-server-${site.host}`,
          role: 'web server',
          namespace,
          command: ['ip', 'netns', 'exec', namespace, ...ownProgram('web-server.ts', `green-${site.host}`)],
          ready: '^listening$',
        };
      }),
    ],
    tools: ['nft'],
  };
}

interface Making {
  readonly namespace: string;
  readonly mtu: number;
  readonly inPrefix: (name: string) => string;
}

/** Everything within a host goes to the tunnel in the end, so that its frames are no longer than fits there. */
function machineLink(name: string, peer: string, { mtu }: Making, namespace: string): string[] {
  return [
    `link add ${name} mtu ${mtu} type veth peer name ${peer} mtu ${mtu} netns ${namespace}`,
    `link set ${name} up`,
  ];
}

function orangeSteps(client: Client, making: Making): Step[] {
  const machine = making.inPrefix(client.namespace);
  return [
    ...quietNamespace(machine),
    {
      kind: 'ip',
      namespace: making.namespace,
      lines: [
        bridge('br1', making.mtu),
        'link set br1 up',
        ...machineLink('om', 'eth0', making, machine),
        ...cablePort('ob', 'br1'),
      ],
    },
    { kind: 'ip', namespace: machine, lines: endpointLines(client) },
  ];
}

function greenSteps({ machine, gateway, router }: GreenSite, making: Making): Step[] {
  const [inside, between] = [making.inPrefix(machine.namespace), making.inPrefix(router.namespace)];
  return [
    ...[inside, between].flatMap(quietNamespace),
    {
      kind: 'ip',
      namespace: making.namespace,
      lines: [
        ...['gin', 'br0'].flatMap((name) => [bridge(name, making.mtu), `link set ${name} up`]),
        ...machineLink('gm', 'eth0', making, inside),
        ...machineLink('ri', 'eth0', making, between),
        ...machineLink('ro', 'eth1', making, between),
        ...cablePort('gb', 'gin'),
        ...cablePort('gr', 'gin'),
        ...cablePort('go', 'br0'),
      ],
    },
    {
      kind: 'ip',
      namespace: inside,
      lines: [...endpointLines(machine), `route add default via ${gateway}`],
    },
    {
      kind: 'ip',
      namespace: between,
      lines: [
        ...endpointLines({ interface: 'eth0', address: gateway, prefixLength: machine.prefixLength }),
        ...endpointLines(router),
      ],
    },
    { kind: 'settings', namespace: between, settings: [['ipv4/ip_forward', 1]] },
    { kind: 'nft', namespace: between, rules: natRules(machine) },
  ];
}

function natRules(machine: Host): string {
  return `table ip nat {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    iifname "eth1" tcp dport 80 dnat to ${machine.address}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    oifname "eth1" masquerade
  }
}
`;
}

/** The relay and the bridge of one host. */
function joiners(topology: TenantsTopology, host: Host, prefix: string): Member[] {
  const namespace = namespaceOf(prefix, host.namespace);
  const isGreen = topology.green.some((site) => site.host === host.name);
  const cables = ['om:ob', ...(isGreen ? ['gm:gb', 'gr:ri', 'ro:go'] : [])];
  const config = {
    mode: 'mesh',
    underlay: { device: host.interface, address: host.address },
    tunnel: { kind: 'vxlan', device: 'vxlan0', port: topology.port },
    segments: [
      { vni: topology.orangeVni, bridge: 'br1', peers: othersOf(topology, host, () => true) },
      ...(isGreen
        ? [
            {
              vni: topology.greenVni,
              bridge: 'br0',
              peers: othersOf(topology, host, (name) => topology.green.some((site) => site.host === name)),
            },
          ]
        : []),
    ],
  };
  const [relay, name] = [`relay-${host.name}`, `bridge-${host.name}`];
  return [
    {
      name: relay,
      role: 'relay',
      namespace,
      command: ownCommand(
        ...['vnet', 'relay', 'run', '--name', `${prefix}${relay}`, '--netns', namespace],
        ...['--cable', ...cables],
      ),
      ready: ' forwards$',
    },
    bridgeProcess(prefix, { name, instance: `${prefix}${name}`, namespace, config }),
  ];
}

function othersOf({ hosts }: TenantsTopology, host: Host, has: (name: string) => boolean): string[] {
  return hosts.filter(({ name }) => name !== host.name && has(name)).map(({ address }) => address);
}
