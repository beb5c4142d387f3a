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
  const shown = scene.show(0);
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
