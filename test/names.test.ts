/** Names of an agent that runs: from labels, the hosts file and a DNS server, changed while it meters. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { NamesAnswerSchema } from '../src/query/index.ts';
import { twoHosts } from './two-hosts.ts';
import { until } from './until.ts';

const CLI = new URL('../src/cli.ts', import.meta.url).pathname;

/** `ip netns exec` puts what is there in place of the files of /etc. */
function ownFiles(namespace: string, files: Readonly<Record<string, string>>): Disposable {
  const directory = join('/etc/netns', namespace);
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return { [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}

test('an agent names addresses, follows its files, and asks DNS when it is told to', {
  timeout: 180_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tsnames-'));
  const config = join(directory, 'tunnelscope.yaml');
  const environment = {
    ...process.env,
    RUNTIME_DIRECTORY: join(directory, 'run'),
    LOGS_DIRECTORY: join(directory, 'log'),
  };
  const configure = (names: string): void =>
    writeFileSync(config, `name: tsnames\ninterfaces: [eth0]\ninterval: 200ms\nnames: ${names}\n`);
  try {
    await using hosts = twoHosts('tsnames');
    using _ = ownFiles(hosts.here, {
      hosts: '192.168.61.1 here here.example\n',
      'resolv.conf': 'nameserver 192.168.61.2\noptions timeout:1\n',
    });
    hosts.begin(hosts.far, [
      ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts'],
      ...['--pid-file=', '--listen-address=192.168.61.2', '--bind-interfaces', '--local=/arpa/'],
      '--host-record=far.example,192.168.61.2',
    ]);
    const run = (...words: string[]): string =>
      execFileSync('ip', ['netns', 'exec', hosts.here, process.execPath, CLI, ...words], {
        env: environment,
        encoding: 'utf8',
        timeout: 60_000,
      });
    const named = (): unknown => {
      const body = '{"addresses":["192.168.61.1","192.168.61.2","192.168.61.9"],"segments":["none"]}';
      const asked = ['-s', '-H', 'Content-Type: application/json', '-d', body];
      const words = ['netns', 'exec', hosts.here, 'curl', ...asked, 'http://127.0.0.1:8080/api/v1/names'];
      return NamesAnswerSchema.parse(JSON.parse(execFileSync('ip', words, { encoding: 'utf8' })));
    };
    const isNamed = (wanted: object) => (): boolean => {
      const found = JSON.stringify(named());
      return found === JSON.stringify({ ...{ addresses: {}, segments: {}, pending: [] }, ...wanted });
    };
    configure('{}');
    run('start', '-c', config, '--detached');
    try {
      const here = { '192.168.61.1': { name: 'here', from: 'hosts' } };
      assert.deepEqual(named(), { addresses: here, segments: {}, pending: [] }, 'those of the hosts file');

      writeFileSync(join(directory, 'labels'), '192.168.61.0/24 cable\nsegment none plain\n');
      configure('{ labels: labels }');
      assert.match(run('reload', 'tsnames'), /^Changed: names\.labels\n$/);
      const cable = { name: 'cable', from: 'labels', network: '192.168.61.0/24' };
      const all = (name: object): object =>
        Object.fromEntries([1, 2, 9].map((i) => [`192.168.61.${i}`, name]));
      const segments = { none: { name: 'plain', from: 'labels' } };
      await until(isNamed({ addresses: all(cable), segments }), 'the labels hold');
      writeFileSync(join(directory, 'labels'), '192.168.61.9 nobody\n');
      const nobody = { '192.168.61.9': { name: 'nobody', from: 'labels' } };
      await until(isNamed({ addresses: { ...here, ...nobody } }), 'the file is read again');

      writeFileSync(join(directory, 'labels'), '192.168.61.9 nobody\nsegment 1 x\n');
      named();
      await until(() => {
        named();
        return run('logs', 'tsnames').includes('labels:2: "1" is no segment');
      }, 'what is wrong is told');
      assert.deepEqual(named(), { addresses: { ...here, ...nobody }, segments: {}, pending: [] });

      configure('{ dns: true }');
      assert.match(run('reload', 'tsnames'), /^Changed: names\.dns, names\.labels\n$/);
      const far = { '192.168.61.2': { name: 'far.example', from: 'dns' } };
      await until(isNamed({ addresses: { ...here, ...far } }), 'what DNS says', 30_000);
    } finally {
      run('stop', 'tsnames');
    }
    configure('{ labels: labels }');
    assert.throws(() => run('start', '-c', config), { status: 2, stderr: /labels:2: "1" is no segment/ });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
