/** A real agent in a lab of two tenants with equal addresses: traffic that has ended and is known to the octet, and some that goes on. */
import {
  labDown,
  labUp,
  loadTopology,
  namespaceOf,
  type StreamLedger,
  startTraffic,
  type Traffic,
} from '../../src/lab/index.ts';
import type { ResultTable, View } from '../../src/query/index.ts';
import { ServedAgent } from '../../test/served-agent.ts';
import { until } from '../../test/until.ts';

const PREFIX = 'tspl-';
/** What has ended, as a filter, and of all time in the address bar. */
export const ENDED = 'proto = udp';
/** The same in an address. */
export const OF_ENDED: string = `window=all&filter=${encodeURIComponent(ENDED)}`;
const DRAINED_MS = 30_000;

/** Everything of it ends with the test. */
export interface LiveScene extends AsyncDisposable {
  readonly url: string;
  /** What was sent of {@link ENDED}, by those who sent it. */
  readonly streams: readonly StreamLedger[];
  /** The API's answers. */
  view(query?: string): Promise<View>;
  ask(question: object): Promise<ResultTable>;
}

/** Sets the lab up, meters its first host, and waits until the traffic that ends has ended. */
export async function openLive(): Promise<LiveScene> {
  const topology = loadTopology('tenants');
  const [one, two] = topology.segments.map(({ vni }) => vni);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => labDown({ prefix: PREFIX }));
  await labUp(topology, { prefix: PREFIX });
  // Long enough for a page to be paused and the API to be asked within one epoch.
  const agent = stack.use(await ServedAgent.start(namespaceOf(PREFIX, 'host0'), { intervalMs: 1000 }));
  const udp = { kind: 'udp', perSecond: 400 } as const;
  const ended = await startTraffic(
    topology,
    {
      title: 'what ends',
      streams: [
        { ...udp, vni: one!, from: 'host0', to: 'host1', size: 100, count: 300, port: 7000 },
        { ...udp, vni: two!, from: 'host0', to: 'host1', size: 900, count: 200, port: 7000 },
        { ...udp, vni: two!, from: 'host2', to: 'host0', size: 500, count: 250, port: 7001 },
        { ...udp, from: 'host0', to: 'host1', size: 333, count: 150, port: 7002 },
      ],
    },
    { prefix: PREFIX },
  );
  const { streams } = await ended.finished;
  stack.use<Traffic>(
    await startTraffic(
      topology,
      {
        title: 'what goes on',
        streams: [
          { kind: 'ping', vni: one!, from: 'host0', to: 'host2', size: 256, perSecond: 10 },
          {
            kind: 'requests',
            from: 'host0',
            to: 'host1',
            requestOctets: 300,
            responseOctets: 2000,
            perSecond: 20,
          },
        ],
      },
      { prefix: PREFIX },
    ),
  );
  const answer = async (path: string, init?: RequestInit): Promise<unknown> => {
    const response = await fetch(`${agent.url}api/v1/${path}`, init);
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  };
  const view = async (query = ''): Promise<View> => (await answer(`view?${query}`)) as View;
  const sent = streams.reduce((sum, stream) => sum + wireOctets(stream), 0);
  // What was sent last is in the view when its epoch has ended.
  await until(
    async () => (await view(OF_ENDED)).total.octets >= sent,
    'all that has ended is in the view',
    DRAINED_MS,
  );
  const owned = stack.move();
  return {
    url: agent.url,
    streams,
    view,
    ask: async (question) =>
      (await answer('query', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(question),
      })) as ResultTable,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Octets of a stream that goes one way, as they are on the wire of the underlay. */
export function wireOctets({ vni, frames }: StreamLedger): number {
  const { octets, tunnelOctets } = frames!.forward;
  return vni === undefined ? octets : tunnelOctets;
}
