import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { Workshop } from '../bench/build.ts';
import { MeterThread } from '../src/meter/index.ts';
import { packet } from '../src/wire/index.ts';
import { assertConserved } from './metering.ts';
import { isScaled, scaled } from './scale.ts';

/*
 * Epochs flip under load: a flood of tunnelled packets leaves through one end of a veth and comes in at the other,
 * while both ends are drained as often as the kernel lets us. What was sent is what the records say, to the packet.
 */

const SENDER = 'tsflip-a';
const RECEIVER = 'tsflip-b';
const FLOWS = 5000;
const PER_SECOND = scaled(2_000_000);
const SECONDS = 3;
/** What of it a machine that is busy otherwise must still do. */
const LEAST_FRAMES = scaled(5_000_000);
const LEAST_FLIPS = scaled(100, 10);

function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8' });
}

before(() => {
  for (const name of [SENDER, RECEIVER]) {
    // What a killed run left.
    if (new RegExp(`^${name}\\b`, 'm').test(ip('netns', 'list'))) ip('netns', 'del', name);
    ip('netns', 'add', name);
    ip('netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
  }
  ip('-n', SENDER, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', RECEIVER);
  for (const name of [SENDER, RECEIVER]) ip('-n', name, 'link', 'set', 'eth0', 'up');
});

after(() => {
  for (const name of [SENDER, RECEIVER]) ip('netns', 'del', name);
});

/** What a meter of one namespace counted in one direction while `until` was pending, and how many epochs that took. */
async function count(
  namespace: string,
  direction: 0 | 1,
  until: Promise<unknown>,
  ready: () => void,
): Promise<{ packets: bigint; octets: bigint; epochs: number; ledger: number }> {
  const stopping = new AbortController();
  void until.finally(() => stopping.abort());
  await using meter = await MeterThread.open({
    interfaces: ['eth0'],
    intervalMs: 1,
    flowCapacity: 8192,
    hook: 'auto',
    namespace,
  });
  ready();
  const sum = { packets: 0n, octets: 0n, epochs: 0, ledger: 0 };
  for await (const batch of meter.batches({ signal: stopping.signal })) {
    assertConserved(batch);
    sum.epochs++;
    sum.ledger += batch.ledger.length;
    for (let row = 0; row < batch.length; row++) {
      if (batch.columns.direction[row] !== direction) continue;
      sum.packets += batch.columns.wirePackets[row]!;
      sum.octets += batch.columns.wireOctets[row]!;
    }
  }
  return sum;
}

test('flips under load lose nothing of more than five million packets, on either end', {
  timeout: isScaled ? 300_000 : 120_000,
}, async () => {
  using workshop = new Workshop();
  const flood = workshop.program('bench/flood.c');
  const frame = packet()
    .eth({ source: '02:00:00:00:00:01', destination: '02:00:00:00:00:02' })
    .ipv4({ source: '10.1.0.1', destination: '10.1.0.2' })
    .udp({ sourcePort: 50_000, destinationPort: 4789 })
    .vxlan(42)
    .eth({ source: '02:00:00:00:00:03', destination: '02:00:00:00:00:04' })
    .ipv4({ source: '192.168.0.1', destination: '192.168.0.2' })
    .udp({ sourcePort: 1000, destinationPort: 2000 })
    .payload(40)
    .build();
  const done = Promise.withResolvers<void>();
  const ready = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const sent = count(SENDER, 1, done.promise, ready[0]!.resolve);
  const received = count(RECEIVER, 0, done.promise, ready[1]!.resolve);
  await Promise.race([Promise.all(ready.map(({ promise }) => promise)), sent, received]);
  const words = ['netns', 'exec', SENDER, flood, 'eth0', String(FLOWS), String(PER_SECOND), String(SECONDS)];
  const child = spawn('ip', words, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(frame);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  done.resolve();
  assert.equal(code, 0);
  const frames = BigInt(output.trim());
  assert.ok(frames >= LEAST_FRAMES, `${frames} frames were sent`);
  const wanted = { packets: frames, octets: frames * BigInt(frame.byteLength), ledger: 0 };
  for (const { epochs, ...counted } of await Promise.all([sent, received])) {
    assert.deepEqual(counted, wanted);
    assert.ok(epochs >= LEAST_FLIPS, `${epochs} flips`);
  }
});
