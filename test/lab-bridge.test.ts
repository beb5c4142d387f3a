/** Distributed bridges as topologies: one bridge process per host, the reference's lines, pings whose outcome counts. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noTcx } from '../src/bpf/testdata/probe.ts';
import { type LabStatus, labDown } from '../src/lab/index.ts';
import { type Ended, tunnelscope } from './lab-command.ts';
import { processesOf, remainsOf } from './lab-remains.ts';
import { until } from './until.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const PREFIX = 'tsl3-';
const skip = noTcx;

after(() => labDown({ prefix: PREFIX }));

function lab(...words: string[]): Promise<Ended> {
  return tunnelscope(['lab', ...words, '--prefix', PREFIX]);
}

async function status(): Promise<LabStatus> {
  return JSON.parse((await lab('status', '--json')).stdout);
}

/** The lines of the reference, for hosts and segments by number. */
function referenceLines(first: string, hosts: number, segments: number): string[] {
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  return [
    first,
    ...numbers(hosts).map((i) => `Launching host ${i + 1} of ${hosts}`),
    'Validating connectivity',
    ...numbers(hosts)
      .slice(1)
      .flatMap((host) => numbers(segments).map((i) => `VNI${i} between host0 and host${host}`)),
  ];
}

/** Without what pings said, and the last line. */
function spokenLines(stdout: string): string[] {
  return stdout
    .split('\n')
    .filter((line) => !line.startsWith('  '))
    .slice(0, -2);
}

for (const [name, first] of [
  ['bridge-multicast', 'multicast 1 dhcp 0 gretap 0'],
  ['bridge-mesh', 'multicast 0 dhcp 0 gretap 0'],
] as const)
  test(`${name} comes up with the reference's lines, and every ping of both segments is answered`, {
    skip,
  }, async () => {
    const { code, stdout, stderr } = await lab('up', name);
    assert.equal(code, 0, stderr);
    assert.deepEqual(spokenLines(stdout), referenceLines(first, 3, 2));
    assert.equal(stdout.match(/^ {2}99\.1\.[01]\.1: 3 packets transmitted, 3 received/gm)?.length, 4);
  });

test('no interface is looked up before its bridge has made it: all are at work when up returns (BUG-B52)', {
  skip,
}, async () => {
  const { members, isKept } = await status();
  assert.equal(isKept, true);
  assert.deepEqual(
    members.map(({ name, state, restarts }) => [name, state, restarts]),
    [0, 1, 2].map((i) => [`bridge-host${i}`, 'running', 0]),
  );
  for (const i of [0, 1, 2]) {
    const shown = await tunnelscope(['vnet', 'bridge', 'show', `${PREFIX}bridge-host${i}`, '--json']);
    const { ports } = JSON.parse(shown.stdout);
    assert.deepEqual(
      ports.map(({ bridge, present }: { bridge: string; present: boolean }) => [bridge, present]),
      [
        ['br0', true],
        ['br1', true],
      ],
    );
  }
});

test('a ping that fails is said by name and ends with code 1 (BUG-B50)', { skip }, async () => {
  const port = (way: string): void => {
    execFileSync('ip', ['-n', `${PREFIX}fabric`, 'link', 'set', 'host1', way]);
  };
  port('down');
  const { code, stderr } = await lab('check');
  port('up');
  assert.equal(code, 1);
  assert.match(stderr, /VNI0 between host0 and host1: 0 of 3 answered/);
  assert.match(stderr, /VNI1 between host0 and host1: 0 of 3 answered/);
  assert.doesNotMatch(stderr, /host2: /);
  assert.equal((await lab('check')).code, 0, 'and it is well again');
});

test('a bridge that is killed is started again, and its hosts never lose each other', { skip }, async () => {
  const bridge = (): number | undefined =>
    processesOf(PREFIX).find(({ words }) => words.includes(`${PREFIX}bridge-host1 `))?.pid;
  const first = bridge()!;
  process.kill(first, 'SIGKILL');
  assert.equal((await lab('check')).code, 0, 'the kernel forwards on');
  await until(async () => {
    const member = (await status()).members.find(({ name }) => name === 'bridge-host1');
    return member?.state === 'running' && member.restarts === 1;
  }, 'the keeper has another at work');
  assert.notEqual(bridge(), first);
  assert.equal((await lab('check')).code, 0);
});

const hasGre =
  spawnSync('unshare', ['--net', 'ip', 'link', 'add', 'type', 'gretap', 'external']).status === 0;

test('what cannot be is said with its reason, never passed over in silence (BUG-B51)', {
  skip: skip || (hasGre && 'this kernel has gretap'),
}, async () => {
  const { code, stdout, stderr } = await lab('up', 'bridge-mesh', '--tunnel', 'gretap');
  assert.equal(code, 1);
  assert.match(stdout, /^multicast 0 dhcp 0 gretap 1$/m);
  assert.match(
    stderr,
    /Starting the bridge of tsl3-host\d: it ended with status \d, ".+"; wanted it at work/,
  );
  assert.deepEqual(remainsOf(PREFIX), [], 'and nothing half made stays');
});

test('the same hosts over GRE', { skip: skip || (!hasGre && 'this kernel has no gretap') }, async () => {
  const { code, stdout, stderr } = await lab('up', 'bridge-mesh', '--tunnel', 'gretap');
  assert.equal(code, 0, stderr);
  assert.deepEqual(spokenLines(stdout), referenceLines('multicast 0 dhcp 0 gretap 1', 3, 2));
});

test('up that is killed half way leaves nothing once it was taken down', { skip }, async () => {
  for (const moment of ['Launching host 2', 'Launching host 3', 'Validating']) {
    const child = spawn(process.execPath, [CLI, 'lab', 'up', 'bridge-mesh', '--prefix', PREFIX], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes(moment)) child.kill('SIGKILL');
    });
    assert.deepEqual(await ended, [null, 'SIGKILL']);
    assert.equal((await lab('down')).code, 0);
    assert.deepEqual(remainsOf(PREFIX), [], moment);
  }
});

test('clients in namespaces of their own reach each other, with ports of the BPF bridge for cables', {
  skip,
}, async () => {
  const { code, stderr } = await lab('up', 'bridge-multicast', '--clients', 'own', '--ports', 'direct');
  assert.equal(code, 0, stderr);
  const { stdout } = await tunnelscope(['vnet', 'bridge', 'show', `${PREFIX}bridge-host0`, '--json']);
  assert.deepEqual(
    JSON.parse(stdout).ports.map(({ name, kind }: { name: string; kind: string }) => [name, kind]),
    [
      ['c0', 'direct'],
      ['c1', 'direct'],
    ],
  );
});

for (const mode of ['mesh', 'multicast'] as const)
  test(`the bridges work with IPv6 outside and inside, mode ${mode}`, { skip }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-bridge6-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'six.json');
    const topology = {
      network: 'bridge',
      title: 'IPv6 outside and inside',
      mode,
      hosts: { count: 3, firstAddress: 'fd00:172:16:1::100/64' },
      segments: { count: 2, firstVni: 10000, firstGroup: 'ff05::1:1', firstSubnet: 'fd00:99:1::/64' },
    };
    writeFileSync(path, JSON.stringify(topology));
    const { code, stderr } = await lab('up', path);
    assert.equal(code, 0, stderr);
    const { stdout } = await tunnelscope(['vnet', 'bridge', 'show', `${PREFIX}bridge-host1`, '--json']);
    assert.equal(JSON.parse(stdout).tunnel.mtu, 1430);
  });

test('the demo of a bridge has the prompt, traffic in its segments at the first host, and ends on Enter', {
  skip,
}, async () => {
  const words = ['demo', 'bridge-mesh', '--prefix', PREFIX, '--listen', '127.0.0.1:0'];
  const demo = spawn(process.execPath, [CLI, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(demo, 'exit');
  let said = '';
  demo.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await until(() => said.includes('Press enter to quit:'), 'the prompt is there', 60_000);
  assert.match(said, /^multicast 0 dhcp 0 gretap 0\n/);
  const [, port] = /HTTPServer listening on 127\.0\.0\.1:(\d+)/.exec(said)!;
  await until(
    async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/view?window=all`);
      const view = (await answer.json()) as {
        readonly links: readonly { readonly parts: readonly { readonly segment: string }[] }[];
      };
      const segments = view.links.flatMap(({ parts }) => parts.map(({ segment }) => segment));
      return ['vxlan:10000', 'vxlan:10001'].every((segment) => segments.includes(segment));
    },
    'both segments are seen',
    30_000,
  );
  demo.stdin.write('\n');
  assert.deepEqual(await ended, [0, null]);
  assert.deepEqual(remainsOf(PREFIX), []);
});

test('nine hosts and eight segments: every host reaches the first in every segment', { skip }, async () => {
  const { code, stdout, stderr } = await lab('up', 'bridge-mesh', '--hosts', '9', '--segments', '8');
  assert.equal(code, 0, stderr);
  assert.deepEqual(spokenLines(stdout), referenceLines('multicast 0 dhcp 0 gretap 0', 9, 8));
  assert.equal((await lab('down')).code, 0);
  assert.deepEqual(remainsOf(PREFIX), []);
});
