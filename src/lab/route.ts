import { unusable } from './document.ts';
import { PROFILE_KIND, type TrafficProfile, type TrafficStream, type UdpStream } from './profile.ts';
import type { Client, Host, Topology } from './topology.ts';

/** A stream with its place in a lab: between which addresses, in which namespaces (without prefix), on which ports. */
export interface RoutedStream {
  readonly id: number;
  readonly stream: TrafficStream;
  readonly source: Host | Client;
  readonly destination: Host | Client;
  /** UDP only; TCP takes an ephemeral port, because a fixed one could not be used again for a minute. */
  readonly sourcePort: number | undefined;
  readonly destinationPort: number | undefined;
  /** What the outer headers add to a frame of this stream, octets; 0 outside tunnels. */
  readonly tunnelOverhead: number;
}

/** A client that sends much more than the others; what is left out is chosen (first segment, first client, next one). */
export interface NoisyClient {
  readonly vni?: number | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly perSecond?: number | undefined;
  readonly size?: number | undefined;
  readonly seconds?: number | undefined;
}

/** A profile laid over a topology. */
export interface Routing {
  readonly streams: readonly RoutedStream[];
  /** Streams between clients that this topology does not have. */
  readonly skipped: readonly TrafficStream[];
}

/** Two runs at once keep apart by slot: each has ports of its own where the profile names none. */
const FIRST_PORT = 20_000;
const PORTS_PER_SLOT = 1000;
export const SLOTS = 12;

/**
 * Lays a profile, and a noisy client if one is asked for, over a topology. Streams whose clients do not exist there are
 * left out and named. Throws LabError (`LAB_PROFILE`) when nothing is left, when a datagram would not fit one frame, or
 * when two streams want one port of one address.
 */
export function route(
  topology: Topology,
  profile: TrafficProfile,
  options: { readonly slot?: number; readonly noisy?: NoisyClient | undefined } = {},
): Routing {
  const { slot = 0, noisy } = options;
  const streams: RoutedStream[] = [];
  const skipped: TrafficStream[] = [];
  const complaints: string[] = [];
  const wanted: TrafficStream[] = noisy
    ? [...profile.streams, noisyStream(topology, noisy)]
    : profile.streams;
  for (const [id, stream] of wanted.entries()) {
    const source = endpoint(topology, stream.vni, stream.from);
    const destination = endpoint(topology, stream.vni, stream.to);
    const isNoisy = id === profile.streams.length;
    if (source === undefined || destination === undefined) {
      if (isNoisy)
        complaints.push(
          `the noisy client asked for (${describe(stream)}) is not in topology ${topology.name}`,
        );
      else skipped.push(stream);
      continue;
    }
    if (source === destination)
      complaints.push(`streams.${id} (${describe(stream)}) goes to its own address`);
    const room = largestPayload(topology, stream, source.address);
    if ((stream.kind === 'ping' || stream.kind === 'udp') && stream.size > room) {
      complaints.push(
        `streams.${id}.size is ${stream.size}: wanted at most ${room}, so that a packet is one frame`,
      );
    }
    const firstPort = FIRST_PORT + slot * PORTS_PER_SLOT + 2 * id;
    streams.push({
      id,
      stream,
      source,
      destination,
      sourcePort: stream.kind === 'udp' ? firstPort : undefined,
      destinationPort: stream.kind === 'ping' ? undefined : (stream.port ?? firstPort + 1),
      tunnelOverhead: stream.vni === undefined ? 0 : topology.underlay === 4 ? 50 : 70,
    });
  }
  complaints.push(...sharedPorts(streams));
  if (streams.length === 0 && complaints.length === 0) {
    complaints.push(
      `none of its ${skipped.length} streams has both its clients in topology ${topology.name}`,
    );
  }
  if (complaints.length > 0) throw unusable(PROFILE_KIND, profile.title, complaints);
  return { streams, skipped };
}

/** A stream in words: `udp host0 → host3, VNI 10001`. */
export function describe(stream: TrafficStream): string {
  const where = stream.vni === undefined ? '' : `, VNI ${stream.vni}`;
  return `${stream.kind} ${stream.from} → ${stream.to}${where}`;
}

function endpoint(topology: Topology, vni: number | undefined, host: string): Host | Client | undefined {
  return vni === undefined
    ? topology.hosts.find(({ name }) => name === host)
    : topology.clients.find((client) => client.host === host && client.vni === vni);
}

function noisyStream(topology: Topology, noisy: NoisyClient): UdpStream {
  const vni = noisy.vni ?? topology.segments[0]?.vni;
  const hosts =
    vni === undefined
      ? topology.hosts.map(({ name }) => name)
      : topology.clients.filter((client) => client.vni === vni).map((client) => client.host);
  const from = noisy.from ?? hosts.find((host) => host !== noisy.to) ?? 'host0';
  const to = noisy.to ?? hosts.find((host) => host !== from) ?? 'host1';
  return {
    kind: 'udp',
    ...(vni === undefined ? {} : { vni }),
    from,
    to,
    perSecond: noisy.perSecond ?? 2000,
    size: noisy.size ?? 1200,
    ...(noisy.seconds === undefined ? {} : { seconds: noisy.seconds }),
  };
}

function largestPayload(topology: Topology, stream: TrafficStream, address: string): number {
  const mtu = stream.vni === undefined ? 1500 : topology.mtu;
  return mtu - (address.includes(':') ? 40 : 20) - 8;
}

function sharedPorts(streams: readonly RoutedStream[]): string[] {
  const users = new Map<string, number>();
  return streams.flatMap(({ id, stream, destination, destinationPort }) => {
    if (destinationPort === undefined) return [];
    const transport = stream.kind === 'udp' ? 'UDP' : 'TCP';
    const key = `${destination.namespace} ${destination.address} ${transport} ${destinationPort}`;
    const other = users.get(key);
    users.set(key, id);
    return other === undefined
      ? []
      : [`streams.${other} and streams.${id} both want ${transport} port ${destinationPort} of ${stream.to}`];
  });
}
