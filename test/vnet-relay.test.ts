/** The relay on real interfaces: what it forwards, that a killed process leaves it forwarding, and that nothing stays. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { noTcx } from '../src/bpf/testdata/probe.ts';

const RELAY = 'tsrelay';
const ENDS = ['tsrelay-a', 'tsrelay-b'] as const;
const NAME = 'tsrelay-test';

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}

before(() => {
  ip('netns', 'add', RELAY);
  for (const [i, end] of ENDS.entries()) {
    ip('netns', 'add', end);
    ip('-n', end, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `v${i}`, 'netns', RELAY);
    ip('-n', end, 'addr', 'add', `10.9.9.${i + 1}/24`, 'dev', 'eth0');
    ip('netns', 'exec', end, 'sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1');
    ip('-n', end, 'link', 'set', 'eth0', 'up');
    ip('netns', 'exec', RELAY, 'sysctl', '-qw', `net.ipv6.conf.v${i}.disable_ipv6=1`);
    ip('-n', RELAY, 'link', 'set', `v${i}`, 'up');
  }
});

after(() => {
  for (const name of [RELAY, ...ENDS]) ip('netns', 'del', name);
});

/** Runs words of a module with the relay's network namespace; what they print is JSON. */
async function inRelay(script: string, signal?: NodeJS.Signals): Promise<unknown> {
  const words = `
    import { setNetworkNamespace } from './src/bpf/index.ts';
    import { Relay } from './src/vnet/index.ts';
    setNetworkNamespace('/run/netns/${RELAY}');
    const number = (name) => Number(require('node:child_process').execFileSync('ip', ['-j', 'link', 'show', name], { encoding: 'utf8' }).match(/"ifindex":(\\d+)/)[1]);
    const plain = (value) => JSON.stringify(value, (_, each) => typeof each === 'bigint' ? Number(each) : each);
    const relay = Relay.open('${NAME}', [[number('v0'), number('v1')]]);
    ${script}`;
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { createRequire } from 'node:module'; const require = createRequire('/'); ${words}`,
    ],
    { cwd: new URL('..', import.meta.url), stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'exit');
  const said = await text(child.stdout);
  assert.deepEqual(await ended, signal === undefined ? [0, null] : [null, signal]);
  return said === '' ? undefined : JSON.parse(said);
}

const ping = (count: number): void =>
  ip('netns', 'exec', ENDS[0], 'ping', '-q', '-c', String(count), '-i', '0.02', '-W', '1', '10.9.9.2');

test('a relay forwards unaltered, counts by kind, goes on when its process is killed, and leaves nothing', {
  skip: noTcx,
}, async () => {
  await inRelay(`process.kill(process.pid, 'SIGKILL');`, 'SIGKILL');
  ping(2);
  const { first, ledger } = (await inRelay(
    `console.log(plain({ first: relay.relayed(number('v0')), ledger: relay.ledger() })); relay[Symbol.dispose]();`,
  )) as {
    first: Record<'ipv4' | 'arp' | 'ipv6' | 'other', { packets: number; octets: number }>;
    ledger: Record<string, { packets: number }>;
  };
  assert.deepEqual(first.ipv4, { packets: 2, octets: 2 * 98 });
  assert.ok(first.arp.packets >= 1);
  assert.equal(first.ipv6.packets + first.other.packets, 0);
  assert.equal(ledger.NOT_CONNECTED!.packets + ledger.REDIRECT_FAILED!.packets, 0);
  ping(1);
  await inRelay(`relay.remove();`);
  assert.throws(() => ping(1), 'the cable is gone');
  assert.ok(!existsSync(`/sys/fs/bpf/tunnelscope/vnet/${NAME}`), 'nothing is pinned');
});
