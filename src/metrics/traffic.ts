/** Traffic for Prometheus: the flow records of all epochs, as counters by labels of which there is a bounded number. */
import { columnWords, type FieldName, type FlowBatch, type FlowSink } from '../flow/index.ts';
import { counter, type Family, gauge } from './exposition.ts';
import { LabelSums } from './label-sums.ts';
import { DEFAULT_LABELS, type LabelGroup } from './labels.ts';

/** How traffic is told apart; all have defaults. */
export interface TrafficOptions {
  readonly labels?: readonly LabelGroup[];
  /** Most series of each family, those of `other` included. Default 1000. */
  readonly maxSeries?: number;
  /** A series without traffic for longer goes, milliseconds. Default 15 minutes. */
  readonly idleMs?: number;
}

/** Families of counters, by the column that each adds up. */
const MEASURES = [
  [
    'traffic_wire_octets',
    'wireOctets',
    'Octets on the wire, each segment of a super-packet with its headers',
  ],
  ['traffic_wire_packets', 'wirePackets', 'Packets on the wire, each segment of a super-packet'],
  ['traffic_payload_octets', 'payloadOctets', 'Octets behind the innermost transport header'],
  ['traffic_packets', 'packets', 'Frames as the network stack held them, a super-packet is one'],
] as const satisfies readonly (readonly [name: string, column: FieldName, help: string])[];

const PART = 2 ** 32;

/** A sink that adds up. Each observation point counts for itself: a packet that crosses two is in both. */
export class Traffic implements FlowSink {
  readonly name = 'metrics';
  readonly #sums: LabelSums;

  constructor({ labels = DEFAULT_LABELS, maxSeries = 1000, idleMs = 900_000 }: TrafficOptions = {}) {
    this.#sums = new LabelSums({ labels, width: MEASURES.length, maxSets: maxSeries, idleMs });
  }

  write(batch: FlowBatch): void {
    const columns = MEASURES.map(([, column]) => columnWords(batch.columns[column]));
    const sums = this.#sums;
    sums.begin(batch);
    for (let row = 0; row < batch.length; row++) {
      const at = sums.set(row);
      for (let i = 0; i < columns.length; i++) {
        sums.sums[at + i]! += columns[i]![2 * row]! + PART * columns[i]![2 * row + 1]!;
      }
    }
    sums.expire();
  }

  close(): void {}

  /** All series as of the newest epoch. */
  families(): Family[] {
    const sums = this.#sums;
    const sets = [...sums.sets()];
    const one = (value: number) => [{ labels: '', value }];
    return [
      ...MEASURES.flatMap(([name, , help], i) => [
        counter(
          `${name}_total`,
          `${help}.`,
          sets.map(({ labels, at }) => ({ labels, value: sums.sums[at + i]! })),
        ),
        counter(
          `${name.replace('traffic', 'expired')}_total`,
          `The same of series that are gone, because they were idle.`,
          one(sums.expired[i]!),
        ),
      ]),
      gauge('traffic_series', 'Series of each traffic family.', one(sums.length)),
      gauge(
        'traffic_other_series',
        'Those that are other: there is traffic that found no room.',
        one(sums.others),
      ),
      gauge('traffic_series_limit', 'Most series of each traffic family.', one(sums.maxSets)),
    ];
  }
}
