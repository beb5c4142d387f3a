import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseInterfaces, matchesGlob, type NetworkInterface } from './interfaces.ts';

function link(name: string, about: Partial<NetworkInterface> = {}): NetworkInterface {
  return {
    ifindex: name.length,
    name,
    up: true,
    linkType: 'ether',
    hasDriver: false,
    hasDefaultRoute: false,
    master: undefined,
    lower: undefined,
    ...about,
  };
}

function names(all: readonly NetworkInterface[], ...patterns: string[]): string[] {
  return chooseInterfaces(all, patterns).map(({ name, primary }) => (primary ? `${name}*` : name));
}

const HOST = [
  link('lo', { linkType: 'loopback' }),
  link('eth0', { hasDriver: true, hasDefaultRoute: true }),
  link('eth1', { hasDriver: true }),
  link('docker0'),
  link('veth12'),
  link('wg0', { linkType: 'none' }),
];

test('by default the interfaces with a driver are metered, with or without the default route', () => {
  assert.deepEqual(names(HOST), ['eth0*', 'eth1*']);
});

test('a bond, a bridge and a VLAN over metered interfaces are not counted a second time', () => {
  const ports = [
    link('eth0', { hasDriver: true, master: 'bond0' }),
    link('eth1', { hasDriver: true, master: 'bond0' }),
  ];
  assert.deepEqual(names([...ports, link('bond0', { hasDefaultRoute: true })]), ['eth0*', 'eth1*']);
  const stack = [...ports, link('bond0', { master: 'br0' }), link('br0', { hasDefaultRoute: true })];
  assert.deepEqual(names(stack), ['eth0*', 'eth1*']);
  const vlan = [link('eth0', { hasDriver: true }), link('eth0.5', { lower: 'eth0', hasDefaultRoute: true })];
  assert.deepEqual(names(vlan), ['eth0*']);
});

test('where nothing has a driver, as in a container, the default route decides', () => {
  assert.deepEqual(
    names([link('lo', { linkType: 'loopback' }), link('eth0', { hasDefaultRoute: true }), link('eth1')]),
    ['eth0*'],
  );
});

test('a pattern chooses, one with a plus adds, and what has no Ethernet header can be chosen', () => {
  assert.deepEqual(names(HOST, 'veth*'), ['veth12']);
  assert.deepEqual(names(HOST, '+docker0', '+veth*'), ['eth0*', 'eth1*', 'docker0', 'veth12']);
  assert.deepEqual(names(HOST, 'eth1', 'lo'), ['lo', 'eth1*']);
  assert.deepEqual(names(HOST, 'wg0'), ['wg0']);
  assert.deepEqual(names(HOST, 'none'), []);
});

test('globs are literal but for star and question mark', () => {
  assert.ok(matchesGlob('eth?', 'eth0'));
  assert.ok(!matchesGlob('eth?', 'eth10'));
  assert.ok(matchesGlob('*', 'anything'));
  assert.ok(!matchesGlob('eth0.5', 'eth0x5'));
  assert.ok(matchesGlob('br-[a]', 'br-[a]'));
});
