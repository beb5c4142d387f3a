import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { BpfError, BpfObject, collectRunStatistics, openResources, testRun, testRunAsync } from './index.ts';
import { loadProbe, openDescriptors, openProbe, PROBE_PATH } from './testdata/probe.ts';

const PACKET = new Uint8Array(60);

after(() => assert.deepEqual(openResources(), []));

test('constants set before load are what the program sees', () => {
  using object = openProbe();
  object.setConstant('limit', 20);
  object.setConstant('offset', -5);
  object.setConstant('enabled', true);
  object.setConstant('ports', Uint16Array.of(1, 2, 3, 4789));
  object.load();
  assert.equal(testRun(object.program('constants'), { packet: PACKET }).retval, 4784);
});

test('a constant of 64 bits and a boolean reach the program', () => {
  using object = openProbe();
  object.setConstant('limit', 1000);
  object.setConstant('wide', 12345n);
  object.load();
  assert.equal(testRun(object.program('constants'), { packet: PACKET }).retval, 12345);
  using off = openProbe();
  off.setConstant('enabled', false);
  off.load();
  assert.equal(testRun(off.program('constants'), { packet: PACKET }).retval, 0xffff_ffff);
});

test('an array constant shorter than the C array is filled up with zeros', () => {
  using object = openProbe();
  object.setConstant('ports', Uint16Array.of(9, 9, 9, 9));
  object.setConstant('ports', Uint16Array.of(1));
  assert.deepEqual(
    [...object.rodata().slice(16, 24)].filter((octet) => octet === 9),
    [],
  );
});

test('a constant that does not fit, or does not exist, is refused', () => {
  using object = openProbe();
  assert.throws(() => object.setConstant('limit', -1), /does not fit limit/);
  assert.throws(() => object.setConstant('limit', 2 ** 32), RangeError);
  assert.throws(() => object.setConstant('offset', 40000), RangeError);
  assert.throws(() => object.setConstant('limit', 1.5), /whole number/);
  assert.throws(() => object.setConstant('ports', 4), /typed array/);
  assert.throws(() => object.setConstant('ports', Uint32Array.of(1)), /elements of ports have 2 bytes/);
  assert.throws(() => object.setConstant('ports', new Uint16Array(5)), /holds 4 elements/);
  assert.throws(() => object.setConstant('nothing', 1), /it has limit, offset, enabled, wide, ports/);
});

test('the read-only image is out of reach after load', () => {
  using object = openProbe();
  const image = object.rodata();
  assert.ok(image.byteLength > 0);
  object.load();
  assert.equal(image.byteLength, 0);
  assert.throws(() => object.rodata(), /only before load/);
});

test('maps can be sized before load', () => {
  using object = openProbe();
  object.setMaxEntries('samples', 77);
  object.load();
  assert.equal(object.map('samples').maxEntries, 77);
  assert.equal(object.map('samples').description.maxEntries, 77);
});

test('names that the object does not have are refused with those it has', () => {
  using object = loadProbe();
  assert.throws(() => object.map('flows'), /no map flows; it has .*samples/);
  assert.throws(() => object.program('meter'), /no program meter; it has .*observe/);
  assert.throws(() => object.program('refused'), /switched off/);
});

test('a program that the verifier refuses is an error that shows the reason and cuts the rest', () => {
  using object = BpfObject.openFile(PROBE_PATH);
  assert.throws(
    () => object.load(),
    (error: unknown) => {
      assert.ok(error instanceof BpfError);
      assert.equal(error.code, 'BPF_LOAD');
      assert.equal(error.errnoName, 'EACCES');
      assert.match(
        error.message,
        /program refused of the BPF object probe: the verifier refused it .*(map_value_or_null|NULL check)/,
      );
      assert.match(error.verifierLog ?? '', /^\(\d+ lines omitted\)\n/);
      assert.ok((error.verifierLog ?? '').split('\n').length <= 7);
      assert.match(error.fullVerifierLog ?? '', /processed \d+ insns/);
      return true;
    },
  );
});

test('bytes that are no object are an error with the words of libbpf', () => {
  assert.throws(() => BpfObject.openBytes(new Uint8Array(100), { name: 'junk' }), {
    code: 'BPF_OBJECT',
    message: /cannot open the BPF object junk: .*not a proper ELF object/,
  });
  assert.throws(() => BpfObject.openFile('/nonexistent.bpf.o'), { code: 'BPF_OBJECT', message: /ENOENT/ });
});

test('a process without privilege is told which capabilities it lacks', () => {
  const script = fileURLToPath(new URL('testdata/act.ts', import.meta.url));
  // Root without capabilities: it still owns the files here, wherever the tree lies.
  const without = ['--bounding-set=-all', '--inh-caps=-all'];
  const output = execFileSync('setpriv', [...without, process.execPath, script, 'load'], {
    encoding: 'utf8',
  });
  const error = JSON.parse(output) as { code: string; errnoName: string; message: string };
  assert.equal(error.code, 'BPF_PERMISSION');
  assert.equal(error.errnoName, 'EPERM');
  assert.match(error.message, /lacks CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON; run it as root/);
});

test('a test run gives back the packet when there is room, and fails when there is too little', () => {
  using object = loadProbe();
  const packet = Uint8Array.from({ length: 64 }, (_, i) => i);
  const result = testRun(object.program('observe'), { packet, capacity: 100 });
  assert.deepEqual(result.packet, packet);
  assert.throws(() => testRun(object.program('observe'), { packet, capacity: 10 }), {
    code: 'BPF_RUN',
    errnoName: 'ENOSPC',
  });
  assert.throws(() => testRun(object.program('observe'), { packet: new Uint8Array(3) }), { code: 'BPF_RUN' });
});

test('the asynchronous test run keeps its buffers alive and repeats as often as asked', async () => {
  using object = loadProbe();
  const program = object.program('observe');
  const results = await Promise.all(
    Array.from({ length: 20 }, () => testRunAsync(program, { packet: new Uint8Array(60), repeat: 1000 })),
  );
  assert.ok(results.every((result) => result.retval === 0xffff_ffff));
  using memory = object.map('.bss').mmap();
  assert.equal(new DataView(memory.buffer).getBigUint64(object.locate('runs').offset, true), 20_000n);
});

test('run statistics count the runs while they are on', () => {
  using object = loadProbe();
  using _ = collectRunStatistics();
  testRun(object.program('observe'), { packet: PACKET, repeat: 100 });
  assert.equal(object.program('observe').describe().runCount, 100n);
});

test('maps and programs of a closed object throw instead of reaching a descriptor that is someone else by now', () => {
  const object = loadProbe();
  const map = object.map('samples');
  const program = object.program('observe');
  object[Symbol.dispose]();
  object[Symbol.dispose]();
  assert.throws(() => map.fd, /has been closed/);
  assert.throws(() => program.fd, /is closed/);
  assert.throws(() => object.load(), /is closed/);
});

test('a worker that failed to load and ended leaves nothing behind that crashes this thread', async () => {
  const index = new URL('index.ts', import.meta.url).href;
  const code = `const { BpfObject } = await import(${JSON.stringify(index)});
    try { BpfObject.openFile(${JSON.stringify(PROBE_PATH)}).load(); } catch (error) { postMessage(error.code); }`;
  const worker = new Worker(
    new URL(
      `data:text/javascript,${encodeURIComponent(`import { parentPort } from 'node:worker_threads'; const postMessage = (m) => parentPort.postMessage(m); ${code}`)}`,
    ),
  );
  const code1 = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  assert.equal(code1, 'BPF_LOAD');
  await worker.terminate();
  assert.throws(() => BpfObject.openBytes(new Uint8Array(8), { name: 'junk' }), { code: 'BPF_OBJECT' });
});

test('loading and closing again and again leaks no descriptor', () => {
  const cycle = (): void => {
    using object = loadProbe();
    using inner = object.createInner('epochs');
    object.map('epochs').updateInner(new Uint8Array(4), inner);
    using memory = object.map('.bss').mmap();
    assert.ok(memory.buffer.byteLength > 0);
  };
  cycle();
  const before = openDescriptors();
  for (let i = 0; i < 20; i++) cycle();
  assert.equal(openDescriptors(), before);
});
