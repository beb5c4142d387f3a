/** The distributed bridge over each kind of tunnel that it knows, in whatever kernel this is: first and later frames, in both directions. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { Scene } from './vnet-bridge-scene.ts';

const has = (type: string): boolean =>
  spawnSync('unshare', ['--net', 'ip', 'link', 'add', 'type', type, 'external']).status === 0;

const KINDS = [
  { kind: 'vxlan', family: 4, type: 'vxlan' },
  { kind: 'vxlan', family: 6, type: 'vxlan' },
  { kind: 'gretap', family: 4, type: 'gretap' },
  { kind: 'gretap', family: 6, type: 'ip6gretap' },
] as const;

for (const { kind, family, type } of KINDS)
  for (const ports of ['direct', 'bridge'] as const)
    test(`${kind} over IPv${family}, ${ports === 'direct' ? 'tenants straight at the bridge' : 'behind a Linux bridge'}`, {
      skip: type !== 'vxlan' && !has(type) && `this kernel has no ${type} that collects metadata`,
    }, async () => {
      await using scene = Scene.build({ prefix: 'tsbu', hosts: 2, vnis: [7, 8], ports, family, mtu: 1400 });
      await scene.startAll({ more: `tunnel: { kind: ${kind} }` });
      for (const segment of [0, 1]) {
        assert.ok(scene.pings(0, 1, { segment }), `segment ${segment}, there`);
        assert.ok(scene.pings(1, 0, { segment }), `segment ${segment}, back`);
      }
      const { entries, outcomes } = await scene.show(0);
      assert.deepEqual(
        entries.map(({ vni, mac, peer }) => [vni, mac, peer]).toSorted(),
        [0, 1].flatMap((segment) => [
          [7 + segment, scene.mac(0, segment), null],
          [7 + segment, scene.mac(1, segment), scene.address(1)],
        ]),
      );
      assert.deepEqual(
        outcomes.filter(({ isDrop, packets }) => isDrop && packets > 0),
        [],
      );
    });
