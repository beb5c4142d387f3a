/**
 * A week of a hypervisor's uplink, made up from a seed and stored by the store itself: tenants in tunnels, two of them with
 * equal addresses, plain traffic, calls by day, days and nights, a night with packets in no flow, a pause of the meter, and one
 * client that from some minute on sends very much more than before, of which its tunnel suffers.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { batchOf, ETH0, type RecordWords } from '../src/flow/batch.fixture.ts';
import type { FlowBatch, LedgerLine } from '../src/flow/index.ts';
import { type MeasuredWords, withMeasurements } from '../src/flow/measurement.fixture.ts';
import { LiveView } from '../src/live/index.ts';
import type { Status } from '../src/query/index.ts';
import { DuckDbStore } from '../src/store/index.ts';
import { MadeCounters, type TakenPackets } from './made-counters.ts';

export const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
/** Epochs that are stored at a time: six hours. */
const AT_A_TIME = 360;
/** Minutes that the live view has taken in. */
const LIVE_MINUTES = 6;

/** The metered host, and the others it has tunnels to. */
const [HERE, ...OTHERS] = [10, 11, 12, 13, 14, 15].map((last) => `172.16.1.${last}`) as [string, ...string[]];
/** Its tenants: the first two know nothing of each other and have equal addresses. */
const TENANTS = [
  { vni: 5001, net: '10.0.0', busy: 1 },
  { vni: 5002, net: '10.0.0', busy: 0.8 },
  { vni: 5003, net: '10.8.0', busy: 0.5 },
] as const;
const SERVICES = [443, 443, 5432, 8080, 22, 6379, 53] as const;

/** What the culprit is: the truth that whoever looks is to find. */
export interface Culprit {
  readonly address: string;
  readonly vni: number;
  readonly segment: string;
  readonly peer: string;
  /** Its tunnel, from the metered host on. */
  readonly tunnel: readonly [source: string, destination: string];
  /** Begin of the minute from which it sends much, to the end of the week. */
  readonly sinceMs: number;
}

/** Bounds of a week and what happens in it. */
export interface WeekPlan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly culprit: Culprit;
  /** An hour of a night in which packets come that are in no flow. */
  readonly lost: { readonly fromMs: number; readonly toMs: number };
  /** Minutes of a day in which something before the hook takes packets. */
  readonly taken: TakenPackets;
  /** Nobody meters. */
  readonly gap: { readonly fromMs: number; readonly toMs: number };
}

/** The plan of the week that ends there. @param endMs a whole minute */
export function planWeek(endMs: number): WeekPlan {
  const fromMs = endMs - WEEK_MS;
  const midnight = (days: number): number => Math.floor(fromMs / DAY_MS) * DAY_MS + days * DAY_MS;
  const since = Math.floor((endMs - 3 * DAY_MS - 7 * HOUR_MS) / HOUR_MS) * HOUR_MS + 43 * MINUTE_MS;
  const lost = { fromMs: midnight(2) + 2 * HOUR_MS, toMs: midnight(2) + 3 * HOUR_MS };
  const gap = { fromMs: midnight(5) + 4 * HOUR_MS, toMs: midnight(5) + 4 * HOUR_MS + 25 * MINUTE_MS };
  const takenMs = midnight(4) + 14 * HOUR_MS;
  const taken = { fromMs: takenMs, toMs: takenMs + 20 * MINUTE_MS, packets: 90 };
  const { vni, net } = TENANTS[1];
  const culprit = {
    address: `${net}.7`,
    vni,
    segment: `vxlan:${vni}`,
    peer: `${net}.40`,
    tunnel: [HERE, OTHERS[2]!] as const,
    sinceMs: since,
  };
  return { fromMs, toMs: endMs, culprit, lost, taken, gap };
}

/** The same numbers whenever it is made (Lehmer's generator, with Park and Miller's factor). */
class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = 1 + (seed % 2_147_483_646);
  }

  /** From 0 on to before 1. */
  next(): number {
    this.#state = (this.#state * 48_271) % 2_147_483_647;
    return this.#state / 2_147_483_647;
  }

  below(end: number): number {
    return Math.floor(this.next() * end);
  }
}

/** Two who talk: what one sends by day, and the share of it that comes back. */
interface Talk {
  readonly vni: number | undefined;
  readonly between: readonly [string, string];
  readonly hosts: readonly [string, string];
  readonly port: number;
  readonly protocol: 6 | 17;
  readonly octetsPerMinute: number;
  readonly back: number;
}

/** Who talks to whom all week, the busiest of each tenant first. */
function talksOf(chance: Chance): Talk[] {
  const talks = TENANTS.flatMap(({ vni, net, busy }) =>
    Array.from({ length: 18 }, (_, nth): Talk => {
      const far = OTHERS[chance.below(OTHERS.length)]!;
      const port = SERVICES[chance.below(SERVICES.length)]!;
      const client = `${net}.${2 + (nth % 9)}`;
      const server = `${net}.${101 + chance.below(12)}`;
      const isHere = nth % 3 !== 2;
      return {
        vni,
        between: isHere ? [client, server] : [server, client],
        hosts: isHere ? [HERE, far] : [far, HERE],
        port,
        protocol: port === 53 ? 17 : 6,
        octetsPerMinute: port === 53 ? 9_000 : Math.round((3e7 * busy * chance.next()) / (1 + nth / 4)),
        back: 0.02 + 0.3 * chance.next(),
      };
    }),
  );
  const plain = OTHERS.map((far, nth): Talk => {
    const [port, octetsPerMinute] = (
      [
        [22, 4e5],
        [873, 2e7],
        [9100, 6e5],
      ] as const
    )[nth % 3]!;
    return {
      vni: undefined,
      between: [HERE, far],
      hosts: [HERE, far],
      port,
      protocol: 6,
      octetsPerMinute,
      back: 0.1,
    };
  });
  return [...talks, ...plain];
}

/** From 0.2 at night to 1 by day, less at the end of the week. */
function activity(atMs: number): number {
  const hour = (atMs % DAY_MS) / HOUR_MS;
  const day = Math.max(0, Math.sin((Math.PI * (hour - 6)) / 16)) * (hour > 6 && hour < 22 ? 1 : 0);
  const weekday = new Date(atMs).getUTCDay();
  return 0.2 + (weekday === 0 || weekday === 6 ? 0.4 : 0.8) * day;
}

/** An epoch of a minute after the other; none while nobody meters. */
export function* weekEpochs(plan: WeekPlan): Generator<FlowBatch> {
  const chance = new Chance(20_261_122);
  const talks = talksOf(chance);
  const counters = new MadeCounters(plan.taken);
  for (let startMs = plan.fromMs, epoch = 1; startMs < plan.toMs; startMs += MINUTE_MS, epoch++) {
    const records = recordsAt(startMs, { talks, chance, plan });
    if (startMs >= plan.gap.fromMs && startMs < plan.gap.toMs) continue;
    const isLossy = startMs >= plan.lost.fromMs && startMs < plan.lost.toMs;
    const batch = batchOf(records, {
      epoch,
      agent: 'hypervisor',
      startMs,
      endMs: startMs + MINUTE_MS,
      points: UPLINK,
      ledger: isLossy ? LOST : [],
    });
    const measures = records.map((record) => measureOf(record, startMs, plan.culprit));
    yield withMeasurements(counters.counted(withTunnelDetails(batch)), measures);
  }
}

interface Surroundings {
  readonly talks: readonly Talk[];
  readonly chance: Chance;
  readonly plan: WeekPlan;
}

function recordsAt(atMs: number, { talks, chance, plan }: Surroundings): RecordWords[] {
  const busy = activity(atMs);
  const chosen = talks.filter(() => chance.next() < 0.08 + 0.24 * busy);
  const { culprit } = plan;
  const isNoisy = atMs >= culprit.sinceMs;
  const own: Talk = {
    vni: culprit.vni,
    between: [culprit.address, culprit.peer],
    hosts: culprit.tunnel,
    port: 9000,
    protocol: 6,
    octetsPerMinute: isNoisy ? 4e8 : 6e6 * busy,
    back: 0.02,
  };
  return [
    ...chosen.flatMap((talk) => bothWays(talk, (0.5 + chance.next()) * busy * talk.octetsPerMinute)),
    ...bothWays(own, (0.9 + 0.2 * chance.next()) * own.octetsPerMinute),
    ...(busy > 0.6 ? [call()] : []),
  ];
}

/** A minute of a call: RTP of 50 packets a second, one way. */
function call(): RecordWords {
  const packets = 3000;
  return {
    direction: 1,
    tunnel: [HERE, OTHERS[0]!, TENANTS[2].vni],
    between: [`${TENANTS[2].net}.21`, `${TENANTS[2].net}.121`],
    ports: [16_384, 16_384],
    protocol: 17,
    octets: 264 * packets,
    packets,
    payloadOctets: 172 * packets,
  };
}

/** Of TCP one segment in a thousand is sent again, where the culprit is at work one in thirty; of calls two in a thousand are lost. */
function measureOf(
  { protocol, ports, ...record }: RecordWords,
  atMs: number,
  culprit: Culprit,
): MeasuredWords {
  const packets = Number(record.packets);
  if (protocol === 17)
    return ports?.[1] === 16_384
      ? {
          sequence: {
            expected: packets,
            unique: packets - packets / 500,
            reordered: 4,
            jitterSamples: packets,
            jitterSumNs: 1.5e6 * packets,
          },
        }
      : {};
  const [from, to] = record.tunnel ?? [];
  const suffers = atMs >= culprit.sinceMs && from === culprit.tunnel[0] && to === culprit.tunnel[1];
  const roundTrips = Math.ceil(packets / 8);
  return {
    tcp: {
      segments: packets,
      retransmissions: Math.round(packets / (suffers ? 30 : 1000)),
      roundTrips,
      roundTripSumNs: (suffers ? 7e6 : 9e5) * roundTrips,
    },
    place: suffers ? SLOW_PLACE : QUICK_PLACE,
  };
}

/** Places of the histogram of round trips: from 0.8 ms on, and from 6 ms on. */
const QUICK_PLACE = 24;
const SLOW_PLACE = 30;

/** The metered interface, whose MTU has room for tunnels around 1,500 octets. */
const UPLINK = ETH0.map((point) => ({ ...point, link: { mtu: 1600, header: 14 } }));

/** Both directions of a talk, each as the metered host's uplink saw it. */
function bothWays(talk: Talk, octets: number): RecordWords[] {
  const client = Number(talk.between[0].split('.').at(-1));
  const source = 32_768 + ((talk.port * 31 + client * 131) % 28_000);
  const way = (isBack: boolean): RecordWords => {
    const sent = Math.max(120, Math.round(isBack ? octets * talk.back : octets));
    const packets = Math.ceil(sent / (isBack ? 320 : 1120));
    const [from, to] = isBack ? ([1, 0] as const) : ([0, 1] as const);
    const head = talk.vni === undefined ? 54 : 104;
    return {
      direction: talk.hosts[from] === HERE ? 1 : 0,
      ...(talk.vni !== undefined && { tunnel: [talk.hosts[from], talk.hosts[to], talk.vni] as const }),
      between: [talk.between[from], talk.between[to]],
      ports: isBack ? [talk.port, source] : [source, talk.port],
      protocol: talk.protocol,
      octets: sent,
      packets,
      payloadOctets: Math.max(0, sent - head * packets),
    };
  };
  return [way(false), way(true)];
}

/** What an observation point tells of tunnels beside sums: the outer source port that a flow has, and the longest packet. */
function withTunnelDetails(batch: FlowBatch): FlowBatch {
  const { columns } = batch;
  for (let row = 0; row < batch.length; row++) {
    if (columns.protocol[row] === 6) columns.tcpFlags[row] = 0x18;
    columns.longest[row] = columns.tunnelKind[row] === 0 ? 1514 : 1564;
    columns.shortest[row] = columns.tunnelKind[row] === 0 ? 66 : 116;
    if (columns.tunnelKind[row] === 0) continue;
    columns.outerSourcePort[row] =
      49_152 + ((columns.sourcePort[row]! * 257 + columns.source[16 * row + 15]!) % 16_384);
  }
  return batch;
}

const LOST: readonly LedgerLine[] = [
  { ifindex: 2, direction: 0, reason: 'ethernet_truncated', level: 0, packets: 40n, octets: 560n },
  { ifindex: 2, direction: 0, reason: 'ipv4_truncated', level: 1, packets: 3n, octets: 102n },
];

/** A stored week; what it was kept in goes with it. */
export interface StoredWeek extends WeekPlan, AsyncDisposable {
  readonly directory: string;
  readonly store: DuckDbStore;
  /** Has taken the last minutes in. */
  readonly live: LiveView;
  /** Records that were stored. */
  readonly records: number;
  /** For the options of a server: says that a history is kept. */
  withHistory(status: Status): Status;
}

/**
 * Stores a week. What is older than two days is kept by the minute and by the hour only, as of every store.
 *
 * @param endMs a whole minute; by default the last one, for what is asked until now
 */
export async function storeWeek(
  endMs: number = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS,
): Promise<StoredWeek> {
  const plan = planWeek(endMs);
  const directory = await mkdtemp(join(tmpdir(), 'tunnelscope-week-'));
  let nowMs = plan.fromMs;
  const store = await DuckDbStore.open({
    path: join(directory, 'history.duckdb'),
    intervalMs: MINUTE_MS,
    clock: () => nowMs,
  });
  const live = new LiveView({ intervalSeconds: 60 });
  let records = 0;
  let waiting: FlowBatch[] = [];
  const commit = async (): Promise<void> => {
    if (waiting.length === 0) return;
    nowMs = waiting.at(-1)!.endMs;
    await store.commit(waiting);
    await store.settled();
    waiting = [];
  };
  for (const batch of weekEpochs(plan)) {
    records += batch.length;
    waiting.push(batch);
    if (batch.startMs >= endMs - LIVE_MINUTES * MINUTE_MS) live.write(batch);
    if (waiting.length === AT_A_TIME) await commit();
  }
  await commit();
  return {
    ...plan,
    directory,
    store,
    live,
    records,
    withHistory: (status) => ({
      ...status,
      agent: 'hypervisor',
      hostname: 'hypervisor',
      intervalSeconds: 60,
      history: {
        directory,
        storedUpToMs: endMs,
        spoolOctets: 0,
        maxSpoolOctets: 2 ** 30,
        dropped: { octets: 0, packets: 0, epochs: 0 },
        failing: null,
      },
    }),
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
