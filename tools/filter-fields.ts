/**
 * The tables of docs/filter.md, made from the fields there are.
 *
 *     node tools/filter-fields.ts        writes them into the document
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { FILTER_FIELD_NAMES, type FieldDefinition, fieldDefinition, namesOf } from '../src/query/index.ts';

const DOCUMENT = new URL('../docs/filter.md', import.meta.url);
const BEGIN = '<!-- begin of what node tools/filter-fields.ts writes -->';
const END = '<!-- end of it -->';

type ValueType = FieldDefinition['type'];

/** The document with its tables as the code has it. */
export function filterDocument(text: string = readFileSync(DOCUMENT, 'utf8')): string {
  const [before, behind] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before < 0 || behind < before) throw new Error('docs/filter.md has lost the marks around its tables');
  return `${text.slice(0, before)}${BEGIN}\n\n${fieldTable()}\n\n${wordTable()}\n\n${text.slice(behind)}`;
}

function fieldTable(): string {
  const rows = FILTER_FIELD_NAMES.map((field) => {
    const { aliases, type, meaning, isOfPeriod } = fieldDefinition(field);
    const names = [field, ...aliases].map((name) => `\`${name}\``).join(', ');
    return `| ${names} | ${takes(type)} | ${meaning}${isOfPeriod ? ' *' : ''} |`;
  });
  return ['| Field | Takes | Meaning |', '|---|---|---|', ...rows].join('\n');
}

function takes(type: ValueType): string {
  switch (type.kind) {
    case 'address':
      return 'address or network';
    case 'mac':
      return 'MAC address';
    case 'interface':
      return 'name or glob';
    case 'name':
      return 'word';
    case 'number': {
      const number = { octets: 'octets', count: 'number', duration: 'duration' }[type.unit ?? 'count'];
      const range = type.unit === undefined ? `${number} to ${type.max}` : number;
      return type.names ? `${range}, word` : range;
    }
  }
}

function wordTable(): string {
  const fields = new Map<string, string[]>();
  for (const field of FILTER_FIELD_NAMES) {
    const names = namesOf(fieldDefinition(field).type);
    if (!names) continue;
    const words = [...names.keys()].map((word) => `\`${word}\``).join(', ');
    fields.set(words, [...(fields.get(words) ?? []), `\`${field}\``]);
  }
  const rows = [...fields].map(([words, names]) => `| ${names.join(', ')} | ${words} |`);
  return ['| Field | Words |', '|---|---|', ...rows].join('\n');
}

if (import.meta.main) writeFileSync(DOCUMENT, filterDocument());
