/** Checks a distributed bridge: every host has its addresses, and reaches host0 in every segment they share. */
import { isWithin } from './address.ts';
import { type BridgeTopology, NO_ADDRESS } from './bridge-topology.ts';
import { type CheckOptions, eventually, unfulfilled } from './check.ts';
import { run } from './command.ts';
import { leasesOf } from './dhcp.ts';
import { pingFrom } from './ping.ts';
import type { Client, Segment } from './places.ts';
import { namespaceOf } from './steps.ts';

const PINGS = 3;
/** How long an interface may be without an address. */
const ADDRESS_MS = 60_000;

/** @throws LabError `LAB_CHECK` with everything that does not work */
export async function checkBridge(topology: BridgeTopology, options: CheckOptions): Promise<void> {
  const { prefix, progress } = options;
  progress('Validating connectivity');
  const addressed = await addressedClients(topology, options);
  const [first, ...others] = topology.hosts;
  const failures: string[] = [];
  for (const host of others) {
    // The segments of one host at once: eight of them would else take their time.
    const pings = topology.segments.flatMap((segment) => {
      const from = addressed.find((client) => isClient(client, host.name, segment));
      const to = addressed.find((client) => isClient(client, first!.name, segment));
      if (from === undefined || to === undefined) return [];
      const outcome = pingFrom(namespaceOf(prefix, from.namespace), to.address, {
        count: PINGS,
        from: from.address,
      });
      return [{ segment, outcome, address: to.address }];
    });
    for (const { segment, outcome, address } of pings) {
      const where = `VNI${segment.index} between ${first!.name} and ${host.name}`;
      progress(where);
      const { answered, sent, line } = await outcome;
      progress(`  ${address}: ${line}`);
      if (answered !== PINGS) failures.push(`${where}: ${answered} of ${sent} answered`);
    }
    options.signal?.throwIfAborted();
  }
  if (failures.length > 0)
    throw unfulfilled(
      'Validating connectivity',
      failures.join('; '),
      `all ${PINGS} pings answered everywhere`,
    );
}

function isClient(client: Client, host: string, segment: Segment): boolean {
  return client.host === host && client.vni === segment.vni;
}

/** Waits until each client's interface has an address of its segment: the one it was given by DHCP, where it was. */
async function addressedClients(
  topology: BridgeTopology,
  { prefix, progress, signal, patienceMs = ADDRESS_MS }: CheckOptions,
): Promise<Client[]> {
  const told = new Set<string>();
  const indexOf = (vni: number): number => topology.segments.find((segment) => segment.vni === vni)!.index;
  const found = await Promise.all(
    topology.clients.map((client) =>
      eventually(
        async () => {
          const address = await addressOf(topology, client, prefix);
          if (address === undefined) return undefined;
          const line = `${client.host} has ${address} in VNI${indexOf(client.vni)}`;
          if (client.address === NO_ADDRESS && !told.has(line)) {
            told.add(line);
            progress(line);
          }
          return { ...client, address };
        },
        { withinMs: patienceMs, signal },
      ),
    ),
  );
  const without = topology.clients.filter((_, i) => found[i] === undefined);
  if (without.length > 0)
    throw unfulfilled(
      'Waiting for addresses',
      `after ${patienceMs / 1000} s there is none at ${without.map(({ host, interface: device }) => `${device} of ${host}`).join(', ')}`,
      'one of its segment at each',
    );
  return found.flatMap((client) => client ?? []);
}

/** What `ip` says that an interface has; with DHCP only the very address that its client holds a lease for. */
async function addressOf(
  topology: BridgeTopology,
  client: Client,
  prefix: string,
): Promise<string | undefined> {
  const { subnet } = topology.segments.find(({ vni }) => vni === client.vni)!;
  const wanted = client.address === NO_ADDRESS ? leasesOf(prefix, [client])[0]?.address : client.address;
  if (wanted === undefined || !isWithin(wanted, subnet)) return undefined;
  const { stdout } = await run('ip', [
    ...['-n', namespaceOf(prefix, client.namespace), '-j', 'address', 'show', 'dev', client.interface],
  ]);
  const [link] = JSON.parse(stdout || '[]') as { readonly addr_info?: { readonly local: string }[] }[];
  return link?.addr_info?.some(({ local }) => local === wanted) ? wanted : undefined;
}
