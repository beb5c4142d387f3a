import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { STORE_ERROR_CODES } from './error.ts';

it('every error code of the store stands in docs/errors.md', () => {
  const document = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  assert.ok(STORE_ERROR_CODES.length > 10);
  for (const code of STORE_ERROR_CODES) assert.ok(document.includes(`\`${code}\``), code);
});
