import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { batchOf } from './batch.fixture.ts';
import {
  batchBuffers,
  batchOctets,
  copyBatch,
  createColumns,
  FIELDS,
  type FieldName,
  type FlowColumns,
  freeColumns,
  reuseColumns,
  transferables,
} from './batch.ts';
import { createSocketColumns, SOCKET_FIELDS } from './socket.ts';

const NAMES = Object.keys(FIELDS) as FieldName[];

function lengths(columns: FlowColumns): number[] {
  return NAMES.map((name) => columns[name].length);
}

function fill(columns: FlowColumns): FlowColumns {
  for (const name of NAMES) new Uint8Array(columns[name].buffer).fill(0xff);
  return columns;
}

function assertEmpty(columns: FlowColumns, length: number): void {
  assert.deepEqual(columns, createColumns(length));
}

describe('reused columns', () => {
  it('are new ones with room for an eighth more where there are none', () => {
    const columns = reuseColumns(undefined, 80);
    assertEmpty(columns, 80);
    for (const name of NAMES) {
      assert.equal(columns[name].buffer.byteLength, (90 * columns[name].byteLength) / 80, name);
    }
  });

  it('are zeroed views of the old buffers while the records fit', () => {
    const old = fill(reuseColumns(undefined, 80));
    for (const length of [90, 3, 0, 90]) {
      const columns = reuseColumns(fill(old), length);
      assertEmpty(columns, length);
      assert.deepEqual(transferables(columns), transferables(old));
      assert.ok(transferables(columns).every((buffer, i) => buffer === transferables(old)[i]));
    }
  });

  it('are new ones when the records do not fit, or would fit many times over', () => {
    const small = reuseColumns(undefined, 80);
    assert.notEqual(reuseColumns(small, 91).octets.buffer, small.octets.buffer);
    const large = reuseColumns(undefined, 40_000);
    assert.equal(reuseColumns(large, 11_250).octets.buffer, large.octets.buffer);
    const fewer = reuseColumns(large, 11_249);
    assert.notEqual(fewer.octets.buffer, large.octets.buffer);
    assertEmpty(fewer, 11_249);
  });

  it('are new ones when the old ones were handed to another thread', () => {
    const old = reuseColumns(undefined, 80);
    structuredClone(old, { transfer: transferables(old) });
    assertEmpty(reuseColumns(old, 80), 80);
  });

  it('cross to another thread with their room', () => {
    const old = fill(reuseColumns(undefined, 80));
    const length = 40;
    const there = structuredClone(reuseColumns(old, length), { transfer: transferables(old) });
    assertEmpty(there, length);
    assert.deepEqual(lengths(reuseColumns(there, 90)), lengths(createColumns(90)));
    assert.equal(reuseColumns(there, 90).octets.buffer, there.octets.buffer);
  });
});

describe('columns given back', () => {
  it('are empty and hold nothing', () => {
    const columns = fill(createColumns(80));
    freeColumns(columns);
    assertEmpty(columns, 0);
    assert.ok(transferables(columns).every((buffer) => buffer.byteLength === 0));
  });
});

describe('a copy of a batch', () => {
  const batch = batchOf([
    {
      between: ['10.0.0.1', '10.0.0.2'],
      macs: ['02:00:00:00:00:01', '02:00:00:00:00:02'],
      octets: 5,
      packets: 1,
    },
    { tunnel: ['fd00::1', 'fd00::2', 7], octets: 2n ** 60n, packets: 9 },
  ]);

  it('holds the same and shares no buffer', () => {
    const copy = copyBatch(batch);
    assert.deepEqual(copy, batch);
    assert.ok(transferables(copy.columns).every((buffer) => !transferables(batch.columns).includes(buffer)));
  });

  it('uses the buffers of one that is not needed any more', () => {
    const old = copyBatch(batch);
    const copy = copyBatch(batchOf([{ octets: 1, packets: 1 }], { epoch: 2 }), old);
    assert.deepEqual(copy, batchOf([{ octets: 1, packets: 1 }], { epoch: 2 }));
    assert.equal(copy.columns.octets.buffer, old.columns.octets.buffer);
  });

  it('weighs what its buffers hold', () => {
    assert.equal(
      batchOctets(batch),
      NAMES.reduce((sum, name) => sum + (2 * FIELDS[name].bits) / 8, 0),
    );
    const large = { ...batch, columns: reuseColumns(reuseColumns(undefined, 80), 2) };
    assert.equal(batchOctets(large), 45 * batchOctets(batch));
  });
});

describe('the sockets of a batch', () => {
  const sockets = { length: 3, columns: createSocketColumns(3), untold: 1 };
  const batch = { ...batchOf([]), sockets };

  it('go with it: every column is among its buffers', () => {
    const own = new Set(batchBuffers(batch));
    for (const [name, column] of Object.entries(sockets.columns)) assert.ok(own.has(column.buffer), name);
    assert.equal(own.size, NAMES.length + Object.keys(SOCKET_FIELDS).length);
  });

  it('are copied with it', () => {
    sockets.columns.cwnd.set([1, 2, 3]);
    const copy = copyBatch(batch);
    assert.deepEqual(copy.sockets, sockets);
    sockets.columns.cwnd.fill(9);
    assert.deepEqual([...copy.sockets!.columns.cwnd], [1, 2, 3]);
  });
});
