import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { attachTracing, BpfIterator, BpfMap, BpfObject, hasBtf, MapType, openResources } from './index.ts';
import { loadProbe, u32, u64At } from './testdata/probe.ts';

const skip = hasBtf() ? false : 'this kernel has no BTF of its own';

after(() => assert.deepEqual(openResources(), []));

function loadTracing(): BpfObject {
  const object = BpfObject.openFile(fileURLToPath(new URL('testdata/tracing.bpf.o', import.meta.url)));
  object.load();
  return object;
}

test('a program at a tracepoint runs from its attaching to its disposal', { skip }, () => {
  using object = loadTracing();
  const { section, offset } = object.locate('last_process');
  const last = (): number => Number(u64At(object.map(section).lookup(u32(0)), offset));
  const execute = (): number => spawnSync('/bin/true').pid;
  execute();
  assert.equal(last(), 0, 'not attached yet');
  {
    using _attached = attachTracing(object.program('note_exec'));
    // Others execute programs too: ours is the last one sooner or later.
    const deadline = Date.now() + 10_000;
    while (execute() !== last()) assert.ok(Date.now() < deadline, 'the tracepoint never saw our process');
  }
  const before = last();
  execute();
  assert.equal(last(), before);
});

test('a program for packets is put at no tracepoint and walks nowhere; the error says what was tried', () => {
  using object = loadProbe();
  assert.throws(() => attachTracing(object.program('observe')), {
    code: 'BPF_LINK',
    message: /^cannot attach the program observe to its tracepoint: EINVAL/,
  });
  assert.throws(() => BpfIterator.open(object.program('observe')), {
    code: 'BPF_LINK',
    message: /^cannot make an iterator of the program observe: EINVAL/,
  });
});

test('an iterator walks over all there is each time, in pieces as small as the buffer', { skip }, () => {
  using object = loadTracing();
  using iterator = BpfIterator.open(object.program('list_maps'));
  const walked = (octets: number): number[] => {
    const bytes: number[] = [];
    iterator.walk(new Uint8Array(octets), (piece) => bytes.push(...piece));
    return [...new Uint32Array(Uint8Array.from(bytes).buffer)];
  };
  const ours = object.map('listed').description.id;
  assert.ok(walked(65_536).includes(ours), 'in one piece');
  assert.ok(walked(6).includes(ours), 'in pieces that cut numbers');
  using later = BpfMap.create({
    type: MapType.ARRAY,
    name: 'later',
    keySize: 4,
    valueSize: 4,
    maxEntries: 1,
  });
  assert.ok(walked(4096).includes(later.description.id), 'what was made since the walk before');
});
