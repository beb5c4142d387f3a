/**
 * The table of docs/ledger.md, made from the words of the page.
 *
 *     node tools/ledger-words.ts        writes it into the document
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { LEDGER_REASONS, reasonWords } from '../src/query/index.ts';

const DOCUMENT = new URL('../docs/ledger.md', import.meta.url);
const BEGIN = '<!-- begin of what node tools/ledger-words.ts writes -->';
const END = '<!-- end of it -->';

/** The document with its table as the code has it. */
export function ledgerDocument(text: string = readFileSync(DOCUMENT, 'utf8')): string {
  const [before, behind] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before < 0 || behind < before) throw new Error('docs/ledger.md has lost the marks around its table');
  const rows = LEDGER_REASONS.map((reason) => {
    const { why, remedy } = reasonWords(reason);
    return `| \`${reason}\` | ${why} | ${remedy} |`;
  });
  const table = ['| Reason | Why it is in no flow | What to do |', '|---|---|---|', ...rows].join('\n');
  return `${text.slice(0, before)}${BEGIN}\n\n${table}\n\n${text.slice(behind)}`;
}

if (import.meta.main) writeFileSync(DOCUMENT, ledgerDocument());
