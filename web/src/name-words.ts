/** Names in words: beside what they name, or in its place. */
import type { Name } from '../../src/query/index.ts';
import type { Naming } from './names.ts';
import { segmentName } from './segments.ts';

const FROM_WORDS = {
  labels: 'your labels',
  hosts: 'the hosts file',
  dns: 'DNS',
} as const satisfies Record<Name['from'], string>;

/** Everything that is known of a name, to be read on hover: `web 1: 10.0.0.1, from your labels`. */
export function nameTitle({ name, from, network }: Name, text: string): string {
  const words = network === undefined ? text : `${text} in ${network}`;
  return `${name}: ${words}, from ${FROM_WORDS[from]}`;
}

/** What stands for an address where there is room for one of both: a network's name would stand for many. */
export function calledAddress(address: string, naming: Naming): string {
  const name = naming.address(address);
  return name && name.network === undefined ? name.name : address;
}

/** What stands for a segment: `tenant red`, or `VNI 5001`. */
export function calledSegment(id: string, naming: Naming): string {
  return naming.segment(id)?.name ?? segmentName(id);
}

/** Both: `web 1 (10.0.0.1)`. */
export function addressWithName(address: string, naming: Naming): string {
  const name = naming.address(address);
  return name ? `${name.name} (${address})` : address;
}

/** Hangul's first letters, and from Chinese radicals on: taken for twice as wide as Latin ones. */
const WIDE = /[\u1100-\u115f\u2e80-\u{10ffff}]/u;

/** Of addresses, and of most names. */
const NARROW = /^[^\u1100-\uffff]*$/;

/** Room that a text takes, in letters of a monospaced face. */
export function lettersOf(text: string): number {
  if (NARROW.test(text)) return text.length;
  let letters = 0;
  for (const letter of text) letters += WIDE.test(letter) ? 2 : 1;
  return letters;
}

/** Cuts a name to so many letters; an ellipsis stands for the rest. */
export function cutName(name: string, most: number): string {
  if (lettersOf(name) <= most) return name;
  let cut = '';
  let letters = 0;
  for (const letter of name) {
    letters += lettersOf(letter);
    if (letters > most - 1) break;
    cut += letter;
  }
  return `${cut.trimEnd()}…`;
}
