/** The values of the reference's monitor, per protocol, as columns: what is measured, and what is not (yet). */
import { type FlowBatch, type FlowColumns, NETWORK } from '../flow/index.ts';
import { ArrivalSums, SequenceSums } from '../measure/index.ts';

/** The protocols it knows, with their IP protocol numbers; those of ICMP are both versions'. */
const PROTOCOLS = { tcp: [6], udp: [17], icmp: [1, 58] } as const;
const PROTOCOL_NAMES = Object.keys(PROTOCOLS) as ProtocolName[];

type ProtocolName = keyof typeof PROTOCOLS;

/** What came in of one protocol: octets and inter-arrival times in the epoch, packets since the start. */
export interface ProtocolSum {
  octets: bigint;
  payloadOctets: bigint;
  /** Since the sum was made. */
  totalPackets: bigint;
  /** Of all its flows, each by itself; empty where nothing measures them. */
  arrivals: ArrivalSums;
  /** Numbers in payloads since the sum was made; nothing received where nothing looks for them. */
  readonly sequence: SequenceSums;
}

/** What came in, by protocol, in the newest epoch and since the start. */
export type ProtocolSums = Readonly<Record<ProtocolName, ProtocolSum>>;

/** One column: its name, and its value; undefined where nothing measures it, which is not 0. */
export interface DataColumn {
  readonly name: string;
  readonly value: (sums: ProtocolSums, seconds: number) => string | undefined;
}

/** What can be left out. */
export const DATA_DISPLAYS = ['jitter', 'throughput', 'goodput', 'sequence'] as const;

/** Which of them are wanted, and the sender's spacing, milliseconds, which is taken from the mean. */
export interface DataOptions {
  readonly displays: readonly (typeof DATA_DISPLAYS)[number][];
  readonly nominalMs: number;
}

/** Of one protocol over the seconds of an epoch. */
type Quantity = (sum: ProtocolSum, seconds: number) => string | undefined;

/**
 * `tcp_throughput` … `icmp_total_err`, in the reference's order: rates in octets per second over the real length of the
 * epoch, times in milliseconds. All thirty have a column, whatever is wanted.
 */
export function dataColumns({ displays, nominalMs }: DataOptions): DataColumn[] {
  const when = (display: (typeof DATA_DISPLAYS)[number], quantity: Quantity): Quantity =>
    displays.includes(display) ? quantity : unmeasured;
  const numbers = (of: (sequence: SequenceSums) => number | undefined): Quantity =>
    when('sequence', ({ sequence }) => (sequence.received === 0 ? undefined : of(sequence)?.toString()));
  const quantities: Readonly<Record<string, Quantity>> = {
    throughput: when('throughput', (sum, seconds) => rate(sum.octets, seconds)),
    goodput: when('goodput', (sum, seconds) => rate(sum.payloadOctets, seconds)),
    jitter_avg: when('jitter', ({ arrivals }) => arrivals.meanMs(nominalMs)?.toFixed(4)),
    jitter_stddev: when('jitter', ({ arrivals }) => arrivals.deviationMs?.toFixed(4)),
    seq_num: numbers(({ last }) => last),
    count: (sum) => String(sum.totalPackets),
    reverse_err: numbers(({ reverseSteps }) => reverseSteps),
    small_err: numbers(({ smallSteps }) => smallSteps),
    big_err: numbers(({ bigSteps }) => bigSteps),
    total_err: numbers(({ reverseSteps, smallSteps, bigSteps }) => reverseSteps + smallSteps + bigSteps),
  };
  return PROTOCOL_NAMES.flatMap((protocol) =>
    Object.entries(quantities).map(([quantity, of]) => ({
      name: `${protocol}_${quantity}`,
      value: (sums: ProtocolSums, seconds: number) => of(sums[protocol], seconds),
    })),
  );
}

function unmeasured(): undefined {
  return undefined;
}

function rate(octets: bigint, seconds: number): string | undefined {
  return seconds > 0 ? (Number(octets) / seconds).toFixed(1) : undefined;
}

/** Sums of nothing. */
export function noSums(): ProtocolSums {
  const sum = (): ProtocolSum => ({
    octets: 0n,
    payloadOctets: 0n,
    totalPackets: 0n,
    arrivals: new ArrivalSums(),
    sequence: new SequenceSums(),
  });
  return { tcp: sum(), udp: sum(), icmp: sum() };
}

/**
 * Takes an epoch in: what came in at the primary observation points, or at all where none is primary. As the reference
 * does it: what the host sends is not in it, and no packet is counted at two interfaces of which one is the other's.
 */
export function addEpoch(sums: ProtocolSums, { columns, length, points, measurements }: FlowBatch): void {
  const hasPrimary = points.some(({ primary }) => primary);
  const taken = new Set(
    points
      .filter(({ direction, primary }) => direction === 0 && (primary || !hasPrimary))
      .map(({ ifindex }) => ifindex),
  );
  for (const sum of Object.values(sums)) {
    sum.octets = 0n;
    sum.payloadOctets = 0n;
    sum.arrivals = new ArrivalSums();
  }
  for (let row = 0; row < length; row++) {
    const sum = sumOf(sums, columns, row, taken);
    if (!sum) continue;
    sum.octets += columns.wireOctets[row]!;
    sum.payloadOctets += columns.payloadOctets[row]!;
    sum.totalPackets += columns.wirePackets[row]!;
  }
  if (!measurements) return;
  const { arrivals, sequence } = measurements;
  for (let row = 0; row < measurements.length; row++) {
    const sum = sumOf(sums, measurements.flows, row, taken);
    if (arrivals) sum?.arrivals.add(arrivals, row);
    if (sequence) sum?.sequence.add(sequence, row);
  }
}

/** Where a record counts; undefined when it does not. */
function sumOf(
  sums: ProtocolSums,
  columns: FlowColumns,
  row: number,
  taken: ReadonlySet<number>,
): ProtocolSum | undefined {
  if (columns.direction[row] !== 0 || !taken.has(columns.ifindex[row]!)) return undefined;
  // The protocol of ARP is its operation, which is no protocol of IP.
  const network = columns.network[row]!;
  if (network !== NETWORK.ipv4 && network !== NETWORK.ipv6) return undefined;
  const protocol = columns.protocol[row]!;
  const name = PROTOCOL_NAMES.find((each) => (PROTOCOLS[each] as readonly number[]).includes(protocol));
  return name && sums[name];
}
