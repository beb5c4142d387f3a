/* The page has no view without its pictures, light and dark, wide and narrow, and a section in docs/views.md. */
import assert from 'node:assert/strict';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { TABS } from '../../src/terminal/index.ts';
import {
  MOST_OCTETS,
  PICTURES,
  SCHEMES,
  SIZES,
  TERMINALS,
  TOP_TABS,
  VIEW_PICTURES,
} from '../../test/view-pictures.ts';
import { SIGHT_ENTRIES } from './parts/sight.ts';
import { SIGHTS } from './question.ts';

const DOCUMENT = readFileSync(new URL('../../docs/views.md', import.meta.url), 'utf8');
/** Of this document: what stands under each heading. */
const SECTIONS = new Map(
  DOCUMENT.split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
);

/** Width and height of a picture as WebP has them: lossy, as its first frame (RFC 6386 section 9.1) says. */
function sizeOf(path: string): readonly [number, number] {
  const octets = readFileSync(path);
  assert.equal(octets.toString('latin1', 0, 4) + octets.toString('latin1', 8, 12), 'RIFFWEBP', path);
  const at = octets.indexOf('\x9d\x01\x2a', 12, 'latin1');
  assert.ok(at > 0, path);
  return [octets.readUInt16LE(at + 3) & 0x3fff, octets.readUInt16LE(at + 5) & 0x3fff];
}

test('each view has its pictures in every size and colour', () => {
  for (const sight of SIGHTS)
    assert.ok(
      VIEW_PICTURES.some((each) => each.sight === sight),
      sight,
    );
  for (const { name } of VIEW_PICTURES)
    for (const [size, { width, height }] of Object.entries(SIZES))
      for (const scheme of SCHEMES)
        assert.deepEqual(sizeOf(join(PICTURES, `${name}-${size}-${scheme}.webp`)), [width, height]);
  assert.deepEqual(Object.keys(TOP_TABS), [...TABS]);
  for (const tab of TABS)
    for (const [columns, rows] of TERMINALS)
      assert.ok(sizeOf(join(PICTURES, `top-${tab}-${columns}x${rows}.webp`))[0] > 6 * columns);
});

test('there are no others, and all are small', () => {
  const files = globSync('*', { cwd: PICTURES });
  assert.equal(files.length, VIEW_PICTURES.length * 4 + TABS.length * TERMINALS.length);
  const octets = files.reduce((sum, name) => sum + statSync(join(PICTURES, name)).size, 0);
  assert.ok(octets < MOST_OCTETS, `${octets} octets`);
});

test('each view has a section with what it answers, and each of its pictures stands there', () => {
  for (const sight of SIGHTS) {
    const { words } = SIGHT_ENTRIES[sight]!;
    const section = SECTIONS.get(words) ?? assert.fail(`no section "${words}"`);
    assert.match(section, /^\*[^*]+\?\*$/ms, `${words} answers a question`);
    for (const { name } of VIEW_PICTURES.filter((each) => each.sight === sight))
      assert.ok(section.includes(`(pictures/views/${name}-wide-light.webp)`), name);
  }
  const shown = [...DOCUMENT.matchAll(/\(pictures\/views\/([^)]+)\)/g)].map(([, name]) => name!);
  for (const name of shown) assert.ok(statSync(join(PICTURES, name)).size > 0, name);
});
