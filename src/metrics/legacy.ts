/**
 * The gauges of old, without labels, for dashboards that were made for them: throughput, goodput and number of packets
 * of TCP, UDP and ICMP, and where they are measured mean and deviation of inter-arrival times, and sequence errors of UDP and
 * ICMP. Those of TCP are not there: its numbers are octets, and a step of more than 1 is no error.
 */
import { columnWords, type FlowBatch, type FlowColumns, type FlowSink, NETWORK } from '../flow/index.ts';
import { ArrivalSums, SequenceSums } from '../measure/index.ts';
import type { Family } from './exposition.ts';

/** Protocols by the numbers of IANA, under the names of old; ICMP is both of them. */
const PROTOCOLS: readonly (readonly [name: string, numbers: readonly number[]])[] = [
  ['tcp', [6]],
  ['udp', [17]],
  ['icmp', [1, 58]],
];

/** What is said of each protocol. Rates are of the newest epoch. */
const GAUGES = [
  ['throughput', 'octets per second received, whole packets with their Ethernet header', 'octets', 'rate'],
  ['goodput', 'octets per second received behind the innermost transport header', 'payload', 'rate'],
  ['count', 'packets received since the start', 'packets', 'sum'],
] as const;

const PART = 2 ** 32;

/** Sums of one protocol: of the newest epoch, and packets since the start. */
interface Tally {
  /** Of the newest epoch, where they are measured. */
  arrivals: ArrivalSums | undefined;
  /** Since the start, where they are measured. */
  sequence: SequenceSums | undefined;
  octets: number;
  payload: number;
  packets: number;
}

/** A sink that keeps what these gauges say: of what was received at the primary points, or at all where none is primary. */
export class LegacyGauges implements FlowSink {
  readonly name = 'legacy-metrics';
  readonly #tallies = PROTOCOLS.map(
    (): Tally => ({
      arrivals: undefined,
      sequence: undefined,
      octets: 0,
      payload: 0,
      packets: 0,
    }),
  );
  #seconds = 0;

  write(batch: FlowBatch): void {
    const { columns } = batch;
    const octets = columnWords(columns.wireOctets);
    const payload = columnWords(columns.payloadOctets);
    const packets = columnWords(columns.wirePackets);
    const of = (words: Uint32Array, row: number): number => words[2 * row]! + PART * words[2 * row + 1]!;
    const isReceived = receivedAt(batch);
    for (const tally of this.#tallies) Object.assign(tally, { arrivals: undefined, octets: 0, payload: 0 });
    this.#seconds = Math.max(batch.endMs - batch.startMs, 1) / 1000;
    for (let row = 0; row < batch.length; row++) {
      const which = protocolAt(columns, row);
      if (which < 0 || !isReceived(columns.ifindex[row]!, columns.direction[row]!)) continue;
      const tally = this.#tallies[which]!;
      tally.octets += of(octets, row);
      tally.payload += of(payload, row);
      tally.packets += of(packets, row);
    }
    this.#addMeasured(batch, isReceived);
  }

  close(): void {}

  /** None before the first epoch: a 0 would be a measurement. */
  families(): Family[] {
    if (this.#seconds === 0) return [];
    return PROTOCOLS.flatMap(([protocol], i) => {
      const tally = this.#tallies[i]!;
      const counted = GAUGES.map(([name, help, field, form]) => {
        const value = tally[field] / (form === 'rate' ? this.#seconds : 1);
        return gaugeOf(`${protocol}_${name}`, `${protocol}: ${help}.`, value);
      });
      const { arrivals } = tally;
      const times = [
        gaugeOf(`${protocol}_jitter_avg`, `${protocol}: mean inter-arrival time, ms.`, arrivals?.meanMs()),
        gaugeOf(
          `${protocol}_jitter_stddev`,
          `${protocol}: standard deviation of inter-arrival times, ms.`,
          arrivals?.deviationMs,
        ),
      ];
      return [...counted, ...times, ...stepsOf(protocol, tally.sequence)].filter(
        (family) => family !== undefined,
      );
    });
  }

  #addMeasured({ measurements }: FlowBatch, isReceived: ReturnType<typeof receivedAt>): void {
    if (!measurements) return;
    const { flows, arrivals, sequence, length } = measurements;
    for (let row = 0; row < length; row++) {
      const tally = this.#tallies[protocolAt(flows, row)];
      if (!tally || !isReceived(flows.ifindex[row]!, flows.direction[row]!)) continue;
      if (arrivals) {
        tally.arrivals ??= new ArrivalSums();
        tally.arrivals.add(arrivals, row);
      }
      if (sequence && (sequence.received[row]! > 0n || tally.sequence)) {
        tally.sequence ??= new SequenceSums();
        tally.sequence.add(sequence, row);
      }
    }
  }
}

/** Steps from packet to packet that are not 1; `seq_num` is the latest number of any flow. */
function stepsOf(protocol: string, sequence: SequenceSums | undefined): (Family | undefined)[] {
  if (!sequence) return [];
  const { last, reverseSteps, smallSteps, bigSteps, steps } = sequence;
  return [
    gaugeOf(`${protocol}_seq_num`, `${protocol}: the sequence number in the latest packet.`, last),
    gaugeOf(`${protocol}_reverse_err`, `${protocol}: steps of sequence numbers below 0.`, reverseSteps),
    gaugeOf(`${protocol}_small_err`, `${protocol}: steps up to the threshold, other than 1.`, smallSteps),
    gaugeOf(`${protocol}_big_err`, `${protocol}: steps beyond the threshold.`, bigSteps),
    gaugeOf(`${protocol}_total_err`, `${protocol}: all of these.`, steps),
  ];
}

/** What is not known is not there. */
function gaugeOf(name: string, help: string, value: number | undefined): Family | undefined {
  return value === undefined ? undefined : { kind: 'gauge', name, help, samples: [{ labels: '', value }] };
}

/** Place in {@link PROTOCOLS}, or −1. */
function protocolAt({ network, protocol }: FlowColumns, row: number): number {
  const number = network[row] === NETWORK.ipv4 || network[row] === NETWORK.ipv6 ? protocol[row]! : -1;
  return PROTOCOLS.findIndex(([, numbers]) => numbers.includes(number));
}

function receivedAt({ points }: FlowBatch): (ifindex: number, direction: number) => boolean {
  const primary = points.filter((point) => point.primary);
  const chosen = new Set((primary.length > 0 ? primary : points).map(({ ifindex }) => ifindex));
  return (ifindex, direction) => direction === 0 && chosen.has(ifindex);
}
