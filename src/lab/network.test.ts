import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { run } from './command.ts';
import { LabError } from './error.ts';
import { labDown, labUp } from './network.ts';
import { processesIn } from './process.ts';
import { labStatus } from './status.ts';
import { loadTopology } from './topology.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root to make network namespaces';
const small = loadTopology('overlay', { hosts: 3, segments: 2 });

const namespaces = (prefix: string): string[] =>
  existsSync('/run/netns') ? readdirSync('/run/netns').filter((name) => name.startsWith(prefix)) : [];

/** Has the lab taken down at the end and asserts that it left nothing: no namespace, no record, no link of its out here. */
async function leavingNothing(t: TestContext, prefix: string): Promise<void> {
  const links = async () =>
    (await run('ip', ['-o', 'link'])).stdout.match(/(?<=^\d+: )(host|vxlan|br|c)\d+[ab]?(?=[:@])/gm) ?? [];
  const before = await links();
  t.after(async () => {
    await labDown({ prefix });
    assert.deepEqual(namespaces(prefix), []);
    assert.ok(!existsSync(`/run/tunnelscope-lab/${prefix}`));
    assert.deepEqual(await links(), before);
    assert.equal(labStatus({ prefix }).state, 'absent');
  });
}

async function pings(namespace: string, destination: string, ...options: string[]): Promise<boolean> {
  const { status } = await run('ip', [
    'netns',
    'exec',
    namespace,
    'ping',
    '-n',
    '-c',
    '2',
    '-i',
    '0.1',
    '-W',
    '2',
    ...options,
    destination,
  ]);
  return status === 0;
}

test('the overlay comes up with the lines of the reference, its clients reach each other through the tunnels', {
  skip,
}, async (t) => {
  const prefix = 'tst1-';
  await leavingNothing(t, prefix);
  const lines: string[] = [];
  await labUp(small, { prefix, progress: (line) => lines.push(line) });
  assert.deepEqual(
    lines,
    ['Launching host', 'Starting tunnel'].flatMap((step) => [1, 2, 3].map((n) => `${step} ${n} of 3`)),
  );
  assert.ok(await pings('tst1-host0', '192.168.0.2'));
  assert.ok(await pings('tst1-host2', '192.168.1.1'));
  const { stdout } = await run('ip', [
    'netns',
    'exec',
    'tst1-host0',
    'bridge',
    'fdb',
    'show',
    'dev',
    'vxlan0',
  ]);
  assert.match(
    stdout,
    /02:00:27:10:00:02 dst 172\.16\.1\.101/,
    'the way to the other client leads through the tunnel',
  );
  const status = labStatus({ prefix });
  assert.deepEqual(
    [status.state, status.hosts.length, status.clients.length, status.strays],
    ['up', 3, 6, []],
  );

  const again: string[] = [];
  await labUp(small, { prefix, progress: (line) => again.push(line) });
  assert.deepEqual(again, ['The lab "overlay" is up already']);

  await run('ip', ['-n', 'tst1-host1', 'link', 'set', 'vxlan1', 'down']);
  await labUp(small, { prefix });
  assert.ok(await pings('tst1-host0', '192.168.1.2'), 'a damaged lab is made anew');

  await labDown({ prefix });
  await labDown({ prefix });
});

test('tenants with the same addresses stay apart', { skip }, async (t) => {
  const prefix = 'tst2-';
  await leavingNothing(t, prefix);
  await labUp(loadTopology('tenants'), { prefix });
  assert.ok(await pings('tst2-c-host0-10000', '192.168.0.2'));
  const neighbour = async (vni: number) => (await run('ip', ['-n', `tst2-c-host0-${vni}`, 'neigh'])).stdout;
  assert.match(await neighbour(10000), /192\.168\.0\.2 .*02:00:27:10:00:02/);
  assert.equal(await neighbour(10001), '');
  assert.ok(await pings('tst2-c-host0-10001', '192.168.0.2'));
  assert.match(await neighbour(10001), /192\.168\.0\.2 .*02:00:27:11:00:02/);
  await run('ip', ['-n', 'tst2-host1', 'link', 'set', 'vxlan0', 'down']);
  assert.ok(!(await pings('tst2-c-host0-10000', '192.168.0.2', '-w', '1')));
  assert.ok(await pings('tst2-c-host0-10001', '192.168.0.2'));
});

test('the overlay works over IPv6, inside and outside', { skip }, async (t) => {
  const prefix = 'tst3-';
  await leavingNothing(t, prefix);
  await labUp(loadTopology('overlay6'), { prefix });
  assert.ok(await pings('tst3-host0', 'fd00:172:16:1::101'));
  assert.ok(await pings('tst3-host0', 'fd00:192:168::2', '-M', 'do', '-s', String(1430 - 48)));
  assert.ok(await pings('tst3-host3', 'fd00:192:168:1::1'));
});

test('the figure and the pair work, one replacing the other', { skip }, async (t) => {
  const prefix = 'tst4-';
  await leavingNothing(t, prefix);
  await labUp(loadTopology('figure'), { prefix });
  assert.ok(await pings('tst4-host1', '192.168.0.3'));
  assert.ok(await pings('tst4-host3', '192.168.3.2'));
  await labUp(loadTopology('pair'), { prefix });
  assert.deepEqual(namespaces(prefix).sort(), ['tst4-fabric', 'tst4-host0', 'tst4-host1']);
  assert.ok(await pings('tst4-host0', '172.16.1.101'));
});

test('a cancelled creation removes what it had made and rejects with the reason', { skip }, async (t) => {
  const prefix = 'tst5-';
  await leavingNothing(t, prefix);
  const cancel = new AbortController();
  const reason = new Error('enough');
  const progress = (line: string): void => {
    if (line === 'Starting tunnel 2 of 3') cancel.abort(reason);
  };
  await assert.rejects(labUp(small, { prefix, signal: cancel.signal, progress }), reason);
  assert.deepEqual(namespaces(prefix), []);
});

test('a creation killed half way is finished by the next one, and removed by down', { skip }, async (t) => {
  const prefix = 'tst6-';
  await leavingNothing(t, prefix);
  for (const [killAt, next] of [
    ['Launching host 2 of 3', () => labUp(small, { prefix })],
    ['Starting tunnel 2 of 3', () => labDown({ prefix })],
  ] as const) {
    const index = new URL('./index.ts', import.meta.url).href;
    const program = `const { labUp, loadTopology } = await import('${index}');
      await labUp(loadTopology('overlay', { hosts: 3, segments: 2 }), { prefix: '${prefix}', progress: (line) => {
        console.log(line);
        if (line === '${killAt}') process.kill(process.pid, 'SIGKILL');
      } });`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [, signal] = await once(child, 'exit');
    assert.equal(signal, 'SIGKILL');
    assert.equal(labStatus({ prefix }).state, 'partial');
    await next();
    if (killAt.startsWith('Launching')) {
      assert.ok(await pings('tst6-host0', '192.168.0.3'));
      await labDown({ prefix });
    }
    assert.deepEqual(namespaces(prefix), []);
  }
});

test('down finds a lab whose record is lost, and ends what runs inside it and nothing else', {
  skip,
}, async (t) => {
  const prefix = 'tst7-';
  await leavingNothing(t, prefix);
  await labUp(loadTopology('pair'), { prefix });
  rmSync(`/run/tunnelscope-lab/${prefix}`, { recursive: true });
  writeFileSync('/run/netns/tst7-host9', ''); // what a killed `ip netns add` leaves
  assert.equal(labStatus({ prefix }).state, 'partial');
  const inside = spawn('ip', ['netns', 'exec', 'tst7-host0', 'sh', '-c', 'echo in; exec cat'], {
    stdio: 'pipe',
  });
  const outside = spawn('sh', ['-c', 'echo out; exec cat'], { stdio: 'pipe' });
  t.after(() => outside.kill());
  await Promise.all([inside, outside].map((child) => once(createInterface({ input: child.stdout }), 'line')));
  assert.deepEqual(
    processesIn(['tst7-host0']).map(({ mark }) => mark.pid),
    [inside.pid],
  );
  const ended = once(inside, 'exit');
  await labDown({ prefix });
  assert.deepEqual(await ended, [null, 'SIGTERM']);
  assert.equal(outside.exitCode ?? outside.signalCode, null);
});

test('a missing tool is named before anything is changed', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'path-'));
  const path = process.env.PATH;
  t.after(() => {
    process.env.PATH = path;
    rmSync(folder, { recursive: true });
  });
  for (const tool of ['ip', 'sh']) {
    const { stdout } = await run('sh', ['-c', `command -v ${tool}`]);
    symlinkSync(stdout.trim(), join(folder, tool));
  }
  process.env.PATH = folder;
  await assert.rejects(labUp(small, { prefix: 'tst8-' }), (error: unknown) => {
    assert.ok(error instanceof LabError);
    assert.equal(error.code, 'LAB_REQUIREMENT');
    assert.match(error.message, /the program ping, the program unshare.*Nothing was changed/);
    assert.match(error.remedy, /apt install iputils-ping util-linux/);
    return true;
  });
  assert.deepEqual(namespaces('tst8-'), []);
  assert.ok(!existsSync('/run/tunnelscope-lab/tst8-'));
});

test('a prefix that could own the names of others is refused', async () => {
  for (const prefix of ['', 'ts', 'a-b-', '-', '../x-', 'TS-', 'averylongprefix-']) {
    await assert.rejects(labUp(small, { prefix }), { code: 'LAB_PREFIX' });
    await assert.rejects(labDown({ prefix }), { code: 'LAB_PREFIX' });
  }
});
