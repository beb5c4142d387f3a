/** The distributed bridge between hosts in network namespaces: who reaches whom, and that every frame is accounted for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noTcx } from '../src/bpf/testdata/probe.ts';
import { ip, Scene } from './vnet-bridge-scene.ts';

const skip = noTcx;

interface Counters {
  readonly packets: number;
  readonly bytes: number;
}

/** What the kernel counted at an interface. */
function counters(namespace: string, device: string): { readonly rx: Counters; readonly tx: Counters } {
  const [row] = JSON.parse(ip('-n', namespace, '-j', '-s', 'link', 'show', 'dev', device));
  return row.stats64;
}

test('two hosts of a mesh reach each other, learn where addresses are, and account for every frame', {
  skip,
}, async () => {
  await using scene = Scene.build({ prefix: 'tsbr', hosts: 2, vnis: [10_000], ports: 'bridge' });
  await scene.startAll();
  assert.ok(scene.pings(0, 1, { count: 5 }), 'pings are answered');
  const shown = await scene.show(0);
  assert.equal(shown.mode, 'mesh');
  assert.deepEqual(
    shown.entries.map(({ mac, port, peer }) => ({ mac, port, peer })),
    [
      { mac: scene.mac(0), port: 'tsb10000', peer: null },
      { mac: scene.mac(1), port: null, peer: scene.address(1) },
    ],
  );
  // Sent: an ARP request (flooded) and 5 requests; received: its answer and 5 replies, at least.
  const [peer] = shown.peers;
  const [port] = shown.ports;
  assert.ok(peer && port);
  assert.ok(peer.sent.packets >= 6 && peer.received.packets >= 6);
  const seen = shown.outcomes.reduce((sum, { packets }) => sum + packets, 0);
  assert.equal(
    seen,
    port.received.packets + peer.received.packets,
    'what ports and peers gave is in the ledger',
  );
  const octets = shown.outcomes.reduce((sum, each) => sum + each.octets, 0);
  assert.equal(octets, port.received.octets + peer.received.octets);
  const tunnel = counters(scene.host(0), 'tsvx0');
  assert.equal(tunnel.rx.packets, peer.received.packets, 'the kernel counts the same out of the tunnel');
  assert.equal(tunnel.tx.packets, peer.sent.packets, 'and into it');
  assert.deepEqual(
    shown.outcomes.filter(({ isDrop, packets }) => isDrop && packets > 0),
    [],
  );
});

for (const family of [4, 6] as const)
  for (const mode of ['mesh', 'multicast'] as const)
    test(`${symptoms(mode, family)}three hosts with tenants' interfaces as ports, mode ${mode}, IPv${family}: all reach all`, {
      skip,
    }, async () => {
      const options = { prefix: 'tsbr', hosts: 3, vnis: [10_000, 10_001], ports: 'direct', family } as const;
      await using scene = Scene.build(options);
      await scene.startAll({ mode });
      for (const [from, to] of [[0, 1] as const, [1, 2] as const, [2, 0] as const])
        for (const segment of [0, 1])
          assert.ok(scene.pings(from, to, { segment }), `${from} to ${to}, ${segment}`);
      const shown = await scene.show(0);
      for (const vni of [10_000, 10_001])
        assert.equal(
          shown.entries.filter((each) => each.vni === vni).length,
          3,
          'equal addresses, apart by VNI',
        );
      assert.equal(shown.tunnel.mtu, family === 4 ? 1450 : 1430);
      assert.deepEqual(dropsOf(shown), []);
      const groups = shown.peers.filter(({ isGroup }) => isGroup);
      assert.equal(groups.length, mode === 'mesh' ? 0 : 2, 'a group per VNI');
      assert.ok(groups.every(({ sent, received }) => sent.packets > 0 && received.packets === 0));
      await scene.end(0);
      assert.doesNotMatch(
        ip('-n', scene.host(0), 'addr', 'show'),
        /autojoin|tsvx0/,
        'groups are left, the device is gone',
      );
    });

/** One group for all VNIs; an underlay of IPv4 only. */
function symptoms(mode: 'mesh' | 'multicast', family: 4 | 6): string {
  return `${mode === 'multicast' ? 'BUG-B23: ' : ''}${family === 6 ? 'BUG-B25: ' : ''}`;
}

/** Outcomes that are losses. */
function dropsOf(shown: Awaited<ReturnType<Scene['show']>>): unknown[] {
  return shown.outcomes.filter(({ isDrop, packets }) => isDrop && packets > 0);
}
