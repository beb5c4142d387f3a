/**
 * A view source for tests and for work on the page: flows made up from a seed, epochs stepped by hand. It computes
 * views by plain sums, in a way of its own, so that the page is tested through the real interface.
 */
import { batchOf, type RecordWords } from '../../src/flow/batch.fixture.ts';
import {
  type Audit,
  type AuditPart,
  type AuditSpan,
  compileFilter,
  type Filter,
  type FlowRow,
  parseFilter,
  printFilter,
  type Status,
  type View,
  type ViewNode,
  type ViewQuestion,
  type ViewSource,
} from '../../src/query/index.ts';

/** One flow that sends the same every epoch. */
export interface Stream {
  readonly segment: string;
  readonly outer: readonly [string, string] | null;
  readonly inner: readonly [string, string];
  readonly octets: number;
  readonly packets: number;
  readonly protocol?: string;
  readonly ports?: readonly [number, number];
}

interface Epoch {
  readonly number: number;
  readonly atMs: number;
  readonly streams: readonly Stream[];
}

/** The nine-host laboratory seen from host 0: pings to and fro in four segments, and plain ssh. */
export function labStreams({ noisy = false }: { noisy?: boolean } = {}): Stream[] {
  const pings = '0.2:128 0.3:1024 0.4:128 0.5:128 0.6:128 1.2:128 1.4:768 2.2:128 2.7:1024 3.8:768 3.9:768';
  const streams = pings.split(' ').flatMap((ping) => {
    const [, n = 0, host = 0, size = 0] = (/(\d)\.(\d):(\d+)/.exec(ping) ?? []).map(Number);
    return bothWays(n, [1, host], { octets: size + 92, packets: 1, protocol: 'ICMP' });
  });
  streams.push(
    { ...plain('172.16.1.100', '172.16.1.1', 4210), packets: 9, ports: [22, 51544] },
    { ...plain('172.16.1.1', '172.16.1.100', 1830), packets: 8, ports: [51544, 22] },
  );
  if (noisy) {
    const way = { protocol: 'TCP', ports: [40312, 5201] as const };
    streams.push(
      ...bothWays(3, [1, 9], { octets: 25_000, packets: 18, ...way }).map((stream, back) =>
        back ? { ...stream, octets: 1100, packets: 15, ports: [5201, 40312] as const } : stream,
      ),
    );
  }
  return streams;
}

function bothWays(
  n: number,
  [x, y]: readonly [number, number],
  rest: Pick<Stream, 'octets' | 'packets' | 'protocol' | 'ports'>,
): Stream[] {
  const segment = `vxlan:${10000 + n}`;
  const outer = (i: number): string => `172.16.1.${99 + i}`;
  const inner = (i: number): string => `192.168.${n}.${i}`;
  return [
    { segment, outer: [outer(x), outer(y)], inner: [inner(x), inner(y)], ...rest },
    { segment, outer: [outer(y), outer(x)], inner: [inner(y), inner(x)], ...rest },
  ];
}

function plain(source: string, destination: string, octets: number): Stream {
  return { segment: 'none', outer: null, inner: [source, destination], octets, packets: 1, protocol: 'TCP' };
}

/** Many hosts that talk at random, larger ones more; `pairs` directed pairs. */
export function crowdStreams(hosts: number, pairs: number, seed = 1): Stream[] {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const pick = (): number => Math.floor(hosts * random() ** 2);
  const address = (i: number): string => `10.${20 + (i >> 8)}.${i & 255}.${1 + (i % 5)}`;
  return Array.from({ length: pairs }, () => {
    const x = pick();
    const y = (x + 1 + Math.floor(random() * (hosts - 1))) % hosts;
    const vni = 10000 + Math.floor(random() * 12);
    return {
      segment: `vxlan:${vni}`,
      outer: [address(x), address(y)] as const,
      inner: [`192.168.${vni % 100}.${x & 255}`, `192.168.${vni % 100}.${y & 255}`] as const,
      octets: Math.round(200 + 1e6 * random() ** 6),
      packets: 1 + Math.floor(random() * 40),
      protocol: 'UDP',
      ports: [1024 + Math.floor(random() * 60000), 4789] as const,
    };
  });
}

/** Epochs are taken in with {@link step}; `streams` may be changed between two. */
export class ScriptedSource implements ViewSource {
  streams: readonly Stream[];
  intervalSeconds = 1;
  unexplained = 0;
  overflow = 0;
  /** Packets that eth0 counted and the hook did not see. */
  missed = 0;
  nowMs: () => number = Date.now;
  readonly #listeners = new Set<() => void>();
  #epochs: Epoch[] = [];
  #seenSegments = new Map<string, number>();

  constructor(streams: readonly Stream[] = []) {
    this.streams = streams;
  }

  /** Takes in one epoch, now. */
  step(): void {
    const epoch = { number: this.#epochs.length + 1, atMs: this.nowMs(), streams: this.streams };
    this.#epochs.push(epoch);
    for (const stream of epoch.streams) this.#seenSegments.set(stream.segment, epoch.atMs);
    for (const listener of [...this.#listeners]) listener();
  }

  onEpoch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  view(question: ViewQuestion): View {
    const level = question.pair !== undefined ? 'flows' : question.host !== undefined ? 'clients' : 'hosts';
    const epochs = this.#window(question.window);
    const here = epochs.flatMap((epoch) => epoch.streams).filter((stream) => matches(stream, question));
    const filter = parseFilter(question.filter ?? '');
    const chosen = here.filter((stream) => fits(stream, filter));
    const leftOut = sum(here.filter((stream) => !chosen.includes(stream)));
    const graph = new Graph(level === 'hosts' || (level === 'flows' && question.host === undefined));
    for (const stream of chosen) graph.add(stream);
    const total = sum(chosen);
    return {
      question,
      level,
      agent: 'scripted',
      epoch: this.#epochs.length,
      atMs: this.#epochs.at(-1)?.atMs ?? this.nowMs(),
      windowSeconds: epochs.length * this.intervalSeconds,
      intervalSeconds: this.intervalSeconds,
      isRecorded: false,
      total,
      segments: this.#segments(epochs),
      ...graph.read(),
      flows: level === 'flows' ? flowRows(chosen, this.#epochs) : [],
      leader: leaderOf(chosen, total.octets),
      filter:
        filter.kind === 'any'
          ? null
          : {
              text: printFilter(filter),
              leftOut,
              unknown: { octets: 0, packets: 0 },
              share: leftOut.octets / (total.octets + leftOut.octets || 1),
            },
      exactness: this.#exactness(),
      history: this.#epochs.slice(-300).map((epoch) => {
        const { octets, packets } = sum(epoch.streams);
        return {
          atMs: epoch.atMs,
          octetRate: octets / this.intervalSeconds,
          packetRate: packets / this.intervalSeconds,
          tunnelledOctetRate:
            sum(epoch.streams.filter(({ segment }) => segment !== 'none')).octets / this.intervalSeconds,
        };
      }),
    };
  }

  audit(): Audit {
    const { missed } = this;
    const all = sum(this.#epochs.flatMap((epoch) => epoch.streams));
    const ledger = { packets: 2, octets: 28 };
    const point = (direction: 'ingress' | 'egress', missing: number): Audit['points'][number] => {
      const interval = auditSpan(sum(this.#epochs.at(-1)?.streams ?? []), missing, undefined);
      const persistent = { packets: missing, octets: 100 * missing };
      return {
        ifindex: 2,
        interfaceName: 'eth0',
        direction,
        kind: 'veth',
        primary: true,
        present: true,
        unit: 'frames with their Ethernet header',
        programs: { before: missing > 0 ? ['someone'] : [], after: [] },
        interval: { ...interval, seconds: this.intervalSeconds },
        sinceStart: {
          ...auditSpan(all, missing, ledger),
          seconds: this.#epochs.length * this.intervalSeconds,
        },
        persistent,
        changes: missing > 0 ? [{ atMs: this.#epochs.at(-1)?.atMs ?? 0, ...persistent }] : [],
        hint: missing > 0 ? 'counted by the interface, not seen by the hook: someone runs before it' : '',
      };
    };
    return {
      agent: 'scripted',
      epoch: this.#epochs.length,
      atMs: this.#epochs.at(-1)?.atMs ?? this.nowMs(),
      persistentEpochs: 5,
      points: [point('ingress', missed), point('egress', 0)],
      persistent: { packets: missed, octets: 100 * missed },
    };
  }

  status(): Status {
    return {
      version: '0.1.0',
      agent: 'scripted',
      hostname: 'host0',
      startedMs: this.#epochs[0]?.atMs ?? this.nowMs(),
      nowMs: this.nowMs(),
      intervalSeconds: this.intervalSeconds,
      namespace: null,
      interfaces: [{ name: 'eth0', ifindex: 2, hook: 'tcx', reason: 'default route', primary: true }],
      unexplained: [],
      flows: this.streams.length,
      records: this.streams.length,
      flowCapacity: 65536,
      rules: null,
      history: null,
      sinks: [],
    };
  }

  #window(window: ViewQuestion['window']): Epoch[] {
    const seconds = { '5s': 5, '1m': 60, all: Number.POSITIVE_INFINITY }[window];
    return this.#epochs.slice(
      -Math.min(this.#epochs.length, Math.ceil(seconds / this.intervalSeconds)) || this.#epochs.length,
    );
  }

  #segments(epochs: readonly Epoch[]): View['segments'] {
    const recent = this.#window('5s');
    return [...this.#seenSegments].map(([id, lastSeenMs]) => {
      const of = (list: readonly Epoch[]): { octets: number; packets: number } =>
        sum(list.flatMap((epoch) => epoch.streams).filter((stream) => stream.segment === id));
      const seconds = recent.length * this.intervalSeconds;
      const [kind = 'none', vni] = id.split(':');
      return {
        id,
        kind,
        tunnelId: vni === undefined ? null : Number(vni),
        ...of(epochs),
        octetRate: of(recent).octets / seconds,
        packetRate: of(recent).packets / seconds,
        lastSeenMs,
      };
    });
  }

  #exactness(): View['exactness'] {
    const all = sum(this.#epochs.flatMap((epoch) => epoch.streams));
    const ledger = [{ reason: 'frame too short', packets: 2, octets: 28 }];
    const seen = { octets: all.octets + 28 + this.unexplained, packets: all.packets + 2 };
    return {
      seen,
      recorded: all,
      overflow: { octets: this.overflow, packets: this.overflow > 0 ? 1 : 0 },
      ledger,
      unexplained: { octets: this.unexplained, packets: 0 },
      outside: { points: 2, packets: this.missed, octets: 100 * this.missed },
    };
  }
}

/** What an audit says of sums; `missing` packets of 100 octets were counted by the interface alone. */
function auditSpan(
  recorded: { octets: number; packets: number },
  missing: number,
  lost: { octets: number; packets: number } | undefined,
): AuditSpan {
  const seen = {
    packets: recorded.packets + (lost?.packets ?? 0),
    octets: recorded.octets + (lost?.octets ?? 0),
  };
  const part = ({ packets, octets }: { packets: number; octets: number }): AuditPart => ({
    packets,
    octets,
    packetShare: packets / (seen.packets || 1),
    octetShare: octets / (seen.octets || 1),
  });
  const counted = { packets: seen.packets + missing, octets: seen.octets + 100 * missing };
  return {
    seconds: 1,
    counted: { least: counted, most: counted },
    // As of a veth: with Ethernet headers or without.
    expected: { least: { ...seen, octets: seen.octets - 14 * seen.packets }, most: seen },
    seen,
    recorded: part(recorded),
    overflow: part({ packets: 0, octets: 0 }),
    ledger: lost ? [{ reason: 'ethernet_truncated', level: 0, ...part(lost) }] : [],
    inside: part({ packets: 0, octets: 0 }),
    outside: part({ packets: missing, octets: 100 * missing }),
  };
}

/** The address at the hosts level, and at the clients level the identity of a client. */
function hostEnds(stream: Stream): readonly [string, string] {
  return stream.outer ?? stream.inner;
}

function clientEnds({ segment, inner }: Stream): [string, string] {
  return [`${segment}/${inner[0]}`, `${segment}/${inner[1]}`];
}

function matches(stream: Stream, { segment, host, pair }: ViewQuestion): boolean {
  if (segment !== 'all' && stream.segment !== segment) return false;
  if (host !== undefined && !hostEnds(stream).includes(host)) return false;
  if (pair === undefined) return true;
  const ends = host === undefined ? hostEnds(stream) : clientEnds(stream);
  const [a, b] = pair.split('~');
  return (ends[0] === a && ends[1] === b) || (ends[0] === b && ends[1] === a);
}

const PROTOCOLS: Readonly<Record<string, number>> = { ICMP: 1, TCP: 6, UDP: 17 };

function fits(stream: Stream, filter: Filter): boolean {
  const { columns, points } = batchOf([recordOf(stream)]);
  return compileFilter(filter, points)(columns, 0);
}

/** A stream's epoch as a record of the meter. */
export function recordOf({
  segment,
  outer,
  inner,
  protocol = 'TCP',
  ports,
  octets,
  packets,
}: Stream): RecordWords {
  return {
    between: inner,
    protocol: PROTOCOLS[protocol]!,
    octets,
    packets,
    ...(ports && { ports }),
    ...(outer && { tunnel: [...outer, Number(segment.split(':')[1])] as const }),
  };
}

function sum(streams: readonly Stream[]): { octets: number; packets: number } {
  let octets = 0;
  let packets = 0;
  for (const stream of streams) {
    octets += stream.octets;
    packets += stream.packets;
  }
  return { octets, packets };
}

type MutableNode = Omit<ViewNode, 'sent' | 'received'> &
  Record<'sent' | 'received', { octets: number; packets: number }>;

class Graph {
  readonly #hosts: boolean;
  readonly #nodes = new Map<string, MutableNode>();
  readonly #links = new Map<string, { from: string; to: string; streams: Stream[] }>();

  constructor(hosts: boolean) {
    this.#hosts = hosts;
  }

  add(stream: Stream): void {
    const [from, to] = this.#hosts ? hostEnds(stream) : clientEnds(stream);
    const ends = this.#hosts ? hostEnds(stream) : stream.inner;
    count(this.#node(from, ends[0], stream).sent, stream);
    count(this.#node(to, ends[1], stream).received, stream);
    const key = `${from}~${to}`;
    const link = this.#links.get(key) ?? { from, to, streams: [] };
    link.streams.push(stream);
    this.#links.set(key, link);
  }

  read(): Pick<View, 'nodes' | 'links'> {
    const size = (node: MutableNode): number => node.sent.octets + node.received.octets;
    const nodes = [...this.#nodes.values()].sort((x, y) => size(y) - size(x) || (x.id < y.id ? -1 : 1));
    const index = new Map(nodes.map((node, at) => [node.id, at]));
    const links = [...this.#links.values()].map(({ from, to, streams }) => ({
      source: index.get(from)!,
      target: index.get(to)!,
      ...sum(streams),
      parts: [...new Set(streams.map((stream) => stream.segment))].map((segment) => ({
        segment,
        ...sum(streams.filter((stream) => stream.segment === segment)),
      })),
    }));
    return { nodes, links };
  }

  #node(id: string, address: string, stream: Stream): MutableNode {
    let node = this.#nodes.get(id);
    if (!node) {
      const none = (): { octets: number; packets: number } => ({ octets: 0, packets: 0 });
      node = { id, address, segment: this.#hosts ? null : stream.segment, sent: none(), received: none() };
      this.#nodes.set(id, node);
    }
    return node;
  }
}

function count(into: { octets: number; packets: number }, stream: Stream): void {
  into.octets += stream.octets;
  into.packets += stream.packets;
}

function leaderOf(streams: readonly Stream[], octets: number): View['leader'] {
  const byPair = Map.groupBy(streams, (stream) => clientEnds(stream).join('~'));
  const best = [...byPair.values()].sort((x, y) => sum(y).octets - sum(x).octets)[0];
  const stream = best?.[0];
  if (!best || !stream) return null;
  return {
    address: stream.inner[0],
    segment: stream.segment,
    host: stream.outer?.[0] ?? null,
    peer: stream.inner[1],
    octets: sum(best).octets,
    share: sum(best).octets / octets,
  };
}

function flowRows(streams: readonly Stream[], epochs: readonly Epoch[]): FlowRow[] {
  const byFlow = Map.groupBy(streams, (stream) =>
    JSON.stringify([stream.segment, stream.outer, stream.inner, stream.ports]),
  );
  const rows = [...byFlow.values()].map((list): FlowRow => {
    const stream = list[0]!;
    const { octets, packets } = sum(list);
    return {
      segment: stream.segment,
      outerSource: stream.outer?.[0] ?? null,
      outerDestination: stream.outer?.[1] ?? null,
      source: stream.inner[0],
      destination: stream.inner[1],
      protocol: stream.protocol ?? 'TCP',
      sourcePort: stream.ports?.[0] ?? null,
      destinationPort: stream.ports?.[1] ?? null,
      note: stream.protocol === 'ICMP' ? 'echo (id 17)' : '',
      octets,
      packets,
      payloadOctets: Math.max(0, octets - 92 * packets),
      firstMs: epochs[0]?.atMs ?? 0,
      lastMs: epochs.at(-1)?.atMs ?? 0,
    };
  });
  return rows.sort((x, y) => y.octets - x.octets);
}
