/** `tunnelscope vnet relay`: cables by name, a file that is read again, interfaces that are made anew, and what is refused. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noTcx } from '../src/bpf/testdata/probe.ts';
import { tunnelscope } from './lab-command.ts';
import { until } from './until.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const SWITCH = 'tslr-switch';
const ENDS = ['tslr-a', 'tslr-b', 'tslr-c'] as const;
const NAME = 'tslr-relay';
const skip = noTcx;

let directory: string;
let relay: ChildProcess;
let said = '';

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function plug(i: number): void {
  ip('-n', SWITCH, 'link', 'add', `v${i}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', ENDS[i]!);
  ip('-n', ENDS[i]!, 'addr', 'add', `10.9.8.${i + 1}/24`, 'dev', 'eth0');
  ip('-n', ENDS[i]!, 'link', 'set', 'eth0', 'up');
  ip('-n', SWITCH, 'link', 'set', `v${i}`, 'up');
}

function reaches(from: string, address: string): boolean {
  try {
    ip('netns', 'exec', from, 'ping', '-q', '-c', '1', '-W', '1', address);
    return true;
  } catch {
    return false;
  }
}

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'tunnelscope-relay-'));
  for (const name of [SWITCH, ...ENDS]) {
    ip('netns', 'add', name);
    ip('netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
  }
  for (const i of [0, 1, 2]) plug(i);
});

after(async () => {
  if (relay?.exitCode === null && relay.signalCode === null) {
    const ended = once(relay, 'exit');
    relay.kill('SIGTERM');
    await ended;
  }
  for (const name of [SWITCH, ...ENDS]) ip('netns', 'del', name);
  rmSync(directory, { recursive: true });
});

function writeCables(...cables: string[]): string {
  const path = join(directory, 'relay.yaml');
  writeFileSync(path, `cables: [${cables.map((cable) => JSON.stringify(cable)).join(', ')}]\n`);
  return path;
}

test('what cannot be laid is said with its place and remedy, and nothing is done', { skip }, async () => {
  const run = (...words: string[]) =>
    tunnelscope(['vnet', 'relay', 'run', '--name', NAME, '--netns', SWITCH, ...words]);
  for (const [words, message] of [
    [['--cable', 'v0:v9'], /there is no interface v9 in this network namespace/],
    [['--cable', 'v0:v1', 'v1:v2'], /"v1" is an end of two/],
    [['--cable', 'v0'], /--cable: "v0" is not names of two interfaces/],
    [['--config', writeCables('v0:v0')], /relay\.yaml:1:\d+.*cables\[0\].*two names of interfaces/s],
    [[], /--config/],
  ] as const) {
    const { code, stderr } = await run(...words);
    assert.notEqual(code, 0);
    assert.match(stderr, message);
  }
});

test('SIGHUP reads the file again: a cable goes, another is laid', { skip }, async () => {
  const config = writeCables('v0:v1');
  relay = spawn(
    process.execPath,
    [CLI, 'vnet', 'relay', 'run', '--name', NAME, '--netns', SWITCH, '--config', config],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  relay.stdout!.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await until(() => said.includes(`"${NAME}" forwards`), 'it forwards');
  assert.ok(reaches(ENDS[0], '10.9.8.2'));
  writeCables('v0:v2');
  relay.kill('SIGHUP');
  await until(() => said.includes('Cable v0:v2 is laid'), 'the file was read');
  assert.ok(said.includes('Cable v0:v1 is taken away'));
  assert.ok(reaches(ENDS[0], '10.9.8.3'));
  assert.ok(!reaches(ENDS[0], '10.9.8.2'));
  const { stdout } = await tunnelscope(['vnet', 'relay', 'show', NAME, '--json']);
  const shown = JSON.parse(stdout);
  assert.equal(shown.namespace, SWITCH);
  assert.deepEqual(
    shown.cables.map(({ from, to }: { from: string; to: string }) => `${from} ${to}`),
    ['v0 v2', 'v2 v0'],
  );
  assert.ok(
    shown.cables.every(({ counts }: { counts: { ipv4: { packets: number } } }) => counts.ipv4.packets >= 1),
  );
});

test('an interface that goes and is made anew is connected again', { skip }, async () => {
  ip('-n', SWITCH, 'link', 'del', 'v2');
  await until(() => said.includes('v2 has gone'), 'it is missed');
  plug(2);
  await until(() => said.includes('v2 is there again'), 'it is found');
  ip('-n', ENDS[0], 'neigh', 'flush', 'all'); // the new device has another address
  assert.ok(reaches(ENDS[0], '10.9.8.3'));
});
