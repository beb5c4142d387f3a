/** The built page, read once into memory: what is not in the map does not exist. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** One file of the page. */
export interface PageFile {
  readonly body: Uint8Array<ArrayBuffer>;
  /** The same, gzip; absent where it saves nothing. */
  readonly gzip: Uint8Array<ArrayBuffer> | undefined;
  readonly type: string;
  readonly cacheControl: string;
}

/** URL path → file. */
export type Page = ReadonlyMap<string, PageFile>;

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  woff2: 'font/woff2',
  txt: 'text/plain; charset=utf-8',
  // Documents that the page leads to: a browser shows them as they are.
  md: 'text/plain; charset=utf-8',
};

/**
 * Reads the build: `index.html` as `/`, and every file of a known type under its own path. Hidden files, links and
 * other types are left out. A directory that is missing gives an empty page.
 */
export async function readPage(directory: string): Promise<Page> {
  const page = new Map<string, PageFile>();
  for (const name of await list(directory)) {
    const type = TYPES[/\.([a-z0-9]+)$/.exec(name)?.[1] ?? ''];
    if (!type) continue;
    const body = new Uint8Array(await readFile(join(directory, name)));
    const packed = /^(text|image\/svg)/.test(type) ? new Uint8Array(gzipSync(body, { level: 9 })) : undefined;
    const file: PageFile = {
      body,
      gzip: packed && packed.length < body.length ? packed : undefined,
      type,
      cacheControl: isHashed(name) ? 'public, max-age=31536000, immutable' : 'no-store',
    };
    page.set(name === 'index.html' ? '/' : `/${name}`, file);
  }
  return page;
}

/** Built assets carry their content's hash in the name. */
function isHashed(name: string): boolean {
  return /^assets\/.+-[A-Za-z0-9_-]{8}\.[a-z0-9]+$/.test(name);
}

async function list(directory: string, below = ''): Promise<string[]> {
  const names: string[] = [];
  let entries: import('node:fs').Dirent[];
  try {
    entries = await readdir(join(directory, below), { withFileTypes: true });
  } catch (error) {
    if (below === '' && (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) names.push(...(await list(directory, name)));
    else if (entry.isFile()) names.push(name);
  }
  return names;
}
