import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const RUNNER = new URL('./run-tests.ts', import.meta.url).href;
const HEAD = `import { test } from 'node:test'; import assert from 'node:assert'; import fs from 'node:fs';`;
/** Fails when it runs the first time. */
const FLAKY = `${HEAD} test('shaky', () => { const mark = import.meta.filename + '.mark';
  const was = fs.existsSync(mark); fs.writeFileSync(mark, ''); assert.ok(was, 'not yet there'); });`;
const WRONG = `${HEAD} test('wrong', () => assert.equal(1, 2));`;
const RIGHT = `${HEAD} test('right', () => {}); test('not here', { skip: 'no kernel' }, () => {});`;
const DEAD = `process.exit(7);`;

/** Runs files of tests in a directory of their own. @returns what it printed, and whether all went well */
function runOf(files: Readonly<Record<string, string>>): {
  readonly out: string;
  readonly status: number | null;
} {
  const directory = mkdtempSync(join(tmpdir(), 'ts-runner-'));
  try {
    for (const [name, source] of Object.entries(files)) writeFileSync(join(directory, name), source);
    const driver = join(directory, 'driver.ts');
    writeFileSync(
      driver,
      `import { runTests } from '${RUNNER}';
      process.exit((await runTests(${JSON.stringify(Object.keys(files))}, '${directory}')) ? 0 : 3);`,
    );
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { stdout, status } = spawnSync(process.execPath, [driver], {
      encoding: 'utf8',
      env,
      cwd: directory,
    });
    return { out: stdout, status };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('what passes only when run once more is named, and counts once', () => {
  const { out, status } = runOf({ 'a.test.ts': FLAKY, 'b.test.ts': RIGHT });
  assert.equal(status, 0, out);
  assert.match(out, /passed only when run once more: a\.test\.ts; before: "shaky": not yet there/);
  assert.match(out, /tests 3\n.*suites 0\n.*pass 2\n.*fail 0\n.*cancelled 0\n.*skipped 1\n/);
  assert.doesNotMatch(out, /failing tests/);
});

test('what fails twice fails the run, and so does a process that dies', () => {
  const { out, status } = runOf({ 'a.test.ts': WRONG, 'b.test.ts': RIGHT });
  assert.equal(status, 3);
  assert.match(out, /pass 1\n.*fail 1\n/);
  assert.match(out, /failing tests[\s\S]*wrong/);
  assert.equal(runOf({ 'a.test.ts': DEAD }).status, 3);
});

test('where many fail only three run once more', () => {
  const files = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`${name}.test.ts`, FLAKY]));
  const { out, status } = runOf(files);
  assert.equal(status, 3);
  assert.match(out, /pass 3\n.*fail 1\n/);
});
