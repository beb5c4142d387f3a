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

test('a bridge shows ports, peers and MACs with traffic both ways and rates', () => {
  const text = formatNetwork(bridgeOf(0, 2, 1));
  assert.match(text, /vxlan tsvx0 at 172\.16\.1\.100, port 4789, MTU 1500/);
  assert.match(text, /^ +VNI {2}port +of +received +sent$/m);
  assert.match(text, /^ {2}10000 {2}veth0 +br0 +4\.88 KiB, 40\.0 kbit\/s 50 pkt\/s +6\.84 KiB, 56/m);
  assert.match(text, /^ {2}10000 {2}172\.16\.1\.101 +0 s +98\.6 KiB/m);
  assert.match(text, /^ {2}10000 {2}02:00:00:00:00:01 {2}172\.16\.1\.101 +1 s +0 +600 B/m);
  assert.match(text, /unknown-segment \(dropped\) +3 +300$/m);
  assert.match(text, /:\d\dZ {2}moved: 02:00:00:00:00:01 moved\n$/);
});

test('a gateway is shown in its own form', () => {
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

test('a bridge without anything says what is not there', () => {
  const text = formatNetwork({ ...bridgeOf(0, 1, 1), ports: [], entries: [], outcomes: [], events: [] });
  for (const nothing of ['no port', 'no peer', 'no MAC', 'no outcome'])
    assert.ok(text.includes(`  ${nothing}\n`), nothing);
});
