import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { KeyTable } from './index.ts';

it('numbers keys as a map would, through any growth', () => {
  const word = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 0xffffffff }));
  fc.assert(
    fc.property(fc.array(fc.tuple(word, word, word), { maxLength: 400 }), (keys) => {
      const table = new KeyTable(3, 1);
      const map = new Map<string, number>();
      for (const key of keys) {
        table.probe.set(key);
        assert.equal(table.find(), map.get(key.join()) ?? -1);
        if (!map.has(key.join())) map.set(key.join(), map.size);
        assert.equal(table.intern(), map.get(key.join()));
      }
      assert.equal(table.length, map.size);
      for (const [key, id] of map) assert.equal(table.words.subarray(3 * id, 3 * id + 3).join(), key);
    }),
  );
});
