/**
 * docs/tunnelscope.schema.json, made from the schema of the configuration, and the table of keys in docs/configuration.md.
 *
 *     node tools/config-schema.ts        writes them
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { jsonSchema, resolveConfiguration, valueAt } from '../src/config/index.ts';

const SCHEMA = new URL('../docs/tunnelscope.schema.json', import.meta.url);
const DOCUMENT = new URL('../docs/configuration.md', import.meta.url);
const BEGIN = '<!-- begin of what node tools/config-schema.ts writes -->';
const END = '<!-- end of it -->';

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  /** Of a list. */
  readonly items?: SchemaNode;
  readonly default?: unknown;
  readonly description?: string;
}

/** The document with its table as the code has it. */
export function configurationDocument(text: string = readFileSync(DOCUMENT, 'utf8')): string {
  const [before, behind] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before < 0 || behind < before)
    throw new Error('docs/configuration.md has lost the marks around its table');
  const rows = rowsOf(jsonSchema() as SchemaNode, []);
  const table = ['| Key | Default | Meaning |', '|---|---|---|', ...rows].join('\n');
  return `${text.slice(0, before)}${BEGIN}\n\n${table}\n\n${text.slice(behind)}`;
}

function rowsOf(node: SchemaNode, path: readonly string[]): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, inner]) => {
    const under = [...path, key];
    if (path[0] === 'ports') return [];
    const isSection = inner.properties !== undefined && key !== 'ports';
    if (isSection) return rowsOf(inner, under);
    const row = `| \`${under.join('.')}\` | ${defaultOf(under)} | ${inner.description ?? ''} |`;
    return [row, ...memberRows(`${under.join('.')}[]`, inner.items)];
  });
}

/** Of a list of sections: the keys of each. */
function memberRows(list: string, member: SchemaNode | undefined): string[] {
  return Object.entries(member?.properties ?? {}).map(([key, { default: usual, description = '' }]) => {
    const shown = usual === undefined ? '' : `\`${String(usual)}\``;
    return `| \`${list}.${key}\` | ${shown} | ${description} |`;
  });
}

function defaultOf(path: readonly string[]): string {
  const value = valueAt(resolveConfiguration().text, path);
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return '';
  if (Array.isArray(value)) return `\`[${value.join(', ')}]\``;
  return typeof value === 'object' ? '' : `\`${String(value)}\``;
}

if (import.meta.main) {
  writeFileSync(SCHEMA, `${JSON.stringify(jsonSchema(), undefined, 2)}\n`);
  writeFileSync(DOCUMENT, configurationDocument());
}
