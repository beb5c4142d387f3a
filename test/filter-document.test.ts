import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseFilter } from '../src/query/index.ts';
import { filterDocument } from '../tools/filter-fields.ts';

/* docs/filter.md says what the code does. */

const DOCUMENT = readFileSync(new URL('../docs/filter.md', import.meta.url), 'utf8');

test('the tables of the filter document are those of the code: node tools/filter-fields.ts', () => {
  assert.equal(DOCUMENT, filterDocument(DOCUMENT));
});

test('every example of the filter document can be read', () => {
  const examples = [...DOCUMENT.matchAll(/^```filter\n(.*?)^```$/gms)].flatMap(([, lines]) =>
    lines!.trim().split('\n'),
  );
  const words = [...DOCUMENT.matchAll(/--filter '([^']+)'/g)].map(([, word]) => word!);
  assert.ok(examples.length >= 14 && words.length >= 2, `${examples.length} ${words.length}`);
  for (const example of [...examples, ...words]) assert.notEqual(parseFilter(example).kind, 'any', example);
});
