import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noTcx } from '../src/bpf/testdata/probe.ts';
import { LiveView } from '../src/live/index.ts';
import { MeterThread } from '../src/meter/index.ts';
import type { Audit, AuditPoint } from '../src/query/index.ts';
import { until } from '../web/test/browser.ts';
import { scaled } from './scale.ts';

/* The interfaces' own counters against what the hooks saw: veth, vxlan and bridge of two namespaces. */

const SENDER = 'tsaudit-a';
const RECEIVER = 'tsaudit-b';
const UNDERLAY = '10.77.0.2';
const OVERLAY = '10.78.0.2';
const OVERLAY6 = 'fd78::2';
const MEGABYTES = scaled(800, 20);
const LEAST_PACKETS = scaled(1_000_000, 20_000);

function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8' });
}

function inside(name: string, ...words: string[]): string {
  return ip('netns', 'exec', name, ...words);
}

function removeAll(): void {
  for (const name of [SENDER, RECEIVER])
    if (new RegExp(`^${name}\\b`, 'm').test(ip('netns', 'list'))) ip('netns', 'del', name);
}

before(() => {
  removeAll();
  for (const name of [SENDER, RECEIVER]) {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  ip('-n', SENDER, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', RECEIVER);
  const tunnel = ['type', 'vxlan', 'id', '5', 'dstport', '4789', 'dev', 'eth0'];
  for (const [name, here, there] of [
    [SENDER, 1, 2],
    [RECEIVER, 2, 1],
  ] as const) {
    ip('-n', name, 'addr', 'add', `10.77.0.${here}/24`, 'dev', 'eth0');
    ip('-n', name, 'link', 'set', 'eth0', 'up');
    ip('-n', name, 'link', 'add', 'vx', ...tunnel, 'local', `10.77.0.${here}`, 'remote', `10.77.0.${there}`);
    ip('-n', name, 'link', 'set', 'vx', 'up');
  }
  ip('-n', RECEIVER, 'link', 'add', 'name', 'br0', 'type', 'bridge');
  ip('-n', RECEIVER, 'link', 'set', 'vx', 'master', 'br0');
  ip('-n', RECEIVER, 'link', 'set', 'br0', 'up');
  for (const [name, device, here] of [
    [SENDER, 'vx', 1],
    [RECEIVER, 'br0', 2],
  ] as const) {
    ip('-n', name, 'addr', 'add', `10.78.0.${here}/24`, 'dev', device);
    ip('-n', name, 'addr', 'add', `fd78::${here}/64`, 'dev', device, 'nodad');
  }
});
after(removeAll);

const SINK = `require('net').createServer((s) => s.resume()).listen(5999, '::', () => console.log('ready'))`;
const SOURCE = `
const [address, megabytes] = process.argv.slice(1);
const s = require('net').connect(5999, address);
const piece = Buffer.alloc(1 << 20);
let left = Number(megabytes);
const more = () => { while (left > 0) { left--; if (!s.write(piece)) return; } s.end(); };
s.on('drain', more).on('connect', more).on('close', () => process.exit(0));`;

/** Sends TCP from the one namespace to an address of the other. */
async function send(address: string, megabytes: number): Promise<void> {
  const sink = spawn('ip', ['netns', 'exec', RECEIVER, process.execPath, '-e', SINK]);
  try {
    await once(sink.stdout, 'data', { signal: AbortSignal.timeout(10_000) });
    const source = spawn(
      'ip',
      ['netns', 'exec', SENDER, process.execPath, '-e', SOURCE, address, String(megabytes)],
      { stdio: 'inherit' },
    );
    const [code] = await once(source, 'exit', { signal: AbortSignal.timeout(30_000) });
    assert.equal(code, 0);
  } finally {
    sink.kill();
    await once(sink, 'exit');
  }
}

/** A meter of all interfaces of a namespace, with its audit. */
async function auditing(namespace: string): Promise<{
  readonly audit: () => Audit;
  readonly told: AuditPoint[];
  /** Waits for so many more epochs. */
  readonly epochs: (count: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}> {
  const stopping = new AbortController();
  const told: AuditPoint[] = [];
  const live = new LiveView({ unexplained: (point) => told.push(point) });
  const meter = await MeterThread.open({
    interfaces: ['*'],
    intervalMs: 200,
    flowCapacity: 16_384,
    hook: 'auto',
    namespace,
  });
  const running = (async () => {
    for await (const batch of meter.batches({ signal: stopping.signal })) live.write(batch);
  })();
  return {
    audit: () => live.audit(),
    told,
    epochs: async (count) => {
      const wanted = live.audit().epoch + count;
      await until(() => live.audit().epoch >= wanted, `${count} more epochs`);
    },
    stop: async () => {
      stopping.abort();
      await running;
      await meter[Symbol.asyncDispose]();
    },
  };
}

function offloads(value: 'on' | 'off', gro: 'on' | 'off'): void {
  for (const name of [SENDER, RECEIVER]) {
    inside(name, 'ethtool', '-K', 'eth0', 'tso', value, 'gso', value, 'gro', gro);
    inside(name, 'ethtool', '-K', 'vx', 'tso', value, 'gso', value);
  }
}

/** Everything since the start lies within the bounds, at every point that is there. */
function assertExplained({ points }: Audit): void {
  const nothing = { packets: 0, octets: 0, packetShare: 0, octetShare: 0 };
  for (const { interfaceName, direction, present, sinceStart } of points) {
    const place = `${interfaceName} ${direction}`;
    assert.deepEqual(sinceStart.inside, nothing, `${place}: flows and ledger`);
    if (!present) continue;
    assert.ok(sinceStart.counted, `${place} tells what it counted`);
    assert.deepEqual(sinceStart.outside, nothing, `${place}: ${JSON.stringify(sinceStart)}`);
  }
}

describe('what the interfaces counted is what the hooks saw', () => {
  let packets = 0;
  for (const [value, gro] of [
    ['on', 'off'],
    ['off', 'off'],
    ['off', 'on'],
  ] as const) {
    test(`with segmentation ${value} and GRO ${gro}, while an interface comes and goes`, async () => {
      offloads(value, gro);
      const meters = await Promise.all([auditing(SENDER), auditing(RECEIVER)]);
      const sending = (async () => {
        for (const address of [OVERLAY, OVERLAY6, UNDERLAY]) await send(address, MEGABYTES / 4);
      })();
      const here = (): boolean =>
        meters[0]!.audit().points.some(({ interfaceName, present }) => interfaceName === 'extra0' && present);
      ip('-n', SENDER, 'link', 'add', 'extra0', 'type', 'veth', 'peer', 'name', 'extra1');
      for (const name of ['extra0', 'extra1']) ip('-n', SENDER, 'link', 'set', name, 'up');
      await until(here, 'it is metered');
      await meters[0]!.epochs(2);
      ip('-n', SENDER, 'link', 'del', 'extra0');
      await until(() => !here(), 'it is gone');
      await sending;
      await Promise.all(meters.map((meter) => meter.epochs(6)));
      for (const meter of meters) {
        assertExplained(meter.audit());
        assert.deepEqual(meter.told, []);
        await meter.stop();
      }
      const sent = meters[0]!
        .audit()
        .points.find(({ interfaceName, direction }) => interfaceName === 'eth0' && direction === 'egress')!;
      packets += sent.sinceStart.expected.most.packets;
    });
  }
  test('of enough packets', () => {
    assert.ok(packets >= LEAST_PACKETS, `${packets} packets`);
  });
});

test('what a program of others drops before the hook is unexplained, told once and named', {
  skip: noTcx,
}, async () => {
  offloads('on', 'off');
  const meter = await auditing(RECEIVER);
  const dropper = spawn(process.execPath, [
    fileURLToPath(new URL('dropper.ts', import.meta.url)),
    RECEIVER,
    'eth0',
  ]);
  dropper.stderr.pipe(process.stderr);
  try {
    await once(dropper.stdout, 'data', { signal: AbortSignal.timeout(20_000) });
    const ping = ['ping', '-q', '-c', '20', '-i', '0.02', '-W', '1'];
    assert.throws(() => inside(SENDER, ...ping, '-s', '1000', UNDERLAY), 'nothing of it arrives');
    inside(SENDER, ...ping, UNDERLAY);
    await meter.epochs(7);
    const point = meter
      .audit()
      .points.find(({ interfaceName, direction }) => interfaceName === 'eth0' && direction === 'ingress')!;
    assert.equal(point.persistent.packets, 20);
    assert.equal(point.persistent.octets, 20 * 1042);
    assert.deepEqual(point.programs, { before: ['constants'], after: [] });
    assert.match(point.hint, /constants runs before it/);
    assert.deepEqual(
      [...new Set(meter.told.map(({ interfaceName, direction }) => `${interfaceName} ${direction}`))],
      ['eth0 ingress'],
    );
    assert.ok(meter.told.length <= 2, 'told when it came, and perhaps when it had doubled');
  } finally {
    dropper.stdin.end();
    await once(dropper, 'exit');
    await meter.stop();
  }
});
