import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { packet, writePcap } from '../src/wire/index.ts';
import { WITHOUT_PRIVILEGES } from './privileges.ts';

/* `read` as its user meets it: reports, JSON Lines, the page, broken files. */

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-read-'));
after(() => rmSync(directory, { recursive: true }));

const MACS = { source: '02:00:00:00:00:01', destination: '02:00:00:00:00:02' };
const tunnelled = (vni: number, port = 4789): Uint8Array =>
  packet()
    .eth(MACS)
    .ipv4({ source: '172.16.1.100', destination: '172.16.1.101' })
    .udp({ sourcePort: 5000, destinationPort: port })
    .vxlan(vni)
    .eth(MACS)
    .ipv4({ source: '10.0.0.1', destination: '10.0.0.2' })
    .tcp({ sourcePort: 1000, destinationPort: 80 })
    .build();
const frames = [tunnelled(42), tunnelled(42), tunnelled(43)];
const capture = writePcap(
  frames.map((octets, i) => ({ octets, timeNs: BigInt(1_700_000_000 + 2 * i) * 1_000_000_000n })),
);

function written(name: string, octets: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, octets);
  return path;
}

const trace = written('trace.pcap', capture);

function run(
  words: readonly string[],
  input?: Uint8Array,
): { code: number | null; out: string; err: string } {
  const [command, ...before] = WITHOUT_PRIVILEGES;
  const { status, stdout, stderr } = spawnSync(
    command,
    [...before, process.execPath, CLI, 'read', ...words],
    {
      encoding: 'utf8',
      timeout: 60_000,
      ...(input && { input }),
    },
  );
  return { code: status, out: stdout, err: stderr };
}

test('a report is that of the flows in the file, and needs no privileges', () => {
  const { code, out, err } = run([trace]);
  assert.deepEqual([code, err], [0, '']);
  assert.deepEqual(out.split('\n'), [
    'PROTOCOL SOURCE                DESTINATION           PACKETS BYTES   TUNNEL',
    'TCP      10.0.0.1:1000         10.0.0.2:80           2       208     vxlan 42 172.16.1.100 > 172.16.1.101',
    'TCP      10.0.0.1:1000         10.0.0.2:80           1       104     vxlan 43 172.16.1.100 > 172.16.1.101',
    '',
  ]);
  assert.match(run([trace, '--outer']).out, /^VXLAN +172\.16\.1\.100:0 +172\.16\.1\.101:0 +3 +312/m);
});

test('nothing native is loaded: it runs where there is no libbpf and no Linux', () => {
  const refusing = "process.dlopen = (_, path) => { throw new Error('loads ' + path); };";
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(refusing)}`, CLI, 'read', trace],
    { encoding: 'utf8', timeout: 60_000 },
  );
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /vxlan 42/);
});

test('several files, one of them compressed and one standard input, add up', () => {
  const packed = written('trace.pcap.gz', gzipSync(capture));
  const { code, out } = run([trace, packed, '-', '--top', '1'], capture);
  assert.equal(code, 0);
  assert.match(out, / 6 +624 +vxlan 42 /);
  assert.match(out, /^and 1 more flow: 312$/m);
});

test('JSON Lines are by file, or by a period of its own time', () => {
  const flows = (words: readonly string[]): { epoch: number; packets: number; firstMs: string }[] =>
    run([trace, '--json', ...words])
      .out.trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  assert.deepEqual(
    flows([]).map(({ epoch, packets, firstMs }) => [epoch, packets, firstMs]),
    [
      [1, 2, '2023-11-14T22:13:20.000Z'],
      [1, 1, '2023-11-14T22:13:24.000Z'],
    ],
  );
  assert.deepEqual(
    flows(['--freq', '1s']).map(({ epoch, packets }) => [epoch, packets]),
    [
      [1, 1],
      [2, 1],
      [3, 1],
    ],
  );
});

test('ports of tunnels are those asked for', () => {
  const path = written('port.pcap', writePcap([tunnelled(42, 5555)]));
  assert.match(run([path]).out, /^UDP +172\.16\.1\.100:5000/m);
  assert.match(run([path, '--tunnel-ports', 'vxlan=5555']).out, /^TCP.*vxlan 42/m);
});

test('of a broken file what was read is reported, the place and the reason named, with exit code 1', () => {
  const path = written('broken.pcap', capture.subarray(0, capture.length - 10));
  const { code, out, err } = run([path, trace]);
  assert.equal(code, 1);
  assert.match(out, / 4 +416 +vxlan 42 /);
  assert.match(err, /^tunnelscope: reading .*broken\.pcap: it ends .* at octet 264, after 2 packets; /);
  const missing = run([join(directory, 'missing.pcap')]);
  assert.deepEqual(
    [missing.code, missing.out.trim()],
    [1, 'PROTOCOL SOURCE                DESTINATION           PACKETS BYTES'],
  );
  assert.match(missing.err, /missing\.pcap: it does not exist; check the path/);
});

test('packets of links that are not read are counted and named', () => {
  const path = written('wireless.pcap', writePcap(frames, { linkType: 105 }));
  const { code, out, err } = run([path]);
  assert.equal(code, 0);
  assert.match(out, /^not in a flow: 3 packets \(link_unknown 3\)$/m);
  assert.equal(err, 'Not read: 3 packets of link type IEEE802_11\n');
});

test('wrong words end with exit code 2', () => {
  for (const [words, message] of [
    [[], /missing required argument 'file'/],
    [[trace, '--json', '--serve'], /cannot be used with option/],
    [[trace, '--flows', '3'], /--flows: "3" is not a whole number/],
    [[trace, '--tunnel-ports', 'vxlan=0'], /--tunnel-ports: "0" is not/],
  ] as const) {
    const { code, err } = run(words);
    assert.equal(code, 2);
    assert.match(err, message);
  }
});

test("the page shows all of the file with the file's own time, and does not age", async () => {
  const child = spawn(process.execPath, [CLI, 'read', trace, '--serve', '--listen', '127.0.0.1:0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 60_000,
  });
  let url = '';
  for await (const line of createInterface(child.stderr)) {
    url = /^Page and API: (.*)$/.exec(line)?.[1] ?? url;
    if (line.startsWith('All is read')) break;
  }
  const view = (await (await fetch(new URL(`/api/v1/view${new URL(url).search}`, url))).json()) as Record<
    string,
    unknown
  >;
  assert.deepEqual(
    [view.atMs, view.isRecorded, view.total, view.epoch],
    [1_700_000_005_000, true, { octets: 312, packets: 3 }, 3],
  );
  const status = (await (await fetch(new URL('/api/v1/status', url))).json()) as {
    interfaces: { name: string }[];
  };
  assert.equal(status.interfaces[0]!.name, 'trace.pcap');
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
});
