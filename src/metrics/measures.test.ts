import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { batchOf, type RecordWords } from '../flow/batch.fixture.ts';
import {
  ARRIVAL_FIELDS,
  createColumns,
  createConnectionColumns,
  createMeasuredColumns,
  type FlowBatch,
  HISTOGRAM_PLACES,
  histogramBound,
  SEQUENCE_FIELDS,
  TCP_FIELDS,
} from '../flow/index.ts';
import { type ReadFamily, readExposition } from './exposition.fixture.ts';
import { writeExposition } from './exposition.ts';
import { LegacyGauges } from './legacy.ts';
import { Measures } from './measures.ts';

const FLOW: RecordWords = { between: ['10.0.0.1', '10.0.0.2'], octets: 100, packets: 1 };
const NONE = { length: 0, flows: createColumns(0), columns: createConnectionColumns(0) };

/** An epoch in which flows had these inter-arrival times (nanoseconds), summed as the kernel sums them. */
function measured(
  flows: readonly {
    readonly words: RecordWords;
    readonly gaps: readonly number[];
    readonly pauses?: number;
  }[],
  epoch = 1,
): FlowBatch {
  const batch = batchOf(
    flows.map(({ words }) => words),
    { epoch },
  );
  const arrivals = createMeasuredColumns(ARRIVAL_FIELDS, flows.length);
  for (const [row, { gaps, pauses = 0 }] of flows.entries()) {
    arrivals.gaps[row] = gaps.length;
    arrivals.resets[row] = pauses;
    let squares = 0n;
    for (const gap of gaps) {
      arrivals.sumNs[row]! += BigInt(gap);
      squares += BigInt(gap) ** 2n;
      arrivals.histogram[HISTOGRAM_PLACES * row + placeOf(gap)]!++;
    }
    arrivals.squares[2 * row] = squares & (2n ** 64n - 1n);
    arrivals.squares[2 * row + 1] = squares >> 64n;
    arrivals.leastNs[row] = gaps.length === 0 ? 0n : BigInt(Math.min(...gaps) + 1);
    arrivals.mostNs[row] = BigInt(Math.max(0, ...gaps));
  }
  const measurements = {
    arrivals,
    length: flows.length,
    flows: batch.columns,
    connections: NONE,
    unmeasuredPackets: 3,
  };
  return { ...batch, measurements };
}

function placeOf(gap: number): number {
  let place = 0;
  while (place + 1 < HISTOGRAM_PLACES && histogramBound(place + 1) <= gap) place++;
  return place;
}

function read(sink: Measures | LegacyGauges): Map<string, ReadFamily> {
  const families = sink.families();
  assert.ok(families.length > 0);
  return readExposition(writeExposition(families, 'text/plain').text, 'prometheus');
}

/** The sum of a sample over all sets of labels. */
function total(found: Map<string, ReadFamily>, family: string, sample = family): number {
  const { samples } = found.get(`tunnelscope_${family}`) ?? assert.fail(`there is no ${family}`);
  return samples
    .filter(({ name }) => name === `tunnelscope_${sample}`)
    .reduce((sum, { value }) => sum + value, 0);
}

test('where nothing is measured there are no families', () => {
  const sink = new Measures();
  sink.write(batchOf([FLOW]));
  assert.deepEqual(sink.families(), []);
});

test('inter-arrival times are a histogram by interface, direction, protocol, tunnel and VNI', () => {
  const sink = new Measures();
  sink.write(measured([{ words: FLOW, gaps: [1e6, 1e6, 2e9], pauses: 1 }]));
  const found = read(sink);
  const { samples } = found.get('tunnelscope_interarrival_seconds')!;
  const { le: _, ...labels } = samples[0]!.labels;
  assert.deepEqual(labels, {
    interface: 'eth0',
    primary: 'true',
    direction: 'ingress',
    protocol: 'UDP',
    tunnel: 'none',
    vni: '',
  });
  const below = (bound: number): number =>
    samples.findLast((sample) => sample.labels.le !== '+Inf' && Number(sample.labels.le) <= bound)!.value;
  assert.deepEqual([below(0.0005), below(0.0011), below(1.1), below(2.2)], [0, 2, 2, 3]);
  assert.equal(total(found, 'interarrival_seconds', 'interarrival_seconds_count'), 3);
  assert.equal(total(found, 'interarrival_seconds', 'interarrival_seconds_sum'), 2.002);
  assert.equal(total(found, 'interarrival_pauses_total'), 1);
  assert.equal(total(found, 'unmeasured_packets_total'), 3);
});

test('jitter is that of each flow: flows of different pace have none together', () => {
  const sink = new Measures();
  sink.write(measured([1e6, 5e7].map((gap) => ({ words: FLOW, gaps: [gap, gap, gap] }))));
  assert.equal(total(read(sink), 'interarrival_jitter_squared_seconds_total'), 0);
  assert.equal(total(read(sink), 'interarrival_jitter_degrees_total'), 4);
  sink.write(measured([{ words: FLOW, gaps: [1e6, 3e6] }], 2));
  // The deviation of 1 and 3 ms is the root of 2 ms².
  assert.ok(Math.abs(total(read(sink), 'interarrival_jitter_squared_seconds_total') - 2e-6) < 1e-15);
});

test('over any epochs the buckets, sums and degrees are those of all times', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 2e9 }), { maxLength: 20 });
  const flow = fc.record({ protocol: fc.constantFrom(1, 6, 17), gaps });
  fc.assert(
    fc.property(fc.array(fc.array(flow, { maxLength: 4 }), { minLength: 1, maxLength: 5 }), (epochs) => {
      const sink = new Measures({ maxSeries: 44 });
      const all = epochs.flat();
      for (const [i, flows] of epochs.entries())
        sink.write(
          measured(
            flows.map((one) => ({ words: { ...FLOW, protocol: one.protocol }, ...one })),
            i + 1,
          ),
        );
      const found = read(sink);
      const count = all.reduce((sum, one) => sum + one.gaps.length, 0);
      const seconds = all.flatMap((one) => one.gaps).reduce((sum, gap) => sum + gap, 0) / 1e9;
      const { samples } = found.get('tunnelscope_interarrival_seconds')!;
      assert.ok(samples.length <= 44, 'no more series than allowed');
      const series = [...found.values()].reduce((sum, family) => sum + family.samples.length, 0);
      assert.ok(series <= 26 * 2 + 1, 'and all together as many as the documentation says');
      assert.equal(total(found, 'interarrival_seconds', 'interarrival_seconds_count'), count);
      const sum = total(found, 'interarrival_seconds', 'interarrival_seconds_sum');
      assert.ok(Math.abs(sum - seconds) <= 1e-9 * (1 + seconds), `${sum} ${seconds}`);
      const degrees = all.reduce((freedom, one) => freedom + Math.max(0, one.gaps.length - 1), 0);
      assert.equal(total(found, 'interarrival_jitter_degrees_total'), degrees);
      for (const le of new Set(samples.flatMap(({ labels }) => labels.le ?? []))) {
        if (le === '+Inf') continue;
        const below = samples
          .filter(({ labels }) => labels.le === le)
          .reduce((buckets, { value }) => buckets + value, 0);
        const limit = Math.round(Number(le) * 1e9);
        assert.equal(below, all.flatMap((one) => one.gaps).filter((gap) => gap < limit).length, le);
      }
    }),
    { numRuns: 100 },
  );
});

test('sequence numbers and TCP are told where they are measured, and only there', () => {
  const sink = new Measures();
  const { measurements, ...batch } = measured([{ words: FLOW, gaps: [] }]);
  const { arrivals: _, ...others } = measurements!;
  const sequence = createMeasuredColumns(SEQUENCE_FIELDS, 1);
  for (const [name, value] of Object.entries({
    received: 9n,
    expected: 10n,
    unique: 8n,
    duplicates: 1n,
  } as const))
    sequence[name as 'received'][0] = value;
  const tcp = createMeasuredColumns(TCP_FIELDS, 1);
  Object.assign(tcp.segments, [20]);
  Object.assign(tcp.retransmissions, [3]);
  Object.assign(tcp.outOfOrder, [5]);
  Object.assign(tcp.repeatedOutOfOrder, [2]);
  Object.assign(tcp.roundTripHistogram, { [placeOf(1e6)]: 4 });
  Object.assign(tcp.roundTripSumNs, [4_000_000n]);
  sink.write({ ...batch, measurements: { ...others, sequence, tcp } });
  const found = read(sink);
  assert.ok(!found.has('tunnelscope_interarrival_seconds'));
  assert.equal(
    total(found, 'sequence_expected_packets_total') - total(found, 'sequence_unique_packets_total'),
    2,
  );
  assert.equal(total(found, 'sequence_duplicate_packets_total'), 1);
  assert.equal(total(found, 'tcp_segments_total'), 20);
  assert.equal(
    total(found, 'tcp_retransmitted_segments_total'),
    5,
    'those that tshark calls out of order too',
  );
  assert.equal(total(found, 'tcp_out_of_order_segments_total'), 3);
  assert.equal(total(found, 'rtt_seconds', 'rtt_seconds_count'), 4);
  assert.equal(total(found, 'rtt_seconds', 'rtt_seconds_sum'), 0.004);
  const series = [...found.values()].reduce((sum, family) => sum + family.samples.length, 0);
  assert.equal(series, 10 + 30 + 1, 'as the documentation says');
});

test('the gauges of old have the steps of sequence numbers since the start', () => {
  const gauges = new LegacyGauges();
  for (const epoch of [1, 2]) {
    const { measurements, ...batch } = measured([{ words: FLOW, gaps: [] }], epoch);
    const sequence = createMeasuredColumns(SEQUENCE_FIELDS, 1);
    sequence.received[0] = 5n;
    sequence.last[0] = 40 + epoch;
    sequence.reverseSteps[0] = 1n;
    sequence.bigSteps[0] = 2n;
    gauges.write({ ...batch, measurements: { ...measurements!, sequence } });
  }
  const found = read(gauges);
  const value = (name: string): number | undefined => found.get(name)?.samples[0]?.value;
  assert.deepEqual(
    ['seq_num', 'reverse_err', 'small_err', 'big_err', 'total_err'].map((name) => value(`udp_${name}`)),
    [42, 2, 0, 4, 6],
  );
  assert.equal(value('icmp_seq_num'), undefined);
});

test('the gauges of old have mean and deviation in milliseconds where there are any', () => {
  const gauges = new LegacyGauges();
  gauges.write(
    measured([
      { words: { ...FLOW, protocol: 1 }, gaps: [10e6, 20e6, 30e6] },
      { words: FLOW, gaps: [] },
      { words: { ...FLOW, protocol: 6 }, gaps: [5e6] },
      { words: { ...FLOW, protocol: 6, direction: 1 }, gaps: [7e6, 8e6] },
    ]),
  );
  const found = read(gauges);
  const value = (name: string): number | undefined => found.get(name)?.samples[0]?.value;
  assert.equal(value('icmp_jitter_avg'), 20);
  assert.equal(value('icmp_jitter_stddev'), 10);
  assert.equal(value('tcp_jitter_avg'), 5);
  assert.equal(value('tcp_jitter_stddev'), undefined);
  assert.equal(value('udp_jitter_avg'), undefined);
});
