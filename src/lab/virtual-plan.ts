/**
 * How a virtual topology is made. All devices but the machines' own are the hypervisor's:
 *
 *     ns1 eth0 ─ v1 ═ b1v ─ br1 ─ b1r ═ r1 ─ eth0 router eth1 ─ r2 ═ b2r ─ br2 ─ b2v ═ v2 ─ eth0 ns2
 *
 * ─ is a veth or a bridge's port, ═ is BPF. With bridges of BPF, v1 and r1 are ports of one segment, v2 and r2 of the other.
 */
import { bridgeProcess } from './bridge-plan.ts';
import { type Member, ownCommand } from './member.ts';
import type { Plan } from './plan.ts';
import { bridge, cablePort, endpointLines, namespaceOf, quietNamespace, type Step } from './steps.ts';
import type { VirtualTopology } from './virtual-topology.ts';

/** Name of the instance that joins it. */
export function joinerName({ bridges }: VirtualTopology, prefix: string): string {
  return `${prefix}${bridges === 'bpf' ? 'bridge' : 'relay'}`;
}

/** Works a virtual topology out into steps; touches nothing. */
export function planVirtual(topology: VirtualTopology, prefix: string): Plan {
  const [hypervisor, router] = ['hypervisor', 'router'].map((name) => namespaceOf(prefix, name)) as [
    string,
    string,
  ];
  const machines = topology.hosts.map(({ namespace }) => namespaceOf(prefix, namespace));
  return {
    namespaces: [hypervisor, router, ...machines],
    stages: [
      {
        steps: [hypervisor, router].flatMap(quietNamespace),
      },
      ...topology.hosts.map((host, i) => ({
        line: `Launching ${host.name}`,
        steps: machineSteps(topology, i, { hypervisor, machine: machines[i]!, router }),
      })),
      { steps: [{ kind: 'settings', namespace: router, settings: [['ipv4/ip_forward', 1]] }] },
    ],
    members: [topology.bridges === 'bpf' ? bridgeMember(topology, prefix) : relayMember(topology, prefix)],
    tools: ['iperf3'],
  };
}

/** A machine, its bridge and the router's leg beyond it. */
function machineSteps(
  topology: VirtualTopology,
  index: number,
  { hypervisor, machine, router }: { hypervisor: string; machine: string; router: string },
): Step[] {
  const i = index + 1;
  const host = topology.hosts[index]!;
  const gateway = topology.gateways[index]!;
  return [
    ...quietNamespace(machine),
    {
      kind: 'ip',
      namespace: hypervisor,
      lines: [
        `link add v${i} type veth peer name eth0 netns ${machine}`,
        `link add r${i} type veth peer name eth${index} netns ${router}`,
        ...['v', 'r'].map((end) => `link set ${end}${i} up`),
        ...(topology.bridges === 'linux' ? linuxBridge(i) : []),
      ],
    },
    {
      kind: 'ip',
      namespace: machine,
      lines: [...endpointLines(host), `route add default via ${gateway}`],
    },
    {
      kind: 'ip',
      namespace: router,
      lines: [`addr add ${gateway}/${host.prefixLength} dev eth${index}`, `link set eth${index} up`],
    },
  ];
}

/** A bridge of the kernel's own with two ports whose other ends are for cables. */
function linuxBridge(i: number): string[] {
  return [
    bridge(`br${i}`, 1500),
    `link set br${i} up`,
    ...['v', 'r'].flatMap((end) => cablePort(`b${i}${end}`, `br${i}`)),
  ];
}

function relayMember(topology: VirtualTopology, prefix: string): Member {
  const namespace = namespaceOf(prefix, 'hypervisor');
  const cables = [1, 2].flatMap((i) => [`v${i}:b${i}v`, `b${i}r:r${i}`]);
  const name = joinerName(topology, prefix);
  return {
    name: 'relay',
    role: 'relay',
    namespace,
    command: ownCommand(
      ...['vnet', 'relay', 'run', '--name', name, '--netns', namespace, '--cable', ...cables],
    ),
    ready: ' forwards$',
  };
}

/** One bridge without an underlay: its segments end here. */
function bridgeMember(topology: VirtualTopology, prefix: string): Member {
  const config = {
    mode: 'mesh',
    segments: [1, 2].map((i) => ({ vni: i, ports: [`v${i}`, `r${i}`] })),
  };
  return bridgeProcess(prefix, {
    name: 'bridge',
    instance: joinerName(topology, prefix),
    namespace: namespaceOf(prefix, 'hypervisor'),
    config,
  });
}
