/**
 * Runs all checks and tests: formatting and lint, types, generated files, then every *.test.ts.
 *
 *     node tools/test.ts [file …]
 *
 * What they leave on the machine fails the run.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { LeakCheck } from './leaks.ts';
import { runTests } from './run-tests.ts';

const ROOT = new URL('..', import.meta.url).pathname;

function run(command: string, words: readonly string[]): void {
  const { status } = spawnSync(command, words, { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
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
const check = new LeakCheck();
// What the tests start inherits it. Hundreds of processes read the same sources: types are stripped once.
Object.assign(process.env, check.environment, {
  NODE_COMPILE_CACHE: resolve(ROOT, 'node_modules/.cache/tests'),
});
const isWell = await runTests(
  files.map((file) => relative(ROOT, resolve(file))),
  resolve(ROOT),
);
const left = await check.leftovers();
for (const line of left) console.error(`Left behind by the tests: ${line}`);
process.exitCode = isWell && left.length === 0 ? 0 : 1;
