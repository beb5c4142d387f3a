import type { RoutedStream } from './route.ts';

/** Messages (datagrams, echo messages, requests or responses, finished transfers) and their octets of layer 4 payload. */
export interface Count {
  readonly messages: number;
  readonly octets: number;
}

/** What one direction of a stream sent and what arrived. */
export interface DirectionCount {
  readonly sent: Count;
  readonly received: Count;
}

/** The same as frames: `octets` from the endpoint's Ethernet header on, `tunnelOctets` with the outer headers; no FCS. */
export interface FrameCount {
  readonly packets: number;
  readonly octets: number;
  readonly tunnelOctets: number;
}

/**
 * The truth about one stream, counted by those who sent and received it. `forward` is from `from` to `to`.
 * For pings the far end is the kernel, which does not say what it got: `forward.received` and `backward.sent` repeat the
 * replies that arrived, and while a ping runs its requests are those up to the last one it spoke of.
 */
export interface StreamLedger {
  readonly id: number;
  readonly kind: 'ping' | 'udp' | 'bulk' | 'requests';
  readonly vni: number | undefined;
  readonly from: string;
  readonly to: string;
  readonly source: string;
  readonly sourcePort: number | undefined;
  readonly destination: string;
  readonly destinationPort: number | undefined;
  readonly forward: DirectionCount;
  readonly backward: DirectionCount;
  /** Frames sent, where a message is exactly one (ping, UDP); undefined for TCP, which cuts and acknowledges as it likes. */
  readonly frames: { readonly forward: FrameCount; readonly backward: FrameCount } | undefined;
  /** Sends that the kernel refused, connections that broke. */
  readonly errors: number;
}

/** All streams of one run. */
export interface TrafficLedger {
  readonly streams: readonly StreamLedger[];
  /** Datagrams that reached a host and were thrown away there, because a receiver was not read in time. */
  readonly receiveDrops: number;
}

/** What one end of a stream has counted; the generator's reports carry these. */
export interface Tally {
  sentMessages: number;
  sentOctets: number;
  receivedMessages: number;
  receivedOctets: number;
  errors: number;
}

/** A tally of nothing. */
export function emptyTally(): Tally {
  return { sentMessages: 0, sentOctets: 0, receivedMessages: 0, receivedOctets: 0, errors: 0 };
}

/** Puts the tallies of both ends of a stream together. */
export function ledgerOf(routed: RoutedStream, sender: Tally, receiver: Tally): StreamLedger {
  const { id, stream, source, destination, sourcePort, destinationPort } = routed;
  const forward = {
    sent: { messages: sender.sentMessages, octets: sender.sentOctets },
    received: { messages: receiver.receivedMessages, octets: receiver.receivedOctets },
  };
  const backward = {
    sent: { messages: receiver.sentMessages, octets: receiver.sentOctets },
    received: { messages: sender.receivedMessages, octets: sender.receivedOctets },
  };
  return {
    id,
    kind: stream.kind,
    vni: stream.vni,
    from: stream.from,
    to: stream.to,
    source: source.address,
    sourcePort,
    destination: destination.address,
    destinationPort,
    forward,
    backward,
    frames: frames(routed, forward.sent, backward.sent),
    errors: sender.errors + receiver.errors,
  };
}

function frames(routed: RoutedStream, forward: Count, backward: Count): StreamLedger['frames'] {
  if (routed.stream.kind === 'bulk' || routed.stream.kind === 'requests') return undefined;
  // Ethernet 14, IP 20 or 40, and 8 for the header of UDP as of ICMP echo.
  const headers = 14 + (routed.source.address.includes(':') ? 40 : 20) + 8;
  const count = ({ messages, octets }: Count): FrameCount => ({
    packets: messages,
    octets: octets + messages * headers,
    tunnelOctets: octets + messages * (headers + routed.tunnelOverhead),
  });
  return { forward: count(forward), backward: count(backward) };
}
