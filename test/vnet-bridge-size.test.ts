/** The distributed bridge in numbers: many hosts, many segments, many ports, and hosts that come and go. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { noTcx } from '../src/bpf/testdata/probe.ts';
import { until } from './until.ts';
import { FrameSender, frame } from './vnet-bridge-frames.ts';
import { ip, Scene } from './vnet-bridge-scene.ts';

const skip = noTcx;
const BROADCAST = 'ff:ff:ff:ff:ff:ff';

for (const mode of ['mesh', 'multicast'] as const)
  test(`nine hosts and eight VNIs, mode ${mode}: what one floods comes to each tenant of its VNI once`, {
    skip,
  }, async () => {
    const vnis = Array.from({ length: 8 }, (_, i) => 20_000 + i);
    await using scene = Scene.build({ prefix: 'tsbs', hosts: 9, vnis, ports: 'direct' });
    for (let host = 0; host < 9; host++) await scene.start(host, { mode });
    using sender = new FrameSender();
    for (const segment of vnis.keys())
      sender.send(scene.tenant(0, segment), Array(segment + 1).fill(frame(scene.mac(0, segment), BROADCAST)));
    for (let host = 1; host < 9; host++)
      assert.deepEqual(
        (await scene.show(host)).ports.map(({ sent }) => sent.packets),
        [1, 2, 3, 4, 5, 6, 7, 8],
        `host ${host}`,
      );
    assert.ok(scene.pings(3, 8, { segment: 7 }));
    const { peers, tunnel } = await scene.show(0);
    assert.equal(tunnel.mtu, 1450);
    assert.equal(peers.filter(({ isConfigured }) => isConfigured).length, mode === 'mesh' ? 64 : 8);
  });

test('a mesh of 80 peers: each gets one copy', { skip }, async () => {
  await using scene = Scene.build({ prefix: 'tsbs', hosts: 1, vnis: [10_000], ports: 'direct' });
  const peers = Array.from({ length: 80 }, (_, i) => i + 20);
  for (const i of peers)
    ip('-n', scene.host(0), 'neigh', 'add', scene.address(i), 'lladdr', '02:00:00:00:00:99', 'dev', 'eth0');
  await scene.start(0, { peers });
  using sender = new FrameSender();
  sender.send(scene.tenant(0), [frame(scene.mac(0), BROADCAST), frame(scene.mac(0), BROADCAST)]);
  const shown = await scene.show(0);
  assert.deepEqual([...new Set(shown.peers.map(({ sent }) => sent.packets))], [2]);
  assert.equal(shown.peers.length, 80);
  assert.equal(shown.notices?.find(({ name }) => name === 'copy-failed')?.count, 0);
});

test('a host is killed and returns: the others flood on, and know it again', { skip }, async () => {
  await using scene = Scene.build({ prefix: 'tsbs', hosts: 3, vnis: [10_000], ports: 'bridge' });
  await scene.startAll();
  assert.ok(scene.pings(0, 2));
  ip('-n', scene.host(2), 'link', 'set', 'eth0', 'down');
  assert.ok(!scene.pings(0, 2, { count: 1 }));
  assert.ok(scene.pings(0, 1));
  ip('-n', scene.host(2), 'link', 'set', 'eth0', 'up');
  await until(() => scene.pings(0, 2), 'it is there again');
  // Its bridge ends in order and begins anew.
  await scene.end(2);
  assert.ok(!scene.pings(0, 2, { count: 1 }));
  assert.ok(scene.pings(0, 1));
  await scene.start(2);
  await until(() => scene.pings(0, 2), 'it is there once more');
});

test('a tenant moves to another host in mid-stream: found again by its first frame', { skip }, async () => {
  await using scene = Scene.build({ prefix: 'tsbs', hosts: 3, vnis: [10_000], ports: 'bridge' });
  await scene.startAll();
  assert.ok(scene.pings(0, 1));
  // The same station on host 2: MAC and address as on host 1, where it falls silent.
  ip('-n', scene.tenant(1), 'link', 'set', 'eth0', 'down');
  const moved = scene.tenant(2);
  ip('-n', moved, 'link', 'set', 'eth0', 'address', scene.mac(1));
  ip('-n', moved, 'addr', 'replace', `${scene.tenantAddress(1)}/24`, 'dev', 'eth0');
  // As any host that comes up it says who it is.
  spawnSync('ip', [
    'netns',
    'exec',
    moved,
    'ping',
    '-c',
    '1',
    '-W',
    '1',
    '-I',
    scene.tenantAddress(1),
    scene.tenantAddress(0),
  ]);
  const { status, stdout } = spawnSync(
    'ip',
    [
      'netns',
      'exec',
      scene.tenant(0),
      'ping',
      '-q',
      '-c',
      '50',
      '-i',
      '0.01',
      '-W',
      '1',
      scene.tenantAddress(1),
    ],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stdout);
  assert.match(stdout, / 0% packet loss/);
  const entry = (await scene.show(0)).entries.find(({ mac }) => mac === scene.mac(1));
  assert.equal(entry?.peer, scene.address(2));
  assert.equal(entry?.moves, 1);
});

test('without an underlay a segment is a switch of this host, several ports of it', { skip }, async () => {
  await using scene = Scene.build({ prefix: 'tsbs', hosts: 1, vnis: [1, 2, 3], ports: 'direct' });
  const path = join(scene.directory, 'local.yaml');
  for (const i of [1, 2]) {
    ip('-n', scene.tenant(0, i), 'addr', 'flush', 'dev', 'eth0');
    ip('-n', scene.tenant(0, i), 'addr', 'add', `10.9.0.${i + 1}/24`, 'dev', 'eth0');
  }
  writeFileSync(path, 'segments: [{ vni: 7, ports: [t0, t1, t2] }]\n');
  assert.equal(scene.cli('check', '--config', path).out, `${path} is right: 1 segment, mode mesh\n`);
  await scene.startWith(0, path);
  assert.ok(scene.pings(0, 1));
  assert.ok(scene.pings(0, 2));
  const { entries, outcomes, peers } = await scene.show(0);
  assert.deepEqual(
    entries.map(({ port }) => port),
    ['t0', 't1', 't2'],
  );
  assert.deepEqual(peers, []);
  assert.equal(outcomes.find(({ name }) => name === 'forwarded-peer')?.packets, 0);
  assert.match(scene.cli('show', scene.name(0)).out, /segments of this host alone/);
});

test('a Linux bridge that was deleted and made again has its port again', { skip }, async () => {
  await using scene = Scene.build({ prefix: 'tsbs', hosts: 2, vnis: [10_000], ports: 'bridge' });
  await scene.startAll();
  assert.ok(scene.pings(0, 1));
  const host = scene.host(1);
  ip('-n', host, 'link', 'del', 'br0');
  assert.ok(!scene.pings(0, 1, { count: 1 }));
  ip('-n', host, 'link', 'add', 'br0', 'type', 'bridge');
  ip('-n', host, 'link', 'set', 'br0', 'up');
  ip('-n', host, 'link', 'set', scene.device(), 'master', 'br0');
  await until(() => scene.pings(0, 1), 'tenants reach each other again', 20_000);
  const { events } = await scene.show(1);
  assert.ok(events.some(({ words }) => words.includes('in their Linux bridge again')));
});

test('a port that goes is told and counted, and taken back when it comes again', { skip }, async () => {
  await using scene = Scene.build({ prefix: 'tsbs', hosts: 2, vnis: [10_000], ports: 'direct' });
  await scene.startAll();
  assert.ok(scene.pings(0, 1));
  const host = scene.host(1);
  ip('-n', host, 'link', 'del', 't0');
  await until(async () => (await scene.show(1)).ports[0]?.present === false, 'it is seen to be gone');
  assert.ok(!scene.pings(0, 1, { count: 1 }));
  assert.ok((await scene.outcome(1, 'port-gone')) > 0);
  const tenant = scene.tenant(1);
  ip(
    ...[
      '-n',
      host,
      'link',
      'add',
      't0',
      'mtu',
      '1450',
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'mtu',
      '1450',
    ],
    ...['address', scene.mac(1), 'netns', tenant],
  );
  ip('-n', tenant, 'addr', 'add', `${scene.tenantAddress(1)}/24`, 'dev', 'eth0');
  ip('-n', tenant, 'link', 'set', 'eth0', 'up');
  ip('-n', host, 'link', 'set', 't0', 'up');
  await until(async () => (await scene.show(1)).ports[0]?.present === true, 'it is taken back');
  assert.ok(scene.pings(0, 1));
});
