/** Values as they are typed and written. */
import type { FilterValue } from './ast.ts';
import { type FilterField, fieldDefinition } from './fields.ts';
import { formatNetwork, parseNetwork } from './network.ts';
import { formatQuantityText, parseQuantity } from './quantity.ts';
import { isPlainWord } from './token.ts';
import { codesOf, nameOf, namesOf, type ValueType } from './value-type.ts';

type NumberType = Extract<ValueType, { kind: 'number' }>;

/** Reads a value of a field; equal values read equal, however they are typed. @returns undefined when it is none */
export function parseValue(field: FilterField, text: string): FilterValue | undefined {
  const { type } = fieldDefinition(field);
  switch (type.kind) {
    case 'address':
      return parseNetwork(text);
    case 'mac': {
      const isMac = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text);
      return isMac ? { kind: 'mac', mac: text.toLowerCase().replaceAll('-', ':') } : undefined;
    }
    case 'interface':
      return text === '' ? undefined : { kind: 'pattern', pattern: text };
    case 'name':
      return parseName(type, text);
    case 'number':
      return parseName(type, text) ?? parseNumbers(type, text);
  }
}

/** Reads a number for `<` and its like. */
export function parseOrdered(field: FilterField, text: string): number | undefined {
  const { type } = fieldDefinition(field);
  return type.kind === 'number' ? parseNumber(type, text) : undefined;
}

/** The numbers that a word for values of a field stands for. @throws RangeError for a word the field does not know */
export function codesOfName(field: FilterField, name: string): readonly number[] {
  const codes = codesOf(fieldDefinition(field).type, name);
  if (!codes) throw new RangeError(`"${name}" is no value of "${field}"`);
  return codes;
}

/** Writes a code of a field, number or word, as {@link parseValue} reads it. */
export function codeText(field: FilterField, code: number): string {
  const { type } = fieldDefinition(field);
  return nameOf(type, [code]) ?? formatNumber(type, code);
}

/** Names of the bits of a field that are set, with commas between; null where none is. */
export function bitsText(field: FilterField, bits: number): string | null {
  const set = [...(namesOf(fieldDefinition(field).type) ?? [])].filter(([, [bit]]) => bits & bit!);
  return set.map(([word]) => word).join(',') || null;
}

/** Whether a field's values have an order. */
export function isOrdered(field: FilterField): boolean {
  return fieldDefinition(field).type.kind === 'number';
}

/** Writes a value as {@link parseValue} reads it, in quotes where it must be. */
export function formatValue(field: FilterField, value: FilterValue): string {
  const { type } = fieldDefinition(field);
  switch (value.kind) {
    case 'name':
      return value.name;
    case 'mac':
      return value.mac;
    case 'network':
      return formatNetwork(value);
    case 'pattern':
      return isPlainWord(value.pattern) ? value.pattern : `"${value.pattern.replace(/["\\]/g, '\\$&')}"`;
    case 'number':
      return formatNumber(type, value.number);
    case 'range':
      return `${formatNumber(type, value.from)}..${formatNumber(type, value.to)}`;
  }
}

/** Writes a number of a field. */
export function formatNumber(type: ValueType, number: number): string {
  if (type.kind !== 'number') return String(number);
  return type.isHexadecimal
    ? `0x${number.toString(16).padStart(4, '0')}`
    : formatQuantityText(number, type.unit);
}

function parseName(type: ValueType, text: string): FilterValue | undefined {
  const codes = codesOf(type, text);
  return codes && { kind: 'name', name: nameOf(type, codes)! };
}

function parseNumbers(type: NumberType, text: string): FilterValue | undefined {
  const [, before, behind] = /^(.+?)(?:\.\.|-)(.+)$/.exec(text) ?? [];
  if (before === undefined || behind === undefined) {
    const number = parseNumber(type, text);
    return number === undefined ? undefined : single(type, number);
  }
  const from = parseNumber(type, before);
  const to = parseNumber(type, behind);
  if (from === undefined || to === undefined || from > to) return undefined;
  return from === to ? single(type, from) : { kind: 'range', from, to };
}

function single(type: NumberType, number: number): FilterValue {
  const name = nameOf(type, [number]);
  return name === undefined ? { kind: 'number', number } : { kind: 'name', name };
}

function parseNumber(type: NumberType, text: string): number | undefined {
  const number = parseQuantity(text, type.unit);
  return number !== undefined && number <= type.max ? number : undefined;
}
