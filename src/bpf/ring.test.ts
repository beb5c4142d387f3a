import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openResources, RingReader, testRun, testRunAsync } from './index.ts';
import { loadProbe, openProbe } from './testdata/probe.ts';

const PACKET = new Uint8Array(60);

after(() => assert.deepEqual(openResources(), []));

test('a hundred thousand records of a concurrent writer arrive in order, none lost or doubled', async () => {
  using object = openProbe();
  object.setMaxEntries('records', 1 << 22); // Room for all: what is lost is lost by the reader.
  object.load();
  using reader = RingReader.open(object.map('records'));
  const words = new Uint32Array(reader.bytes.buffer);
  const base = reader.bytes.byteOffset;
  const total = 100_000;
  let received = 0;
  let disorder = 0;
  const { promise: complete, resolve } = Promise.withResolvers<void>();
  using _ = reader.watch((offset, length) => {
    if (length !== 16 || words[(base + offset) >> 2] !== received) disorder++;
    if (++received === total) resolve();
  });
  const writing = testRunAsync(object.program('emit'), { packet: PACKET, repeat: total });
  await Promise.all([writing, complete]);
  using memory = object.map('.bss').mmap();
  const { offset } = object.locate('dropped');
  const dropped = new DataView(memory.buffer).getBigUint64(offset, true);
  assert.deepEqual({ received, disorder, dropped }, { received: total, disorder: 0, dropped: 0n });
});

test('draining stops at the limit and goes on from there', () => {
  using object = loadProbe();
  using reader = RingReader.open(object.map('records'));
  testRun(object.program('emit'), { packet: PACKET, repeat: 10 });
  const seen: number[] = [];
  const visit = (offset: number): void => {
    seen.push(reader.bytes[offset]!);
  };
  assert.equal(reader.drain(visit, 4), 4);
  assert.equal(reader.drain(visit), 6);
  assert.equal(reader.drain(visit), 0);
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('records after many turns of the ring are still whole', () => {
  using object = loadProbe();
  using reader = RingReader.open(object.map('records'));
  let expected = 0;
  for (let turn = 0; turn < 100; turn++) {
    testRun(object.program('emit'), { packet: PACKET, repeat: 777 });
    reader.drain((offset) => {
      const view = new DataView(reader.bytes.buffer, reader.bytes.byteOffset + offset, 16);
      assert.equal(view.getUint32(0, true), expected++);
      assert.equal(view.getUint32(12, true), 60);
    });
  }
  assert.equal(expected, 77_700);
});

test('a visitor that throws has had its record, and the next one follows', () => {
  using object = loadProbe();
  using reader = RingReader.open(object.map('records'));
  testRun(object.program('emit'), { packet: PACKET, repeat: 3 });
  const refuse = (): void => {
    throw new Error('no');
  };
  assert.throws(() => reader.drain(refuse), /no/);
  assert.equal(
    reader.drain(() => {}),
    2,
  );
});

test('a closed reader throws, its memory is gone, and closing it from within a visitor is safe', () => {
  using object = loadProbe();
  const reader = RingReader.open(object.map('records'));
  testRun(object.program('emit'), { packet: PACKET, repeat: 3 });
  assert.throws(() => reader.drain(() => reader[Symbol.dispose]()));
  assert.equal(reader.bytes.byteLength, 0);
  assert.throws(() => reader.drain(() => {}), /closed/);
  assert.throws(() => RingReader.open(object.map('samples')), /not a ring buffer/);
});
