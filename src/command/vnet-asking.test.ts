import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ControlServer, InstanceLock, ownIdentity, placeOf } from '../daemon/index.ts';
import type { VirtualBridge, VirtualNetwork } from '../query/index.ts';
import { bridgeOf, networksOf } from '../query/vnet.fixture.ts';
import { VNET } from '../vnet/index.ts';
import { askNetworks, NetworksSource } from './vnet-asking.ts';

const directory = mkdtempSync(join(tmpdir(), 'tspg-'));
process.env.RUNTIME_DIRECTORY = directory;
after(() => rmSync(directory, { recursive: true }));

/** An instance with its lock and socket, in this process, that says this. */
async function answering(name: string, show: () => VirtualNetwork): Promise<AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const place = placeOf(name, 'vnet');
  stack.use(InstanceLock.acquire(place, undefined));
  const refuse = (): never => assert.fail('only shown');
  const answerer = { show, ready: ownIdentity, stop: refuse, change: refuse };
  stack.use(await ControlServer.open(place, undefined, { dialogue: VNET, answerer }));
  return stack;
}

test('nothing runs: an empty answer, whether or not there is a directory', async () => {
  assert.deepEqual((await askNetworks(undefined)).functions, []);
  mkdirSync(join(directory, 'vnet'), { mode: 0o750 });
  writeFileSync(join(directory, 'vnet/left.lock'), '');
  const { functions, unanswered } = await askNetworks(undefined);
  assert.deepEqual([functions, unanswered], [[], []], 'the lock of one that is gone is nobody');
  rmSync(join(directory, 'vnet'), { recursive: true });
});

test('all that run answer; one that is silent is named and does not keep the others', async () => {
  await using _a = await answering('bridge-a', () => ({ ...bridgeOf(0, 2, 1), name: 'bridge-a' }));
  await using _b = await answering('bridge-b', () => ({ ...bridgeOf(1, 2, 1), name: 'bridge-b' }));
  await using _odd = await answering('odd', () => ({ kind: 'of another version' }) as never);
  using _lock = InstanceLock.acquire(placeOf('mute', 'vnet'), undefined);
  const mute = createServer();
  await new Promise<void>((resolve) => mute.listen(placeOf('mute', 'vnet').socket, resolve));
  await using _mute = { [Symbol.asyncDispose]: async () => void mute.close() };
  const { functions, unanswered } = await askNetworks(undefined, { patienceMs: 300 });
  assert.deepEqual(
    functions.map(({ name }) => name),
    ['bridge-a', 'bridge-b'],
  );
  assert.deepEqual(
    unanswered.map(({ name }) => name),
    ['mute', 'odd'],
  );
  assert.match(unanswered[0]!.reason, /"mute" runs but does not answer .* for 0.3 s/);
  assert.match(unanswered[1]!.reason, /this version does not understand/);
  const named = await askNetworks(['bridge-b', 'nobody']);
  assert.deepEqual(
    named.functions.map(({ name }) => name),
    ['bridge-b'],
  );
});

test('many who look cost one question a second, nobody none, and rates follow from the answer before', async () => {
  let asked = 0;
  let nowMs = 0;
  const ask = async () => {
    const { rates: _, ...port } = bridgeOf(0, 2, 1).ports[0]!;
    asked++;
    const received = { packets: 100 * asked, octets: 6400 * asked };
    const bridge: VirtualBridge = {
      ...bridgeOf(0, 2, 1),
      nowMs: 1000 * asked,
      ports: [{ ...port, received }],
    };
    return networksOf(bridge);
  };
  const source = new NetworksSource({ ask, nowMs: () => nowMs });
  assert.equal(asked, 0);
  const portOf = (answer: Awaited<ReturnType<typeof source.networks>>) =>
    (answer.functions[0] as VirtualBridge).ports[0]!;
  const first = await Promise.all(Array.from({ length: 50 }, () => source.networks()));
  assert.equal(asked, 1);
  assert.equal(portOf(first[49]!).rates, undefined);
  nowMs = 1000;
  const second = await Promise.all(Array.from({ length: 50 }, () => source.networks()));
  assert.equal(asked, 2);
  assert.deepEqual(portOf(second[0]!).rates?.received, { packetRate: 100, octetRate: 6400 });
  assert.equal(portOf(second[0]!).received.packets, 200, 'counts stay as they were said');
  nowMs = 1500;
  assert.deepEqual(await source.networks(), second[0], 'newest within a second');
  assert.equal(asked, 2);
});

test('who failed to ask once asks again', async () => {
  let nowMs = 0;
  let fails = true;
  const ask = async () => {
    if (fails) throw new Error('not now');
    return networksOf();
  };
  const source = new NetworksSource({ ask, nowMs: () => nowMs });
  await assert.rejects(source.networks(), /not now/);
  fails = false;
  nowMs = 1000;
  assert.deepEqual((await source.networks()).functions, []);
});
