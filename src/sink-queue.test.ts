import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { batchOf } from './flow/batch.fixture.ts';
import { batchOctets, type FlowBatch, type FlowSink } from './flow/index.ts';
import { SinkError, type SinkListener, SinkQueue, type SinkQueueLimits } from './sink-queue.ts';

const LIMITS: SinkQueueLimits = { epochs: 2, octets: 1e6, closeMs: 20 };

/** A sink whose writes end when the test says so. */
class SlowSink implements FlowSink {
  readonly name = 'slow';
  readonly begun: number[] = [];
  isClosed = false;
  readonly #ends: PromiseWithResolvers<void>[] = [];

  write({ epoch }: FlowBatch): Promise<void> {
    this.begun.push(epoch);
    const end = Promise.withResolvers<void>();
    this.#ends.push(end);
    return end.promise;
  }

  close(): void {
    this.isClosed = true;
  }

  /** Ends the oldest write under way; the next one has begun when this resolves. */
  async end(error?: Error): Promise<void> {
    const end = this.#ends.shift()!;
    if (error) end.reject(error);
    else end.resolve();
    await settled();
  }
}

/** All that can go on without I/O went on. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

interface Told extends SinkListener {
  readonly failed: Error[];
  readonly dropped: number[];
}

function told(): Told {
  const failed: Error[] = [];
  const dropped: number[] = [];
  return {
    failed,
    dropped,
    sinkFailed: (_sink, error) => failed.push(error),
    sinkDropped: (_sink, count) => dropped.push(count),
  };
}

function epochs(count: number): FlowBatch[] {
  return Array.from({ length: count }, (_, i) => batchOf([{ octets: 60, packets: 1 }], { epoch: i + 1 }));
}

/** Writes batches, and keeps the epochs the queue is done with in their order. */
function writeAll(queue: SinkQueue, batches: readonly FlowBatch[]): number[] {
  const done: number[] = [];
  for (const batch of batches) void queue.write(batch).then(() => done.push(batch.epoch));
  return done;
}

describe('the queue of a slow sink', () => {
  it('writes one epoch after the other and holds each batch until it is written', async () => {
    const sink = new SlowSink();
    const queue = new SinkQueue(sink, told(), LIMITS);
    const done = writeAll(queue, epochs(3));
    assert.deepEqual(sink.begun, [1]);
    assert.equal(queue.counts.waiting, 2);
    await sink.end();
    assert.deepEqual([sink.begun, done], [[1, 2], [1]]);
    await sink.end();
    await sink.end();
    assert.deepEqual(done, [1, 2, 3]);
    assert.deepEqual(queue.counts, { name: 'slow', waiting: 0, written: 3, failed: 0, dropped: 0 });
    writeAll(queue, epochs(1));
    assert.deepEqual(sink.begun, [1, 2, 3, 1]);
  });

  it('is bounded in epochs: the newest is dropped, given back at once, counted and told', async () => {
    const sink = new SlowSink();
    const listener = told();
    const queue = new SinkQueue(sink, listener, LIMITS);
    const done = writeAll(queue, epochs(9));
    await settled();
    assert.deepEqual(done, [4, 5, 6, 7, 8, 9]);
    assert.equal(queue.counts.dropped, 6);
    assert.deepEqual(listener.dropped, [1, 2, 4]);
    await sink.end();
    writeAll(queue, [batchOf([], { epoch: 10 })]);
    for (let i = 0; i < 3; i++) await sink.end();
    assert.deepEqual(sink.begun, [1, 2, 3, 10]);
  });

  it('is bounded in octets, the epoch under way not counted', async () => {
    const sink = new SlowSink();
    const [first, second, third] = epochs(3) as [FlowBatch, FlowBatch, FlowBatch];
    const queue = new SinkQueue(sink, told(), { ...LIMITS, octets: batchOctets(first) });
    writeAll(queue, [first, second, third]);
    assert.deepEqual([queue.counts.waiting, queue.counts.dropped], [1, 1]);
    await sink.end();
    writeAll(queue, [third]);
    assert.deepEqual([queue.counts.waiting, queue.counts.dropped], [1, 1]);
    const narrow = new SinkQueue(new SlowSink(), told(), { ...LIMITS, octets: 1 });
    writeAll(narrow, [first, second]);
    assert.equal(
      narrow.counts.dropped,
      1,
      'a large epoch passes when nothing is under way, and else does not',
    );
  });

  it('is written to its end before the sink is closed', async () => {
    const sink = new SlowSink();
    const queue = new SinkQueue(sink, told(), { ...LIMITS, closeMs: 10_000 });
    const done = writeAll(queue, epochs(3));
    const closed = queue.close();
    for (let i = 0; i < 3; i++) {
      assert.equal(sink.isClosed, false);
      await sink.end();
    }
    await closed;
    assert.deepEqual([done, sink.isClosed], [[1, 2, 3], true]);
  });
});

describe('the queue of a sink that hangs', () => {
  it('gives up at the end: what waited is given back, counted, and told with the sink', async () => {
    const sink = new SlowSink();
    const listener = told();
    const queue = new SinkQueue(sink, listener, LIMITS);
    const done = writeAll(queue, epochs(3));
    await queue.close();
    assert.deepEqual(done, [2, 3], 'the hanging write still has the first');
    assert.deepEqual(queue.counts, { name: 'slow', waiting: 0, written: 0, failed: 0, dropped: 2 });
    assert.deepEqual(listener.dropped, [1, 2]);
    assert.equal(sink.isClosed, false);
    assert.deepEqual(
      listener.failed.map((error) => [error instanceof SinkError, error.message]),
      [[true, 'the last write of the sink "slow" did not end within 0.02 s; it is left as it is']],
    );
  });

  it('gives up closing it', async () => {
    const listener = told();
    const sink: FlowSink = { name: 'door', write: () => undefined, close: () => new Promise(() => {}) };
    await new SinkQueue(sink, listener, LIMITS).close();
    assert.match(listener.failed[0]!.message, /^closing of the sink "door" did not end/);
  });
});

describe('the queue of a sink that fails', () => {
  it('tells each failure, gives the batch back and goes on', async () => {
    const sink = new SlowSink();
    const listener = told();
    const queue = new SinkQueue(sink, listener, LIMITS);
    const done = writeAll(queue, epochs(2));
    await sink.end(new Error('disk full'));
    await sink.end();
    assert.deepEqual(done, [1, 2]);
    assert.deepEqual(
      listener.failed.map((error) => error.message),
      ['disk full'],
    );
    assert.deepEqual(queue.counts, { name: 'slow', waiting: 0, written: 1, failed: 1, dropped: 0 });
  });

  it('takes a throw for a rejection', async () => {
    const listener = told();
    const write = (): void => {
      throw new Error('no');
    };
    const queue = new SinkQueue({ name: 'bad', write, close: () => undefined }, listener, LIMITS);
    assert.deepEqual(writeAll(queue, epochs(2)), []);
    await settled();
    assert.equal(queue.counts.failed, 2);
    assert.equal(listener.failed.length, 2);
  });

  it('passes on what closing throws', async () => {
    const close = (): Promise<void> => Promise.reject(new Error('disk full'));
    const queue = new SinkQueue({ name: 'bad', write: () => undefined, close }, told(), LIMITS);
    await assert.rejects(queue.close(), /disk full/);
  });
});
