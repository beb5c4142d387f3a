/** Checks two tenants: orange reaches all of orange, green reaches green through its routers, and neither sees the other. */
import { type CheckOptions, unfulfilled } from './check.ts';
import { pingFrom } from './ping.ts';
import type { Client } from './places.ts';
import { namespaceOf } from './steps.ts';
import type { GreenSite, TenantsTopology } from './tenants-topology.ts';
import { webComplaint } from './web-answers.ts';

const PINGS = 3;
const REQUESTS = 3;

/** @throws LabError `LAB_CHECK` with everything that does not work */
export async function checkTenants(topology: TenantsTopology, options: CheckOptions): Promise<void> {
  const { prefix, progress, signal } = options;
  progress('Validating connectivity');
  const failures: string[] = [];
  const [first, ...others] = topology.clients;
  for (const client of others) {
    const where = `orange between ${first!.host} and ${client.host}`;
    progress(where);
    const { answered, sent, line } = await pingFrom(namespaceOf(prefix, client.namespace), first!.address, {
      count: PINGS,
    });
    progress(`  ${first!.address}: ${line}`);
    if (answered !== PINGS) failures.push(`${where}: ${answered} of ${sent} answered`);
    signal?.throwIfAborted();
  }
  for (const site of topology.green.slice(1))
    failures.push(...(await greenComplaints(site, topology.green[0]!, options)));
  const stranger = strangerTo(topology);
  if (stranger !== undefined) {
    const from = namespaceOf(prefix, topology.green[0]!.router.namespace);
    const { answered } = await pingFrom(from, stranger.address, { count: 1 });
    progress(`green asks for ${stranger.address}, an address of orange alone: ${answered} answered`);
    if (answered > 0) failures.push(`green reaches ${stranger.address} of orange`);
  }
  if (failures.length > 0)
    throw unfulfilled(
      'Validating connectivity',
      failures.join('; '),
      'each tenant to reach its own and no other',
    );
}

/** The machine behind one router asks the address of the other, and is answered by the machine behind that. */
async function greenComplaints(
  from: GreenSite,
  to: GreenSite,
  { prefix, progress }: CheckOptions,
): Promise<string[]> {
  const where = `green between ${from.host} and ${to.host}`;
  progress(where);
  const found = await webComplaint(namespaceOf(prefix, from.machine.namespace), to.router.address, {
    count: REQUESTS,
    everyMs: 100,
    // Both machines have one address: the server sees the other router's, and answers although it is not that.
    wanted: `green-${to.host} asked by ${from.router.address}`,
  });
  progress(`  ${to.router.address}: ${found ?? `${REQUESTS} requests answered through both routers`}`);
  return found === undefined ? [] : [`${where}: ${found}`];
}

/** A machine of orange whose address nobody of green has. */
function strangerTo({ clients, green }: TenantsTopology): Client | undefined {
  return clients.find(({ address }) => !green.some(({ router }) => router.address === address));
}
