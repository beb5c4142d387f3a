import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchOf } from './batch.fixture.ts';
import { addRecord } from './combine.ts';

const FLOW = { between: ['10.0.0.1', '10.0.0.2'], ports: [1000, 443], protocol: 6 } as const;
const MACS = [
  ['02:00:00:00:00:01', '02:00:00:00:00:02'],
  ['02:00:00:00:00:03', '02:00:00:00:00:04'],
] as const;

function pair(): ReturnType<typeof batchOf>['columns'] {
  const { columns } = batchOf([
    { ...FLOW, octets: 100, packets: 2, payloadOctets: 30, firstMs: 5000, lastMs: 6000, macs: MACS[0] },
    { ...FLOW, octets: 2n ** 40n, packets: 3, payloadOctets: 7, firstMs: 4000, lastMs: 4500, macs: MACS[1] },
  ]);
  columns.longest.set([90, 80]);
  columns.shortest.set([60, 54]);
  columns.tcpFlags.set([0x02, 0x11]);
  columns.dscp.set([46, 8]);
  return columns;
}

test('counters add up, bounds widen, and attributes are those of the earlier record', () => {
  const columns = pair();
  addRecord(columns, 0, columns, 1);
  assert.equal(columns.octets[0], 2n ** 40n + 100n);
  assert.deepEqual([columns.packets[0], columns.payloadOctets[0]], [5n, 37n]);
  assert.deepEqual([columns.firstMs[0], columns.lastMs[0]], [4000, 6000]);
  assert.deepEqual([columns.longest[0], columns.shortest[0], columns.tcpFlags[0]], [90, 54, 0x13]);
  assert.equal(columns.dscp[0], 8);
  assert.deepEqual(columns.sourceMac.slice(0, 6), columns.sourceMac.slice(6, 12));
});

test('a later record leaves the attributes as they are', () => {
  const columns = pair();
  addRecord(columns, 1, columns, 0);
  assert.equal(columns.dscp[1], 8);
  assert.deepEqual([columns.firstMs[1], columns.lastMs[1]], [4000, 6000]);
  assert.equal(columns.sourceMac[11], 3);
});
