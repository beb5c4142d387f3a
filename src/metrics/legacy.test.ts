import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchOf, type EpochWords, type RecordWords } from '../flow/batch.fixture.ts';
import { readExposition } from './exposition.fixture.ts';
import { writeExposition } from './exposition.ts';
import { LegacyGauges } from './legacy.ts';

function after(epochs: readonly (readonly [readonly RecordWords[], EpochWords?])[]): Record<string, number> {
  const gauges = new LegacyGauges();
  for (const [i, [records, around]] of epochs.entries())
    gauges.write(batchOf(records, { epoch: i + 1, ...around }));
  const found = readExposition(writeExposition(gauges.families(), 'text/plain').text, 'prometheus');
  return Object.fromEntries([...found.values()].map(({ name, samples }) => [name, samples[0]!.value]));
}

const between = ['10.0.0.1', '10.0.0.2'] as const;
/** An echo request of 56 octets, as often as `packets` says. */
const echo = (packets: number): RecordWords => ({
  between,
  protocol: 1,
  packets,
  octets: 98 * packets,
  payloadOctets: 56 * packets,
});

test('a hundred pings a second are 9800 octets a second, 5600 of them payload', () => {
  const found = after([[[echo(100)]]]);
  assert.equal(found.icmp_throughput, 9800);
  assert.equal(found.icmp_goodput, 5600);
  assert.equal(found.icmp_count, 100);
  assert.equal(found.tcp_throughput, 0, 'nothing came: that is measured');
});

test('rates are of the newest epoch and its real length, packets since the start', () => {
  const found = after([[[echo(100)]], [[echo(50)], { startMs: 5000, endMs: 7000 }]]);
  assert.equal(found.icmp_throughput, (50 * 98) / 2);
  assert.equal(found.icmp_count, 150);
});

test('there is nothing before the first epoch, not a 0', () => {
  assert.deepEqual(new LegacyGauges().families(), []);
});

test('only what is received counts, once, and ICMPv6 is ICMP', () => {
  const tcp = { ...echo(1), protocol: 6 };
  const points = [
    { ifindex: 2, direction: 0, interfaceName: 'eth0', primary: true },
    { ifindex: 3, direction: 0, interfaceName: 'br0', primary: false },
  ] as const;
  const records = [
    tcp,
    { ...tcp, direction: 1 as const },
    { ...tcp, ifindex: 3 },
    { ...echo(1), protocol: 58, between: ['fd00::1', 'fd00::2'] as const },
    { ...echo(1), arp: true, protocol: 6 },
  ];
  const found = after([[records, { points }]]);
  assert.equal(found.tcp_count, 1);
  assert.equal(found.icmp_count, 1);
  const anywhere = after([[records, { points: points.map((point) => ({ ...point, primary: false })) }]]);
  assert.equal(anywhere.tcp_count, 2);
});

test('the names are those of old, nine of the thirty', () => {
  const names = ['tcp', 'udp', 'icmp'].flatMap((protocol) =>
    ['throughput', 'goodput', 'count'].map((name) => `${protocol}_${name}`),
  );
  assert.deepEqual(Object.keys(after([[[]]])), names);
});
