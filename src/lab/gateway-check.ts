/** Checks a gateway: every client reaches its own worker and nobody else's, and the gateway counted that. */
import { ask, placeOf } from '../daemon/index.ts';
import type { VirtualGateway } from '../query/index.ts';
import { VNET } from '../vnet/index.ts';
import { type CheckOptions, unfulfilled } from './check.ts';
import { gatewayName } from './gateway-plan.ts';
import type { GatewayTopology, VlanPair } from './gateway-topology.ts';
import { namespaceOf } from './steps.ts';
import { webComplaint } from './web-answers.ts';

const REQUESTS = 8;

/** @throws LabError `LAB_CHECK` with every client that was not served by its worker, or was not counted */
export async function checkGateway(topology: GatewayTopology, options: CheckOptions): Promise<void> {
  const { prefix, progress, signal } = options;
  progress(`Each client asks its worker ${REQUESTS} times`);
  const failures = (await Promise.all(topology.pairs.map((pair) => complaintsOf(pair, prefix)))).flat();
  signal?.throwIfAborted();
  const shown = await ask(VNET, placeOf(gatewayName(prefix), 'vnet'), 'show');
  if (shown.kind !== 'gateway') throw new TypeError(`The instance ${shown.name} is no gateway`);
  for (const { mac } of topology.pairs) {
    const client = shown.clients.find((each) => each.mac === mac);
    for (const line of counterLines(mac, client)) progress(line);
    if (!client || client.received.packets < REQUESTS || client.sent.packets < REQUESTS)
      failures.push(`the gateway counted fewer packets of ${mac} than requests`);
  }
  if (failures.length > 0)
    throw unfulfilled(
      'Asking workers through the gateway',
      failures.join('; '),
      `${REQUESTS} answers of its own worker for each client`,
    );
}

/** `rx` is from the client to its worker. */
function counterLines(mac: string, client: VirtualGateway['clients'][number] | undefined): [string, string] {
  const { received, sent } = client ?? { received: NOTHING, sent: NOTHING };
  return [
    `mac ${mac.replaceAll(':', '')} rx pkts = ${received.packets}, rx bytes = ${received.octets}`,
    `    tx pkts = ${sent.packets}, tx bytes = ${sent.octets}`,
  ];
}

const NOTHING = { packets: 0, octets: 0 };

async function complaintsOf({ client, worker }: VlanPair, prefix: string): Promise<string[]> {
  const found = await webComplaint(namespaceOf(prefix, client.namespace), worker.address, {
    count: REQUESTS,
    wanted: `${worker.name} asked by ${client.address}`,
  });
  return found === undefined ? [] : [`${client.name}: ${found}`];
}
