import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseQuestion } from '../src/query/index.ts';
import { queryDocument } from '../tools/query-words.ts';

/* docs/query.md says what the code does. Its examples are answered in test/query-command.test.ts. */

const DOCUMENT = readFileSync(new URL('../docs/query.md', import.meta.url), 'utf8');

test('the tables of the document on questions are those of the code: node tools/query-words.ts', () => {
  assert.equal(DOCUMENT, queryDocument(DOCUMENT));
});

test('every example of the document on questions can be read', () => {
  const examples = [...DOCUMENT.matchAll(/^```(?:query|live)\n(.*?)^```$/gms)].flatMap(([, lines]) =>
    lines!.trim().split('\n'),
  );
  assert.ok(examples.length >= 20, String(examples.length));
  const clock = { nowMs: Date.parse('2026-11-22T09:00Z'), timeZone: 'Europe/Berlin' };
  for (const example of examples) parseQuestion(example, clock);
});
