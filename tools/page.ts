/** Builds the page into `web/dist` when it is missing or older than what it is made of. One line, no network. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'web/dist');
const stamp = join(dist, '.stamp');

/** What the page is made of: its own sources, the modules it imports, and the tools' versions. */
const SOURCES = [
  'web/index.html',
  'web/vite.config.ts',
  'web/tsconfig.json',
  'web/src',
  'web/public',
  'docs/ledger.md',
  'src/query',
  'src/flow',
  'package-lock.json',
];

/** Builds if needed; gives one line that says what was done. */
export async function buildPage(): Promise<string> {
  const wanted = await hashSources();
  if ((await readText(stamp)) === wanted) return 'page: up to date';
  const startMs = performance.now();
  let vite: typeof import('vite');
  try {
    vite = await import('vite');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    if ((await readText(join(dist, 'index.html'))) !== undefined)
      return 'page: as shipped (vite is not installed)';
    throw new Error(
      'The page is not built and vite is not installed: run npm install with its development dependencies.',
    );
  }
  // Built aside and renamed, so that nobody serves half a page and two builds at once do no harm.
  const aside = join(root, `build/page-${process.pid}`);
  await vite.build({
    configFile: join(root, 'web/vite.config.ts'),
    logLevel: 'error',
    build: { outDir: aside, emptyOutDir: true },
  });
  await writeFile(join(aside, '.stamp'), wanted);
  await rm(dist, { recursive: true, force: true });
  await rename(aside, dist);
  return `page: built in ${((performance.now() - startMs) / 1000).toFixed(1)} s`;
}

async function hashSources(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    for (const file of await filesBelow(join(root, source))) {
      if (file.endsWith('.test.ts')) continue;
      hash
        .update(`${relative(root, file)}\0`)
        .update((await readText(file)) ?? '')
        .update('\0');
    }
  }
  return hash.digest('hex');
}

async function filesBelow(path: string): Promise<string[]> {
  try {
    const names = await readdir(path, { recursive: true, withFileTypes: true });
    return names
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return [path];
    throw error;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

if (import.meta.main) console.log(await buildPage());
