import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { releaseFilePages, unchangedFiles } from './file-pages.ts';

function mapping(line: string, anonymous: number): string {
  return `${line}\nSize:                  8 kB\nRss:                   8 kB\nAnonymous:      ${anonymous} kB\nVmFlags: rd mr mw me`;
}

/** Resident memory of files, kB. */
function residentOfFiles(): number {
  return Number(/^RssFile:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))![1]);
}

test('only pages of files that are as in the file are let go of', () => {
  const smaps = [
    mapping('00400000-00402000 r-xp 00000000 fe:01 77 /usr/bin/node', 0),
    mapping('00402000-00404000 r--p 00002000 fe:01 77 /usr/bin/node', 0),
    mapping('00404000-00406000 r--p 00004000 fe:01 77 /usr/bin/node', 8),
    mapping('00406000-00408000 rw-p 00006000 fe:01 77 /usr/bin/node', 0),
    mapping('00500000-00502000 r--p 00000000 00:00 0 ', 0),
    mapping('00600000-00602000 r--s 00000000 fe:01 78 /usr/share/cache', 0),
    mapping('7ffc00000000-7ffc00002000 r-xp 00000000 00:00 0                  [vdso]', 0),
    mapping(
      '7fff00000000-7fff00001000 r--p 00000000 fe:01 79                 /usr/lib/libm.so.6 (deleted)',
      0,
    ),
  ].join('\n');
  assert.deepEqual(unchangedFiles(smaps), [
    { at: 0x400000n, length: 0x2000 },
    { at: 0x402000n, length: 0x2000 },
    { at: 0x7fff00000000n, length: 0x1000 },
  ]);
});

test('a process goes on without the pages that its start needed', () => {
  const before = residentOfFiles();
  releaseFilePages();
  const after = residentOfFiles();
  assert.ok(after < before / 2, `${before} kB before, ${after} kB after`);
});
