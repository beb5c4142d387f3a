import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTunnelEnd } from './address.ts';
import { pairNames } from './ports.ts';

test('BUG-B33: names of ports are short enough, always the same, and never two alike', () => {
  const names = new Set<string>();
  let count = 0;
  for (const vni of [1, 11, 111, 10_000, 16_777_215])
    for (const address of [undefined, '10.0.0.1', '10.0.0.11', '10.0.0.111', 'fd00::1', 'fd00::11']) {
      const peer = address === undefined ? undefined : parseTunnelEnd(address);
      const pair = pairNames(vni, peer);
      assert.deepEqual(pairNames(vni, peer), pair);
      for (const name of pair) {
        assert.ok(name.length <= 15, `${name} has ${name.length} characters`);
        names.add(name);
        count++;
      }
    }
  assert.equal(names.size, count);
});
