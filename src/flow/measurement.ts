/**
 * MeasurementBatch: what was measured of flows in one epoch, as columns beside their identity. What is counted of every
 * flow is in the {@link FlowBatch} that carries it; this is what asks for state from one packet to the next.
 */
import { type FlowColumns, transferables } from './batch.ts';
import { type ConnectionBatch, connectionBuffers } from './connection.ts';

/** Unit and meaning of a measured column: `bits` of each number, `count` numbers per record (1 unless said). */
export interface MeasuredField {
  readonly bits: 32 | 64;
  readonly count?: number;
  readonly meaning: string;
}

/** Places of a histogram of times: {@link histogramBound} says where each begins. */
export const HISTOGRAM_PLACES = 64;

/** Inter-arrival times of a flow, as sums from which mean and deviation follow (bpf/biflow/arrivals.h). */
export const ARRIVAL_FIELDS = {
  sumNs: { bits: 64, meaning: 'sum of the inter-arrival times, nanoseconds' },
  squares: { bits: 64, count: 2, meaning: 'sum of their squares, 128 bits: low, high' },
  leastNs: { bits: 64, meaning: 'the shortest of them plus one; 0 without any' },
  mostNs: { bits: 64, meaning: 'the longest of them' },
  gaps: { bits: 32, meaning: 'how many there are, since the last pause in the epoch' },
  resets: { bits: 32, meaning: 'pauses: gaps after which counting began anew' },
  coarse: { bits: 32, meaning: 'packets that came within super-packets: nobody saw when' },
  histogram: { bits: 32, count: HISTOGRAM_PLACES, meaning: 'how many of each length (histogramBound)' },
} as const satisfies Record<string, MeasuredField>;

/**
 * Sequence numbers of UDP and ICMP: an account of what was lost, repeated and reordered, the step counters of System D, and
 * the RFC 3550 jitter of what says when it was sent (bpf/biflow/sequence.h, interarrival_jitter.h).
 */
export const SEQUENCE_FIELDS = {
  received: { bits: 64, meaning: 'numbers read' },
  noSequence: { bits: 64, meaning: 'packets where a number should be but is not' },
  expected: { bits: 64, meaning: 'numbers from the first to the highest, by which it grew in the epoch' },
  unique: { bits: 64, meaning: 'of these, that came; may be in a later epoch' },
  duplicates: { bits: 64, meaning: 'numbers that had come already' },
  reordered: { bits: 64, meaning: 'numbers that came after a higher one' },
  extents: { bits: 64, meaning: 'of the reordered, the sum of how far behind the highest they came' },
  late: { bits: 64, meaning: 'more than 1,024 numbers behind: reordered or duplicate, nobody knows' },
  strays: { bits: 64, meaning: 'single numbers far ahead of all others' },
  restarts: { bits: 64, meaning: 'new beginnings of the sender' },
  otherSources: { bits: 64, meaning: 'packets of another source than the one that is followed (RTP)' },
  reverseSteps: { bits: 64, meaning: 'steps from packet to packet below 0' },
  smallSteps: { bits: 64, meaning: 'steps from 0 to the threshold, other than 1' },
  bigSteps: { bits: 64, meaning: 'steps beyond the threshold' },
  mostExtent: { bits: 32, meaning: 'how far behind the highest a number came at most' },
  longestRun: { bits: 32, meaning: 'numbers lost in a row at most, once they are 1,024 behind' },
  last: { bits: 32, meaning: 'the number in the latest packet, as it stood there' },
  jitterSamples: { bits: 64, meaning: 'values of the jitter: one per packet but the first' },
  jitterSumNs: { bits: 64, meaning: 'sum of these values' },
  jitterMostNs: { bits: 64, meaning: 'the largest of them' },
  jitterSixteenths: { bits: 64, meaning: 'the jitter now, in sixteenths of nanoseconds' },
} as const satisfies Record<string, MeasuredField>;

/**
 * TCP at one observation point: the first fields follow from which sequence numbers were seen there, those from
 * `retransmissions` on are judged as tshark judges them (bpf/biflow/tcp_state.h).
 */
export const TCP_FIELDS = {
  octets: { bits: 64, meaning: 'payload octets of all segments' },
  repeatedOctets: { bits: 64, meaning: 'of these, that had been seen already' },
  lateOctets: { bits: 64, meaning: 'of these, that filled a gap' },
  gapNumbers: { bits: 64, meaning: 'octets of all gaps, as they opened' },
  unseenNumbers: {
    bits: 64,
    meaning: 'octets of gaps that were acknowledged while open: they never came by',
  },
  forgottenNumbers: { bits: 64, meaning: 'octets of gaps for which there was no place' },
  handshakeNs: { bits: 64, meaning: "from this way's SYN to its answer; 0: not in this epoch" },
  segments: { bits: 32, meaning: 'segments with payload, SYN or FIN' },
  repeatedSegments: { bits: 32, meaning: 'segments with anything that had been seen already' },
  lateSegments: { bits: 32, meaning: 'segments with anything that filled a gap' },
  gaps: { bits: 32, meaning: 'gaps that opened' },
  forgottenGaps: { bits: 32, meaning: 'gaps for which there was no place' },
  retransmissions: { bits: 32, meaning: 'retransmissions, fast and spurious ones among them' },
  fastRetransmissions: { bits: 32, meaning: 'retransmissions that duplicate ACKs had asked for' },
  spuriousRetransmissions: { bits: 32, meaning: 'retransmissions of what was acknowledged already' },
  outOfOrder: { bits: 32, meaning: 'segments out of order' },
  repeatedOutOfOrder: { bits: 32, meaning: 'of these, all seen already: retransmissions in truth' },
  duplicateAcks: { bits: 32, meaning: 'ACKs that say again what the one before said' },
  zeroWindows: { bits: 32, meaning: 'segments that close the window' },
  windowProbes: { bits: 32, meaning: 'segments that probe a closed window' },
  keepAlives: { bits: 32, meaning: 'keep-alives' },
  roundTrips: { bits: 32, meaning: 'samples of the round trip to the receiver of this way' },
  roundTripSumNs: { bits: 64, meaning: 'their sum, nanoseconds, the delay of ACKs included' },
  roundTripLeastNs: { bits: 64, meaning: 'the shortest plus one; 0 without any' },
  roundTripMostNs: { bits: 64, meaning: 'the longest' },
  roundTripHistogram: {
    bits: 32,
    count: HISTOGRAM_PLACES,
    meaning: 'how many of each length (histogramBound)',
  },
} as const satisfies Record<string, MeasuredField>;

type ColumnOf<Field extends MeasuredField> = Field['bits'] extends 64
  ? BigUint64Array<ArrayBuffer>
  : Uint32Array<ArrayBuffer>;

/** The columns of a table of measured fields; a field with several numbers per record has them one behind the other. */
export type MeasuredColumns<Table extends Readonly<Record<string, MeasuredField>>> = {
  readonly [Name in keyof Table]: ColumnOf<Table[Name]>;
};

/** What can be measured, and the fields of each. */
export const MEASUREMENTS = {
  arrivals: ARRIVAL_FIELDS,
  sequence: SEQUENCE_FIELDS,
  tcp: TCP_FIELDS,
} as const satisfies Record<string, Readonly<Record<string, MeasuredField>>>;

/** Name of a measurement that has columns of its own. */
export type MeasurementName = keyof typeof MEASUREMENTS;

/** What can be switched on; connections are known as soon as anything is. */
export const MEASURABLES = ['connections', ...(Object.keys(MEASUREMENTS) as MeasurementName[])] as const;
export type Measurable = 'connections' | MeasurementName;

/** Those that have columns. */
export function withColumns(measurables: readonly Measurable[]): MeasurementName[] {
  return measurables.filter((name) => name !== 'connections');
}

/** What was measured in one epoch, of each flow that had packets in it. Lent as the batch that carries it. */
export type MeasurementBatch = {
  readonly [Name in MeasurementName]?: MeasuredColumns<(typeof MEASUREMENTS)[Name]>;
} & {
  /** Number of records: flows, one way each, at one observation point. */
  readonly length: number;
  /**
   * Whose measurements they are: all key columns, and wire octets, wire packets and payload octets of the epoch. `firstMs`
   * is the beginning of the biflow (both ways), `lastMs` its latest packet; other columns are zero. A fragment is not told
   * from a whole packet.
   */
  readonly flows: FlowColumns;
  /** Connections that had packets in the epoch, or are over. */
  readonly connections: ConnectionBatch;
  /** Packets of which nothing was measured because too many flows are followed already; they are in their flow records. */
  readonly unmeasuredPackets: number;
};

/** Where a place of a histogram begins, nanoseconds; 0 of the first one. Two places per doubling from 256 ns on. */
export function histogramBound(place: number): number {
  if (place === 0) return 0;
  const doublings = (place - 1) >> 1;
  return 2 ** (doublings + 8) * (place % 2 === 1 ? 1 : 1.5);
}

/** Columns for `length` records of a measurement, all zero. */
export function createMeasuredColumns<Table extends Readonly<Record<string, MeasuredField>>>(
  table: Table,
  length: number,
): MeasuredColumns<Table> {
  const columns: Record<string, ArrayBufferView> = {};
  for (const [name, { bits, count = 1 }] of Object.entries(table))
    columns[name] = bits === 64 ? new BigUint64Array(length * count) : new Uint32Array(length * count);
  return columns as MeasuredColumns<Table>;
}

/** The buffers behind a batch of measurements. */
export function measurementBuffers(batch: MeasurementBatch | undefined): ArrayBuffer[] {
  if (!batch) return [];
  const buffers = [...transferables(batch.flows), ...connectionBuffers(batch.connections)];
  for (const name of Object.keys(MEASUREMENTS) as MeasurementName[])
    for (const column of Object.values(batch[name] ?? {})) buffers.push(column.buffer);
  return buffers;
}

/** A copy of which the caller is the owner. */
export function copyMeasurements(batch: MeasurementBatch): MeasurementBatch {
  return structuredClone(batch);
}
