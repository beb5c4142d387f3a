import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configurationDocument } from '../tools/config-schema.ts';

test('the table of keys in docs/configuration.md is what the schema gives', () => {
  const text = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8');
  assert.equal(configurationDocument(text), text, 'node tools/config-schema.ts');
});

test('every error code of configuration and instances stands in docs/errors.md', () => {
  const document = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8');
  const sources = ['../src/daemon/error.ts', '../src/config/error.ts'].map((path) =>
    readFileSync(new URL(path, import.meta.url), 'utf8'),
  );
  const codes = new Set(sources.join('').match(/'(DAEMON|CONFIG)_[A-Z_]+'/g));
  assert.ok(codes.size >= 10);
  for (const code of codes) assert.ok(document.includes(code.replaceAll("'", '`')), code);
});
