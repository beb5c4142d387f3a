/**
 * A bounded queue before a sink: one that is slow or hangs loses epochs of its own, which is counted and told, and holds
 * up neither the meter nor the other sinks.
 *
 * Nothing is copied: a batch is held back, and its buffers with it, until the sink is done with it. What a sink that
 * hangs can hold is therefore the epoch under way and what the limits allow to wait.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { batchOctets, type FlowBatch, type FlowSink } from './flow/index.ts';

/** Bounds of a queue. */
export interface SinkQueueLimits {
  /** Epochs that wait at most, beside the one under way. */
  readonly epochs: number;
  /** Octets that wait at most, beside the epoch under way. */
  readonly octets: number;
  /** How long writing what waits, and then closing the sink, may take at the end, milliseconds each. */
  readonly closeMs: number;
}

/** Eight epochs are minutes where they are long; 64 MB are three epochs of 100,000 flows. */
export const SINK_QUEUE_LIMITS: SinkQueueLimits = { epochs: 8, octets: 64_000_000, closeMs: 5_000 };

/** Who hears of what goes wrong. */
export interface SinkListener {
  /** A write failed, or the sink did not come to its end. */
  readonly sinkFailed: (sink: FlowSink, error: Error) => void;
  /** The sink lost an epoch, `dropped` since the start; told of the first, second, fourth, eighth, … */
  readonly sinkDropped: (sink: FlowSink, dropped: number) => void;
}

/** Epochs since the start by what became of them, and those that wait now. */
export interface SinkCounts {
  readonly name: string;
  readonly waiting: number;
  readonly written: number;
  readonly failed: number;
  readonly dropped: number;
}

/** A sink did not do in time what it was asked for. */
export class SinkError extends Error {
  readonly code = 'SINK_STALLED';
  /** What a person can do. */
  readonly remedy = 'see what the sink writes to';

  constructor(sink: FlowSink, action: string, limitMs: number) {
    super(`${action} of the sink "${sink.name}" did not end within ${limitMs / 1000} s; it is left as it is`);
    this.name = 'SinkError';
  }
}

interface Waiting {
  readonly batch: FlowBatch;
  readonly octets: number;
  readonly done: () => void;
}

/** Writes to one sink, one epoch after the other. Close it to have what waits written. */
export class SinkQueue {
  readonly #sink: FlowSink;
  readonly #listener: SinkListener;
  readonly #limits: SinkQueueLimits;
  readonly #waiting: Waiting[] = [];
  #octets = 0;
  #isBusy = false;
  /** Settles when nothing waits any more. */
  #working: Promise<void> | undefined;
  #written = 0;
  #failed = 0;
  #dropped = 0;

  /** @param sink becomes the queue's: it is closed with it */
  constructor(sink: FlowSink, listener: SinkListener, limits: SinkQueueLimits = SINK_QUEUE_LIMITS) {
    this.#sink = sink;
    this.#listener = listener;
    this.#limits = limits;
  }

  get counts(): SinkCounts {
    return {
      name: this.#sink.name,
      waiting: this.#waiting.length,
      written: this.#written,
      failed: this.#failed,
      dropped: this.#dropped,
    };
  }

  /**
   * Takes an epoch in, or drops it when the queue is full; the older ones stay, so that what is written has one gap.
   *
   * @returns settles, and never rejects, when the queue does not need the batch any more
   */
  write(batch: FlowBatch): Promise<void> {
    const octets = batchOctets(batch);
    const { promise, resolve } = Promise.withResolvers<void>();
    const isFull = this.#waiting.length >= this.#limits.epochs || this.#octets + octets > this.#limits.octets;
    if (this.#isBusy && isFull) {
      this.#drop();
      return Promise.resolve();
    }
    this.#waiting.push({ batch, octets, done: resolve });
    this.#octets += octets;
    if (!this.#isBusy) this.#working = this.#work();
    return promise;
  }

  /**
   * Writes what waits and closes the sink, each within the time limit; what then still waits is dropped, and a sink
   * that hangs is told and left alone. Nothing may be written after.
   *
   * @throws what closing the sink throws
   */
  async close(): Promise<void> {
    if (!(await this.#inTime(this.#working))) {
      for (const { done } of this.#take(this.#waiting.length)) {
        this.#drop();
        done();
      }
      return this.#stalled('the last write');
    }
    if (!(await this.#inTime(this.#sink.close()))) this.#stalled('closing');
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      const [{ batch, done }] = this.#take(1) as [Waiting];
      try {
        await this.#sink.write(batch);
        this.#written++;
      } catch (error) {
        this.#failed++;
        this.#listener.sinkFailed(this.#sink, error as Error);
      }
      done();
    }
    this.#isBusy = false;
  }

  #take(count: number): Waiting[] {
    const taken = this.#waiting.splice(0, count);
    for (const { octets } of taken) this.#octets -= octets;
    return taken;
  }

  /** A sink that hangs drops every epoch: what is told gets rarer, and always says how many. */
  #drop(): void {
    this.#dropped++;
    if (Number.isInteger(Math.log2(this.#dropped))) this.#listener.sinkDropped(this.#sink, this.#dropped);
  }

  /** Whether it ended within the limit. */
  async #inTime(work: Promise<void> | void): Promise<boolean> {
    const ended = new AbortController();
    const late = delay(this.#limits.closeMs, false, { signal: ended.signal }).catch(() => false);
    try {
      return await Promise.race([Promise.resolve(work).then(() => true), late]);
    } finally {
      ended.abort();
    }
  }

  #stalled(action: string): void {
    this.#listener.sinkFailed(this.#sink, new SinkError(this.#sink, action, this.#limits.closeMs));
  }
}
