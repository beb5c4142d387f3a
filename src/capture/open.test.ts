import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { packet, writePcap } from '../wire/index.ts';
import { readAll, STORED } from './capture.fixture.ts';
import { Capture } from './index.ts';

const DIRECTORY = mkdtempSync(join(tmpdir(), 'tunnelscope-capture-'));
after(() => rmSync(DIRECTORY, { recursive: true }));

const FRAME = packet().eth().ipv4().udp().payload(500).build();
const FILE = writePcap(Array(20_000).fill(FRAME));

function written(name: string, octets: Uint8Array): string {
  const path = join(DIRECTORY, name);
  writeFileSync(path, octets);
  return path;
}

/** Descriptors of this process that are open on `path`. */
function openOn(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false;
    }
  }).length;
}

test('a file is read by its path, whatever its name says, and its progress ends at its size', async () => {
  for (const [kind, store] of Object.entries(STORED)) {
    const stored = store(FILE);
    const path = written('capture.txt', stored);
    await using capture = await Capture.open(path);
    assert.deepEqual(capture.progress, { consumed: 0, total: stored.length });
    let packets = 0;
    let last = 0;
    for await (const batch of capture) {
      packets += batch.count;
      assert.ok(capture.progress.consumed >= last && capture.progress.consumed <= stored.length, kind);
      last = capture.progress.consumed;
    }
    assert.equal(capture.error, undefined);
    assert.equal(packets, 20_000);
    assert.deepEqual(capture.progress, { consumed: stored.length, total: stored.length });
    assert.equal(openOn(path), 0);
  }
});

test('what cannot be opened is named', async () => {
  const missing = join(DIRECTORY, 'missing');
  await assert.rejects(Capture.open(missing), { code: 'CAPTURE_MISSING', path: missing });
  await assert.rejects(Capture.open(DIRECTORY), { code: 'CAPTURE_NOT_A_FILE' });
  await assert.rejects(Capture.open(join(written('file', FRAME), 'below')), { code: 'CAPTURE_MISSING' });
});

test('a failure of the system in the midst of a file is its end', async () => {
  async function* failing() {
    yield FILE.subarray(0, 1_000);
    throw Object.assign(new Error('broken'), { code: 'EIO' });
  }
  const reading = Capture.of(failing());
  assert.equal((await readAll(reading)).length, 1);
  assert.equal(reading.error?.code, 'CAPTURE_READ');
  assert.match(reading.error.message, /the system refused \(EIO\) at octet/);
});

test('leaving the loop, aborting and disposing close the file', async () => {
  const path = written('left.pcap.gz', gzipSync(FILE));
  const left = await Capture.open(path);
  for await (const _ of left) break;
  assert.equal(openOn(path), 0);

  const stop = new AbortController();
  const aborted = await Capture.open(path, { signal: stop.signal });
  let batches = 0;
  for await (const _ of aborted) {
    batches++;
    stop.abort();
  }
  assert.equal(batches, 1);
  assert.equal(aborted.error, undefined);
  assert.equal(openOn(path), 0);

  {
    await using unread = await Capture.open(path);
    assert.equal(openOn(path), 1);
    assert.equal(unread.format, undefined);
  }
  assert.equal(openOn(path), 0);

  const already = await Capture.open(path, { signal: AbortSignal.abort() });
  assert.deepEqual(await readAll(already), []);
  assert.equal(already.error, undefined);
});

test('a stream that fails to close takes nothing away', async () => {
  const chunks: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: false, value: FILE }),
      return: () => Promise.reject(new Error('not closed')),
    }),
  };
  for await (const batch of Capture.of(chunks)) {
    assert.ok(batch.count > 0);
    break;
  }
});

test('a capture is iterated once', async () => {
  const reading = Capture.of([FILE]);
  await readAll(reading);
  await assert.rejects(readAll(reading), TypeError);
});

/** Runs a program that reads its standard input, and gives what it prints. */
async function piped(program: string, pieces: readonly Uint8Array[], end: boolean): Promise<string> {
  const index = new URL('./index.ts', import.meta.url).href;
  const words = ['--input-type=module', '-e', `import { Capture } from '${index}'; ${program}`];
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  for (const piece of pieces) child.stdin.write(piece);
  if (end) child.stdin.end();
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  return text;
}

test('standard input is read to its end', async () => {
  const program = `
    const capture = await Capture.open('-');
    let packets = 0;
    for await (const batch of capture) packets += batch.count;
    console.log(packets, capture.compression, capture.error?.code, capture.progress.total);`;
  assert.equal(await piped(program, [FILE], true), '20000 undefined undefined undefined\n');
  assert.equal(await piped(program, [gzipSync(FILE)], true), '20000 gzip undefined undefined\n');
});

test('packets of a pipe come when they are there, and aborting ends the wait for more', async () => {
  const program = `
    const stop = new AbortController();
    const capture = await Capture.open('-', { signal: stop.signal });
    for await (const batch of capture) {
      console.log(batch.count);
      setTimeout(() => stop.abort(), 10);
    }
    console.log(capture.error?.code);`;
  assert.equal(await piped(program, [FILE.subarray(0, 24 + 16 + FRAME.length + 5)], false), '1\nundefined\n');
});
