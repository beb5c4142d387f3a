import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { run } from './command.ts';
import type { StreamLedger } from './ledger.ts';
import { labDown, labUp } from './network.ts';
import type { TrafficProfile, TrafficStream } from './profile.ts';
import { labStatus } from './status.ts';
import { loadTopology, type Topology } from './topology.ts';
import { startTraffic, stopTraffic } from './traffic.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root to make network namespaces';

async function standing(t: TestContext, prefix: string, topology: Topology): Promise<void> {
  t.after(() => labDown({ prefix }));
  await labUp(topology, { prefix });
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) assert.fail(`${what}: not after 10 s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const profile = (...streams: TrafficStream[]): TrafficProfile => ({ title: 'test', streams });
const balanced = ({ forward, backward, errors }: StreamLedger): void => {
  assert.deepEqual(forward.received, forward.sent);
  assert.deepEqual(backward.received, backward.sent);
  assert.equal(errors, 0);
};

test('counted streams of every kind arrive whole, over IPv4 and IPv6', { skip }, async (t) => {
  for (const [prefix, topology] of [
    ['tst20-', loadTopology('overlay', { hosts: 2, segments: 1 })],
    ['tst21-', loadTopology('overlay6', { hosts: 2, segments: 1 })],
  ] as const) {
    await standing(t, prefix, topology);
    const ends = { vni: 10000, from: 'host0', to: 'host1' };
    const back = { vni: 10000, from: 'host1', to: 'host0' };
    const traffic = await startTraffic(
      topology,
      profile(
        { kind: 'ping', ...ends, size: 128, perSecond: 10, count: 5 },
        { kind: 'udp', ...ends, size: 1000, perSecond: 1000, count: 1000 },
        { kind: 'udp', ...back, size: 0, perSecond: 100, count: 20 },
        { kind: 'bulk', ...ends, octets: 3_000_001 },
        { kind: 'bulk', ...back, octets: 10_000, everySeconds: 0.1, count: 3 },
        {
          kind: 'requests',
          ...back,
          requestOctets: 70_000,
          responseOctets: 200_000,
          perSecond: 50,
          count: 20,
        },
      ),
      { prefix },
    );
    const { streams, receiveDrops } = await traffic.finished;
    for (const stream of streams) balanced(stream);
    assert.equal(receiveDrops, 0);
    assert.deepEqual(
      streams.map(({ forward: { sent }, backward }) => [
        sent.messages,
        sent.octets,
        backward.sent.messages,
        backward.sent.octets,
      ]),
      [
        [5, 640, 5, 640],
        [1000, 1_000_000, 0, 0],
        [20, 0, 0, 0],
        [1, 3_000_001, 0, 0],
        [3, 30_000, 0, 0],
        [20, 1_400_000, 20, 4_000_000],
      ],
    );
    assert.deepEqual(labStatus({ prefix }).processes, []);
  }
});

test('the frames of the ledger are those the wire carried, but for address resolution', {
  skip,
}, async (t) => {
  const prefix = 'tst22-';
  const topology = loadTopology('pair');
  await standing(t, prefix, topology);
  const received = async (): Promise<{ packets: number; bytes: number }> =>
    JSON.parse((await run('ip', ['-n', 'tst22-fabric', '-j', '-s', 'link', 'show', 'host0'])).stdout)[0]
      .stats64.rx;
  const before = await received();
  const stream = { kind: 'udp', from: 'host0', to: 'host1', size: 700, perSecond: 2000, count: 600 } as const;
  const { streams } = await (await startTraffic(topology, profile(stream), { prefix })).finished;
  const after = await received();
  const frames = streams[0]?.frames?.forward ?? assert.fail('no frames');
  assert.deepEqual(frames, { packets: 600, octets: 600 * 742, tunnelOctets: 600 * 742 });
  const others = after.packets - before.packets - 600;
  assert.ok(others >= 0 && others < 10);
  assert.equal(
    after.bytes - before.bytes - frames.octets,
    others * 42,
    'all others are ARP frames of 42 octets',
  );
});

test('endless streams stop on abort with a ledger in balance, and the noisy client dominates', {
  skip,
}, async (t) => {
  const prefix = 'tst23-';
  const topology = loadTopology('tenants');
  await standing(t, prefix, topology);
  const cancel = new AbortController();
  const ends = { vni: 10000, from: 'host0', to: 'host1' };
  const traffic = await startTraffic(
    topology,
    profile(
      { kind: 'ping', ...ends, size: 56, perSecond: 20 },
      { kind: 'udp', ...ends, size: 100, perSecond: 50 },
      { kind: 'requests', ...ends, requestOctets: 10, responseOctets: 10, perSecond: 20 },
      { kind: 'bulk', ...ends, octets: 1e12, octetsPerSecond: 100_000 },
      { kind: 'udp', ...ends, to: 'host8', size: 1, perSecond: 1 },
    ),
    { prefix, signal: cancel.signal, noisy: { vni: 10001, from: 'host0', to: 'host2', perSecond: 800 } },
  );
  assert.equal(traffic.skipped.length, 1);
  assert.equal(labStatus({ prefix }).traffic.length, 1);
  await until(
    () => traffic.sent().streams.every(({ forward }) => forward.received.octets > 0),
    'every stream has begun',
  );
  cancel.abort();
  const { streams } = await traffic.finished;
  for (const stream of streams) {
    assert.deepEqual(stream.forward.received, stream.forward.sent);
    assert.deepEqual(stream.backward.received, stream.backward.sent);
  }
  const [noisy, ...others] = streams.map(({ forward }) => forward.sent.octets).reverse();
  assert.ok((noisy ?? 0) > Math.max(...others));
  assert.deepEqual([labStatus({ prefix }).processes, labStatus({ prefix }).traffic], [[], []]);
});

test('two runs at once keep apart; stopTraffic ends both and each gets its ledger', { skip }, async (t) => {
  const prefix = 'tst24-';
  const topology = loadTopology('pair');
  await standing(t, prefix, topology);
  const stream = { from: 'host0', to: 'host1', size: 64, perSecond: 50 };
  const runs = [
    await startTraffic(topology, profile({ kind: 'udp', ...stream }), { prefix }),
    await startTraffic(topology, profile({ kind: 'udp', ...stream }, { kind: 'ping', ...stream }), {
      prefix,
    }),
  ];
  for (const { sent } of runs)
    await until(
      () => sent().streams.every(({ forward }) => forward.received.messages > 0),
      'a run has begun',
    );
  stopTraffic({ prefix });
  for (const { streams } of await Promise.all(runs.map(({ finished }) => finished)))
    for (const one of streams) balanced(one);
  assert.deepEqual(labStatus({ prefix }).traffic, []);
});

test('traffic does not outlive the killed process that started it', { skip }, async (t) => {
  const prefix = 'tst25-';
  await standing(t, prefix, loadTopology('pair'));
  const index = new URL('./index.ts', import.meta.url).href;
  const program = `const { startTraffic, loadTopology } = await import('${index}');
    const ends = { from: 'host0', to: 'host1', size: 64, perSecond: 20 };
    await startTraffic(loadTopology('pair'), { title: 't', streams: [{ kind: 'udp', ...ends }, { kind: 'ping', ...ends }] }, { prefix: '${prefix}' });
    console.log('runs');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(createInterface({ input: child.stdout }), 'line');
  await until(() => labStatus({ prefix }).processes.length === 3, 'two generators and a ping are inside');
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await until(() => labStatus({ prefix }).processes.length === 0, 'all have ended');
  await gone; // its files are closed, and so its generators told, before it is off the list of processes
  assert.deepEqual(labStatus({ prefix }).traffic, []);
});

test('traffic in a lab that does not stand is refused, taking a lab down ends its traffic', {
  skip,
}, async (t) => {
  const prefix = 'tst26-';
  const topology = loadTopology('pair');
  const stream = { kind: 'udp', from: 'host0', to: 'host1', size: 64, perSecond: 20 } as const;
  await assert.rejects(startTraffic(topology, profile(stream), { prefix }), { code: 'LAB_NOT_UP' });
  await standing(t, prefix, topology);
  const traffic = await startTraffic(topology, profile(stream), { prefix });
  await labDown({ prefix });
  const { streams } = await traffic.finished;
  assert.equal(streams.length, 1);
  assert.equal(labStatus({ prefix }).state, 'absent');
});

test('a port in use is an error that names the namespace, and leaves nothing running', {
  skip,
}, async (t) => {
  const prefix = 'tst27-';
  const topology = loadTopology('pair');
  await standing(t, prefix, topology);
  const stream = { kind: 'udp', from: 'host0', to: 'host1', size: 64, perSecond: 20, port: 5353 } as const;
  await using first = await startTraffic(topology, profile(stream), { prefix });
  await assert.rejects(startTraffic(topology, profile(stream), { prefix }), {
    code: 'LAB_TRAFFIC',
    message: /namespace tst27-host1.*EADDRINUSE/,
  });
  assert.equal(labStatus({ prefix }).processes.length, 2);
  await first.stop();
});
