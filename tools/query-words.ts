/**
 * The tables of docs/query.md, made from the words there are.
 *
 *     node tools/query-words.ts        writes them into the document
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { QUESTION_WORDS } from '../src/query/index.ts';

const DOCUMENT = new URL('../docs/query.md', import.meta.url);
const BEGIN = '<!-- begin of what node tools/query-words.ts writes -->';
const END = '<!-- end of it -->';

/** The document with its tables as the code has it. */
export function queryDocument(text: string = readFileSync(DOCUMENT, 'utf8')): string {
  const [before, behind] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before < 0 || behind < before) throw new Error('docs/query.md has lost the marks around its tables');
  const { asks, clauses, quantities, dimensions } = QUESTION_WORDS;
  const tables = [
    table('Ask', asks),
    table('Clause', clauses),
    table('`by`', quantities),
    table('Dimension', dimensions),
  ];
  return `${text.slice(0, before)}${BEGIN}\n\n${tables.join('\n\n')}\n\n${text.slice(behind)}`;
}

function table(head: string, words: Readonly<Record<string, string>>): string {
  const rows = Object.entries(words).map(([word, meaning]) => `| \`${word}\` | ${examples(meaning)} |`);
  return [`| ${head} | Meaning |`, '|---|---|', ...rows].join('\n');
}

/** What stands behind a colon is as it is typed. */
function examples(meaning: string): string {
  return meaning.replace(/^([^:]+): (?!what)([a-z].*)$/, '$1: `$2`');
}

if (import.meta.main) writeFileSync(DOCUMENT, queryDocument());
