/**
 * Measurements for Prometheus: what was measured of flows from one packet to the next, summed up by the labels of traffic.
 *
 * A family is a line of {@link FAMILIES}. All are sums over flows and epochs, so that they add up over labels, agents and
 * time; means, deviations and percentiles follow from them in a query.
 */
import {
  type FlowBatch,
  type FlowSink,
  HISTOGRAM_PLACES,
  histogramBound,
  type MeasuredColumns,
  type MeasurementBatch,
  type MeasurementName,
  type SEQUENCE_FIELDS,
  type TCP_FIELDS,
} from '../flow/index.ts';
import { counter, type Family, PREFIX } from './exposition.ts';
import { LabelSums } from './label-sums.ts';
import { DEFAULT_LABELS } from './labels.ts';
import type { TrafficOptions } from './traffic.ts';

/** A family of measurements: of which measurement it is made, and what a record adds to it. */
type Measure = {
  /** Without prefix. */
  readonly name: string;
  readonly of: MeasurementName;
  readonly help: string;
} & (
  | { readonly kind: 'counter'; readonly value: (batch: MeasurementBatch, row: number) => number }
  | {
      readonly kind: 'histogram';
      /** Places of {@link histogramBound}, {@link HISTOGRAM_PLACES} per record. */
      readonly places: (batch: MeasurementBatch) => Uint32Array;
      readonly sumSeconds: (batch: MeasurementBatch, row: number) => number;
    }
);

type TcpColumns = MeasuredColumns<typeof TCP_FIELDS>;

/** All families of measurements; one more is one line more. */
const FAMILIES: readonly Measure[] = [...arrivalFamilies(), ...sequenceFamilies(), ...tcpFamilies()];

function arrivalFamilies(): Measure[] {
  return [
    {
      kind: 'histogram',
      name: 'interarrival_seconds',
      of: 'arrivals',
      help: 'Time between two packets of a flow that follow each other; pauses are left out.',
      places: ({ arrivals }) => arrivals!.histogram,
      sumSeconds: ({ arrivals }, row) => Number(arrivals!.sumNs[row]!) / 1e9,
    },
    {
      kind: 'counter',
      name: 'interarrival_jitter_squared_seconds_total',
      of: 'arrivals',
      help: 'Squared deviations of these times from the mean of their flow and epoch. Divided by the degrees of freedom it is the square of the jitter.',
      value: ({ arrivals }, row) => squaredDeviations(arrivals!, row),
    },
    {
      kind: 'counter',
      name: 'interarrival_jitter_degrees_total',
      of: 'arrivals',
      help: 'Degrees of freedom of the squared deviations: times less one, per flow and epoch.',
      value: ({ arrivals }, row) => Math.max(0, arrivals!.gaps[row]! - 1),
    },
    {
      kind: 'counter',
      name: 'interarrival_pauses_total',
      of: 'arrivals',
      help: 'Gaps so long that they are pauses of a flow, not inter-arrival times.',
      value: ({ arrivals }, row) => arrivals!.resets[row]!,
    },
    {
      kind: 'counter',
      name: 'interarrival_unseen_packets_total',
      of: 'arrivals',
      help: 'Packets that came within super-packets: nobody saw when.',
      value: ({ arrivals }, row) => arrivals!.coarse[row]!,
    },
  ];
}

/**
 * Sequence numbers of UDP and ICMP. What was lost is expected less unique, in a query: a number that comes late takes back a
 * loss that was counted, and a counter cannot fall.
 */
function sequenceFamilies(): Measure[] {
  const sum = (name: string, column: keyof typeof SEQUENCE_FIELDS, help: string): Measure => ({
    kind: 'counter',
    name: `sequence_${name}_total`,
    of: 'sequence',
    help,
    value: ({ sequence }, row) => Number(sequence![column][row]!),
  });
  return [
    sum('received_packets', 'received', 'Packets whose sequence number was read.'),
    sum('expected_packets', 'expected', 'Sequence numbers from the first to the highest.'),
    sum('unique_packets', 'unique', 'Of these, that came. Expected less unique are lost.'),
    sum('duplicate_packets', 'duplicates', 'Packets whose number had come already.'),
    sum('reordered_packets', 'reordered', 'Packets that came after one with a higher number.'),
    sum(
      'late_packets',
      'late',
      'Packets so far behind that nobody knows whether they are reordered or repeated.',
    ),
    sum('unreadable_packets', 'noSequence', 'Packets where a number should be but is not.'),
    sum('restarts', 'restarts', 'New beginnings of senders.'),
    {
      kind: 'counter',
      name: 'sequence_jitter_seconds_total',
      of: 'sequence',
      help: 'Interarrival jitter of RFC 3550 after each packet, added up; divided by the samples it is the mean.',
      value: ({ sequence }, row) => Number(sequence!.jitterSumNs[row]!) / 1e9,
    },
    sum('jitter_samples', 'jitterSamples', 'Packets after which that jitter was taken.'),
  ];
}

/** TCP, judged as tshark judges it; who was overtaken is told from who was sent again by what had been seen already. */
function tcpFamilies(): Measure[] {
  const sum = (name: string, help: string, value: (tcp: TcpColumns, row: number) => number): Measure => ({
    kind: 'counter',
    name: `tcp_${name}_total`,
    of: 'tcp',
    help,
    value: ({ tcp }, row) => value(tcp!, row),
  });
  return [
    {
      kind: 'histogram',
      name: 'rtt_seconds',
      of: 'tcp',
      help: 'Round trips of TCP from here to the receiver and back, the delay of ACKs included.',
      places: ({ tcp }) => tcp!.roundTripHistogram,
      sumSeconds: ({ tcp }, row) => Number(tcp!.roundTripSumNs[row]!) / 1e9,
    },
    sum('segments', 'Segments with payload, SYN or FIN.', (tcp, row) => tcp.segments[row]!),
    sum(
      'retransmitted_segments',
      'Segments that were sent again.',
      (tcp, row) => tcp.retransmissions[row]! + tcp.repeatedOutOfOrder[row]!,
    ),
    sum(
      'fast_retransmitted_segments',
      'Of these, that duplicate ACKs had asked for.',
      (tcp, row) => tcp.fastRetransmissions[row]!,
    ),
    sum(
      'spurious_retransmitted_segments',
      'Of these, that had been acknowledged already.',
      (tcp, row) => tcp.spuriousRetransmissions[row]!,
    ),
    sum(
      'out_of_order_segments',
      'Segments that others had overtaken.',
      (tcp, row) => tcp.outOfOrder[row]! - tcp.repeatedOutOfOrder[row]!,
    ),
    sum(
      'duplicate_acks',
      'ACKs that say again what the one before said.',
      (tcp, row) => tcp.duplicateAcks[row]!,
    ),
    sum('zero_windows', 'Segments that close the window.', (tcp, row) => tcp.zeroWindows[row]!),
    sum('unseen_octets', 'Octets that were acknowledged and never came by.', (tcp, row) =>
      Number(tcp.unseenNumbers[row]!),
    ),
  ];
}

/** Every other place from about 8 µs to 2 s: bounds that double, each exactly where a place begins. */
const BOUND_PLACES = Array.from({ length: 19 }, (_, i) => 1 + 2 * (i + 5));
const BOUNDS = BOUND_PLACES.map((place) => histogramBound(place) / 1e9);
/** Into which bucket each place goes. */
const BUCKETS = Array.from({ length: HISTOGRAM_PLACES }, (_, place) =>
  BOUND_PLACES.findIndex((bound) => place < bound),
).map((bucket) => (bucket < 0 ? BOUNDS.length : bucket));
/** Series of a set of labels in the largest family: its buckets, its sum and its count. */
const SERIES_PER_SET = BOUNDS.length + 3;

/** Sums of a family in a set: of a histogram its buckets, then its sum. */
const widthOf = ({ kind }: Measure): number => (kind === 'histogram' ? BOUNDS.length + 2 : 1);

/** A sink that adds up what was measured; where nothing is measured, it has no families. */
export class Measures implements FlowSink {
  readonly name = 'measures';
  readonly #sums: LabelSums;
  readonly #seen = new Set<MeasurementName>();
  #unmeasured: number | undefined;

  /** @param options as of traffic: no family has more than `maxSeries` series */
  constructor({ labels = DEFAULT_LABELS, maxSeries = 1000, idleMs = 900_000 }: TrafficOptions = {}) {
    const width = FAMILIES.reduce((sum, family) => sum + widthOf(family), 0);
    const maxSets = Math.max(1, Math.floor(maxSeries / SERIES_PER_SET));
    this.#sums = new LabelSums({ labels, width, maxSets, idleMs });
  }

  write({ measurements, points, endMs }: FlowBatch): void {
    if (!measurements) return;
    for (const { of } of FAMILIES) if (measurements[of]) this.#seen.add(of);
    this.#unmeasured = (this.#unmeasured ?? 0) + measurements.unmeasuredPackets;
    const sums = this.#sums;
    sums.begin({ columns: measurements.flows, points, endMs });
    for (let row = 0; row < measurements.length; row++) add(sums, measurements, row);
    sums.expire();
  }

  close(): void {}

  /** All families of what is measured, as of the newest epoch. */
  families(): Family[] {
    const found: Family[] = [];
    let offset = 0;
    for (const family of FAMILIES) {
      if (this.#seen.has(family.of)) found.push(this.#family(family, offset));
      offset += widthOf(family);
    }
    if (this.#unmeasured !== undefined) {
      const samples = [{ labels: '', value: this.#unmeasured }];
      found.push(
        counter(
          'unmeasured_packets_total',
          'Packets of which nothing was measured: too many flows.',
          samples,
        ),
      );
    }
    return found;
  }

  #family({ kind, name, help }: Measure, offset: number): Family {
    const sums = this.#sums;
    const sets = [...sums.sets()];
    if (kind === 'counter') {
      return counter(
        name,
        help,
        sets.map(({ labels, at }) => ({ labels, value: sums.sums[at + offset]! })),
      );
    }
    const end = offset + BOUNDS.length + 1;
    const samples = sets.map(({ labels, at }) => ({
      labels,
      counts: [...sums.sums.subarray(at + offset, at + end)],
      sum: sums.sums[at + end]!,
    }));
    return { kind, name: PREFIX + name, help, bounds: BOUNDS, samples };
  }
}

/** Adds what was measured of one flow. */
function add(into: LabelSums, batch: MeasurementBatch, row: number): void {
  let at = into.set(row);
  const { sums } = into;
  for (const family of FAMILIES) {
    if (batch[family.of]) {
      if (family.kind === 'counter') sums[at]! += family.value(batch, row);
      else {
        const places = family.places(batch);
        for (let place = 0; place < HISTOGRAM_PLACES; place++)
          sums[at + BUCKETS[place]!]! += places[HISTOGRAM_PLACES * row + place]!;
        sums[at + BOUNDS.length + 1]! += family.sumSeconds(batch, row);
      }
    }
    at += widthOf(family);
  }
}

/** n · Σx² − (Σx)² is exact and never negative; n times what is wanted. In seconds squared. */
function squaredDeviations(arrivals: NonNullable<MeasurementBatch['arrivals']>, row: number): number {
  const gaps = arrivals.gaps[row]!;
  if (gaps < 2) return 0;
  const squares = (arrivals.squares[2 * row + 1]! << 64n) | arrivals.squares[2 * row]!;
  const sum = arrivals.sumNs[row]!;
  return Number(BigInt(gaps) * squares - sum * sum) / gaps / 1e18;
}
