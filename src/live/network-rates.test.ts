import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VirtualBridge, VirtualNetwork } from '../query/index.ts';
import { bridgeOf, gatewayOf, relayOf } from '../query/vnet.fixture.ts';
import { ratedNetworks } from './index.ts';

/** As functions say it themselves: without rates. */
function bare<T extends VirtualNetwork>(network: T): T {
  return JSON.parse(
    JSON.stringify(network, (key, value) => (key === 'rates' || key === 'rate' ? undefined : value)),
  ) as T;
}

/** The same so much later, each count this much higher. */
function later<T extends VirtualNetwork>(network: T, ms: number, packets: number): T {
  const next = JSON.parse(
    JSON.stringify(network, (_, value) =>
      value !== null && typeof value === 'object' && 'packets' in value && !('isDrop' in value)
        ? { packets: value.packets + packets, octets: value.octets + 100 * packets }
        : value,
    ),
  ) as T;
  return { ...next, nowMs: network.nowMs + ms };
}

test('rates are per second of the time between the two answers, by port, peer, MAC, client and cable', () => {
  const before = [bare(bridgeOf(0, 3, 2)), bare(gatewayOf(2)), bare(relayOf(1))] as const;
  const [bridge, gateway, relay] = ratedNetworks(
    before,
    before.map((each) => later(each, 2000, 10)),
  );
  const rate = { packetRate: 5, octetRate: 500 };
  assert.ok(bridge?.kind === 'bridge' && gateway?.kind === 'gateway' && relay?.kind === 'relay');
  for (const row of [...bridge.ports, ...bridge.peers, ...bridge.entries, ...gateway.clients])
    assert.deepEqual(row.rates, { received: rate, sent: rate });
  assert.equal(bridge.peers.length, 4);
  // Of a cable all four kinds together.
  assert.deepEqual(
    relay.cables.map((cable) => cable.rate),
    [
      { packetRate: 20, octetRate: 2000 },
      { packetRate: 20, octetRate: 2000 },
    ],
  );
});

test('a first answer, a restart, a smaller count and an answer of long ago have no rate', () => {
  const before: VirtualBridge = bare(bridgeOf(0, 3, 2));
  const next = later(before, 1000, 10);
  const rates = (was: VirtualBridge[], is: VirtualBridge) =>
    (ratedNetworks(was, [is])[0] as VirtualBridge).peers.map((peer) => peer.rates !== undefined);
  assert.deepEqual(rates([before], next), [true, true, true, true]);
  assert.deepEqual(rates([], next), [false, false, false, false]);
  assert.deepEqual(rates([before], { ...next, startedMs: next.startedMs + 1 }), [false, false, false, false]);
  assert.deepEqual(rates([before], later(before, 60_000, 10)), [false, false, false, false]);
  assert.deepEqual(rates([before], { ...next, nowMs: before.nowMs }), [false, false, false, false]);
  const peers = next.peers.map((peer, i) => (i === 1 ? { ...peer, sent: { packets: 0, octets: 0 } } : peer));
  assert.deepEqual(rates([before], { ...next, peers }), [true, false, true, true], 'only the one that fell');
  assert.deepEqual(rates([{ ...before, peers: before.peers.slice(1) }], next), [false, true, true, true]);
});
