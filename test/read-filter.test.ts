import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ViewSchema } from '../src/query/index.ts';
import { packet, writePcap } from '../src/wire/index.ts';

/* `--filter` as its user meets it: captures, reports, JSON Lines, mistakes. */

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-filter-'));
after(() => rmSync(directory, { recursive: true }));

const MACS = { source: '02:00:00:00:00:01', destination: '02:00:00:00:00:02' };
const outside = (): ReturnType<typeof packet> =>
  packet().eth(MACS).ipv4({ source: '172.16.1.100', destination: '172.16.1.101' });
const vxlan = (vni: number): Uint8Array =>
  outside()
    .udp({ sourcePort: 5000, destinationPort: 4789 })
    .vxlan(vni)
    .eth(MACS)
    .ipv4({ source: '10.0.0.1', destination: '10.0.0.2' })
    .tcp({ sourcePort: 1000, destinationPort: 80 })
    .build();
const plain = outside().udp({ sourcePort: 7, destinationPort: 53 }).build();
const frames = [vxlan(42), vxlan(42), vxlan(43), plain, plain.subarray(0, 20)];
const trace = join(directory, 'trace.pcap');
writeFileSync(trace, writePcap(frames.map((octets, i) => ({ octets, timeNs: BigInt(i) * 1_000_000_000n }))));

function read(...words: readonly string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'read', trace, ...words], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { code: status, out: stdout, err: stderr };
}

test('a report has the flows that fit, and says still what is in no flow', () => {
  const { code, out } = read('--filter', 'vni 42');
  assert.equal(code, 0);
  assert.deepEqual(out.split('\n').slice(1), [
    'TCP      10.0.0.1:1000         10.0.0.2:80           2       208     vxlan 42 172.16.1.100 > 172.16.1.101',
    'not in a flow: 1 packets (ipv4_truncated 1)',
    '',
  ]);
  assert.match(read('--filter', 'tunnel = none').out, /^UDP +172\.16\.1\.100:7 +172\.16\.1\.101:53 +1 /m);
  assert.doesNotMatch(read('--filter', 'tunnel = none').out, /vxlan/);
});

test('without a filter, and with one that nothing fits, nothing else changes', () => {
  assert.equal(read('--filter', '').out, read().out);
  const { code, out } = read('--filter', 'sctp');
  assert.deepEqual([code, out.split('\n').length], [0, 3]);
});

test('JSON Lines are of the records that fit, of each period', () => {
  const lines = (...words: string[]): { tunnels: { id: number }[]; wirePackets: number }[] =>
    read('--json', ...words)
      .out.split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines('--filter', 'packets > 1').map(({ tunnels, wirePackets }) => [tunnels[0]?.id, wirePackets]),
    [[42, 2]],
  );
  assert.equal(lines('--filter', 'packets > 1', '-f', '1s').length, 0);
  assert.equal(lines('--filter', 'iface = trace.* and not vni 42').length, 2);
});

test('a mistake is pointed at, and nothing is read: exit code 2', () => {
  const { code, out, err } = read('--filter', 'tcp and dprot = 80');
  assert.deepEqual([code, out], [2, '']);
  assert.deepEqual(err.split('\n'), [
    'tunnelscope: --filter: column 9: unknown field "dprot"; did you mean "dport"?',
    '  tcp and dprot = 80',
    '          ^^^^^',
    '',
  ]);
});

test('what the page cannot be asked is refused before anything is read: exit code 2', () => {
  const { code, err } = read('--filter', 'tcp and iface = veth*', '--serve');
  assert.equal(code, 2);
  assert.match(err, /--filter: column 9: "iface" is of one observation point.*\n.*\n {10}\^{5}\n/);
});

test('the address of the page carries the filter, and the page says what it leaves out', async () => {
  const words = [
    'read',
    trace,
    '--serve',
    '--listen',
    '127.0.0.1:0',
    '--filter',
    'VNI 42 && port in (80, 81)',
  ];
  const child = spawn(process.execPath, [CLI, ...words], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 60_000,
  });
  let url = '';
  for await (const line of createInterface(child.stderr)) {
    url = /^Page and API: (.*)$/.exec(line)?.[1] ?? url;
    if (line.startsWith('All is read')) break;
  }
  const { search } = new URL(url);
  const view = ViewSchema.parse(await (await fetch(new URL(`/api/v1/view${search}`, url))).json());
  const all = ViewSchema.parse(await (await fetch(new URL('/api/v1/view?window=all', url))).json());
  child.kill('SIGINT');
  assert.equal((await once(child, 'exit'))[0], 0);
  assert.equal(view.question.filter, 'VNI 42 && port in (80, 81)');
  assert.equal(view.filter?.text, 'vni = 42 and port in [80, 81]');
  assert.equal(view.total.packets, 2);
  assert.deepEqual(view.total.packets + view.filter!.leftOut.packets, all.total.packets);
  assert.deepEqual(view.total.octets + view.filter!.leftOut.octets, all.total.octets);
});
