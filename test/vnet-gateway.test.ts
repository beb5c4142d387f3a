/** The gateway on real interfaces, run by its command, with clients and workers whose addresses are all the same. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, test } from 'node:test';
import type { VirtualGateway } from '../src/query/index.ts';
import {
  client,
  clientMac,
  GatewayScene,
  inside,
  ip,
  NAME,
  outcome,
  ping,
  request,
  type SwitchTag,
  seen,
  serve,
  type TrunkFrame,
  tag,
  WORKER_ADDRESS,
  worker,
  workerMac,
} from './gateway-scene.ts';
import { until } from './until.ts';

let scene: GatewayScene;

before(async () => {
  scene = await GatewayScene.open();
});

afterEach(() => scene.stop());

after(async () => {
  await scene[Symbol.asyncDispose]();
});

/** Client i is of worker i. */
const CLIENTS = [1, 2, 3].map((i) => ({ mac: clientMac(i), worker: `veth${i}` }));

/** So many different VLANs from 2 to 17. */
function drawVlans(count: number): number[] {
  const left = Array.from({ length: 16 }, (_, i) => i + 2);
  return Array.from({ length: count }, () => left.splice(Math.floor(Math.random() * left.length), 1)[0]!);
}

const clientOf = (shown: VirtualGateway, i: number): VirtualGateway['clients'][number] =>
  shown.clients.find(({ mac }) => mac === clientMac(i))!;

function sumOf(frames: readonly TrunkFrame[]): { packets: number; octets: number } {
  return { packets: frames.length, octets: frames.reduce((sum, { octets }) => sum + octets, 0) };
}

/** Waits until the capture has all that the gateway counted, and no longer. */
async function settled(capture: { count(): number }): Promise<void> {
  await until(async () => {
    const { clients, outcomes } = await scene.show();
    const sent = clients.reduce((sum, each) => sum + each.sent.packets, 0);
    return capture.count() === seen({ outcomes } as VirtualGateway).trunk + sent;
  }, 'the capture has all frames');
}

test('B1 (1), (6), BUG-B1, BUG-B9: each of three clients with one address gets all answers from its own worker, and counters equal the capture both ways, with tags', async () => {
  const vlans = drawVlans(3);
  for (const i of [1, 2, 3]) await scene.setTags(i, tag(vlans[i - 1]!));
  for (const i of [1, 2, 3]) await serve(scene, i);
  scene.write({ clients: CLIENTS });
  await scene.start();
  const capture = await scene.capture();
  const answers = await Promise.all([1, 2, 3].map((i) => request(scene, i, 8)));
  for (const i of [1, 2, 3])
    assert.deepEqual(
      answers[i - 1],
      Array.from({ length: 8 }, () => [200, worker(i)]),
    );
  await settled(capture);
  const frames = await capture.read();
  const shown = await scene.show();
  for (const i of [1, 2, 3]) {
    const { received, sent, tags, isLearned } = clientOf(shown, i);
    const [mac, vid] = [clientMac(i), vlans[i - 1]!];
    console.log(
      `mac ${mac.replaceAll(':', '')} rx pkts = ${received.packets}, rx bytes = ${received.octets}`,
    );
    console.log(`                 tx pkts = ${sent.packets}, tx bytes = ${sent.octets}`);
    assert.deepEqual([tags, isLearned], [[tag(vid)], true]);
    const own = frames.filter(({ tags: [outer] }) => outer?.vid === vid);
    assert.deepEqual(received, sumOf(own.filter(({ source }) => source === mac)));
    assert.deepEqual(sent, sumOf(own.filter(({ source }) => source === workerMac(i))));
    // Connecting, asking, answering and closing, eight times.
    assert.ok(sent.packets >= 8 * 4 && received.packets >= 8 * 5, `${sent.packets} and ${received.packets}`);
    assert.equal(own.length, received.packets + sent.packets, 'nothing else is on its VLAN');
  }
  assert.equal(seen(shown).trunk, frames.filter(({ source }) => /^02:00:00:00:00/.test(source)).length);
});

test('B1 (2), (3), BUG-B7: whoever is no client and whoever has no VLAN gets nothing, and each frame is counted where it ended', async () => {
  scene.write({ clients: [CLIENTS[0]] });
  await scene.start();
  await scene.setTags(2, tag(7));
  assert.equal(ping(client(2)), 0);
  await scene.setTags(1);
  assert.equal(ping(client(1)), 0);
  const before = await scene.show();
  assert.ok(outcome(before, 'unknown-client') >= 1);
  assert.ok(outcome(before, 'untagged') >= 1);
  assert.equal(outcome(before, 'to-worker'), 0);
  await scene.setTags(1, tag(7));
  assert.equal(ping(client(1)), 2, 'with a tag it does');
  const counter = (): number =>
    Number(
      inside(
        'tsgw-gw',
        'sh',
        '-c',
        'ip -s -j link show eth0 | tr , "\\n" | sed -n "/rx/,/packets/s/.*packets.:\\([0-9]*\\).*/\\1/p" | head -1',
      ),
    );
  const [first, received] = [await scene.show(), counter()];
  assert.equal(ping(client(2), { count: 5 }), 0);
  assert.equal(seen(await scene.show()).trunk - seen(first).trunk, counter() - received);
});

test('B1 (4): a client changes its VLAN in the midst, and the answers carry the new tag with its priority', async () => {
  const first = tag(5);
  const second = tag(15, { pcp: 5, dei: true });
  await scene.setTags(1, first);
  scene.write({ clients: [CLIENTS[0]] });
  await scene.start();
  const capture = await scene.capture();
  assert.equal(ping(client(1)), 2);
  await scene.setTags(1, second);
  assert.equal(ping(client(1)), 2);
  await settled(capture);
  const answers = (await capture.read()).filter(({ source }) => source === workerMac(1));
  const carried = answers.map(({ tags }) => tags);
  const turn = carried.findIndex(([each]) => each?.vid === 15);
  assert.ok(turn >= 2, 'both were there');
  assert.deepEqual(
    carried,
    carried.map((_, i) => [i < turn ? first : second]),
  );
  const shown = await scene.show();
  assert.equal(clientOf(shown, 1).moves, 1);
  assert.match(shown.events.at(-1)!.words, /^Client 02:00:00:00:00:01 moved from VLAN 5 to VLAN 15$/);
});

for (const key of ['vlan', 'default'] as const)
  test(`B1 (5), BUG-B4: a worker can speak first where a ${key} VLAN is configured`, async () => {
    await scene.setTags(1, tag(40));
    scene.write({ clients: [{ ...CLIENTS[0], [key]: 40 }, CLIENTS[1]] });
    await scene.start();
    assert.equal(ping(worker(1), { to: '172.16.1.100' }), 2);
    const shown = await scene.show();
    assert.ok(outcome(shown, 'flooded') >= 1, 'its question who has the address');
    assert.equal(clientOf(shown, 1).isLearned, key === 'default');
    await scene.setTags(2, tag(41));
    assert.equal(ping(worker(2), { to: '172.16.1.100' }), 0, 'without one it cannot');
    assert.ok(outcome(await scene.show(), 'no-vlan') >= 1);
  });

/** Gives a namespace another address. */
function move(name: string, from: string, to: string): void {
  ip('-n', name, 'addr', 'del', `${from}/24`, 'dev', 'eth0');
  ip('-n', name, 'addr', 'add', `${to}/24`, 'dev', 'eth0');
}

test('BUG-B2: two clients of one worker get their answers each on its own VLAN, whoever spoke last', async () => {
  await scene.setTags(1, tag(5));
  await scene.setTags(2, tag(15));
  move(client(2), '172.16.1.100', '172.16.1.102');
  scene.write({ clients: [CLIENTS[0], { ...CLIENTS[1], worker: 'veth1' }] });
  await scene.start();
  const capture = await scene.capture();
  for (let i = 0; i < 3; i++) for (const each of [1, 2]) assert.equal(ping(client(each), { count: 1 }), 1);
  // Both have spoken: now the worker speaks to each in turn, and to all.
  for (let i = 0; i < 3; i++)
    for (const to of ['172.16.1.102', '172.16.1.100']) assert.equal(ping(worker(1), { to, count: 1 }), 1);
  ping(worker(1), { to: '172.16.1.200', count: 1 });
  await settled(capture);
  const frames = (await capture.read()).filter(({ source }) => source === workerMac(1));
  for (const { destination, tags } of frames)
    if (destination === clientMac(1)) assert.deepEqual(tags, [tag(5)]);
    else if (destination === clientMac(2)) assert.deepEqual(tags, [tag(15)]);
  const broadcasts = frames.filter(({ destination }) => destination === 'ff:ff:ff:ff:ff:ff');
  const onVlan = (vid: number): number => broadcasts.filter(({ tags }) => tags[0]!.vid === vid).length;
  assert.ok(onVlan(5) >= 1);
  assert.equal(onVlan(5), onVlan(15), 'what is for all goes to both VLANs');
  await scene.setTags(2, tag(5));
  assert.equal(ping(client(2)), 2);
  const again = await scene.capture();
  ping(worker(1), { to: '172.16.1.200', count: 1 });
  const before = (await scene.show()).outcomes.find(({ name }) => name === 'flooded')!.packets;
  await until(() => again.count() >= 1, 'it asked');
  const once = (await again.read()).filter(({ destination }) => destination === 'ff:ff:ff:ff:ff:ff');
  assert.ok(before >= 1);
  assert.deepEqual(new Set(once.map(({ tags: [outer] }) => outer!.vid)), new Set([5]));
  move(client(2), '172.16.1.102', '172.16.1.100');
});

/** QinQ as 802.1ad has it, and as many switches do it. */
const STACKS: readonly (readonly [string, readonly SwitchTag[]])[] = [
  ['802.1ad around 802.1Q', [tag(100, { protocol: 0x88a8, pcp: 2 }), tag(5, { pcp: 6 })]],
  ['802.1Q around 802.1Q', [tag(100, { dei: true }), tag(0, { pcp: 3 })]],
];
for (const [name, stack] of STACKS)
  test(`BUG-B8: both tags of ${name} are learned, taken off, and put on again in order`, async () => {
    await scene.setTags(1, ...stack);
    scene.write({ clients: [CLIENTS[0]] });
    await scene.start();
    const capture = await scene.capture();
    assert.equal(ping(client(1), { count: 3 }), 3);
    await settled(capture);
    const before = clientOf(await scene.show(), 1);
    const frames = await capture.read();
    for (const { tags } of frames) assert.deepEqual(tags, stack);
    const behind = clientOf(await scene.show(), 1);
    assert.deepEqual(behind.tags, stack);
    // Neighbours may ask for each other at any moment: what was captured lies between what was counted before and behind it.
    for (const [way, mac] of [
      ['received', clientMac(1)],
      ['sent', workerMac(1)],
    ] as const) {
      const { packets, octets } = sumOf(frames.filter(({ source }) => source === mac));
      assert.ok(before[way].packets <= packets && packets <= behind[way].packets, way);
      assert.ok(before[way].octets <= octets && octets <= behind[way].octets, way);
      assert.ok(before[way].packets >= 4, 'three echoes, and who has the address');
    }
  });

test('BUG-B8: a tag with VID 0 has a priority and no VLAN, and three tags are too many: both are dropped and counted as such', async () => {
  scene.write({ clients: [CLIENTS[0]] });
  await scene.start();
  await scene.setTags(1, tag(0, { pcp: 7 }));
  assert.equal(ping(client(1)), 0);
  assert.ok(outcome(await scene.show(), 'untagged') >= 1);
  await scene.setTags(1, tag(5), tag(6), tag(7));
  assert.equal(ping(client(1)), 0);
  const shown = await scene.show();
  assert.ok(outcome(shown, 'too-many-tags') >= 1);
  assert.equal(clientOf(shown, 1).tags, null, 'nothing is learned from them');
});

test('a trunk that has tags within the frame works as one that has them beside it', async () => {
  inside('tsgw-sw', 'ethtool', '-K', 'trunk', 'tx-vlan-hw-insert', 'off', 'tx-vlan-stag-hw-insert', 'off');
  inside('tsgw-gw', 'ethtool', '-K', 'eth0', 'tx-vlan-hw-insert', 'off', 'tx-vlan-stag-hw-insert', 'off');
  for (const stack of [[tag(5)], STACKS[0]![1]]) {
    await scene.setTags(1, ...stack);
    scene.write({ clients: [CLIENTS[0]] });
    await scene.start();
    assert.equal(ping(client(1), { count: 3 }), 3);
    assert.deepEqual(clientOf(await scene.show(), 1).tags, stack);
    await scene.stop();
  }
  inside('tsgw-sw', 'ethtool', '-K', 'trunk', 'tx-vlan-hw-insert', 'on', 'tx-vlan-stag-hw-insert', 'on');
  inside('tsgw-gw', 'ethtool', '-K', 'eth0', 'tx-vlan-hw-insert', 'on', 'tx-vlan-stag-hw-insert', 'on');
});

for (const [name, stack] of [['one tag', [tag(5)]] as const, ...STACKS])
  test(`super-packets with ${name} pass both ways unharmed, and count as what is on the wire`, async () => {
    await scene.setTags(1, ...stack);
    scene.write({ clients: [CLIENTS[0]] });
    await scene.start();
    assert.equal(ping(client(1)), 2);
    const server = scene.spawn('ip', ['netns', 'exec', worker(1), 'iperf3', '-s', '-1', '--forceflush']);
    await once(server.stdout!, 'data');
    const words = ['iperf3', '-c', WORKER_ADDRESS, '-J', '-n', '64M', '--bidir'];
    const report = JSON.parse(inside(client(1), ...words)) as {
      end: Record<string, { bytes: number; retransmits?: number }>;
    };
    const { received, sent } = clientOf(await scene.show(), 1);
    const { sum_received, sum_sent, sum_received_bidir_reverse, sum_sent_bidir_reverse } = report.end;
    for (const [{ packets, octets }, { bytes }, written] of [
      [received, sum_received!, sum_sent!],
      [sent, sum_received_bidir_reverse!, sum_sent_bidir_reverse!],
    ] as const) {
      assert.ok(bytes >= 4e6, `${bytes} octets`);
      // Of 1500 octets TCP has 1448; Ethernet, IPv4 and TCP with timestamps are 66, each tag 4.
      assert.ok(packets >= bytes / 1448, `${packets} packets for ${bytes} octets`);
      assert.ok(octets >= bytes + (bytes / 1448) * (66 + 4 * stack.length), `${octets} for ${bytes}`);
      const most = written.bytes + (written.retransmits ?? 0) * 1448 + packets * 90;
      assert.ok(octets <= most, `${octets} for ${written.bytes} in ${packets}, ${written.retransmits} again`);
    }
  });

test('show says it in words', async () => {
  await scene.setTags(1, tag(5, { pcp: 3 }));
  scene.write({ clients: [{ ...CLIENTS[0], allowed: [5, '100-200'] }] });
  await scene.start();
  assert.equal(ping(client(1)), 2);
  const { out, code } = await scene.run('gateway', 'show', NAME);
  assert.equal(code, 0);
  assert.match(out, /^"tsgw-test" is a gateway \(process \d+, up .*\): trunk eth0, namespace tsgw-gw$/m);
  assert.match(out, /^02:00:00:00:00:01 +veth1 +5 \(priority 3\) +learned +5,100-200 +\d+\.\d s +0 +\d+ /m);
  assert.match(out, /^to-worker +\d+ +\d+$/m);
});
