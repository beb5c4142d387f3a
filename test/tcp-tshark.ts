/** What tshark says of the TCP connections of a capture: each segment with what it calls it. */
import { execFileSync } from 'node:child_process';
import type { Observed } from './biflow.ts';

/** What is compared: our count, and the field of tshark's that is there where it counts. */
export const JUDGEMENTS = {
  retransmissions: 'tcp.analysis.retransmission',
  fastRetransmissions: 'tcp.analysis.fast_retransmission',
  spuriousRetransmissions: 'tcp.analysis.spurious_retransmission',
  outOfOrder: 'tcp.analysis.out_of_order',
  gaps: 'tcp.analysis.lost_segment',
  duplicateAcks: 'tcp.analysis.duplicate_ack',
  zeroWindows: 'tcp.analysis.zero_window',
  windowProbes: 'tcp.analysis.zero_window_probe',
  keepAlives: 'tcp.analysis.keep_alive',
} as const;

export type Judgement = keyof typeof JUDGEMENTS;
export const JUDGEMENT_NAMES = Object.keys(JUDGEMENTS) as Judgement[];

/** A segment as tshark reads it, and what it calls it. */
export interface Judged {
  readonly frame: number;
  /** Number of its connection. */
  readonly stream: number;
  readonly packet: Observed;
  readonly judgements: ReadonlySet<Judgement>;
  /** It acknowledges what is not in the capture. */
  readonly acknowledgesUnseen: boolean;
  /** Time from the SYN to the ACK that ends the handshake, in ns. */
  readonly firstRoundTripNs: number | undefined;
  /** Time since the segment that this one acknowledges, in ns. */
  readonly roundTripNs: number | undefined;
}

const HEADER_FIELDS = [
  'frame.number',
  'frame.time_epoch',
  'frame.len',
  'tcp.stream',
  'tcp.srcport',
  'tcp.dstport',
  'tcp.seq_raw',
  'tcp.ack_raw',
  'tcp.len',
  'tcp.flags',
  'tcp.window_size_value',
  'tcp.options.timestamp.tsval',
  'tcp.options.timestamp.tsecr',
  'tcp.analysis.initial_rtt',
  'tcp.analysis.ack_rtt',
  'tcp.analysis.ack_lost_segment',
] as const;

/** Neither packets in ICMP errors nor pieces of packets. */
const FILTER = 'tcp && !icmp && !icmpv6 && !ip.fragments && !ipv6.fragments && !_ws.malformed';

function nanoseconds(seconds: string): number {
  const [whole = '0', fraction = ''] = seconds.split('.');
  return Number(BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9)));
}

/**
 * All TCP segments of a capture. Times are from the first one, so that they are exact. Way 0 is that of a connection's
 * first segment.
 */
export function judge(path: string): Judged[] {
  const names = [...HEADER_FIELDS, ...Object.values(JUDGEMENTS)];
  const fields = names.flatMap((name) => ['-e', name]);
  const text = execFileSync(
    'tshark',
    ['-n', '-r', path, '-Y', FILTER, '-T', 'fields', '-E', 'occurrence=l', ...fields],
    { encoding: 'utf8', maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const openers = new Map<number, string>();
  const lines = text.split('\n').filter((line) => line !== '');
  let origin: bigint | undefined;
  return lines.map((line) => {
    const words = line.split('\t');
    const [frame, time, octets, stream, source, destination, ...numbers] = words;
    const [sequence, acknowledgment, payload, flags, window, timestamp, echo, first, roundTrip, unseen] =
      numbers;
    const [whole, fraction] = time!.split('.') as [string, string];
    const ns = BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9));
    origin ??= ns;
    const ends = `${source} ${destination}`;
    if (!openers.has(Number(stream))) openers.set(Number(stream), ends);
    return {
      frame: Number(frame),
      stream: Number(stream),
      packet: {
        timeNs: Number(ns - origin) + 1_000_000_000,
        octets: Number(octets),
        payload: Number(payload),
        sequence: Number(sequence),
        acknowledgment: Number(acknowledgment),
        flags: Number(flags),
        window: Number(window),
        ...(timestamp !== '' && { timestamp: Number(timestamp), echo: Number(echo) }),
        way: openers.get(Number(stream)) === ends ? 0 : 1,
      },
      judgements: new Set(JUDGEMENT_NAMES.filter((_, i) => words[HEADER_FIELDS.length + i] !== '')),
      acknowledgesUnseen: unseen !== '',
      firstRoundTripNs: first === '' ? undefined : nanoseconds(first!),
      roundTripNs: roundTrip === '' ? undefined : nanoseconds(roundTrip!),
    };
  });
}
