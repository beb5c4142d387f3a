/**
 * What depends on the kernel, in another one than this machine's: the oldest with a distribution of its own that is
 * still usual, without tcx. All kernels and all suites: `npm run test:vm`.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const RUN = fileURLToPath(new URL('../tools/vm/run.ts', import.meta.url));
const KERNEL = '6.1';
/** What doctor says and tries, objects, maps and hooks: what all stands on. Real devices take five minutes more. */
const FILES = [
  'test/doctor.test.ts',
  'src/bpf/object.test.ts',
  'src/bpf/map.test.ts',
  'src/bpf/link.test.ts',
];
const TIMEOUT_S = 600;

/** Why not, as a reason to skip; where it is asked for, what is missing is a failure. */
function whyNot(): string | false {
  if (process.arch !== 'x64') return 'the machine runs on x86-64 only';
  if (process.env.CI || process.env.VM_TEST) return false;
  return 'takes minutes: it runs in CI (variable CI), elsewhere with VM_TEST=1';
}

/** Runs test files in that kernel. @returns the exit status, and all that was said */
async function runInGuest(
  files: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly status: number | null; readonly text: string }> {
  const words = [
    '--no-document',
    '--timeout',
    String(TIMEOUT_S),
    ...files.flatMap((file) => ['--file', file]),
  ];
  const child = spawn(process.execPath, [RUN, ...words, KERNEL], { signal, stdio: 'pipe' });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, text };
}

/** The part of what was said that is of a file; undefined where it did not run. */
function sectionOf(text: string, file: string): string | undefined {
  const [, section] = text.split(`${file}:\n`);
  return section?.split(/^\S+\.test\.ts:\n/m)[0];
}

test(`all of it works in Linux ${KERNEL}`, { skip: whyNot() }, async (t) => {
  const first = await runInGuest(FILES, t.signal);
  assert.doesNotMatch(first.text, /this kernel has no /, 'that kernel has all of it');
  for (const file of FILES)
    assert.ok(sectionOf(first.text, file) !== undefined, `${file} ran\n${first.text}`);
  if (first.status === 0) return;
  // Emulated, a process of Node crashes now and then; what is really wrong fails again.
  const failed = FILES.filter((file) => /^✖/m.test(sectionOf(first.text, file) ?? ''));
  t.diagnostic(`once more: ${failed.join(', ')}`);
  const second = await runInGuest(failed.length > 0 ? failed : FILES, t.signal);
  assert.equal(second.status, 0, `${first.text}\n\nonce more:\n${second.text}`);
});
