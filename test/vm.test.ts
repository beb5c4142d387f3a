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
/** The verifier, the hooks, devices, and interfaces that come and go: what the other suites stand on. */
const FILES = [
  'test/load.test.ts',
  'test/doctor.test.ts',
  'src/bpf/link.test.ts',
  'test/interfaces.test.ts',
  'test/netem.test.ts',
  'test/devices.test.ts',
];
const TIMEOUT_S = 720;

/** Why not, as a reason to skip; where it is asked for, what is missing is a failure. */
function whyNot(): string | false {
  if (process.arch !== 'x64') return 'the machine runs on x86-64 only';
  if (process.env.CI || process.env.VM_TEST) return false;
  return 'takes minutes: it runs in CI (variable CI), elsewhere with VM_TEST=1';
}

test(`all of it works in Linux ${KERNEL}`, { skip: whyNot() }, async (t) => {
  const words = [
    '--no-document',
    '--timeout',
    String(TIMEOUT_S),
    ...FILES.flatMap((file) => ['--file', file]),
  ];
  const child = spawn(process.execPath, [RUN, ...words, KERNEL], { signal: t.signal, stdio: 'pipe' });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
  const [status] = (await once(child, 'close')) as [number | null];
  assert.equal(status, 0, text);
  assert.doesNotMatch(text, /this kernel has no /, 'that kernel has all of it');
  for (const file of FILES) assert.ok(text.includes(`${file}:\n`), `${file} ran`);
});
