import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { formatProgress, type ProgressOptions } from './index.ts';

const HALF: ProgressOptions = {
  what: 'trace.pcap',
  consumed: 42e6,
  total: 100e6,
  packets: 1_200_000,
  elapsedMs: 2000,
  width: 80,
};

it('says share, packets, rate and time left', () => {
  assert.equal(formatProgress(HALF), 'trace.pcap 42 % · 1.20 M packets · 600 k/s · 3 s left');
});

it('claims no share and no time left of what has no known size', () => {
  assert.equal(formatProgress({ ...HALF, total: undefined }), 'trace.pcap · 1.20 M packets · 600 k/s');
  assert.match(formatProgress({ ...HALF, elapsedMs: 100 }), /\/s$/);
});

it('says long times in minutes and hours', () => {
  assert.match(formatProgress({ ...HALF, elapsedMs: 200_000 }), /5 min left$/);
  assert.match(formatProgress({ ...HALF, elapsedMs: 8e6 }), /3 h left$/);
});

it('is never wider than the terminal', () => {
  fc.assert(
    fc.property(fc.nat(100), fc.nat(1e9), (width, packets) => {
      assert.ok(formatProgress({ ...HALF, width, packets }).length <= width);
    }),
  );
});
