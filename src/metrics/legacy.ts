/**
 * The gauges of old, without labels, for dashboards that were made for them: throughput, goodput and number of packets
 * of TCP, UDP and ICMP. What needs measurements that are not made yet (jitter, sequence errors) is not there.
 */
import { columnWords, type FlowBatch, type FlowSink } from '../flow/index.ts';
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
  octets: number;
  payload: number;
  packets: number;
}

/** A sink that keeps what these gauges say: of what was received at the primary points, or at all where none is primary. */
export class LegacyGauges implements FlowSink {
  readonly name = 'legacy-metrics';
  readonly #tallies = PROTOCOLS.map((): Tally => ({ octets: 0, payload: 0, packets: 0 }));
  #seconds = 0;

  write(batch: FlowBatch): void {
    const { columns } = batch;
    const octets = columnWords(columns.wireOctets);
    const payload = columnWords(columns.payloadOctets);
    const packets = columnWords(columns.wirePackets);
    const of = (words: Uint32Array, row: number): number => words[2 * row]! + PART * words[2 * row + 1]!;
    const isReceived = receivedAt(batch);
    for (const tally of this.#tallies) Object.assign(tally, { octets: 0, payload: 0 });
    this.#seconds = Math.max(batch.endMs - batch.startMs, 1) / 1000;
    for (let row = 0; row < batch.length; row++) {
      const number = columns.network[row] === 1 || columns.network[row] === 2 ? columns.protocol[row]! : -1;
      const which = PROTOCOLS.findIndex(([, numbers]) => numbers.includes(number));
      if (which < 0 || !isReceived(columns.ifindex[row]!, columns.direction[row]!)) continue;
      const tally = this.#tallies[which]!;
      tally.octets += of(octets, row);
      tally.payload += of(payload, row);
      tally.packets += of(packets, row);
    }
  }

  close(): void {}

  /** None before the first epoch: a 0 would be a measurement. */
  families(): Family[] {
    if (this.#seconds === 0) return [];
    return PROTOCOLS.flatMap(([protocol], i) =>
      GAUGES.map(([name, help, field, form]): Family => {
        const value = this.#tallies[i]![field] / (form === 'rate' ? this.#seconds : 1);
        const family = `${protocol}_${name}`;
        return {
          kind: 'gauge',
          name: family,
          help: `${protocol}: ${help}.`,
          samples: [{ labels: '', value }],
        };
      }),
    );
  }
}

function receivedAt({ points }: FlowBatch): (ifindex: number, direction: number) => boolean {
  const primary = points.filter((point) => point.primary);
  const chosen = new Set((primary.length > 0 ? primary : points).map(({ ifindex }) => ifindex));
  return (ifindex, direction) => direction === 0 && chosen.has(ifindex);
}
