import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LabError } from './error.ts';
import { planOf } from './plan.ts';
import { loadTopology, topologyNames } from './topology.ts';

function written(t: TestContext, file: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), 'topology-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'mine.json');
  writeFileSync(path, typeof file === 'string' ? file : JSON.stringify(file));
  return path;
}

function refusal(load: () => unknown): LabError {
  try {
    load();
  } catch (error) {
    if (error instanceof LabError) return error;
    throw error;
  }
  return assert.fail('nothing was refused');
}

const good = {
  title: 'mine',
  hosts: { count: 2, firstAddress: '10.0.0.1/24' },
  segments: { count: 1, firstVni: 5, firstGroup: '239.0.0.1', firstSubnet: '10.1.0.0/24' },
};

test('overlay has the numbers of the reference simulation', () => {
  const { hosts, segments, clients, mtu, port } = loadTopology('overlay');
  assert.deepEqual([hosts.length, segments.length, clients.length, mtu, port], [9, 4, 36, 1450, 4789]);
  assert.deepEqual(
    [hosts[0]?.address, hosts[8]?.address, hosts[8]?.namespace],
    ['172.16.1.100', '172.16.1.108', 'host8'],
  );
  assert.deepEqual(segments[3], { index: 3, vni: 10003, group: '239.1.1.4', subnet: '192.168.3.0/24' });
  assert.deepEqual(
    clients.find((client) => client.host === 'host8' && client.vni === 10003),
    {
      host: 'host8',
      vni: 10003,
      namespace: 'host8',
      interface: 'c3a',
      address: '192.168.3.9',
      prefixLength: 24,
    },
  );
});

test('figure places two clients of three segments on each of three hosts', () => {
  const { hosts, clients } = loadTopology('figure');
  assert.deepEqual(
    hosts.map((host) => [
      host.address,
      ...clients.filter((client) => client.host === host.name).map(({ address, vni }) => `${address} ${vni}`),
    ]),
    [
      ['172.16.1.1', '192.168.0.1 10001', '192.168.1.1 10002'],
      ['172.16.1.2', '192.168.1.2 10002', '192.168.3.2 10003'],
      ['172.16.1.3', '192.168.0.3 10001', '192.168.3.3 10003'],
    ],
  );
});

test('tenants have the same addresses in both segments, each client in a namespace of its own', () => {
  const { clients } = loadTopology('tenants');
  const addresses = (vni: number) =>
    clients.filter((client) => client.vni === vni).map(({ address }) => address);
  assert.deepEqual(addresses(10000), addresses(10001));
  assert.equal(new Set(clients.map(({ namespace }) => namespace)).size, clients.length);
});

test('overlay6 is IPv6 on both layers and leaves room for the longer headers', () => {
  const { hosts, clients, segments, mtu, underlay } = loadTopology('overlay6');
  assert.deepEqual([mtu, underlay, segments[1]?.group], [1430, 6, 'ff05::1:2']);
  assert.ok([...hosts, ...clients].every(({ address }) => address.startsWith('fd00:')));
});

test('counted topologies take other counts, listed ones refuse them', () => {
  const { hosts, clients } = loadTopology('overlay', { hosts: 3, segments: 2, clients: 'own' });
  assert.deepEqual(
    [hosts.length, clients.length, clients[0]?.namespace, clients[0]?.interface],
    [3, 6, 'c-host0-10000', 'eth0'],
  );
  assert.match(refusal(() => loadTopology('figure', { hosts: 2 })).message, /figure.*hosts is asked to be 2/);
  assert.match(
    refusal(() => loadTopology('overlay', { hosts: 160 })).message,
    /hosts.count is 160: only 155 fit/,
  );
});

test('no line of any plan makes or changes a link outside the lab', () => {
  for (const name of topologyNames()) {
    const plan = planOf(loadTopology(name), 'x-', { vlanDevices: false });
    for (const step of plan.stages.flatMap(({ steps }) => steps)) {
      if (step.kind !== 'ip' || step.namespace !== undefined) assert.match(step.namespace ?? '', /^x-/);
      else for (const line of step.lines) assert.match(line, /^netns add x-/);
    }
  }
});

test('a wrong field is named with the value found there', (t) => {
  const cases: [unknown, RegExp][] = [
    [{ ...good, hosts: { count: 'two', firstAddress: '10.0.0.1/24' } }, /hosts\.count is "two": .*number/],
    [
      { ...good, hosts: { count: 2, firstAddress: '10.0.0.1' } },
      /hosts\.firstAddress is "10\.0\.0\.1": wanted an address with/,
    ],
    [
      { ...good, hosts: [{ name: 'leaf', address: '10.0.0.1/24' }] },
      /hosts\.0\.name is "leaf": wanted a name such as host0/,
    ],
    [{ ...good, segments: { ...good.segments, firstVni: 16777216 } }, /segments\.firstVni is 16777216/],
    [
      { ...good, segments: { ...good.segments, firstGroup: '10.9.9.9' } },
      /segments\.firstGroup is "10\.9\.9\.9": wanted a multicast/,
    ],
    [{ ...good, title: undefined }, /title is missing/],
    [{ ...good, colour: 'blue' }, /colour/],
    ['{ "title": ', /JSON/],
    [
      { ...good, segments: [{ vni: 5, group: '239.0.0.1', clients: { host7: '10.1.0.1/24' } }] },
      /segments\.0\.clients names host7/,
    ],
    [
      { ...good, segments: { ...good.segments, count: 2, sameSubnet: true } },
      /host0 10\.1\.0\.0\/24 is used twice.*"own"/,
    ],
  ];
  for (const [file, message] of cases) {
    const path = written(t, file);
    const error = refusal(() => loadTopology(path));
    assert.equal(error.code, 'LAB_TOPOLOGY');
    assert.match(error.message, message);
    assert.ok(error.message.includes(path));
  }
  assert.equal(loadTopology(written(t, good)).hosts.length, 2);
});

test('an unknown name is answered with the names there are', () => {
  const error = refusal(() => loadTopology('overlai'));
  assert.match(error.message, /"overlai"/);
  for (const name of ['figure', 'overlay6', 'bridge-mesh', 'gateway', 'virtual-topology'])
    assert.ok(error.remedy.includes(name));
  assert.match(error.message, /did you mean "overlay"\?/);
});

test('a distributed bridge has the reference numbers, fixed or by DHCP behind the hosts that are named', () => {
  const fixed = loadTopology('bridge-mesh');
  assert.ok(fixed.network === 'bridge');
  assert.deepEqual(
    fixed.clients.map(({ host, interface: device, address }) => `${host} ${device} ${address}`),
    [0, 1].flatMap((i) => [0, 1, 2].map((host) => `host${host} br${i} 99.1.${i}.${host + 1}`)),
  );
  assert.deepEqual([fixed.mtu, fixed.dhcpServers], [1450, []]);
  const leased = loadTopology('bridge-dhcp', { dhcp: { server: 'host1', servers: { 10001: 'host2' } } });
  assert.ok(leased.network === 'bridge');
  assert.deepEqual(
    leased.dhcpServers.map(({ vni, host, address, firstLease, lastLease }) => [
      vni,
      host,
      address,
      firstLease,
      lastLease,
    ]),
    [
      [10000, 'host1', '99.1.0.1', '99.1.0.2', '99.1.0.254'],
      [10001, 'host2', '99.1.1.1', '99.1.1.2', '99.1.1.254'],
    ],
  );
  assert.equal(loadTopology('bridge-mesh', { hosts: 9, segments: 8 }).clients.length, 72);
});

test('VLANs are drawn without repeat within their range, the same ones each time', () => {
  const vids = (): number[] => {
    const topology = loadTopology('gateway', { hosts: 16 });
    return topology.network === 'gateway' ? topology.pairs.map(({ vid }) => vid) : [];
  };
  assert.deepEqual(
    vids().toSorted((a, b) => a - b),
    Array.from({ length: 16 }, (_, i) => i + 2),
  );
  assert.deepEqual(vids(), vids());
});

test('what a topology cannot be is said by name', () => {
  for (const [name, options, message] of [
    ['bridge-mesh', { ports: 'direct' }, /clients is "shared": wanted "own" where ports are "direct"/],
    ['bridge-dhcp', { dhcp: { server: 'host7' } }, /DHCP server of VNI 10000 is to be behind host7: no such/],
    ['bridge-dhcp', { dhcp: { server: 'host0', servers: { 5: 'host1' } } }, /names VNI 5: there is no such/],
    ['bridge-mesh', { hosts: 201 }, /hosts/],
    ['gateway', { hosts: 17 }, /hosts\.count is 17/],
    ['gateway', { segments: 2 }, /segments is asked to be 2, but this topology has none to count/],
    ['virtual-topology', { hosts: 2 }, /hosts is asked to be 2, but this topology has none to count/],
    ['virtual-topology-tenants', { hosts: 1 }, /green\.hosts names host1: no such host/],
  ] as const)
    assert.match(refusal(() => loadTopology(name, options)).message, message);
});
