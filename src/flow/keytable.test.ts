import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { KeyTable } from './index.ts';

for (const near of [3, 1])
  it(`numbers keys as a map would, through any growth, ${near} words of 3 near`, () => {
    const word = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 0xffffffff }));
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word, word), { maxLength: 400 }), (keys) => {
        const table = new KeyTable(3, 1, near);
        const map = new Map<string, number>();
        for (const key of keys) {
          table.probe.set(key);
          assert.equal(table.find(), map.get(key.join()) ?? -1);
          if (!map.has(key.join())) map.set(key.join(), map.size);
          assert.equal(table.intern(), map.get(key.join()));
        }
        assert.equal(table.length, map.size);
        const copy = new KeyTable(3, 1);
        for (const [key, id] of map) {
          assert.equal([0, 1, 2].map((at) => table.word(id, at)).join(), key);
          copy.load(table, id);
          assert.equal(copy.probe.join(), key);
          assert.equal(
            table.words.subarray(near * id, near * id + near).join(),
            copy.probe.slice(0, near).join(),
          );
        }
      }),
    );
  });
