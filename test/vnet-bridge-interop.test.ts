/** The distributed bridge against the kernel's own VXLAN and bridge at the other end, and what others read in its packets. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { noTcx } from '../src/bpf/testdata/probe.ts';
import { until } from './until.ts';
import { ip, Scene, within } from './vnet-bridge-scene.ts';

const skip = noTcx;
const VNI = 10_000;

/** Has a host use the kernel's own VXLAN in its Linux bridge. */
function useKernel(scene: Scene, host: number, mode: 'mesh' | 'multicast'): void {
  const name = scene.host(host);
  const isIpv6 = scene.options.family === 6;
  const group = isIpv6 ? 'ff15::1' : '239.1.1.1';
  const far = mode === 'multicast' ? ['group', group, 'dev', 'eth0'] : [];
  const more = ['local', scene.address(host), 'dstport', '4789', ...far];
  ip('-n', name, 'link', 'add', 'vx', 'type', 'vxlan', 'id', String(VNI), ...more);
  ip('-n', name, 'link', 'set', 'vx', 'master', 'br0', 'up');
  if (mode === 'multicast') return;
  for (let other = 0; other < scene.options.hosts; other++)
    if (other !== host)
      within(name, 'bridge', 'fdb', 'append', '00:00:00:00:00:00', 'dev', 'vx', 'dst', scene.address(other));
}

for (const family of [4, 6] as const)
  for (const mode of ['mesh', 'multicast'] as const)
    test(`the kernel's own VXLAN at the other end, mode ${mode}, IPv${family}: both directions, first and later frames`, {
      skip,
    }, async () => {
      await using scene = Scene.build({ prefix: 'tsbi', hosts: 3, vnis: [VNI], ports: 'bridge', family });
      useKernel(scene, 2, mode);
      await Promise.all([scene.start(0, { mode }), scene.start(1, { mode })]);
      assert.ok(scene.pings(2, 0), 'the kernel begins');
      assert.ok(scene.pings(1, 2), 'we begin');
      assert.ok(scene.pings(0, 2, { count: 20 }));
      assert.ok(scene.pings(0, 1));
      const macs = (await scene.show(0)).entries.map(({ mac, peer }) => [mac, peer]);
      assert.deepEqual(macs, [
        [scene.mac(0), null],
        [scene.mac(1), scene.address(1)],
        [scene.mac(2), scene.address(2)],
      ]);
      const fdb = within(scene.host(2), 'bridge', 'fdb', 'show', 'dev', 'vx');
      assert.match(
        fdb,
        new RegExp(`${scene.mac(0)} dst ${scene.address(0)}`),
        'the kernel has learned from us',
      );
    });

for (const family of [4, 6] as const)
  test(`tshark decodes every packet between two bridges, checksums included (IPv${family})`, {
    skip,
  }, async () => {
    await using scene = Scene.build({ prefix: 'tsbi', hosts: 2, vnis: [VNI], ports: 'direct', family });
    await scene.startAll();
    const file = join(scene.directory, 'underlay.pcap');
    const capture = spawn('ip', ['netns', 'exec', scene.host(0), 'tcpdump', '-U', '-i', 'eth0', '-w', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    capture.stderr.setEncoding('utf8').on('data', (piece: string) => {
      said += piece;
    });
    await until(() => {
      assert.equal(capture.exitCode, null, said);
      return said.includes('listening on');
    }, 'tcpdump listens');
    // Checksums are filled in by hardware that is not there: have the tenants do it.
    for (const host of [0, 1]) {
      within(scene.tenant(host), 'ethtool', '-K', 'eth0', 'tx', 'off', 'tso', 'off', 'gso', 'off');
      within(scene.host(host), 'ethtool', '-K', 'eth0', 'tx', 'off', 'tso', 'off', 'gso', 'off');
    }
    assert.ok(scene.pings(0, 1, { count: 5 }));
    const server = spawn('ip', ['netns', 'exec', scene.tenant(1), 'iperf3', '-s', '-1'], { stdio: 'ignore' });
    await until(() => within(scene.tenant(1), 'ss', '-Hltn').includes(':5201'), 'iperf3 listens');
    within(scene.tenant(0), 'iperf3', '-c', scene.tenantAddress(1), '-n', '300K');
    if (server.exitCode === null) await once(server, 'exit');
    capture.kill('SIGINT');
    await once(capture, 'exit');
    const checks = ['ip', 'udp', 'tcp'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]);
    const tshark = (...words: string[]): string[] =>
      execFileSync('tshark', ['-r', file, '-d', 'udp.port==4789,vxlan', ...checks, ...words], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
        .split('\n')
        .filter((line) => line !== '');
    const tunnelled = tshark('-Y', `vxlan.vni == ${VNI}`);
    assert.ok(tunnelled.length > 150, `${tunnelled.length} packets of the tunnel`);
    const bad =
      '_ws.malformed || ip.checksum.status == "Bad" || udp.checksum.status == "Bad" || tcp.checksum.status == "Bad"';
    assert.deepEqual(tshark('-Y', `vxlan && (${bad})`), []);
    assert.equal(tshark('-Y', 'vxlan && ip.flags.mf == 1').length, 0, 'nothing is fragmented');
    const hops = tshark(
      '-Y',
      'vxlan',
      '-T',
      'fields',
      '-E',
      'occurrence=f',
      '-e',
      family === 4 ? 'ip.ttl' : 'ipv6.hlim',
    );
    assert.deepEqual([...new Set(hops)], ['64']);
  });

test('layout port-per-peer: the Linux bridge learns and copies over a port per VNI and peer, with names that stay', {
  skip,
}, async () => {
  await using scene = Scene.build({ prefix: 'tsbi', hosts: 3, vnis: [VNI, VNI + 1], ports: 'bridge' });
  await scene.startAll({ segment: 'layout: port-per-peer' });
  for (const [from, to] of [
    [0, 1],
    [1, 2],
    [2, 0],
  ] as const)
    for (const segment of [0, 1]) assert.ok(scene.pings(from, to, { segment }));
  const { ports, peers, entries, outcomes } = await scene.show(0);
  assert.equal(ports.length, 4, 'two VNIs, two peers each');
  assert.ok(
    ports.every(({ kind, sent, received }) => kind === 'peer' && sent.packets > 0 && received.packets > 0),
  );
  assert.equal(peers.length, 4);
  assert.deepEqual(entries, [], 'the Linux bridge learns');
  assert.deepEqual(
    outcomes.filter(({ isDrop, packets }) => isDrop && packets > 0),
    [],
  );
  // What host 1 floods comes in at its port of host 0's bridge, and must not leave by that of host 2.
  const sentTo = async (address: string): Promise<number> =>
    (await scene.show(0)).peers.find((each) => each.address === address && each.vni === VNI)!.sent.packets;
  const before = await sentTo(scene.address(2));
  ip('netns', 'exec', scene.tenant(1), 'sh', '-c', 'ping -c 1 -W 1 10.9.0.99 > /dev/null; true');
  assert.equal(await sentTo(scene.address(2)), before, 'split horizon: isolated ports');
  const names = ports.map(({ name }) => name);
  await scene.end(0, 'SIGKILL');
  assert.ok(scene.pings(0, 1));
  await scene.start(0, { segment: 'layout: port-per-peer' });
  assert.deepEqual(
    (await scene.show(0)).ports.map(({ name }) => name),
    names,
  );
  const { out } = scene.cli('peer', 'remove', scene.address(1), '--name', scene.name(0));
  assert.equal(out.split('\n').length, 3);
  assert.equal((await scene.show(0)).ports.length, 2);
  assert.ok(!scene.pings(0, 1, { count: 1 }));
  assert.ok(scene.pings(0, 2));
});

test('BUG-B32: what a host routes from one segment to another enters the tunnel, though it came out of one', {
  skip,
}, async () => {
  await using scene = Scene.build({ prefix: 'tsbi', hosts: 3, vnis: [VNI, VNI + 1], ports: 'bridge' });
  await scene.startAll();
  const router = scene.host(1);
  within(router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  for (const segment of [0, 1])
    ip('-n', router, 'addr', 'add', `10.1${segment}.0.254/24`, 'dev', `br${segment}`);
  for (const [host, segment] of [[0, 0] as const, [2, 1] as const]) {
    ip('-n', scene.tenant(host, segment), 'addr', 'add', `10.1${segment}.0.1/24`, 'dev', 'eth0');
    ip('-n', scene.tenant(host, segment), 'route', 'add', 'default', 'via', `10.1${segment}.0.254`);
  }
  // From VNI 10000 on host 0 over the router on host 1 to VNI 10001 on host 2.
  const source = ['-I', '10.10.0.1'];
  const said = within(scene.tenant(0, 0), 'ping', '-c', '3', '-i', '0.02', '-W', '2', ...source, '10.11.0.1');
  assert.match(said, /ttl=63/);
  assert.equal(await scene.outcome(1, 'split-horizon'), 0);
  const sent = (await scene.show(1)).peers.find(
    ({ vni, address }) => vni === VNI + 1 && address === scene.address(2),
  )!.sent;
  assert.ok(sent.packets >= 3);
});
