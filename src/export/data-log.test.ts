import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { batchOf } from '../flow/batch.fixture.ts';
import type { ObservationPoint } from '../flow/index.ts';
import { DataLog, ExportError, RotatingFile } from './index.ts';

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-data-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

const LARGE = { maxOctets: 1_000_000, files: 3 };
const point = (ifindex: number, direction: 0 | 1, primary: boolean): ObservationPoint => ({
  ifindex,
  direction,
  interfaceName: `if${ifindex}`,
  primary,
});

function linesOf(path: string): string[][] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' | '));
}

test('the data log has a header of 30 names and a line of values per epoch, in octets per second of its real length', (t) => {
  const path = join(directoryFor(t), 'values.log');
  const log = DataLog.open(path, LARGE);
  const icmp = {
    ifindex: 1,
    protocol: 1,
    between: ['1.1.1.1', '2.2.2.2'] as const,
    packets: 200,
    octets: 19_600,
    payloadOctets: 11_200,
  };
  const points = [point(1, 0, true), point(1, 1, true)];
  // 100 × `ping -s 56` per second, over two seconds; a reply goes out, which is not incoming.
  log.write(batchOf([icmp, { ...icmp, direction: 1 }], { epoch: 1, startMs: 0, endMs: 2000, points }));
  log.write(batchOf([{ ...icmp, protocol: 58 }], { epoch: 2, startMs: 2000, endMs: 6000, points }));
  log.write(batchOf([icmp], { epoch: 2, startMs: 2000, endMs: 6000, points }));
  log.close();
  const [header, first, second, ...more] = linesOf(path);
  assert.equal(header!.length, 31);
  assert.deepEqual(header!.slice(0, 3), ['timestamp', 'tcp_throughput', 'tcp_goodput']);
  const column = (line: string[], name: string): string => line[header!.indexOf(name)]!;
  assert.equal(first![0], '1970-01-01T00:00:02.000Z');
  assert.deepEqual(
    ['icmp_throughput', 'icmp_goodput', 'icmp_count', 'tcp_throughput', 'tcp_count'].map((name) =>
      column(first!, name),
    ),
    ['9800.0', '5600.0', '200', '0.0', '0'],
  );
  assert.deepEqual([column(second!, 'icmp_throughput'), column(second!, 'icmp_count')], ['4900.0', '400']);
  assert.equal(column(first!, 'icmp_jitter_avg'), '', 'what nothing measures is empty, not 0');
  assert.equal(column(first!, 'icmp_total_err'), '');
  assert.deepEqual(more, [], 'an epoch counts once');
});

test('a packet counts at primary interfaces only, at all where none is primary, and ARP is no ICMP', (t) => {
  const path = join(directoryFor(t), 'values.log');
  const log = DataLog.open(path, LARGE);
  const udp = { protocol: 17, between: ['1.1.1.1', '2.2.2.2'] as const, packets: 1, octets: 100 };
  const both = [
    { ...udp, ifindex: 1 },
    { ...udp, ifindex: 2 },
    { arp: true, protocol: 1, ifindex: 1, packets: 1, octets: 42 },
  ];
  const epoch = (number: number, primary: boolean) => ({
    epoch: number,
    startMs: 1000 * (number - 1),
    endMs: 1000 * number,
    points: [point(1, 0, primary), point(2, 0, false)],
  });
  log.write(batchOf(both, epoch(1, true)));
  log.write(batchOf(both, epoch(2, false)));
  log.close();
  const [header, ...lines] = linesOf(path);
  const of = (name: string) => lines.map((line) => line[header!.indexOf(name)]);
  assert.deepEqual(of('udp_throughput'), ['100.0', '200.0']);
  assert.deepEqual(of('icmp_count'), ['0', '0']);
});

test('a file that is full is begun anew with its header, and only so many are kept', (t) => {
  const directory = directoryFor(t);
  const path = join(directory, 'a.log');
  const file = RotatingFile.open(path, { maxOctets: 20, files: 3 }, 'head\n');
  for (let i = 0; i < 10; i++) file.write(`line ${i}\n`);
  file[Symbol.dispose]();
  assert.deepEqual(readdirSync(directory).toSorted(), ['a.log', 'a.log.1', 'a.log.2']);
  assert.deepEqual(
    ['.2', '.1', ''].map((age) => readFileSync(path + age, 'utf8')),
    ['head\nline 4\nline 5\n', 'head\nline 6\nline 7\n', 'head\nline 8\nline 9\n'],
  );
});

test('a file is gone on with after a new start, and a line that was cut stays apart', (t) => {
  const path = join(directoryFor(t), 'a.log');
  const first = RotatingFile.open(path, LARGE, 'head\n');
  first.write('one\n');
  first[Symbol.dispose]();
  appendFileSync(path, 'cut');
  const second = RotatingFile.open(path, LARGE, 'head\n');
  second.write('two\n');
  second[Symbol.dispose]();
  assert.equal(readFileSync(path, 'utf8'), 'head\none\ncut\ntwo\n');
});

test('a directory that is not there is said', (t) => {
  const path = join(directoryFor(t), 'none', 'a.log');
  assert.throws(() => RotatingFile.open(path, LARGE), ExportError);
});
