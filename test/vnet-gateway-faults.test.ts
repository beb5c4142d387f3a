/** The gateway when something is wrong: forged addresses, full tables, what is forgotten, what goes and comes back, what is killed. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { VirtualGateway } from '../src/query/index.ts';
import {
  client,
  clientMac,
  GATEWAY,
  GatewayScene,
  inside,
  ip,
  NAME,
  outcome,
  PINS,
  ping,
  tag,
  WORKER_ADDRESS,
  worker,
  workerMac,
} from './gateway-scene.ts';
import { scaled } from './scale.ts';
import { until } from './until.ts';

let scene: GatewayScene;

before(async () => {
  scene = await GatewayScene.open();
});

beforeEach(async () => {
  for (const i of [1, 2, 3]) await scene.setTags(i, tag(10 + i));
});

afterEach(() => scene.stop());

after(async () => {
  await scene[Symbol.asyncDispose]();
});

const FIRST = { mac: clientMac(1), worker: 'veth1' };
const SECOND = { mac: clientMac(2), worker: 'veth2' };

const clientOf = (shown: VirtualGateway, i: number): VirtualGateway['clients'][number] =>
  shown.clients.find(({ mac }) => mac === clientMac(i))!;

/** Client 2 has the address of client 1 from now on, or its own again. */
function forge(i: 1 | 2): void {
  ip('-n', client(2), 'link', 'set', 'eth0', 'address', clientMac(i));
}

test('BUG-B3: while a client moves between two VLANs all the time, no answer has half of one and half of the other', async () => {
  const stacks = [
    [tag(0xaaa, { protocol: 0x88a8, pcp: 5 }), tag(0x555, { pcp: 2 })],
    [tag(0x555, { pcp: 2, dei: true }), tag(0xaaa, { protocol: 0x88a8, pcp: 5, dei: true })],
  ];
  await scene.setTags(1, ...stacks[0]!);
  scene.write({ clients: [FIRST], moves: { limit: 60000, period: '1h' } });
  await scene.start();
  assert.equal(ping(client(1)), 2);
  const capture = await scene.capture();
  const flood = (from: string, to: string): ChildProcess =>
    scene.spawn('ip', ['netns', 'exec', from, 'ping', '-q', '-f', '-w', '2', to], { quiet: true });
  const floods = [flood(client(1), WORKER_ADDRESS), flood(worker(1), '172.16.1.100')];
  const ended = Promise.all(floods.map((each) => once(each, 'exit')));
  let turns = 0;
  while (floods.some((each) => each.exitCode === null)) await scene.setTags(1, ...stacks[++turns % 2]!);
  await ended;
  const frames = (await capture.read()).filter(({ source }) => source === workerMac(1));
  assert.ok(turns > 100 && frames.length > 500, `${turns} turns, ${frames.length} frames`);
  const words = new Set(frames.map(({ tags }) => JSON.stringify(tags)));
  assert.deepEqual(words, new Set(stacks.map((stack) => JSON.stringify(stack))));
  assert.ok(clientOf(await scene.show(), 1).moves > 50);
});

test('BUG-B5: a client that has not been heard for the time of ageing is forgotten, and learned anew', async () => {
  scene.write({ clients: [FIRST], ageing: '500ms' });
  await scene.start();
  assert.equal(ping(client(1)), 2);
  assert.deepEqual(clientOf(await scene.show(), 1).tags, [tag(11)]);
  await until(async () => clientOf(await scene.show(), 1).tags === null, 'it is forgotten');
  const before = outcome(await scene.show(), 'no-vlan');
  assert.equal(ping(worker(1), { to: '172.16.1.100', count: 1 }), 0);
  assert.ok(outcome(await scene.show(), 'no-vlan') > before, 'and what is for it is counted');
  await scene.setTags(1, tag(12));
  assert.equal(ping(client(1)), 2);
  const { tags, moves } = clientOf(await scene.show(), 1);
  assert.deepEqual([tags, moves], [[tag(12)], 0], 'that is no move');
});

test('BUG-B5: when all places are taken, one more client is refused with words, and those who are there stay', async () => {
  scene.write({ clients: [FIRST, SECOND], capacity: 2 });
  await scene.start();
  const { code, err } = await scene.run(
    'gateway',
    'add',
    '--name',
    NAME,
    '--mac',
    clientMac(3),
    '--worker',
    'veth3',
  );
  assert.notEqual(code, 0);
  assert.match(err, /capacity 2 is not enough for 3 clients: raise it/);
  for (const i of [1, 2]) assert.equal(ping(client(i)), 2);
  assert.equal(ping(client(3)), 0);
  assert.ok(outcome(await scene.show(), 'unknown-client') >= 1);
  scene.write({ clients: [FIRST, SECOND, { mac: clientMac(3), worker: 'veth3' }], capacity: 2 });
  const checked = await scene.run('gateway', 'check', '--config', scene.config);
  assert.equal(checked.code, 2);
  assert.match(checked.err, /capacity: "2" is not enough for 3 clients/);
});

test('BUG-B6: a client’s address, forged on a VLAN that it may not be on, gets nothing and steals no answer', async () => {
  scene.write({ clients: [{ ...FIRST, allowed: [11, '100-200'] }] });
  await scene.start();
  assert.equal(ping(client(1)), 2);
  forge(1);
  assert.equal(ping(client(2)), 0);
  const shown = await scene.show();
  assert.ok(outcome(shown, 'vlan-not-allowed') >= 1);
  assert.deepEqual(clientOf(shown, 1).tags, [tag(11)]);
  const told = shown.events.filter(({ kind }) => kind === 'vlan-not-allowed');
  assert.equal(
    told[0]?.words,
    'Frames of client 02:00:00:00:00:01 on VLAN 12 are dropped: it may be on VLAN 11, 100–200',
  );
  assert.equal(ping(client(1)), 2);
  forge(2);
});

test('BUG-B6: a client’s address, forged where no VLAN is said, moves it so often and no more, and that is told', async () => {
  scene.write({ clients: [FIRST], moves: { limit: 4, period: '1h' } });
  await scene.start();
  for (let i = 0; i < 2; i++) {
    forge(2);
    assert.equal(ping(client(1), { count: 1 }), 1);
    forge(1);
    assert.equal(ping(client(2), { count: 1 }), 1);
  }
  assert.equal(clientOf(await scene.show(), 1).moves, 3);
  forge(2);
  assert.equal(ping(client(1), { count: 1 }), 1, 'the fourth');
  forge(1);
  assert.equal(ping(client(2), { count: 3 }), 0, 'the fifth is one too many');
  forge(2);
  assert.equal(ping(client(1)), 2, 'the client has its answers');
  const shown = await scene.show();
  assert.equal(clientOf(shown, 1).moves, 4);
  assert.ok(outcome(shown, 'move-refused') >= 1);
  assert.match(
    shown.events.find(({ kind }) => kind === 'move-refused')?.words ?? '',
    /^Client 02:00:00:00:00:01 moves too often: its frames of VLAN 12 are dropped, it stays on VLAN 11$/,
  );
});

test('a client with a VLAN for good is never moved, and heard on that alone unless others are allowed', async () => {
  scene.write({
    clients: [
      { ...FIRST, vlan: 11 },
      { ...SECOND, vlan: 40, allowed: [12, 40] },
    ],
  });
  await scene.start();
  assert.equal(ping(client(1)), 2);
  await scene.setTags(1, tag(20));
  assert.equal(ping(client(1)), 0);
  assert.equal(ping(client(2)), 0, 'it is heard, and answered where it is said to be');
  const shown = await scene.show();
  assert.ok(outcome(shown, 'vlan-not-allowed') >= 1);
  assert.ok(clientOf(shown, 2).received.packets >= 1);
  assert.deepEqual(clientOf(shown, 2).tags, [tag(40)]);
  assert.deepEqual(
    shown.clients.map(({ allowed }) => allowed),
    [[11], [12, 40]],
  );
  assert.deepEqual(
    shown.clients.map(({ moves }) => moves),
    [0, 0],
  );
});

test('what a worker tags itself is dropped and counted', async () => {
  scene.write({ clients: [{ ...FIRST, vlan: 11 }] });
  await scene.start();
  assert.equal(ping(client(1)), 2);
  const frame = `ff ff ff ff ff ff 02 00 00 00 01 01 81 00 00 05 08 00 ${'00 '.repeat(46)}`;
  sendFrame(worker(1), frame);
  await until(async () => outcome(await scene.show(), 'tagged-by-worker') === 1, 'it is counted');
});

/** Sends octets as they are. */
function sendFrame(namespace: string, octets: string): void {
  const script = `import socket,sys\ns=socket.socket(socket.AF_PACKET,socket.SOCK_RAW)\ns.bind(('eth0',0))\ns.send(bytes.fromhex(sys.argv[1]))`;
  inside(namespace, '/usr/bin/python3', '-c', script, octets);
}

test('BUG-B11: clients come and go while the gateway runs, and those that came stay when the file is read again', async () => {
  scene.write({ clients: [FIRST] });
  const running = await scene.start();
  assert.equal(ping(client(2)), 0);
  const named = ['--name', NAME, '--mac', clientMac(2)];
  const added = await scene.run('gateway', 'add', ...named, '--worker', 'veth2', '--allowed', '12,100-200');
  assert.deepEqual([added.code, added.out], [0, `Client ${clientMac(2)} of veth2 added\n`]);
  assert.equal(ping(client(2)), 2);
  scene.write({ clients: [FIRST, { mac: clientMac(3), worker: 'veth3' }], ageing: '1m' });
  running.kill('SIGHUP');
  await until(() => running.said.includes(`Client ${clientMac(3)} of veth3 added`), 'it was read');
  assert.ok(running.said.includes('ageing changed'));
  for (const i of [1, 2, 3]) assert.equal(ping(client(i)), 2, `client ${i}`);
  const removed = await scene.run('gateway', 'remove', ...named);
  assert.deepEqual([removed.code, removed.out], [0, `Client ${clientMac(2)} removed\n`]);
  assert.equal(ping(client(2)), 0);
  const { code, err } = await scene.run('gateway', 'remove', ...named);
  assert.notEqual(code, 0);
  assert.match(
    err,
    /--mac: "02:00:00:00:00:02" is no client of "tsgw-test"; "tunnelscope vnet gateway show" lists them/,
  );
  const wrong = await scene.run(
    'gateway',
    'add',
    '--name',
    NAME,
    '--mac',
    '01:00:00:00:00:02',
    '--worker',
    'veth2',
  );
  assert.match(wrong.err, /--mac: "01:00:00:00:00:02" is not the MAC address of one interface/);
  assert.equal(ping(client(1)), 2);
});

test('a file that cannot be read any more changes nothing', async () => {
  scene.write({ clients: [FIRST] });
  const running = await scene.start();
  assert.equal(ping(client(1)), 2);
  scene.write({ clients: [{ ...FIRST, vlan: 4095 }] });
  running.kill('SIGHUP');
  await until(
    () =>
      running.said.some((line) =>
        /^Reloading failed, all stays as it was: .*a VLAN from 1 to 4094/.test(line),
      ),
    'it says so',
  );
  const checked = await scene.run('gateway', 'check', '--config', scene.config);
  assert.equal(checked.code, 2);
  assert.match(checked.err, /clients\[0\]\.vlan: "4095" is not a VLAN from 1 to 4094/);
  assert.equal(ping(client(1)), 2);
});

test('another trunk is taken when the file says so, and the former one is left', async () => {
  scene.write({ clients: [FIRST] });
  const running = await scene.start();
  assert.equal(ping(client(1)), 2);
  ip('-n', GATEWAY, 'link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'eth2');
  scene.write({ clients: [FIRST], trunk: 'eth1' });
  running.kill('SIGHUP');
  await until(() => running.said.includes('trunk changed'), 'it is read');
  assert.equal(ping(client(1)), 0);
  scene.write({ clients: [FIRST] });
  running.kill('SIGHUP');
  await until(() => running.said.filter((line) => line === 'trunk changed').length === 2, 'it is read again');
  assert.equal(ping(client(1)), 2);
  ip('-n', GATEWAY, 'link', 'del', 'eth1');
});

test('a worker whose interface goes is told and counted, and served again when it is back', async () => {
  scene.write({ clients: [FIRST, SECOND] });
  const running = await scene.start();
  assert.equal(ping(client(1)), 2);
  ip('-n', GATEWAY, 'link', 'del', 'veth1');
  await until(() => running.said.some((line) => /^Interface veth1 is not there/.test(line)), 'it is told');
  assert.equal(ping(client(1), { count: 3 }), 0);
  assert.ok(outcome(await scene.show(), 'worker-absent') >= 1);
  assert.equal(ping(client(2)), 2);
  scene.makeWorker(1);
  await until(() => running.said.some((line) => /^Interface veth1 is there again/.test(line)), 'it is found');
  assert.equal(ping(client(1)), 2);
});

test('a trunk that is not there is an error with its name and the file’s', async () => {
  scene.write({ clients: [FIRST], trunk: 'eth7' });
  const words = ['gateway', 'run', '--config', scene.config, '--name', NAME, '--netns', GATEWAY];
  const { code, err } = await scene.run(...words);
  assert.equal(code, 1);
  assert.match(err, /trunk: there is no interface "eth7" here; make it, or name another in .*gateway\.yaml/);
  assert.ok(!existsSync(PINS), 'nothing is left of the attempt');
});

test('killed and started again while traffic flows both ways, it loses no packet and no count', async () => {
  scene.write({ clients: [FIRST] });
  const first = await scene.start();
  await scene.run('gateway', 'add', '--name', NAME, '--mac', clientMac(2), '--worker', 'veth2');
  for (const i of [1, 2]) assert.equal(ping(client(i)), 2);
  const before = await scene.show();
  const count = scaled(3000);
  const pings = [1, 2].map((i) => {
    const words = ['netns', 'exec', client(i), 'ping', '-q', '-c', String(count), '-i', '0.002', '-W', '2'];
    return scene.spawn('ip', [...words, WORKER_ADDRESS]);
  });
  const answers = pings.map((each) => text(each.stdout!));
  const ended = once(first, 'exit');
  first.kill('SIGKILL');
  await ended;
  assert.ok(readdirSync(PINS).length > 5, 'what it set up stands');
  const second = await scene.start();
  assert.ok(
    pings.every((each) => each.exitCode === null),
    'traffic flowed all the time',
  );
  second.kill('SIGKILL');
  await once(second, 'exit');
  await scene.start();
  for (const said of await Promise.all(answers))
    assert.match(said, new RegExp(`${count} packets transmitted, ${count} received, 0% packet loss`));
  const now = await scene.show();
  for (const i of [1, 2]) {
    const echoes = clientOf(now, i).received.packets - clientOf(before, i).received.packets;
    assert.ok(echoes >= count, `client ${i}, also where it came while the first ran: ${echoes}`);
    assert.ok(clientOf(now, i).sent.packets - clientOf(before, i).sent.packets >= count);
  }
});

test('left with --keep it forwards on, and "vnet stop" takes it away', async () => {
  scene.write({ clients: [FIRST] });
  const running = await scene.start('--keep');
  const ended = once(running, 'exit');
  running.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
  assert.equal(ping(client(1)), 2);
  const { out } = await scene.run('stop', NAME);
  assert.match(out, /what it had left in the kernel is gone/);
  assert.ok(!existsSync(PINS));
  assert.equal(ping(client(1)), 0);
  assert.ok(!execFileSync('bpftool', ['link'], { encoding: 'utf8' }).includes(NAME));
});
