import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { BpfError, BpfMap, MapFlag, MapType, MapWindow, openResources } from './index.ts';
import { u32 } from './testdata/probe.ts';

const ENTRIES = 10_000;

after(() => assert.deepEqual(openResources(), []));

function array(flags: number): BpfMap {
  return BpfMap.create({
    type: MapType.ARRAY,
    name: 'tsbpf_window',
    keySize: 4,
    valueSize: 24,
    maxEntries: ENTRIES,
    flags,
  });
}

/** Words of the map's memory from `offset` on, through a window. */
function wordsAt(window: MapWindow, offset: number, length: number): Uint32Array {
  return new Uint32Array(window.buffer, window.show(offset, length), length >> 2);
}

test('a window shows any part of a map, and what is written there is in the map', () => {
  using map = array(MapFlag.MMAPABLE);
  using window = MapWindow.open(map, 24 * 1000);
  for (const entry of [0, 1, 170, 171, 4095, ENTRIES - 1000]) {
    const value = new Uint8Array(24).fill(entry & 0xff);
    map.update(u32(entry), value);
    const words = wordsAt(window, entry * 24, 24 * 1000);
    assert.deepEqual(new Uint8Array(words.buffer, words.byteOffset, 24), value);
    words[0] = 7 + entry;
    assert.equal(new DataView(map.lookup(u32(entry))!.buffer).getUint32(0, true), 7 + entry);
  }
});

test('a hidden window reads as zeros and writes nowhere', () => {
  using map = array(MapFlag.MMAPABLE);
  using window = MapWindow.open(map, 240);
  const words = wordsAt(window, 0, 240);
  words[0] = 5;
  window.hide();
  assert.equal(words[0], 0);
  words[0] = 6;
  assert.equal(map.lookup(u32(0))![0], 5);
  window.hide();
  assert.equal(wordsAt(window, 0, 240)[0], 5);
});

test('more than its room is refused and what was shown stays', () => {
  using map = array(MapFlag.MMAPABLE);
  using window = MapWindow.open(map, 24);
  const words = wordsAt(window, 0, 24);
  words[0] = 9;
  assert.throws(() => window.show(0, 24 * ENTRIES), RangeError);
  assert.equal(words[0], 9);
});

test('a map that cannot be mapped, or a part that it does not have, is an error that names it', () => {
  using plain = array(0);
  using closed = MapWindow.open(plain, 24);
  assert.throws(() => closed.show(0, 24), { name: 'BpfError', code: 'BPF_MAP', message: /tsbpf_window/ });
  using map = array(MapFlag.MMAPABLE);
  using window = MapWindow.open(map, 1 << 20);
  assert.throws(() => window.show(24 * ENTRIES, 1 << 16), BpfError);
});

test('its memory is detached when it is disposed', () => {
  using map = array(MapFlag.MMAPABLE);
  const window = MapWindow.open(map, 24);
  const words = wordsAt(window, 0, 24);
  window[Symbol.dispose]();
  window[Symbol.dispose]();
  assert.equal(words.length, 0);
  assert.throws(() => window.buffer, TypeError);
});
