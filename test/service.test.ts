import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { UNIT_CAPABILITIES } from '../src/daemon/index.ts';
import { until } from './until.ts';

/* The systemd unit: what it allows is enough, what it does not is not needed. */

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const NAMESPACE = 'tsservice';
const directory = mkdtempSync(join(tmpdir(), 'tsservice-'));
const environment = {
  ...process.env,
  RUNTIME_DIRECTORY: join(directory, 'run'),
  LOGS_DIRECTORY: join(directory, 'log'),
};

function run(...words: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...words], {
    encoding: 'utf8',
    env: environment,
  });
  return { code: status, out: stdout, err: stderr };
}

before(() => {
  // A run that was cut off may have left it.
  spawnSync('ip', ['netns', 'del', NAMESPACE], { stdio: 'ignore' });
  execFileSync('ip', ['netns', 'add', NAMESPACE]);
  execFileSync('ip', ['-n', NAMESPACE, 'link', 'set', 'lo', 'up']);
});
after(() => {
  execFileSync('ip', ['netns', 'del', NAMESPACE]);
  rmSync(directory, { recursive: true });
});

/** An instance in the namespace with so many capabilities and no more, as systemd would give them. */
async function meters(
  names: readonly string[],
  ...words: string[]
): Promise<{ lines: string; code: number | null }> {
  const set = ['-all', ...names.map((name) => `+${name.replace('CAP_', '').toLowerCase()}`)].join();
  const bounded = ['setpriv', `--bounding-set=${set}`, '--inh-caps=-all', '--no-new-privs'];
  const config = join(directory, 'bounded.yaml');
  writeFileSync(config, 'interfaces: [lo]\ninterval: 200ms\nserve: { listen: none }\n');
  const start = [process.execPath, CLI, 'start', 'bounded', '-c', config, ...words];
  const child = spawn('nsenter', [`--net=/run/netns/${NAMESPACE}`, ...bounded, ...start], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  let lines = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (lines += chunk));
  const ended = once(child, 'close') as Promise<[number | null]>;
  await until(
    () => lines.includes('"bounded\\" meters') || child.exitCode !== null,
    'it meters or ends',
    30_000,
  );
  if (child.exitCode === null) {
    execFileSync('ip', ['netns', 'exec', NAMESPACE, 'ping', '-q', '-c', '3', '-i', '0.1', '127.0.0.1']);
    const found = () =>
      JSON.parse(run('status', 'bounded', '--json').out) as { audit: { epoch: number } | null };
    await until(() => (found().audit?.epoch ?? 0) > 2, 'epochs come');
    assert.equal(run('stop', 'bounded').code, 0);
  }
  const [code] = await ended;
  return { lines, code };
}

for (const hook of ['auto', 'clsact']) {
  test(`the capabilities of the unit are enough to meter, with the hook ${hook}`, async () => {
    const { lines, code } = await meters(UNIT_CAPABILITIES, '--hook', hook);
    assert.equal(code, 0, lines);
    assert.doesNotMatch(lines, /Problem/);
  });
}

test('the capabilities of the unit are enough to keep a history', async () => {
  const { lines, code } = await meters(UNIT_CAPABILITIES, '--history', join(directory, 'history'));
  assert.equal(code, 0, lines);
  assert.doesNotMatch(lines, /Problem/);
});

for (const left of UNIT_CAPABILITIES) {
  test(`without ${left} it says what is missing`, async () => {
    const { lines, code } = await meters(UNIT_CAPABILITIES.filter((name) => name !== left));
    assert.equal(code, 3);
    assert.match(lines, new RegExp(`MISSING ${left}`));
  });
}

test('the unit is written with what the configuration needs, printed without being written, and removed', () => {
  const root = join(directory, 'root');
  const units = join(root, 'etc/systemd/system');
  const unit = join(units, 'tunnelscope@.service');
  const printed = run('install-service', 'east', '--print', '--root', root);
  assert.equal(printed.code, 0, printed.err);
  assert.match(printed.out, /^CapabilityBoundingSet=CAP_BPF CAP_NET_ADMIN CAP_PERFMON$/m);
  assert.ok(!existsSync(root));
  const { code, out } = run('install-service', 'east', '--root', root);
  assert.equal(code, 0);
  assert.match(
    out,
    /^Wrote .*tunnelscope@\.service\nWrote .*east\.yaml\nNext: systemctl enable --now tunnelscope@east\n$/,
  );
  const config = join(root, 'etc/tunnelscope/east.yaml');
  assert.equal(run('config', 'check', config).code, 0);
  writeFileSync(
    config,
    'namespace: blue\nhistory: { directory: /srv/past }\njson: { directory: /srv/flows }\nlog: { data: { file: /var/log/tunnelscope/v } }\n',
  );
  assert.equal(run('install-service', 'east', '--root', root).code, 0);
  const dropIn = readFileSync(join(units, 'tunnelscope@east.service.d/10-configuration.conf'), 'utf8');
  assert.match(
    dropIn,
    /^CapabilityBoundingSet=CAP_SYS_ADMIN\nRestrictNamespaces=net\nReadWritePaths="\/srv\/past"\nReadWritePaths="\/sys\/fs\/bpf"\nReadWritePaths="\/srv\/flows"$/m,
  );
  assert.doesNotMatch(dropIn, /var\/log/);
  mkdirSync(join(units, 'tunnelscope@west.service.d'));
  assert.match(
    run('install-service', 'east', '--uninstall', '--root', root).out,
    /^Removed; the unit stays for west; .*east\.yaml is left\n$/,
  );
  assert.ok(existsSync(unit));
  rmSync(join(units, 'tunnelscope@west.service.d'), { recursive: true });
  assert.equal(run('install-service', 'east', '--uninstall', '--root', root).code, 0);
  assert.ok(!existsSync(unit));
});

const analyze = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' });
test('systemd understands every line of the unit, and calls it safe', {
  skip: analyze.status === 0 ? false : 'systemd-analyze is not here',
}, () => {
  const path = join(directory, 'tunnelscope@.service');
  const unit = run('install-service', '--print').out;
  writeFileSync(path, unit);
  const verified = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' });
  const ours = verified.stderr.split('\n').filter((line) => line.includes('tunnelscope@'));
  assert.deepEqual(ours, []);
  const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', path], { encoding: 'utf8' });
  const exposure = Number(/exposure level[^:]*: ([\d.]+)/.exec(stdout)?.[1]);
  assert.ok(exposure < 4, stdout);
});
