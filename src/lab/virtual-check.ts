/** Checks a virtual topology: a ping of two requests is exactly twelve packets on the cables, and TCP gets through. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ask, placeOf } from '../daemon/index.ts';
import { VNET } from '../vnet/index.ts';
import { type CheckOptions, eventually, unfulfilled } from './check.ts';
import { run } from './command.ts';
import { pingFrom } from './ping.ts';
import { namespaceOf } from './steps.ts';
import { joinerName } from './virtual-plan.ts';
import type { VirtualTopology } from './virtual-topology.ts';

const PINGS = 2;
/** Per machine an ARP request, its reply, and an echo request with its reply per ping. */
const PACKETS_PER_MACHINE = 2 + 2 * PINGS;
const SETTLE_MS = 5000;
const IPERF_MS = 20_000;

/** @throws LabError `LAB_CHECK` */
export async function checkVirtual(topology: VirtualTopology, options: CheckOptions): Promise<void> {
  const { prefix, progress, signal } = options;
  progress('Validating connectivity');
  const [first, second] = topology.hosts.map(({ namespace }) => namespaceOf(prefix, namespace));
  const address = topology.hosts[1]!.address;
  // Nobody remembers anybody: else there would be less ARP to count.
  for (const namespace of [first!, second!, namespaceOf(prefix, 'router')])
    await run('ip', ['-n', namespace, 'neigh', 'flush', 'all']);
  const before = await counted(topology, prefix);
  const { answered, sent, line } = await pingFrom(first!, address, { count: PINGS });
  progress(`ns1 to ns2: ${line}`);
  if (answered !== PINGS)
    throw unfulfilled('Pinging ns2 from ns1', `${answered} of ${sent} answered`, `all ${PINGS}`);
  let now: Counted = before;
  const wanted = 2 * PACKETS_PER_MACHINE;
  const packets = (): [number, number] => [now.first - before.first, now.second - before.second];
  await eventually(
    async () => {
      now = await counted(topology, prefix);
      const [a, b] = packets();
      return a + b >= wanted || undefined;
    },
    { withinMs: SETTLE_MS, signal },
  );
  const [a, b] = packets();
  progress(`${a + b} packets counted (ns1 ${a}, ns2 ${b})`);
  if (a !== PACKETS_PER_MACHINE || b !== PACKETS_PER_MACHINE)
    throw unfulfilled(
      `Counting the packets of ${PINGS} pings`,
      `ns1 has ${a}, ns2 ${b}`,
      `${PACKETS_PER_MACHINE} each, one ARP request and ${PINGS} echo requests with their replies`,
    );
  progress(`iperf3 from ns1 to ns2: ${await throughput(first!, second!, address, signal)} Mbit/s`);
}

interface Counted {
  readonly first: number;
  readonly second: number;
}

/** IPv4 and ARP packets that were carried from and to each machine; of a bridge's ports all, in namespaces that send nothing else. */
async function counted(topology: VirtualTopology, prefix: string): Promise<Counted> {
  const shown = await ask(VNET, placeOf(joinerName(topology, prefix), 'vnet'), 'show');
  const at = (device: string): number => {
    if (shown.kind === 'relay')
      return shown.cables
        .filter(({ from, to }) => from === device || to === device)
        .reduce((sum, { counts }) => sum + counts.ipv4.packets + counts.arp.packets, 0);
    if (shown.kind !== 'bridge') throw new TypeError(`The instance ${shown.name} joins nothing`);
    return shown.ports
      .filter(({ name }) => name === device)
      .reduce((sum, { received, sent }) => sum + received.packets + sent.packets, 0);
  };
  return { first: at('v1'), second: at('v2') };
}

/** One second of TCP. @returns Mbit/s @throws LabError `LAB_CHECK` when nothing gets through */
async function throughput(
  from: string,
  to: string,
  address: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  const server = spawn('ip', ['netns', 'exec', to, 'iperf3', '-s', '-1', '--forceflush', '-B', address], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const ended = once(server, 'exit');
  let said = '';
  server.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  try {
    await eventually(() => said.includes('Server listening') || undefined, { withinMs: IPERF_MS, signal });
    const { stdout } = await run('ip', [
      ...['netns', 'exec', from, 'timeout', String(IPERF_MS / 1000)],
      ...['iperf3', '-c', address, '-t', '1', '-J'],
    ]);
    const answer = JSON.parse(stdout || '{}') as IperfAnswer;
    const bits = answer.end?.sum_received?.bits_per_second ?? 0;
    if (bits > 0) return Math.round(bits / 1e6);
    throw unfulfilled('Sending TCP from ns1 to ns2', answer.error ?? 'nothing arrived', 'a second of it');
  } finally {
    server.kill('SIGKILL');
    await ended;
  }
}

/** Of iperf3 -J. */
interface IperfAnswer {
  readonly error?: string;
  readonly end?: { readonly sum_received?: { readonly bits_per_second?: number } };
}
