/** What the interface of a made-up history counted itself: all that the hooks saw, and for some time more than that. */
import type { CounterLine, CounterReading, FlowBatch } from '../src/flow/index.ts';

/** When something before the hook takes packets, and how many an epoch. */
export interface TakenPackets {
  readonly fromMs: number;
  readonly toMs: number;
  readonly packets: number;
}

const TAKEN_OCTETS = 1000;

/** Counters that go on from epoch to epoch. */
export class MadeCounters {
  readonly #taken: TakenPackets;
  readonly #readings = new Map<0 | 1, CounterReading>();

  constructor(taken: TakenPackets) {
    this.#taken = taken;
  }

  /** The epoch with what was counted meanwhile; received, what is taken too. */
  counted(batch: FlowBatch): FlowBatch {
    const counters = batch.seen.map(({ ifindex, direction, packets, octets }): CounterLine => {
      const { fromMs, toMs } = this.#taken;
      const isTaken = direction === 0 && batch.startMs >= fromMs && batch.startMs < toMs;
      const taken = isTaken ? BigInt(this.#taken.packets) : 0n;
      const begin = this.#readings.get(direction) ?? reading(0n, 0n);
      const end = reading(
        begin.before.packets + packets + taken,
        begin.before.octets + octets + taken * BigInt(TAKEN_OCTETS),
      );
      this.#readings.set(direction, end);
      const before = isTaken ? ['ratelimit'] : [];
      return { ifindex, direction, kind: 'hardware', begin, end, programs: { before, after: [] } };
    });
    return { ...batch, counters };
  }
}

function reading(packets: bigint, octets: bigint): CounterReading {
  const values = { packets, octets, dropped: 0n, waiting: 0n };
  return { before: values, after: values };
}
