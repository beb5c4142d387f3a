import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ARRIVAL_FIELDS, createMeasuredColumns } from '../flow/index.ts';
import { ArrivalSums, type MeasuredGroup } from '../measure/index.ts';
import { formatMeasured, formatProtocols, MEASURE_DISPLAYS, type MeasureTextOptions } from './index.ts';

const OPTIONS: MeasureTextOptions = {
  displays: new Set(MEASURE_DISPLAYS),
  inBits: false,
  nominalMs: 0,
  seconds: 1,
  interfaces: ['veth1'],
  colour: false,
  top: 10,
};

/** Inter-arrival times of 9 and 11 ms, a hundred of each. */
function arrivals(): ArrivalSums {
  const columns = createMeasuredColumns(ARRIVAL_FIELDS, 1);
  const [early, late, count] = [9_000_000n, 11_000_000n, 100n];
  columns.gaps[0] = 200;
  columns.sumNs[0] = count * (early + late);
  columns.squares[0] = count * (early * early + late * late);
  columns.leastNs[0] = early + 1n;
  columns.mostNs[0] = late;
  const sums = new ArrivalSums();
  sums.add(columns, 0);
  return sums;
}

function group(said: Partial<MeasuredGroup> & { readonly protocol: string }): MeasuredGroup {
  const { protocol, ...rest } = said;
  const words = { protocol, source: '', destination: '', tunnel: '' };
  return {
    words,
    flows: 1,
    packets: 0,
    octets: 0,
    payloadOctets: 0,
    arrivals: undefined,
    sequence: undefined,
    tcp: undefined,
    socket: undefined,
    epoch: 1,
    ...rest,
  };
}

/** `ping -s 56`, a hundred per second. */
const PINGS = group({
  protocol: 'ICMP',
  packets: 100,
  octets: 9800,
  payloadOctets: 5600,
  arrivals: arrivals(),
});

test('a hundred pings of 56 octets per second are 9800 B/s and 5600 B/s of goodput (D2.5)', () => {
  const text = formatProtocols([PINGS], {
    ...OPTIONS,
    displays: new Set(['throughput', 'goodput'] as const),
  });
  assert.equal(
    text,
    [
      'THROUGHPUT measurement on veth1 each 1.0 seconds:',
      'TCP bitrate [B/s]:  0.0000',
      'UDP bitrate [B/s]:  0.0000',
      'ICMP bitrate [KiB/s]:  9.5703',
      '',
      'GOODPUT measurement on veth1 each 1.0 seconds:',
      'TCP bitrate [B/s]:  0.0000',
      'UDP bitrate [B/s]:  0.0000',
      'ICMP bitrate [KiB/s]:  5.4688',
      '',
      '',
    ].join('\n'),
  );
});

test('in bits they are 78.4 kbit/s, by thousands (BUG-D11)', () => {
  const options = { ...OPTIONS, inBits: true, displays: new Set(['throughput'] as const) };
  assert.match(formatProtocols([PINGS], options), /^ICMP bitrate \[kbit\/s\]: {2}78\.4000$/m);
  assert.match(formatMeasured([PINGS], options), /^ICMP +100\.0 +78\.40 kbit\/s$/m);
});

test('rates are over the true length of the interval', () => {
  const options = { ...OPTIONS, seconds: 0.5, displays: new Set(['throughput'] as const) };
  assert.match(formatMeasured([PINGS], options), /^ICMP +200\.0 +19\.14 KiB\/s$/m);
});

test('jitter is the deviation, the average less the nominal spacing; what is not known is not 0 (D3.4, BUG-D10)', () => {
  const lines = formatProtocols([PINGS], {
    ...OPTIONS,
    nominalMs: 12,
    displays: new Set(['jitter'] as const),
  });
  assert.match(lines, /^Jitter\[STDDEV\] ICMP: 1\.0025 ms\nAverage ICMP: -2\.0000 ms\n$/m);
  assert.match(lines, /^Jitter\[STDDEV\] TCP: -\nAverage TCP: -\n$/m);
});

test('more rows than asked for are said, the fastest come first', () => {
  const groups = [1, 3, 2].map((octets) => group({ protocol: `P${octets}`, octets }));
  const lines = formatMeasured(groups, { ...OPTIONS, top: 2, displays: new Set() }).split('\n');
  assert.deepEqual(
    lines.map((line) => line.split(/\s+/)[0]),
    ['PROTOCOL', 'P3', 'P2', 'and', ''],
  );
});

test('times of packets that came as one are marked as coarse', () => {
  const columns = createMeasuredColumns(ARRIVAL_FIELDS, 1);
  columns.coarse[0] = 43;
  const sums = arrivals();
  sums.add(columns, 0);
  const text = formatMeasured([group({ protocol: 'UDP', packets: 244, arrivals: sums })], OPTIONS);
  assert.match(text, /~10\.000 ms +~1\.003 ms/);
  assert.match(text, /^~ some packets came as one/m);
  assert.doesNotMatch(formatMeasured([PINGS], OPTIONS), /~/);
});
