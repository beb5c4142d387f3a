/**
 * DHCP in a lab: a dnsmasq per segment in a namespace of its own behind one host's bridge, a udhcpc per host and segment. Each
 * has a directory of its own; each client also a mount namespace (`ip netns exec` makes it), so that what it writes to
 * /etc/resolv.conf is its own file.
 */
import { readFileSync } from 'node:fs';
import { parseCidr } from './address.ts';
import { type BridgeTopology, type DhcpServer, NO_ADDRESS } from './bridge-topology.ts';
import type { Member } from './member.ts';
import type { Client } from './places.ts';
import { memberDirectory } from './record.ts';
import { endpointLines, namespaceOf, type Step, settingsOf } from './steps.ts';

const LEASE_TIME = '12h';

/** The host's end of the server's cable. */
export function dhcpPort(index: number): string {
  return `dhcp${index}`;
}

/** The server's namespace, with a cable into the bridge of its host. */
export function dhcpServerSteps(
  server: DhcpServer,
  {
    prefix,
    namespace: host,
    topology,
  }: { readonly prefix: string; readonly namespace: string; readonly topology: BridgeTopology },
): Step[] {
  const namespace = namespaceOf(prefix, server.namespace);
  const port = dhcpPort(server.index);
  const { mtu, ports } = topology;
  return [
    { kind: 'ip', namespace: undefined, lines: [`netns add ${namespace}`] },
    settingsOf(namespace, false),
    {
      kind: 'ip',
      namespace: host,
      lines: [
        `link add ${port} mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${namespace}`,
        ports === 'bridge' ? `link set ${port} master br${server.index} up` : `link set ${port} up`,
      ],
    },
    {
      kind: 'ip',
      namespace,
      lines: ['link set lo up', ...endpointLines({ ...server, interface: 'eth0' })],
    },
  ];
}

/** The server of a segment. */
export function dhcpServer(server: DhcpServer, prefix: string): Member {
  const name = `dhcp-server-${server.vni}`;
  const namespace = namespaceOf(prefix, server.namespace);
  const directory = memberDirectory(prefix, name);
  return {
    name,
    role: `DHCP server of VNI ${server.vni} behind ${server.host}`,
    namespace,
    command: [
      ...['ip', 'netns', 'exec', namespace, 'dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null'],
      // Its user would be one that may not look into the directory; it has nothing but this namespace.
      ...['--user=root', '--group=root', `--pid-file=${directory}/pid`],
      ...['--interface=eth0', '--except-interface=lo', '--bind-dynamic'],
      // It knows the names of those it gave addresses to, and none of this machine's. Pings before offers wait for seconds.
      ...['--no-hosts', '--no-resolv', '--no-ping'],
      ...['--dhcp-authoritative', '--dhcp-no-override', `--dhcp-leasefile=${directory}/leases`],
      `--dhcp-range=${server.firstLease},${server.lastLease},${LEASE_TIME}`,
      ...['--log-dhcp', '--log-facility=-'],
    ],
    ready: 'DHCP, IP range',
  };
}

/** The client of a host in a segment. */
export function dhcpClient(client: Client, prefix: string): Member {
  const name = clientName(client);
  const namespace = namespaceOf(prefix, client.namespace);
  const directory = memberDirectory(prefix, name);
  return {
    name,
    role: `DHCP client of VNI ${client.vni}`,
    namespace,
    command: ['ip', 'netns', 'exec', namespace, 'sh', `${directory}/start.sh`],
    files: {
      'resolv.conf': '',
      'start.sh': startScript(client, directory),
      'lease.sh': leaseScript(directory),
    },
  };
}

function clientName(client: Pick<Client, 'host' | 'vni'>): string {
  return `dhcp-client-${client.host}-${client.vni}`;
}

function startScript(client: Client, directory: string): string {
  return `set -e
rm -f ${directory}/lease
if [ -e /etc/resolv.conf ]; then mount --bind ${directory}/resolv.conf "$(readlink -f /etc/resolv.conf)"; fi
exec udhcpc -f -i ${client.interface} -x hostname:${client.host} -s ${directory}/lease.sh -t 5 -T 1 -A 1
`;
}

/** Called by udhcpc with what the server said in its environment. Routes are none of its business. */
function leaseScript(directory: string): string {
  return `#!/bin/sh
set -e
case "$1" in
deconfig)
  rm -f ${directory}/lease
  ip -4 address flush dev "$interface"
  ;;
bound | renew)
  if [ "$1" = bound ]; then ip -4 address flush dev "$interface"; fi
  ip address replace "$ip/$mask" dev "$interface"
  if [ -e /etc/resolv.conf ]; then for each in $dns; do echo "nameserver $each"; done > /etc/resolv.conf; fi
  printf '{"address":"%s","prefixLength":%d,"server":"%s","seconds":%d,"givenAt":%d}\\n' \\
    "$ip" "$mask" "$serverid" "$lease" "$(date +%s)" > ${directory}/lease.new
  mv ${directory}/lease.new ${directory}/lease
  ;;
esac
`;
}

/** What a client was given. */
export interface Lease {
  readonly host: string;
  readonly vni: number;
  readonly interface: string;
  readonly address: string;
  readonly prefixLength: number;
  readonly server: string;
  readonly seconds: number;
  readonly givenAtMs: number;
}

/** The leases that the clients of a lab hold, as each wrote it down itself; none where there is no DHCP. */
export function leasesOf(prefix: string, clients: readonly Client[]): Lease[] {
  return clients.flatMap((client) => leaseOf(prefix, client) ?? []);
}

function leaseOf(prefix: string, client: Client): Lease | undefined {
  let written: Partial<Lease> & { readonly givenAt?: number };
  try {
    written = JSON.parse(readFileSync(`${memberDirectory(prefix, clientName(client))}/lease`, 'utf8'));
  } catch {
    return undefined; // none yet, or no DHCP
  }
  const { address, prefixLength, server, seconds, givenAt } = written;
  if (parseCidr(`${address}/${prefixLength}`) === undefined) return undefined;
  const { host, vni } = client;
  return {
    ...{ host, vni, interface: client.interface, address: address!, prefixLength: prefixLength! },
    ...{ server: server ?? '', seconds: seconds ?? 0, givenAtMs: (givenAt ?? 0) * 1000 },
  };
}

/** The topology with the addresses that its clients hold now; those without one stay as they are. */
export function withLeases(topology: BridgeTopology, prefix: string): BridgeTopology {
  const leases = leasesOf(prefix, topology.clients);
  return {
    ...topology,
    clients: topology.clients.map((client) => {
      const lease = leases.find(({ host, vni }) => host === client.host && vni === client.vni);
      return client.address === NO_ADDRESS && lease !== undefined
        ? { ...client, address: lease.address, prefixLength: lease.prefixLength }
        : client;
    }),
  };
}
