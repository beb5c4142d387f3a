/** The values of the reference's monitor, per protocol, as columns: what is measured, and what is not (yet). */
import { type FlowBatch, NETWORK } from '../flow/index.ts';

/** The protocols it knows, with their IP protocol numbers; those of ICMP are both versions'. */
const PROTOCOLS = { tcp: [6], udp: [17], icmp: [1, 58] } as const;
const PROTOCOL_NAMES = Object.keys(PROTOCOLS) as ProtocolName[];

type ProtocolName = keyof typeof PROTOCOLS;

/** What came in of one protocol: octets in the epoch, packets since the start. */
export interface ProtocolSum {
  octets: bigint;
  payloadOctets: bigint;
  /** Since the sum was made. */
  totalPackets: bigint;
}

/** What came in, by protocol, in the newest epoch and since the start. */
export type ProtocolSums = Readonly<Record<ProtocolName, ProtocolSum>>;

/** One column: its name, and its value; undefined where nothing measures it, which is not 0. */
export interface DataColumn {
  readonly name: string;
  readonly value: (sums: ProtocolSums, seconds: number) => string | undefined;
}

/** Values in the reference's order; a rate is in octets per second over the real length of the epoch. */
const QUANTITIES: Readonly<Record<string, (sum: ProtocolSum, seconds: number) => string | undefined>> = {
  throughput: (sum, seconds) => rate(sum.octets, seconds),
  goodput: (sum, seconds) => rate(sum.payloadOctets, seconds),
  jitter_avg: unmeasured,
  jitter_stddev: unmeasured,
  seq_num: unmeasured,
  count: (sum) => String(sum.totalPackets),
  reverse_err: unmeasured,
  small_err: unmeasured,
  big_err: unmeasured,
  total_err: unmeasured,
};

/** `tcp_throughput` … `icmp_total_err`. */
export const DATA_COLUMNS: readonly DataColumn[] = PROTOCOL_NAMES.flatMap((protocol) =>
  Object.entries(QUANTITIES).map(([quantity, of]) => ({
    name: `${protocol}_${quantity}`,
    value: (sums: ProtocolSums, seconds: number) => of(sums[protocol], seconds),
  })),
);

function unmeasured(): undefined {
  return undefined;
}

function rate(octets: bigint, seconds: number): string | undefined {
  return seconds > 0 ? (Number(octets) / seconds).toFixed(1) : undefined;
}

/** Sums of nothing. */
export function noSums(): ProtocolSums {
  const sum = (): ProtocolSum => ({ octets: 0n, payloadOctets: 0n, totalPackets: 0n });
  return { tcp: sum(), udp: sum(), icmp: sum() };
}

/**
 * Takes an epoch in: what came in at the primary observation points, or at all where none is primary. As the reference
 * does it: what the host sends is not in it, and no packet is counted at two interfaces of which one is the other's.
 */
export function addEpoch(sums: ProtocolSums, { columns, length, points }: FlowBatch): void {
  const hasPrimary = points.some(({ primary }) => primary);
  const taken = new Set(
    points
      .filter(({ direction, primary }) => direction === 0 && (primary || !hasPrimary))
      .map(({ ifindex }) => ifindex),
  );
  for (const sum of Object.values(sums)) {
    sum.octets = 0n;
    sum.payloadOctets = 0n;
  }
  for (let row = 0; row < length; row++) {
    if (columns.direction[row] !== 0 || !taken.has(columns.ifindex[row]!)) continue;
    const protocol = columns.protocol[row]!;
    const name = PROTOCOL_NAMES.find((each) => (PROTOCOLS[each] as readonly number[]).includes(protocol));
    if (name === undefined || !isIp(columns.network[row]!)) continue;
    const sum = sums[name];
    sum.octets += columns.wireOctets[row]!;
    sum.payloadOctets += columns.payloadOctets[row]!;
    sum.totalPackets += columns.wirePackets[row]!;
  }
}

/** The protocol of ARP is its operation, which is no protocol of IP. */
function isIp(network: number): boolean {
  return network === NETWORK.ipv4 || network === NETWORK.ipv6;
}
