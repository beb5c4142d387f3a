/** What is measured of captures: exact times in, exact figures out. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import {
  DEFAULT_MEASURE,
  decodeRecord,
  type FlowBatch,
  type MeasurementBatch,
  type SequenceOptions,
} from '../src/flow/index.ts';
import { ArrivalSums, SequenceSums } from '../src/measure/index.ts';
import { CaptureSource, type CaptureSourceOptions } from '../src/replay/index.ts';
import { packet, writePcap } from '../src/wire/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-measure-'));
after(() => rmSync(directory, { recursive: true }));

interface Sent {
  readonly octets: Uint8Array;
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
}

async function measured(
  packets: readonly Sent[],
  options: Partial<CaptureSourceOptions> = {},
): Promise<FlowBatch[]> {
  const path = join(directory, 'measured.pcap');
  writeFileSync(path, writePcap(packets, { nanoseconds: true }));
  const source = new CaptureSource({ paths: [path], measure: { measurements: ['arrivals'] }, ...options });
  const batches: FlowBatch[] = [];
  for await (const batch of source.batches({ signal: new AbortController().signal }))
    batches.push(structuredClone(batch));
  assert.deepEqual(source.errors, []);
  return batches;
}

function udp(
  source: string,
  destination: string,
  [sourcePort, destinationPort]: [number, number],
): Uint8Array {
  return packet()
    .eth()
    .ipv4({ source, destination })
    .udp({ sourcePort, destinationPort })
    .payload(20)
    .build();
}

const BEGIN = 1_700_000_000_000_000_000n;
const THERE = udp('10.0.0.2', '10.0.0.1', [7000, 7001]);
const BACK = udp('10.0.0.1', '10.0.0.2', [7001, 7000]);

/** Packets of one flow with these gaps between them. */
function spaced(gapsNs: readonly bigint[], octets: Uint8Array = THERE): Sent[] {
  const times = [BEGIN];
  for (const gap of gapsNs) times.push(times.at(-1)! + gap);
  return times.map((timeNs) => ({ octets, timeNs }));
}

function sums(batches: readonly FlowBatch[]): ArrivalSums {
  const all = new ArrivalSums();
  for (const { measurements } of batches) {
    assert.equal(measurements!.length, 1);
    all.follow(measurements!.arrivals!, 0);
  }
  return all;
}

function flowsOf({ flows, length }: MeasurementBatch): string[] {
  return Array.from({ length }, (_, row) => {
    const { source, sourcePort, destination, destinationPort, direction } = decodeRecord(flows, row);
    return `${direction} ${source}:${sourcePort} ${destination}:${destinationPort}`;
  });
}

test('mean and sample deviation of any gaps are those of the definition, over any epochs', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.bigInt({ min: 0n, max: 1_999_999_999n }), { minLength: 2, maxLength: 60 }),
      fc.constantFrom(undefined, 100, 1000),
      async (gaps, windowMs) => {
        const all = sums(await measured(spaced(gaps), { windowMs }));
        const values = gaps.map((gap) => Number(gap) / 1e6);
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
        const deviation = Math.sqrt(squares / (values.length - 1));
        assert.equal(all.gaps, gaps.length);
        assert.ok(Math.abs(all.meanMs()! - mean) < 1e-9 * (1 + mean), `${all.meanMs()} ${mean}`);
        assert.ok(
          Math.abs(all.deviationMs! - deviation) < 1e-6 * (1 + deviation),
          `${all.deviationMs} ${deviation}`,
        );
        assert.equal(all.leastMs, Math.min(...values));
        assert.equal(all.mostMs, Math.max(...values));
      },
    ),
    { numRuns: 60 },
  );
});

for (const gapMs of [10, 20, 50, 100, 500]) {
  test(`packets ${gapMs} ms apart have that mean and no jitter; with that spacing said, no mean (D3.5)`, async () => {
    const all = sums(await measured(spaced(Array.from({ length: 40 }, () => BigInt(gapMs) * 1_000_000n))));
    assert.equal(all.meanMs(), gapMs);
    assert.equal(all.meanMs(gapMs), 0);
    assert.equal(all.deviationMs, 0);
    assert.equal(all.percentileMs(0.5), gapMs);
  });
}

test('a packet early by a nanosecond is a mean below 0, not a pause (BUG-D5)', async () => {
  const all = sums(await measured(spaced([9_999_999n, 9_999_999n, 9_999_999n])));
  assert.ok(Math.abs(all.meanMs(10)! - -1e-6) < 1e-12);
  assert.equal(all.pauses, 0);
});

test('equal times are inter-arrival times of 0, and count (BUG-D9)', async () => {
  const all = sums(await measured(spaced([0n, 0n, 3_000_000n])));
  assert.equal(all.gaps, 3);
  assert.equal(all.meanMs(), 1);
  assert.equal(all.leastMs, 0);
});

test('a gap of 2 s is a pause: it and all before it do not count (D3.2)', async () => {
  const ms = 1_000_000n;
  const gaps = [5n * ms, 400n * ms, 2_000n * ms, 10n * ms, 30n * ms];
  for (const windowMs of [undefined, 500]) {
    const all = sums(await measured(spaced(gaps), { windowMs }));
    assert.deepEqual([all.gaps, all.meanMs(), all.pauses], [2, 20, 1]);
    assert.ok(Math.abs(all.deviationMs! - Math.sqrt(200)) < 1e-9);
    assert.equal(all.mostMs, 30);
  }
  const shorter = sums(await measured(spaced([1_999_999_999n, 10n * ms])));
  assert.deepEqual([shorter.gaps, shorter.pauses], [2, 0]);
});

test('both ways of a capture are one biflow and two records', async () => {
  const packets = [THERE, BACK, THERE, BACK, BACK].map((octets, i) => ({
    octets,
    timeNs: BEGIN + BigInt(i) * 1_000_000n,
  }));
  const [batch] = await measured(packets);
  const { measurements } = batch!;
  assert.deepEqual(flowsOf(measurements!).toSorted(), [
    'ingress 10.0.0.1:7001 10.0.0.2:7000',
    'ingress 10.0.0.2:7000 10.0.0.1:7001',
  ]);
  assert.deepEqual([...measurements!.arrivals!.gaps].toSorted(), [1, 2]);
});

test('after its idle time a flow between the same ends is another biflow', async () => {
  const idleMs = { tcp: 300_000, udp: 1_500, other: 30_000 };
  const packets = spaced([1_000_000n, 1_600_000_000n, 1_000_000n]);
  const [batch] = await measured(packets, { measure: { measurements: ['arrivals'], idleMs } });
  const { measurements } = batch!;
  assert.equal(measurements!.length, 2);
  assert.deepEqual([...measurements!.arrivals!.gaps], [1, 1]);
  assert.deepEqual([...measurements!.flows.wirePackets], [2n, 2n]);
});

test('flows beyond those that are followed are counted as not measured', async () => {
  const packets = Array.from({ length: 10 }, (_, i) => ({
    octets: udp('10.0.0.1', '10.0.0.2', [1000 + i, 9]),
    timeNs: BEGIN,
  }));
  const [batch] = await measured(packets, { measure: { measurements: ['arrivals'], capacity: 4 } });
  assert.equal(batch!.measurements!.length, 4);
  assert.equal(batch!.measurements!.unmeasuredPackets, 6);
  assert.equal(batch!.length, 10);
});

/** UDP with these payloads, a millisecond apart. */
async function numbered(
  payloads: readonly Uint8Array[],
  options: Partial<SequenceOptions>,
  windowMs?: number,
): Promise<SequenceSums> {
  const packets = payloads.map((payload, i) => ({
    octets: packet()
      .eth()
      .ipv4({ source: '10.0.0.1', destination: '10.0.0.2' })
      .udp({ sourcePort: 7000, destinationPort: 7001 })
      .payload(payload)
      .build(),
    timeNs: BEGIN + BigInt(i) * 1_000_000n,
  }));
  const sequence = {
    ...DEFAULT_MEASURE.sequence,
    udp: [{ firstPort: 0, lastPort: 65_535, form: 'offset' }],
    ...options,
  } as const;
  const batches = await measured(packets, { windowMs, measure: { measurements: ['sequence'], sequence } });
  const all = new SequenceSums();
  for (const { measurements } of batches) all.add(measurements!.sequence!, 0);
  return all;
}

function numbers(...values: readonly number[]): Uint8Array[] {
  return values.map((value) => {
    const payload = new Uint8Array(12);
    new DataView(payload.buffer).setUint32(4, value);
    return payload;
  });
}

const AT_4 = { offset: 4 } as const;

test('numbers that begin anew are one reverse step each, and nothing else (D4.7)', async () => {
  const all = await numbered(numbers(...Array.from({ length: 24 }, (_, i) => i % 8)), AT_4);
  assert.deepEqual(
    [all.reverseSteps, all.smallSteps, all.bigSteps, all.received, all.last],
    [2, 0, 0, 24, 7],
  );
});

test('steps of three are all big with a threshold of two (D4.7)', async () => {
  const all = await numbered(numbers(0, 3, 6, 9, 12), AT_4);
  assert.deepEqual([all.reverseSteps, all.smallSteps, all.bigSteps], [0, 0, 4]);
  assert.deepEqual([all.expected, all.lost], [13, 8]);
});

test('a swap is small, reverse, small in the steps of old, and one reordered packet in the account (D4.7, BUG-D6)', async () => {
  const all = await numbered(numbers(1, 2, 4, 3, 5), AT_4);
  assert.deepEqual([all.reverseSteps, all.smallSteps, all.bigSteps, all.steps], [1, 2, 0, 3]);
  assert.deepEqual([all.reordered, all.lost, all.duplicates, all.mostExtent], [1, 0, 0, 1]);
});

test('a number that comes twice is a small step and a duplicate (D4.7)', async () => {
  const all = await numbered(numbers(5, 5), AT_4);
  assert.deepEqual([all.smallSteps, all.steps, all.duplicates, all.lost], [1, 1, 1, 0]);
});

test('the number behind a pattern is found wherever the pattern is (D4.3, D4.7)', async () => {
  const payload = Uint8Array.from(Buffer.from('a5300f10e7a5c31800000023000000000000', 'hex'));
  const pattern = {
    udp: [{ firstPort: 0, lastPort: 65_535, form: 'pattern' }],
    pattern: 0xe7a5c318,
    offset: 4,
  } as const;
  assert.equal((await numbered([payload], pattern)).last, 35);
  const shifted = new Uint8Array([1, 2, 3, ...payload]);
  assert.equal((await numbered([shifted], pattern)).last, 35);
});

test('a packet without the pattern is counted as one without a number, not as number 0 (BUG-D4)', async () => {
  const pattern = {
    udp: [{ firstPort: 0, lastPort: 65_535, form: 'pattern' }],
    pattern: 0xe7a5c318,
    offset: 4,
  } as const;
  const all = await numbered([...numbers(1), new Uint8Array(2)], pattern);
  assert.deepEqual([all.received, all.noSequence, all.steps, all.last], [0, 2, 0, undefined]);
});

test('what is off reads no numbers (BUG-D2)', async () => {
  const all = await numbered(numbers(1, 2, 9), { udp: [], icmp: 'off' });
  assert.deepEqual([all.received, all.noSequence, all.steps], [0, 0, 0]);
});

test('a loss that is filled in a later epoch is no loss in all', async () => {
  const all = await numbered(numbers(1, 2, 4, 5, 6, 3, 7), AT_4, 100);
  assert.deepEqual([all.expected, all.lost, all.reordered, all.mostExtent], [7, 0, 1, 3]);
});
