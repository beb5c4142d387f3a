import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bridgeOf, gatewayOf, relayOf } from '../query/vnet.fixture.ts';
import { formatNetwork, formatNetworkLine } from './index.ts';

test('a line says what each function is, what it joins, what it forwarded and dropped', () => {
  assert.equal(
    formatNetworkLine(bridgeOf(0, 3, 2)),
    '"bridge-0" is a bridge in namespace ts-host0 (process 7), up 1 min 0 s; mesh, 2 segments, 2 ports, 2 peers, table 6 of 10240; 120 pkt forwarded, 3 pkt dropped',
  );
  assert.match(formatNetworkLine(gatewayOf(1)), /is a gateway .*; trunk eth0, 1 client; /);
  const quiet = { ...relayOf(2), namespace: '', outcomes: [] };
  assert.equal(
    formatNetworkLine(quiet),
    '"relay" is a relay (process 7), up 1 min 0 s; 2 cables; 0 pkt forwarded, none dropped',
  );
});

test('a bridge and a gateway are shown in their own forms', () => {
  assert.match(formatNetwork(bridgeOf(0, 2, 1)), /^Bridge "bridge-0" .*02:00:00:00:00:01.*\n$/s);
  assert.match(formatNetwork(gatewayOf(1)), /^"gateway" is a gateway .*02:00:00:00:ff:00.*\n$/s);
});

test('a relay shows both ways of each cable, by what went through', () => {
  const { cables } = relayOf(2);
  // In any order: the ways of a cable stand together.
  const text = formatNetwork({ ...relayOf(2), cables: [cables[0]!, cables[2]!, cables[3]!, cables[1]!] });
  const rows = [...text.matchAll(/^ {2}(v\d → v\d) +4 +0 +2 +0 +476 B, 3\.81 kbit\/s 6 pkt\/s$/gm)];
  assert.deepEqual(
    rows.map(([, cable]) => cable),
    ['v0 → v1', 'v1 → v0', 'v2 → v3', 'v3 → v2'],
  );
});
