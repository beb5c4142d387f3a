import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import {
  type BatchStatus,
  BpfMap,
  batchCursor,
  deleteBatch,
  lookupAndDeleteBatch,
  lookupBatch,
  MapFlag,
  MapType,
  openResources,
  possibleCpus,
  testRun,
  testRunAsync,
  UpdateFlag,
  unpin,
  updateBatch,
} from './index.ts';
import { loadProbe, noTakeOfHash, openProbe, u32, u64At } from './testdata/probe.ts';

const PINS = `/sys/fs/bpf/tsbpf-map-${process.pid}`;
const PIN = `${PINS}/map`;

after(() => {
  rmSync(PINS, { recursive: true, force: true });
  assert.deepEqual(openResources(), []);
});

function hash(maxEntries: number): BpfMap {
  return BpfMap.create({ type: MapType.HASH, name: 'tsbpf_hash', keySize: 4, valueSize: 8, maxEntries });
}

/** Fills a hash with 0…n−1; the value of a key is the key twice. */
function fill(map: BpfMap, n: number): void {
  const keys = new Uint32Array(n).map((_, i) => i);
  const values = new Uint32Array(2 * n).map((_, i) => i >> 1);
  assert.equal(updateBatch(map, new Uint8Array(keys.buffer), new Uint8Array(values.buffer), n), n);
}

/** Walks a map with room for `room` elements at first, growing when told to. Returns the keys in the order read. */
function walk(map: BpfMap, room: number, read: typeof lookupBatch): { keys: number[]; grown: number } {
  const cursor = batchCursor(map);
  const seen: number[] = [];
  let grown = 0;
  let keys = new Uint32Array(room);
  let values = new Uint32Array(2 * room);
  for (let status: BatchStatus = 'more'; status !== 'end'; ) {
    const batch = read(map, cursor, new Uint8Array(keys.buffer), new Uint8Array(values.buffer));
    status = batch.status;
    for (let i = 0; i < batch.count; i++) {
      assert.equal(values[2 * i], keys[i]);
      seen.push(keys[i]!);
    }
    if (status !== 'grow') continue;
    grown++;
    keys = new Uint32Array(keys.length * 2);
    values = new Uint32Array(values.length * 2);
  }
  return { keys: seen, grown };
}

test('elements can be set, read, iterated and deleted', () => {
  using map = hash(8);
  assert.equal(map.lookup(u32(1)), undefined);
  assert.equal(map.nextKey(), undefined);
  map.update(u32(1), u32(10, 11));
  map.update(u32(2), u32(20, 21));
  assert.deepEqual(map.lookup(u32(1)), u32(10, 11));
  assert.deepEqual([...map.keys()].map((key) => key[0]).toSorted(), [1, 2]);
  assert.equal(map.delete(u32(1)), true);
  assert.equal(map.delete(u32(1)), false);
});

test('an element can be read and deleted in one step', { skip: noTakeOfHash }, () => {
  using map = hash(8);
  map.update(u32(2), u32(20, 21));
  assert.deepEqual(map.take(u32(2)), u32(20, 21));
  assert.equal(map.take(u32(2)), undefined);
});

test('update flags say whether the key may exist', () => {
  using map = hash(2);
  assert.throws(() => map.update(u32(1), u32(1, 1), UpdateFlag.EXIST), {
    code: 'BPF_MAP',
    errnoName: 'ENOENT',
  });
  map.update(u32(1), u32(1, 1), UpdateFlag.NOEXIST);
  assert.throws(() => map.update(u32(1), u32(1, 1), UpdateFlag.NOEXIST), { errnoName: 'EEXIST' });
  map.update(u32(2), u32(1, 1));
  assert.throws(() => map.update(u32(3), u32(1, 1)), { code: 'BPF_MAP', errnoName: 'E2BIG' });
});

test('buffers of the wrong length or kind never reach the kernel', () => {
  using map = hash(2);
  assert.throws(() => map.lookup(new Uint8Array(3)), /key of map tsbpf_hash has 4 bytes, this one has 3/);
  assert.throws(() => map.update(u32(1), new Uint8Array(7)), RangeError);
  assert.throws(() => map.lookupInto(u32(1), new Uint8Array(4)), RangeError);
  assert.throws(() => map.lookup('1234' as unknown as Uint8Array), TypeError);
  assert.throws(() => map.lookup(4096 as unknown as Uint8Array), TypeError);
  assert.throws(
    () => lookupBatch(map, batchCursor(map), new Uint8Array(4), new Uint8Array(8), 2),
    RangeError,
  );
  assert.throws(() => lookupBatch(map, batchCursor(map), new Uint8Array(3), new Uint8Array(8)), RangeError);
  assert.throws(() => deleteBatch(map, new Uint8Array(4), 2), RangeError);
});

test('a per-CPU value is read and written for all CPUs at once', () => {
  using object = loadProbe();
  const map = object.map('per_cpu');
  assert.equal(map.isPerCpu, true);
  assert.equal(map.valueStride, 8);
  assert.equal(map.valueBytes, 8 * possibleCpus());
  testRun(object.program('observe'), { packet: new Uint8Array(60), repeat: 5 });
  const counts = new Uint32Array(map.lookup(u32(0))!.buffer);
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    5,
  );
  const fresh = new Uint8Array(map.valueBytes).fill(0);
  fresh[0] = 9;
  map.update(u32(0), fresh);
  assert.deepEqual(map.lookup(u32(0)), fresh);
});

test('batches read every element exactly once, whatever the size of the buffers', () => {
  using map = hash(1000);
  fill(map, 1000);
  for (const room of [64, 333, 1000, 4096]) {
    const { keys } = walk(map, room, lookupBatch);
    assert.equal(keys.length, 1000);
    assert.equal(new Set(keys).size, 1000);
  }
});

test('a bucket with more elements than the buffers asks for bigger ones and loses nothing', () => {
  using map = hash(4096);
  fill(map, 4096);
  const { keys, grown } = walk(map, 1, lookupBatch);
  assert.ok(grown > 0);
  assert.equal(new Set(keys).size, 4096);
  assert.equal(keys.length, 4096);
});

test('reading with deletion leaves an empty map', () => {
  using map = hash(500);
  fill(map, 500);
  assert.equal(new Set(walk(map, 100, lookupAndDeleteBatch).keys).size, 500);
  assert.equal(map.nextKey(), undefined);
  assert.deepEqual(walk(map, 100, lookupBatch).keys, []);
});

test('keys are deleted in one call, up to the first that is missing', () => {
  using map = hash(10);
  fill(map, 10);
  assert.equal(deleteBatch(map, u32(0, 1, 2), 3), 3);
  assert.equal(deleteBatch(map, u32(3, 0, 4), 3), 1);
  assert.equal([...map.keys()].length, 6);
});

test('a batch of updates stops at a full map and says how far it came', () => {
  using map = hash(2);
  const count = updateBatch(map, u32(1, 2, 3), new Uint8Array(24), 3);
  assert.equal(count, 2);
});

test('a map that has no batches says so', () => {
  using map = BpfMap.create({ type: MapType.QUEUE, name: 'queue', keySize: 0, valueSize: 4, maxEntries: 4 });
  map.update(new Uint8Array(0), u32(42));
  assert.deepEqual(map.take(new Uint8Array(0)), u32(42));
  assert.equal(map.take(new Uint8Array(0)), undefined);
  assert.throws(() => lookupBatch(map, batchCursor(map), new Uint8Array(8), new Uint8Array(8), 1), {
    code: 'BPF_MAP',
  });
});

/** Empties an inner map that no program can reach; gives its packets. */
function drain(retired: BpfMap): bigint {
  const value = retired.lookup(u32(0));
  retired.delete(u32(0));
  return value === undefined ? 0n : u64At(value, 0);
}

test('after the inner map is replaced, every run is in exactly one of the two', async () => {
  using object = loadProbe();
  const epochs = object.map('epochs');
  const account = object.program('account');
  assert.equal(testRun(account, { packet: new Uint8Array(60) }).retval, 1);
  using first = object.createInner('epochs', { name: 'first' });
  using second = object.createInner('epochs', { name: 'second', maxEntries: 1000 });
  assert.equal(second.maxEntries, 1000);
  epochs.updateInner(u32(0), first);
  const runs = testRunAsync(account, { packet: new Uint8Array(60), repeat: 1_000_000 });
  let total = 0n;
  for (let flip = 0; flip < 10; flip++) {
    const [current, next] = flip % 2 === 0 ? [first, second] : [second, first];
    await epochs.updateInnerAsync(u32(0), next);
    total += drain(current);
  }
  await runs;
  total += drain(first) + drain(second);
  assert.equal(total, 1_000_000n);
});

test('an inner map of another shape is refused', () => {
  using object = loadProbe();
  using wrong = hash(4);
  assert.throws(() => object.map('epochs').updateInner(u32(0), wrong), {
    code: 'BPF_MAP',
    errnoName: 'EINVAL',
  });
});

test('a pinned map is opened again with what it held', () => {
  using map = hash(4);
  map.update(u32(1), u32(5, 6));
  map.pin(PIN);
  assert.throws(() => map.pin(PIN), { code: 'BPF_MAP', errnoName: 'EEXIST' });
  using again = BpfMap.openPinned(PIN);
  assert.equal(again.description.id, map.description.id);
  assert.deepEqual(again.lookup(u32(1)), u32(5, 6));
  unpin(PIN);
  unpin(PIN);
  assert.throws(() => BpfMap.openPinned(PIN), { code: 'BPF_MAP', errnoName: 'ENOENT' });
});

test('an existing map takes the place of a new one', () => {
  using first = loadProbe();
  first.map('samples').update(new Uint8Array(32), new Uint8Array(40).fill(1));
  first.map('samples').pin(PIN);
  using pinned = BpfMap.openPinned(PIN);
  using second = loadProbeWith(pinned);
  assert.equal(second.map('samples').description.id, first.map('samples').description.id);
  unpin(PIN);
});

test('array memory is shared with the kernel, and gone after disposal', () => {
  using map = BpfMap.create({
    type: MapType.ARRAY,
    name: 'shared',
    keySize: 4,
    valueSize: 4,
    maxEntries: 3,
    flags: MapFlag.MMAPABLE,
  });
  const memory = map.mmap();
  const view = new Uint32Array(memory.buffer);
  view[2] = 77; // Values are 8 bytes apart.
  assert.deepEqual(map.lookup(u32(1)), u32(77));
  memory[Symbol.dispose]();
  memory[Symbol.dispose]();
  assert.equal(view.length, 0);
  assert.throws(() => memory.buffer, /disposed/);
  using plain = hash(1);
  assert.throws(() => plain.mmap(), { code: 'BPF_MAP', message: /BPF_F_MMAPABLE/ });
});

function loadProbeWith(samples: BpfMap): ReturnType<typeof loadProbe> {
  const object = openProbe();
  object.reuseMap('samples', samples);
  object.load();
  return object;
}
