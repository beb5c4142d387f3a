import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { LEDGER_REASONS, reasonWords } from '../src/query/index.ts';
import { Reason, reasonName } from '../src/record/index.ts';
import { ledgerDocument } from '../tools/ledger-words.ts';

test('the table of the document on the ledger is that of the code: node tools/ledger-words.ts', () => {
  const document = readFileSync(new URL('../docs/ledger.md', import.meta.url), 'utf8');
  assert.equal(document, ledgerDocument(document));
});

test('every reason of the parser is explained in words of its own', () => {
  const known: number[] = Object.values(Reason).filter((each) => each > 0 && each < Reason.REASON_COUNT);
  assert.ok(known.length >= 39);
  assert.deepEqual([...known.map(reasonName), 'history_dropped'].toSorted(), LEDGER_REASONS.toSorted());
  const whys = LEDGER_REASONS.map((reason) => reasonWords(reason).why);
  assert.equal(new Set(whys).size, LEDGER_REASONS.length);
  assert.deepEqual(
    whys.filter((why) => why.includes('parser says')),
    [],
  );
});
