import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VirtualNetwork, VirtualNetworks } from '../query/index.ts';
import { bridgeOf, gatewayOf, meshOf, networksOf, relayOf } from '../query/vnet.fixture.ts';
import { readExposition } from './exposition.fixture.ts';
import { writeExposition } from './exposition.ts';
import { NetworkMetrics } from './networks.ts';

type Found = Map<string, Map<string, number>>;

/** Values by the values of their labels, joined by blanks. */
function read(metrics: NetworkMetrics, networks: VirtualNetworks): Found {
  const { text } = writeExposition(metrics.families(networks), 'text/plain');
  return new Map(
    [...readExposition(text, 'prometheus')].map(([name, { samples }]) => [
      name.replace('tunnelscope_vnet_', ''),
      new Map(samples.map(({ labels, value }) => [Object.values(labels).join(' '), value])),
    ]),
  );
}

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);

test('ports, peers, clients, cables and outcomes are counters of both ways, tables and functions gauges', () => {
  const networks = networksOf(bridgeOf(0, 2, 1), gatewayOf(1), relayOf(1));
  const found = read(new NetworkMetrics(), {
    ...networks,
    unanswered: [{ name: 'mute', reason: 'it does not' }],
  });
  assert.deepEqual(
    [...found.get('function')!],
    [
      ['bridge-0 bridge ts-host0', 1],
      ['gateway gateway ts-gateway', 1],
      ['relay relay ts-pem', 1],
      ['mute  ', 0],
    ],
  );
  assert.equal(found.get('port_packets_total')!.get('bridge-0 veth0 10000 received'), 50);
  assert.equal(found.get('peer_octets_total')!.get('bridge-0 172.16.1.101 10000 sent'), 100_100);
  assert.equal(found.get('client_packets_total')!.get('gateway 02:00:00:00:ff:00 veth1 sent'), 30);
  assert.equal(found.get('cable_packets_total')!.get('relay v0 v1 arp'), 2);
  assert.equal(found.get('outcome_packets_total')!.get('bridge-0 unknown-segment true'), 3);
  assert.deepEqual([...found.get('table_capacity')!], [['bridge-0', 10_240]]);
});

test('where there is no function there is no family', () => {
  assert.deepEqual(new NetworkMetrics().families(networksOf()), []);
});

test('no family has more series than allowed, the rest is other, and sums are exact', () => {
  const metrics = new NetworkMetrics(50);
  const networks = networksOf(...meshOf(9, 8));
  const whole = sum(
    networks.functions
      .flatMap((each) => (each.kind === 'bridge' ? each.peers : []))
      .map((peer) => peer.received.packets + peer.sent.packets),
  );
  const found = read(metrics, networks);
  const peers = found.get('peer_packets_total')!;
  assert.equal(peers.size, 50);
  assert.equal(sum(peers.values()), whole);
  assert.ok(peers.get('other other other other')! > 0);
  for (const [name, series] of found) assert.ok(series.size <= 50, name);
});

test('who had a series keeps it, who was in other stays there, whoever goes', () => {
  const metrics = new NetworkMetrics(4);
  const [first, second] = meshOf(2, 1);
  const third = { ...bridgeOf(1, 2, 1), name: 'another' };
  const names = (...functions: readonly VirtualNetwork[]) =>
    [
      ...read(metrics, networksOf(...functions))
        .get('peer_packets_total')!
        .keys(),
    ].sort();
  assert.deepEqual(names(first!, second!), [
    'bridge-0 172.16.1.101 10000 received',
    'bridge-0 172.16.1.101 10000 sent',
    'bridge-1 172.16.1.100 10000 received',
    'other other other other',
  ]);
  const kept = ['bridge-1 172.16.1.100 10000 received', 'other other other other'];
  assert.deepEqual(names(second!), kept, 'the one in other does not move into the room that is free');
  assert.deepEqual(names(second!, third), [
    'another 172.16.1.100 10000 received',
    'another 172.16.1.100 10000 sent',
    ...kept,
  ]);
});
