import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Outcome } from '../gen/bridge.ts';
import { readBridgeConfiguration } from './configuration.ts';

const directory = mkdtempSync(join(tmpdir(), 'tsbridge-'));
after(() => rmSync(directory, { recursive: true }));

function read(text: string): ReturnType<typeof readBridgeConfiguration> {
  const path = join(directory, 'bridge.yaml');
  writeFileSync(path, text);
  return readBridgeConfiguration(path);
}

const LEAST = `underlay: { device: eth0 }
peers: [172.16.1.101]
segments: [{ vni: 10000, bridge: br0 }]
`;

test('what is not said has a value, and addresses are in one form', () => {
  const all = read(`${LEAST}ageing: 1m30s\n`);
  assert.equal(all.mode, 'mesh');
  assert.equal(all.ageing, 90_000);
  assert.deepEqual(all.tunnel, { kind: 'vxlan', device: 'tsvx0', port: 4789, ttl: 64 });
  assert.deepEqual(all.moves, { limit: 5, period: 10_000 });
  const [peer] = read(
    'underlay: { device: eth0 }\npeers: ["FD00::0:1"]\nsegments: [{ vni: 1, ports: [a] }]\n',
  ).peers;
  assert.equal(peer?.text, 'fd00::1');
});

test('every mistake has its line and column, says what was found and what is wanted', () => {
  assert.throws(
    () =>
      read(`mode: multicast
underlay: { device: eth0, address: 239.1.1.1 }
segments:
  - { vni: 10000, bridge: br0, group: 10.0.0.1 }
  - { vni: 10000, bridge: a-name-that-is-too-long }
  - { vni: 3, group: 239.1.1.1, static: [{ mac: 01:00:5e:00:00:01, peer: 10.0.0.2 }] }
ageing: 2 days
pears: []
`),
    (error: Error) => {
      for (const part of [
        '2:36: underlay.address: "239.1.1.1" is not the address of a tunnel end',
        '4:39: segments[0].group: "10.0.0.1" is not a multicast address',
        '5:27: segments[1].bridge: "a-name-that-is-too-long" is not the name of an interface (at most 15 characters)',
        'segments[2].static[0].mac: "01:00:5e:00:00:01" is not the MAC address of one station',
        '7:9: ageing: "2 days" is not a duration',
        'there is no key "pears"; did you mean "peers"?',
      ])
        assert.ok(error.message.includes(part), `${part}\nin\n${error.message}`);
      return true;
    },
  );
});

test('what contradicts itself is refused', () => {
  const refused = (text: string, what: RegExp): void =>
    void assert.throws(() => read(text), { message: what });
  const underlay = 'underlay: { device: eth0 }\n';
  refused(
    `${underlay}segments: [{ vni: 1, bridge: a }, { vni: 1, bridge: b }]`,
    /segments\[1\]\.vni: "1" is not a VNI of its own/,
  );
  refused(`${underlay}segments: [{ vni: 1 }]`, /it needs a bridge or ports/);
  refused(`mode: multicast\n${underlay}segments: [{ vni: 1, bridge: a }]`, /needs a group/);
  refused(
    `${underlay}segments: [{ vni: 1, ports: [a], layout: port-per-peer }]`,
    /needs mode mesh and a bridge/,
  );
  refused('segments: [{ vni: 1, ports: [a] }]\npeers: [10.0.0.1]', /it needs an underlay/);
});

test('the examples of docs/bridge.md are right', () => {
  const text = readFileSync(new URL('../../../docs/bridge.md', import.meta.url), 'utf8');
  const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, example]) => example!);
  assert.equal(examples.length, 2);
  const [least, whole] = examples.map((example) => read(example));
  // Defaults are as the second example says them.
  for (const key of ['mode', 'tunnel', 'ageing', 'capacity', 'moves', 'answerNeighbours'] as const)
    assert.deepEqual(least![key], whole![key]);
});

test('every outcome stands in docs/bridge.md', () => {
  const text = readFileSync(new URL('../../../docs/bridge.md', import.meta.url), 'utf8');
  for (const name of Object.keys(Outcome).filter((each) => each !== 'OUTCOME_COUNT'))
    assert.ok(text.includes(`\`${name.toLowerCase().replaceAll('_', '-')}\``), name);
});
