/** Alerts of an agent that runs: real pings above a threshold, and who is told. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Alerts, AlertsSchema } from '../src/query/index.ts';
import { type TwoHosts, twoHosts } from './two-hosts.ts';
import { until } from './until.ts';

const CLI = new URL('../src/cli.ts', import.meta.url).pathname;
const AT = 'http://127.0.0.1:8080';
/** Takes bodies and writes them down, a line each. */
const RECEIVER = `
require('node:http').createServer((request, response) => {
  let body = '';
  request.on('data', (piece) => { body += piece; });
  request.on('end', () => { console.log(body); response.end(); });
}).listen(9000, '192.168.61.2');
`;

/** What comes of a program line by line, as JSON. */
function linesOf(child: ChildProcess): () => Record<string, unknown>[] {
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  return () =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** An agent of the near host, by its configuration. */
function agentIn(hosts: TwoHosts, directory: string) {
  const env = {
    ...process.env,
    RUNTIME_DIRECTORY: join(directory, 'run'),
    LOGS_DIRECTORY: join(directory, 'log'),
  };
  const config = join(directory, 'tunnelscope.yaml');
  const inside = (...words: string[]): string =>
    execFileSync('ip', ['netns', 'exec', hosts.here, ...words], { env, encoding: 'utf8', timeout: 60_000 });
  const alerts = (): Alerts => AlertsSchema.parse(JSON.parse(inside('curl', '-s', `${AT}/api/v1/alerts`)));
  return {
    run: (...words: string[]): string => inside(process.execPath, CLI, ...words),
    configure: (...lines: string[]): void =>
      writeFileSync(
        config,
        ['name: tsalert', 'interfaces: [eth0]', 'interval: 200ms', 'alerts:', ...lines, ''].join('\n'),
      ),
    config,
    alerts,
    alert: (name: string) => alerts().alerts.find((each) => each.name === name)!,
    metrics: (): string => inside('curl', '-s', `${AT}/metrics`),
  };
}

test('what passes a threshold for long enough fires, is told everywhere once, and is over when it does no more', {
  timeout: 240_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tsalert-'));
  try {
    await using hosts = twoHosts('tsalert');
    const receiver = hosts.begin(hosts.far, [process.execPath, '-e', RECEIVER]);
    const posted = linesOf(receiver);
    const agent = agentIn(hosts, directory);
    const webhook = 'webhook: http://192.168.61.2:9000/hook?key=secret';
    const pings = `  - { name: pings, filter: icmp, quantity: packets, by: src, above: 10pkt/s, for: 2s, ${webhook} }`;
    const quiet = '  - { name: quiet, filter: icmp, quantity: packets, below: 1pkt/s, for: 1s }';
    const bothFire = (): boolean => {
      const { groups } = agent.alert('pings');
      return groups.length === 2 && groups.every(({ state }) => state === 'firing');
    };
    agent.configure(pings, quiet);
    agent.run('start', '-c', agent.config, '--detached');
    try {
      await until(() => agent.alert('quiet').state === 'firing', 'that nothing is there fires');
      assert.deepEqual([agent.alert('pings').state, agent.alert('pings').value], ['ok', null]);

      const pingedMs = Date.now();
      const pinging = hosts.begin(hosts.far, ['ping', '-q', '-i', '0.05', '192.168.61.1']);
      await until(() => agent.alert('pings').state === 'firing', 'pings fire', 30_000);
      assert.ok(Date.now() - pingedMs >= 2000, 'not before two seconds');
      await until(bothFire, 'both ways');
      const { groups, value, bound, threshold, groupsLeftOut } = agent.alert('pings');
      assert.deepEqual(groups.map(({ group }) => group).toSorted(), [
        'none/192.168.61.1',
        'none/192.168.61.2',
      ]);
      assert.ok(value! > 10 && value! < 25, `${value} packets per second`);
      assert.deepEqual([bound, threshold, groupsLeftOut], ['above', 10, 0]);
      assert.equal(agent.alert('quiet').state, 'resolved');
      const exposition = agent.metrics();
      assert.match(exposition, /^tunnelscope_alert_firing\{alert="pings"\} 2$/m);
      assert.match(exposition, /^tunnelscope_alert_firing\{alert="quiet"\} 0$/m);
      await until(() => posted().length === 2, 'both are posted');
      assert.deepEqual(
        posted()
          .map(({ alert, state, group }) => `${alert} ${state} ${group}`)
          .toSorted(),
        ['pings firing none/192.168.61.1', 'pings firing none/192.168.61.2'],
      );
      const { webhook: status } = agent.alert('pings');
      assert.deepEqual(status, {
        host: '192.168.61.2:9000',
        waiting: 0,
        posted: 2,
        dropped: 0,
        failing: null,
      });

      const { sinceMs } = agent.alert('pings');
      agent.configure('  - { name: new, above: 1Tbit/s }', pings);
      assert.equal(agent.run('reload', 'tsalert'), 'Changed: alerts\n');
      assert.deepEqual(
        agent.alerts().alerts.map(({ name, state }) => `${name} ${state}`),
        ['new ok', 'pings firing'],
      );
      assert.equal(agent.alert('pings').sinceMs, sinceMs, 'it stands as it stood');

      pinging.kill();
      await until(() => agent.alert('pings').state === 'resolved', 'it is over', 30_000);
      await until(() => posted().length === 4, 'that is posted too');
      assert.deepEqual(
        posted()
          .slice(2)
          .map(({ state }) => state),
        ['resolved', 'resolved'],
      );
      for (const { atMs, beyondSinceMs } of posted().slice(2) as { atMs: number; beyondSinceMs: number }[])
        assert.ok(atMs - beyondSinceMs >= 2000);

      receiver.kill();
      hosts.begin(hosts.far, ['ping', '-q', '-i', '0.05', '192.168.61.1']);
      await until(() => agent.alert('pings').webhook!.failing !== null, 'nobody takes it', 30_000);
      assert.match(agent.alert('pings').webhook!.failing!.message, /ECONNREFUSED/);
      await until(bothFire, 'which changes nothing else');

      const log = agent.run('logs', 'tsalert');
      const count = (pattern: RegExp): number => [...log.matchAll(pattern)].length;
      assert.equal(count(/Alert "quiet" fires: \S+ pkt\/s, below 1 pkt\/s for 1 s/g), 1);
      assert.equal(count(/Alert "quiet" is over/g), 1);
      assert.equal(
        count(/Alert "pings" fires: none\/192\.168\.61\.[12] has \S+ pkt\/s, above 10 pkt\/s for 2 s/g),
        4,
      );
      assert.equal(count(/Alert "pings" is over: /g), 2);
      assert.equal(count(/Problem: posting alerts to 192\.168\.61\.2:9000 failed: connect ECONNREFUSED/g), 1);
      assert.ok(!log.includes('secret'));
    } finally {
      agent.run('stop', 'tsalert');
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});
