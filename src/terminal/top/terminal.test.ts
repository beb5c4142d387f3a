import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import type { ReadStream } from 'node:tty';
import { Grid } from './screen.ts';
import { Terminal } from './terminal.ts';

const directory = mkdtempSync(join(tmpdir(), 'tstop-terminal-'));
after(() => rmSync(directory, { recursive: true }));

/** Back to the first screen: the last that is written. */
const LAST = '\x1b[?1049l';
/** Seconds before somebody reads: a terminal that is busy. */
const BUSY_S = 0.3;
/** More than a pipe holds. */
const LARGE = new Grid(500, 400);

/** A terminal behind a pipe: what is written waits until it is read. */
function pipe(name: string): { readonly fd: number; readonly path: string } {
  const path = join(directory, name);
  execFileSync('mkfifo', [path]);
  // For reading too: else opening would wait for who reads.
  return { fd: openSync(path, constants.O_RDWR), path };
}

/** A terminal that is ours, with nothing on its way. */
async function terminalAt(fd: number): Promise<Terminal> {
  const input = Object.assign(new PassThrough(), { setRawMode: () => undefined });
  const output = Object.assign(new PassThrough(), { fd, columns: LARGE.columns, rows: LARGE.rows });
  const place = { isAsked: false, isUnicode: true };
  const drained = Promise.withResolvers<void>();
  const terminal = new Terminal(
    {
      ...place,
      input: input as unknown as ReadStream,
      output: output as unknown as typeof process.stdout,
    },
    ({ kind }) => kind === 'drained' && drained.resolve(),
  );
  await drained.promise;
  return terminal;
}

test('of a frame that is on its way nothing comes behind what gives the terminal back', async () => {
  const { fd, path } = pipe('busy');
  const reader = spawn('sh', ['-c', `sleep ${BUSY_S}; exec cat ${path}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const read = text(reader.stdout);
  LARGE.glyphs.fill('x');
  {
    await using terminal = await terminalAt(fd);
    terminal.show(LARGE, undefined, () => '');
  }
  closeSync(fd);
  const shown = await read;
  assert.ok(shown.includes('x'.repeat(LARGE.columns)));
  assert.equal(shown.slice(-LAST.length), LAST);
  assert.equal(shown.split(LAST).length, 2);
});

test('a frame that is not begun when the terminal is given back is not shown', async () => {
  const { fd, path } = pipe('begun');
  const reader = spawn('sh', ['-c', `sleep ${BUSY_S}; exec cat ${path}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const read = text(reader.stdout);
  const terminal = await terminalAt(fd);
  terminal.show(LARGE, undefined, () => '');
  const ended = terminal[Symbol.asyncDispose]();
  const other = new Grid(LARGE.columns, LARGE.rows);
  other.glyphs.fill('y');
  terminal.show(other, undefined, () => '');
  await ended;
  closeSync(fd);
  await once(reader, 'exit');
  assert.ok(!(await read).includes('y'));
});
