/** The gateway before the kernel's own VLAN devices, as clients have them: one tag, and one within another. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { client, clientMac, GatewayScene, ip, ping, tag } from './gateway-scene.ts';

/** Whether this kernel has 802.1Q devices: one is tried, in a namespace that is not there afterwards. */
function lacksVlans(): string | false {
  const words = 'ip link add v0 type veth peer name v1 && ip link add link v0 name v0.5 type vlan id 5';
  const { status } = spawnSync('unshare', ['-n', 'sh', '-c', words], { stdio: 'ignore' });
  return status === 0 ? false : 'this kernel has no 802.1Q devices (CONFIG_VLAN_8021Q)';
}

/** Devices on eth0 of a client, the inner on the outer. */
const DEVICES = [
  { tags: [tag(5)], types: [['id', '5']] },
  {
    tags: [tag(100, { protocol: 0x88a8 }), tag(5)],
    types: [
      ['protocol', '802.1ad', 'id', '100'],
      ['id', '5'],
    ],
  },
];

test('clients with VLAN devices reach their workers, and find their answers', {
  skip: lacksVlans(),
}, async () => {
  await using scene = await GatewayScene.open();
  scene.write({ clients: [{ mac: clientMac(1), worker: 'veth1' }] });
  // The switch stands aside: the client is at the trunk itself.
  ip('-n', client(1), 'link', 'del', 'eth0');
  ip('-n', 'tsgw-sw', 'link', 'del', 'trunk');
  ip('-n', client(1), 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', 'tsgw-gw');
  ip('-n', client(1), 'link', 'set', 'eth0', 'address', clientMac(1), 'up');
  ip('-n', 'tsgw-gw', 'link', 'set', 'eth0', 'up');
  for (const { tags, types } of DEVICES) {
    const names = types.map((words, i) => {
      const name = `vlan${i}`;
      ip(
        '-n',
        client(1),
        'link',
        'add',
        'link',
        i === 0 ? 'eth0' : `vlan${i - 1}`,
        'name',
        name,
        'type',
        'vlan',
        ...words,
      );
      ip('-n', client(1), 'link', 'set', name, 'up');
      return name;
    });
    ip('-n', client(1), 'addr', 'add', '172.16.1.100/24', 'dev', names.at(-1)!);
    await scene.start();
    assert.equal(ping(client(1), { device: names.at(-1)! }), 2);
    assert.deepEqual((await scene.show()).clients[0]?.tags, tags);
    await scene.stop();
    for (const name of names.toReversed()) execFileSync('ip', ['-n', client(1), 'link', 'del', name]);
  }
});
