import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { staleFiles } from '../tools/bpf.ts';

const ROOT = new URL('..', import.meta.url).pathname;
const FORBIDDEN = /^(utils?|helpers?|common|shared|core|lib|misc|types)$/;

/** Module path → short names of the modules it may import, from the table in ARCHITECTURE.md. */
function importTable(): Map<string, Set<string>> {
  const table = new Map<string, Set<string>>();
  for (const line of readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8').split('\n')) {
    const row = /^\| `(src\/[a-z.-]+|web|tools)` \| .* \| (.*) \|$/.exec(line);
    if (!row) continue;
    table.set(row[1]!, new Set([...row[2]!.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name!)));
  }
  return table;
}

function sources(): string[] {
  return globSync(['src/**/*.ts', 'web/**/*.{ts,tsx}', 'tools/**/*.ts'], { cwd: ROOT }).filter(
    (path) => !path.includes('node_modules') && !path.includes('/dist/'),
  );
}

/** `src/meter/clock.ts` belongs to `src/meter`, `src/agent.ts` to itself. */
function moduleOf(path: string): string {
  const [top, second] = path.split('/');
  return top === 'src' ? `src/${second}` : top!;
}

function shortName(module: string): string {
  return basename(module, '.ts');
}

/** Files only tests use: they may reach anywhere. */
function isTestOnly(path: string): boolean {
  return /\.(test|fixture)\.tsx?$/.test(path) || /(^|\/)(test|testdata)\//.test(path);
}

function importsOf(path: string): string[] {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?'(\.{1,2}\/[^']+)'/g)].map(([, target]) =>
    normalize(join(dirname(path), target!)),
  );
}

test('modules import only what the table in ARCHITECTURE.md allows, and only through index.ts', () => {
  const table = importTable();
  assert.ok(table.size >= 15, `the table was read: ${[...table.keys()].join(' ')}`);
  const wrong: string[] = [];
  for (const path of sources().filter((each) => !isTestOnly(each))) {
    const from = moduleOf(path);
    const allowed = table.get(from);
    if (!allowed) wrong.push(`${from} (${path}) is not in the table`);
    for (const target of importsOf(path)) {
      const to = moduleOf(target);
      if (to === from) continue;
      if (!allowed?.has(shortName(to))) wrong.push(`${path} imports ${target}`);
      const isDoor = target === `${to}/index.ts` || target === to || to === 'src/command';
      if (!isDoor) wrong.push(`${path} goes past the door of ${to}: ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('only one file speaks to foreign code', () => {
  const users = sources().filter((path) => /from 'koffi'/.test(readFileSync(join(ROOT, path), 'utf8')));
  assert.deepEqual(users, ['src/bpf/libbpf.ts']);
});

test('no file or folder has a name that says nothing', () => {
  const all = [...sources(), ...globSync(['bpf/**/*.{c,h}', 'bench/**/*', 'test/**/*'], { cwd: ROOT })];
  const bad = all.filter((path) => path.split('/').some((part) => FORBIDDEN.test(part.replace(/\..*$/, ''))));
  assert.deepEqual(bad, []);
});

test('committed objects and layouts are what their sources give', async () => {
  assert.deepEqual(await staleFiles(), []);
});
