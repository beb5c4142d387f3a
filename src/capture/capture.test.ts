import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyLengths, anySample, capture, readAll, STORED } from './capture.fixture.ts';
import { CaptureError } from './index.ts';

const KINDS = Object.keys(STORED) as (keyof typeof STORED)[];

test('what is written is read again, in any format, compression and chunks', async () => {
  await fc.assert(
    fc.asyncProperty(anySample, anyLengths, fc.constantFrom(...KINDS), async (sample, lengths, kind) => {
      const reading = capture(STORED[kind](sample.file), lengths);
      assert.deepEqual(await readAll(reading), sample.packets);
      assert.equal(reading.error, undefined);
      assert.equal(reading.compression, kind === 'plain' ? undefined : kind.slice(0, 4));
      assert.equal(reading.format, sample.name.split(' ')[0]);
    }),
    { numRuns: 500 },
  );
});

test('a file cut anywhere gives all packets before the cut, and says where it ends', async () => {
  await fc.assert(
    fc.asyncProperty(anySample, async ({ file, packets }) => {
      for (let length = 0; length < file.length; length++) {
        const reading = capture(file.subarray(0, length));
        const read = await readAll(reading);
        assert.deepEqual(read, packets.slice(0, read.length));
        if (length === 0) assert.equal(reading.error?.code, 'CAPTURE_EMPTY');
        else if (reading.error) {
          assert.equal(reading.error.code, 'CAPTURE_TRUNCATED');
          assert.equal(reading.error.packets, read.length);
          assert.ok(reading.error.offset < length);
          // Up to there it is whole.
          const again = capture(file.subarray(0, reading.error.offset));
          assert.deepEqual(await readAll(again), read);
          if (reading.error.offset > 0) assert.equal(again.error, undefined);
        }
      }
    }),
    { numRuns: 20 },
  );
});

test('a compressed file cut anywhere gives packets in order, and an error', async () => {
  await fc.assert(
    fc.asyncProperty(anySample, fc.constantFrom('gzip', 'zstd'), async ({ file, packets }, kind) => {
      const stored = STORED[kind](file);
      for (let length = 1; length < stored.length; length += 1 + (length >> 4)) {
        const reading = capture(stored.subarray(0, length), [16]);
        const read = await readAll(reading);
        assert.deepEqual(read, packets.slice(0, read.length));
        const code = length < (kind === 'gzip' ? 2 : 4) ? 'CAPTURE_TRUNCATED' : 'CAPTURE_COMPRESSION';
        assert.equal(reading.error?.code, code, `${kind} cut to ${length} of ${stored.length}`);
      }
    }),
    { numRuns: 20 },
  );
});

test('damaged files end, with or without an error, and never throw', async () => {
  const edits = fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff))), {
    minLength: 1,
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(
      anySample,
      edits,
      anyLengths,
      fc.constantFrom(...KINDS),
      async ({ file }, changes, lengths, kind) => {
        const stored = Uint8Array.from(STORED[kind](file));
        for (const [at, octet] of changes) stored[at % stored.length] = octet;
        const reading = capture(stored, lengths);
        await readAll(reading);
        assert.ok(reading.error === undefined || reading.error instanceof CaptureError);
        assert.ok(reading.interfaces.length <= file.length);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('octets that are no capture are refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 4 }), async (octets) => {
      const reading = capture(octets);
      assert.deepEqual(await readAll(reading), []);
      assert.ok(reading.error instanceof CaptureError);
    }),
  );
});
