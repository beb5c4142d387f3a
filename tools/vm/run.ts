/**
 * Runs the tests that depend on the kernel inside other kernels, and writes what came of it to docs/kernels.md.
 *
 *     npm run test:vm -- [--cache DIR] [--file TEST]… [--timeout SECONDS] [--file-timeout SECONDS] [--no-document] [KERNEL…]
 *
 * Without names all kernels are taken, one after the other. With --file only those tests run. With --no-document that
 * file stays as it is. A kernel may take --timeout, and each file of tests --file-timeout: on a busy host both need more.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { FileResult } from './guest.ts';
import { fetchKernel, KERNELS } from './kernels.ts';
import { hasKvm, lackingPackages, type Outcome, runErrand } from './machine.ts';
import { type KernelRun, updated } from './matrix.ts';
import { SUITES } from './suites.ts';

const ROOT = join(import.meta.dirname, '../..');
const DOCUMENT = join(ROOT, 'docs/kernels.md');
const TIMEOUT_S = 2400;
const FILE_TIMEOUT_S = 600;
/** Under emulation everything takes ten times as long. A prime part: the cross product of headers has no group of 37. */
const EMULATED_SCALE = 1 / 37;
/** Loaded first by every Node in the guest. */
const PRELOAD = join(import.meta.dirname, 'liftoff.cjs');
/** Of the guest's console the end, where a panic says why. */
const CONSOLE_LINES = 30;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cache: { type: 'string' },
    file: { type: 'string', multiple: true },
    timeout: { type: 'string', default: String(TIMEOUT_S) },
    'file-timeout': { type: 'string', default: String(FILE_TIMEOUT_S) },
    'no-document': { type: 'boolean', default: false },
  },
});

/** Says what is wrong in one line, and ends. */
function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}

function checkHost(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    refuse('The machine runs on Linux on x86-64 only.');
  const lacking = lackingPackages();
  if (lacking.length > 0)
    refuse(`Packages are missing. As root: apt-get install -y --no-install-recommends ${lacking.join(' ')}`);
  if (process.getuid?.() !== 0)
    refuse('Sharing the root file system with the machine needs root: run it as root.');
}

/** Why the guest gave no exit status, with the end of its console. */
function causeOfDeath({ timedOut, console: text }: Outcome): string {
  const what = timedOut ? `it took longer than ${values.timeout} s` : 'the guest died';
  const panic = /Kernel panic[^\n]*|init: [^\n]*/.exec(text)?.[0];
  return panic ? `${what} (${panic})` : what;
}

async function runKernel(name: string, files: readonly string[], signal: AbortSignal): Promise<KernelRun> {
  const cache = values.cache ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tunnelscope');
  mkdirSync(cache, { recursive: true });
  const kernel = fetchKernel(name, cache);
  const how = hasKvm() ? 'KVM' : 'emulation';
  console.log(`Linux ${kernel.release} (${name}), by ${how}:`);
  const scale = hasKvm() ? '' : `TEST_SCALE=${EMULATED_SCALE} `;
  const patience = `FILE_TIMEOUT_MS=${1000 * Number(values['file-timeout'])} `;
  const preload = `NODE_OPTIONS='--require="${PRELOAD}"' `;
  const startMs = performance.now();
  const outcome = await runErrand(
    {
      kernel,
      tree: ROOT,
      command: `${scale}${patience}${preload}exec node_modules/.bin/node tools/vm/guest.ts "$RESULTS" ${files.join(' ')}`,
      timeoutMs: 1000 * Number(values.timeout),
      output: process.stdout,
    },
    signal,
  );
  process.stderr.write(outcome.errors);
  const results = outcome.results
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as FileResult);
  const run = { name, release: kernel.release, results };
  console.log(`Linux ${kernel.release}: ${Math.round((performance.now() - startMs) / 1000)} s`);
  if (outcome.status !== undefined) return run;
  const cause = causeOfDeath(outcome);
  console.error(`Linux ${kernel.release}: ${cause}. Its console ended with:`);
  console.error(outcome.console.split('\n').slice(-CONSOLE_LINES).join('\n'));
  return { ...run, cause };
}

/** Puts a run's results into the document. */
function writeDocument(run: KernelRun): void {
  const before = existsSync(DOCUMENT) ? readFileSync(DOCUMENT, 'utf8') : '';
  writeFileSync(DOCUMENT, updated(before, run));
}

const names = positionals.length > 0 ? positionals : Object.keys(KERNELS);
for (const name of names) {
  if (!KERNELS[name]) refuse(`There is no kernel ${name}; there are ${Object.keys(KERNELS).join(', ')}.`);
}
checkHost();
const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stopping.abort());
const files = values.file ?? SUITES.filter(({ isSlow }) => !isSlow || hasKvm()).map(({ file }) => file);
for (const name of names) {
  const run = await runKernel(name, files, stopping.signal).catch((error: Error) => {
    if (!stopping.signal.aborted) throw error;
    console.error('Interrupted: the machine is gone.');
    process.exit(130);
  });
  const isBad = run.results.some(
    ({ error, tests }) => error !== undefined || tests.some(({ outcome }) => outcome === 'failed'),
  );
  if (isBad || run.cause !== undefined) process.exitCode = 1;
  if (!values['no-document']) writeDocument(run);
}
