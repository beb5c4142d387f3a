/**
 * Runs all checks and tests: formatting and lint, types, generated files, then every *.test.ts.
 *
 *     node tools/test.ts [file …]
 *
 * Tests that need root, Chromium or the network tools run in sequence. What they leave on the machine fails the run.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { LeakCheck } from './leaks.ts';

const ROOT = new URL('..', import.meta.url).pathname;

function run(command: string, words: readonly string[]): void {
  const { status } = spawnSync(command, words, { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** Runs the test files, then looks for what they left. */
async function runTests(files: readonly string[]): Promise<void> {
  const check = new LeakCheck();
  // One file at a time: they make interfaces, load the machine and count packets.
  const words = ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files];
  const env = { ...process.env, ...check.environment };
  const { status } = spawnSync(process.execPath, words, { cwd: ROOT, stdio: 'inherit', env });
  const left = await check.leftovers();
  for (const line of left) console.error(`Left behind by the tests: ${line}`);
  process.exitCode = status !== 0 ? (status ?? 1) : left.length > 0 ? 1 : 0;
}

const chosen = process.argv.slice(2);
if (chosen.length === 0) {
  run('npx', ['--no-install', 'biome', 'check', '.']);
  run('npx', ['--no-install', 'tsc', '-p', '.']);
  run('npx', ['--no-install', 'tsc', '-p', 'web']);
  run(process.execPath, ['tools/page.ts']);
}
const files =
  chosen.length > 0
    ? chosen
    : globSync(['src/**/*.test.ts', 'web/**/*.test.ts', 'tools/**/*.test.ts', 'test/**/*.test.ts'], {
        cwd: ROOT,
        exclude: (name) => name.includes('node_modules'),
      }).toSorted();
await runTests(files);
