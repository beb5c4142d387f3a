/**
 * Runs all checks and tests: formatting and lint, types, generated files, then every *.test.ts.
 *
 *     node tools/test.ts [file …]
 *
 * Tests that need root, Chromium or the network tools run in sequence; node's runner closes the output.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';

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
    : globSync(['src/**/*.test.ts', 'web/**/*.test.ts', 'test/**/*.test.ts'], {
        cwd: ROOT,
        exclude: (name) => name.includes('node_modules'),
      }).toSorted();
// One file at a time: they make interfaces, load the machine and count packets.
run(process.execPath, ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files]);
