import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchOf, type RecordWords } from '../flow/batch.fixture.ts';
import type { FlowBatch } from '../flow/index.ts';
import { type MeasuredWords, withMeasurements } from '../flow/measurement.fixture.ts';
import { MOST_TUNNELS, tunnelMeasures } from './index.ts';

const RED: RecordWords = {
  tunnel: ['172.16.1.1', '172.16.1.2', 42],
  between: ['10.0.0.1', '10.0.0.2'],
  protocol: 17,
  octets: 1000,
  packets: 10,
};
const LOST: MeasuredWords = { sequence: { expected: 3, unique: 2 } };

/** An epoch in which each record lost one packet of three. */
function lossy(records: readonly RecordWords[]): FlowBatch {
  return withMeasurements(
    batchOf(records),
    records.map(() => LOST),
  );
}

test('flows are added up by tunnel and point; those outside of tunnels are none', () => {
  const measured = tunnelMeasures(
    lossy([
      RED,
      { ...RED, protocol: 1 },
      { ...RED, direction: 1 },
      { ...RED, ifindex: 3 },
      { ...RED, tunnel: ['172.16.1.2', '172.16.1.1', 42] },
      { octets: 1, packets: 1 },
    ]),
  );
  assert.deepEqual(
    measured!.tunnels.map(({ ifindex, direction, tunnelId, outerSource, sums }) => [
      ...[ifindex, direction, tunnelId, outerSource[15]],
      ...sums.subarray(0, 2),
    ]),
    [
      [2, 0, 42, 1, 6, 4],
      [2, 1, 42, 1, 3, 2],
      [3, 0, 42, 1, 3, 2],
      [2, 0, 42, 2, 3, 2],
    ],
  );
});

test('where neither sequence numbers nor TCP are measured there are no sums, where nothing was found none either', () => {
  const none = { sequence: false, tcp: false };
  assert.equal(tunnelMeasures(withMeasurements(batchOf([RED]), [LOST], none)), undefined);
  assert.equal(tunnelMeasures(batchOf([RED])), undefined);
  const tcp = tunnelMeasures(withMeasurements(batchOf([]), [], { sequence: false }));
  assert.deepEqual(tcp, { sequence: false, tcp: true, tunnels: [] });
});

test('sums of an epoch have a bound, however many tunnels and points there are', () => {
  const records = Array.from({ length: 6 * MOST_TUNNELS }, (_, nth) => ({
    ...RED,
    ifindex: 2 + Math.floor(nth / 1200),
    tunnel: ['172.16.1.1', '172.16.1.2', nth % 1200] as const,
  }));
  const { tunnels } = tunnelMeasures(lossy(records))!;
  assert.equal(tunnels.length, 4 * MOST_TUNNELS);
  assert.equal(new Set(tunnels.map(({ tunnelId }) => tunnelId)).size, MOST_TUNNELS);
  assert.ok(tunnels.every(({ sums }) => sums[0] === 3));
});
