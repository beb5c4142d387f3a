/** What the page weighs on the wire: all that its build holds, and what the first diagram waits for. */

import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Figure } from './figure.ts';

const DIST = new URL('../web/dist', import.meta.url).pathname;

/** Figures of the build that lies there; compressed as the server does. */
export async function weightFigures(): Promise<Figure[]> {
  const document = await readFile(join(DIST, 'index.html'), 'utf8');
  // Scripts, the modules they begin with, and style sheets stand in the document; all else is loaded when it is looked at.
  const named = [...document.matchAll(/(?:src|href)="\.\/([^"]+\.(?:js|css))"/g)].map(([, path]) => path!);
  const all = globSync('**/*.{html,js,css,svg}', { cwd: DIST });
  return [
    {
      name: 'weight: what the first diagram needs',
      unit: 'kB',
      figure: await kilooctets(['index.html', ...named]),
      note: `gzip; the document, ${named.length} scripts and style sheets`,
    },
    {
      name: 'weight: all of the page',
      unit: 'kB',
      figure: await kilooctets(all),
      target: { of: 'figure', atMost: 250 },
      note: `gzip; ${all.length} files, most of them loaded when their view is looked at`,
    },
  ];
}

async function kilooctets(paths: readonly string[]): Promise<number> {
  let octets = 0;
  for (const path of paths) octets += gzipSync(await readFile(join(DIST, path)), { level: 9 }).length;
  return octets / 1000;
}
