/**
 * Many conjunctions as bit vectors, by which one packet is compared with all of them at once: a field's values are cut into
 * intervals, and each interval has a row of bits that says which conjunctions take it. bpf/rules/classifier.h reads it.
 */

import type { Filter } from './ast.ts';
import { conjunctionsOf, merge } from './conjunctions.ts';
import {
  ADDRESS_MOST,
  type Conjunction,
  DECISION_FIELDS,
  type DecisionField,
  isAddress,
  MAPPED,
  mostOf,
  type NamedInterface,
} from './decision.ts';
import type { ValueSet, ValueSpan } from './value-set.ts';

/** Words of a row's summary, a bit for each word of the row: as RULE_SUMMARY_WORDS. */
export const SUMMARY_WORDS = 6;
const WORD_BITS = 64;
/** Words of a row at most. */
const MOST_WORDS = WORD_BITS * SUMMARY_WORDS;
/** Words that all rows keep at most: 64 MiB. */
const MOST_KEPT = 2 ** 23;

/** Filters that come to more than a classifier holds. */
export class RulesTooLarge extends Error {
  constructor(found: string) {
    super(`the rules together come to more than can be compared with a packet: ${found}`);
    this.name = 'RulesTooLarge';
  }
}

/** Rows of a field; words of 64 bits are two numbers each, low half first. */
export interface ClassifierRows {
  readonly count: number;
  /** Per row {@link SUMMARY_WORDS} words: which words of the row are not zero. */
  readonly summaries: Uint32Array;
  /** Per row, how many words all rows before it keep. */
  readonly starts: Uint32Array;
  /** The words that are not zero. */
  readonly words: Uint32Array;
}

/** A field in use. */
export interface ClassifierUse {
  readonly field: DecisionField;
  /** Summary of the words whose conjunctions do not use the field. */
  readonly unused: Uint32Array;
  /** Lower ends of the intervals of its numbers, rising from 0. Of addresses these are the IPv4 ones. */
  readonly numbers: readonly number[];
  /** The same of IPv6 addresses; empty of other fields. */
  readonly addresses: readonly bigint[];
  /** The first for a packet that lacks the field, then one for each of `numbers`, then for each of `addresses`. */
  readonly rows: ClassifierRows;
}

/** A set of rules, ready for the kernel. */
export interface Classifier {
  readonly conjunctions: number;
  readonly uses: readonly ClassifierUse[];
  /** For each word of a row, which of `uses` its conjunctions use: bits by their place. */
  readonly usedBy: Uint32Array;
}

/**
 * Makes a classifier of filters of which one must hold. Filters that name interfaces hold for those given.
 *
 * @returns undefined where every flow fits
 * @throws RulesTooLarge, TooManyConjunctions; RangeError for fields that no decision can be made by
 */
export function classify(
  filters: readonly Filter[],
  interfaces: readonly NamedInterface[],
): Classifier | undefined {
  const all = filters.flatMap((filter) => conjunctionsOf(filter, interfaces));
  const inUse = DECISION_FIELDS.filter((field) => all.some((each) => each.has(field)));
  const conjunctions = merge(all, inUse);
  if (conjunctions.some(({ size }) => size === 0)) return undefined;
  const fields = inUse.filter((field) => conjunctions.some((each) => each.has(field)));
  const groups = grouped(conjunctions, fields);
  const usedBy = Uint32Array.from(
    groups.flatMap(({ uses, members }) => Array(wordsOf(members.length)).fill(uses)),
  );
  const room = { left: MOST_KEPT };
  return {
    conjunctions: conjunctions.length,
    uses: fields.map((field, nth) => useOf(field, nth, groups, usedBy, room)),
    usedBy,
  };
}

/** Conjunctions that use the same fields, in words of their own. */
interface Group {
  /** Bits by place of the field. */
  readonly uses: number;
  readonly members: readonly Conjunction[];
  readonly firstWord: number;
}

/** By the fields they use, and alike ones beside each other, so that few words have to be looked at for a packet. */
function grouped(conjunctions: readonly Conjunction[], fields: readonly DecisionField[]): Group[] {
  const byUses = new Map<number, Conjunction[]>();
  for (const each of conjunctions) {
    const uses = fields.reduce((bits, field, nth) => (each.has(field) ? bits | (1 << nth) : bits), 0);
    const found = byUses.get(uses);
    if (found) found.push(each);
    else byUses.set(uses, [each]);
  }
  const groups: Group[] = [];
  let firstWord = 0;
  for (const [uses, members] of byUses) {
    groups.push({ uses, members: members.toSorted((a, b) => compare(a, b, fields)), firstWord });
    firstWord += wordsOf(members.length);
  }
  if (firstWord <= MOST_WORDS) return groups;
  throw new RulesTooLarge(`${conjunctions.length} combinations of conditions, of ${groups.length} kinds`);
}

function wordsOf(members: number): number {
  return Math.ceil(members / WORD_BITS);
}

function compare(a: Conjunction, b: Conjunction, fields: readonly DecisionField[]): number {
  for (const field of fields) {
    const first = a.get(field)?.spans[0]?.[0] ?? -1n;
    const second = b.get(field)?.spans[0]?.[0] ?? -1n;
    if (first !== second) return first < second ? -1 : 1;
  }
  return 0;
}

/** A conjunction's bit, and what it wants of the field. */
interface Want {
  readonly bit: number;
  readonly set: ValueSet;
}

function useOf(
  field: DecisionField,
  nth: number,
  groups: readonly Group[],
  usedBy: Uint32Array,
  room: { left: number },
): ClassifierUse {
  const wants = groups.flatMap(({ members, firstWord }) =>
    members.flatMap((each, i): Want[] => {
      const set = each.get(field);
      return set ? [{ bit: WORD_BITS * firstWord + i, set }] : [];
    }),
  );
  const unused = new Uint32Array(2 * SUMMARY_WORDS);
  for (const [word, uses] of usedBy.entries()) if (!((uses >>> nth) & 1)) setBit(unused, word);
  const rows = new RowWriter(usedBy.length, room);
  for (const { bit, set } of wants) if (set.absent) rows.toggle(bit);
  rows.write();
  rows.clear();
  const isOfAddresses = isAddress(field);
  const numbers = isOfAddresses
    ? sweep(wants, ipv4Spans, MAPPED[1] - MAPPED[0], rows)
    : sweep(wants, ({ spans }) => spans, mostOf(field), rows);
  const addresses = isOfAddresses ? sweepAddresses(wants, rows) : [];
  return { field, unused, numbers, addresses, rows: rows.result() };
}

/** More than any bit. */
const BITS = 2 ** 15;

/** Goes through the numbers from 0 up, and writes a row wherever another set of conjunctions begins. Gives where. */
function sweep(
  wants: readonly Want[],
  spansOf: (set: ValueSet) => readonly ValueSpan[],
  most: bigint,
  rows: RowWriter,
): number[] {
  // A change is one number: where, and behind it the bit. What has an end is below 2^33.
  const changes: number[] = [];
  for (const { bit, set } of wants) {
    for (const [from, to] of spansOf(set)) {
      changes.push(Number(from) * BITS + bit);
      // Behind the last value there is no interval.
      if (to < most) changes.push((Number(to) + 1) * BITS + bit);
    }
  }
  const ends = [0];
  let end = 0;
  for (const change of Float64Array.from(changes).sort()) {
    const at = Math.floor(change / BITS);
    if (at !== end) {
      rows.write();
      ends.push(at);
      end = at;
    }
    rows.toggle(change % BITS);
  }
  rows.write();
  rows.clear();
  return ends;
}

/** The same of addresses. */
function sweepAddresses(wants: readonly Want[], rows: RowWriter): bigint[] {
  const changes: { readonly at: bigint; readonly bit: number }[] = [];
  for (const { bit, set } of wants) {
    for (const [from, to] of ipv6Spans(set)) {
      changes.push({ at: from, bit });
      if (to < ADDRESS_MOST) changes.push({ at: to + 1n, bit });
    }
  }
  changes.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const ends = [0n];
  for (const { at, bit } of changes) {
    if (at !== ends.at(-1)) {
      rows.write();
      ends.push(at);
    }
    rows.toggle(bit);
  }
  rows.write();
  rows.clear();
  return ends;
}

/** As numbers of 32 bits. */
function ipv4Spans({ spans }: ValueSet): ValueSpan[] {
  const [first, last] = MAPPED;
  return spans
    .filter(([from, to]) => from <= last && to >= first)
    .map(
      ([from, to]): ValueSpan => [from <= first ? 0n : from - first, to >= last ? last - first : to - first],
    );
}

/** Those of other addresses; what is said of the mapped ones has no meaning here. */
function ipv6Spans({ spans }: ValueSet): ValueSpan[] {
  const [first, last] = MAPPED;
  return spans
    .map(
      ([from, to]): ValueSpan => [
        from >= first && from <= last ? last + 1n : from,
        to >= first && to <= last ? first - 1n : to,
      ],
    )
    .filter(([from, to]) => from <= to);
}

function setBit(words: Uint32Array, bit: number): void {
  words[bit >>> 5] = words[bit >>> 5]! | (1 << (bit & 31));
}

/** Words in memory that grows. */
class WordList {
  #words = new Uint32Array(1024);
  length = 0;

  push(word: number): void {
    if (this.length === this.#words.length) {
      const grown = new Uint32Array(2 * this.length);
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#words[this.length++] = word;
  }

  result(): Uint32Array {
    return this.#words.slice(0, this.length);
  }
}

/** Writes rows one after the other, each a few bits other than the one before. */
class RowWriter {
  readonly #now: Uint32Array;
  readonly #summary = new Uint32Array(2 * SUMMARY_WORDS);
  readonly #room: { left: number };
  readonly #summaries = new WordList();
  readonly #starts = new WordList();
  readonly #words = new WordList();

  /** @param room words that may still be kept, of all rows of a classifier */
  constructor(words: number, room: { left: number }) {
    this.#now = new Uint32Array(2 * words);
    this.#room = room;
  }

  /** From the next row on, the conjunction of this bit takes what it did not, or no longer what it did. */
  toggle(bit: number): void {
    const word = bit >>> 6;
    this.#now[bit >>> 5] = this.#now[bit >>> 5]! ^ (1 << (bit & 31));
    const isKept = (this.#now[2 * word]! | this.#now[2 * word + 1]!) !== 0;
    const mask = 1 << (word & 31);
    this.#summary[word >>> 5] = isKept
      ? this.#summary[word >>> 5]! | mask
      : this.#summary[word >>> 5]! & ~mask;
  }

  /** From the next row on no conjunction takes anything. */
  clear(): void {
    this.#now.fill(0);
    this.#summary.fill(0);
  }

  /** @throws RulesTooLarge */
  write(): void {
    this.#starts.push(this.#words.length / 2);
    for (let part = 0; part < this.#summary.length; part++) {
      const summary = this.#summary[part]!;
      this.#summaries.push(summary);
      for (let left = summary; left !== 0; left &= left - 1) {
        const word = 32 * part + (31 - Math.clz32(left & -left));
        this.#words.push(this.#now[2 * word]!);
        this.#words.push(this.#now[2 * word + 1]!);
        if (--this.#room.left < 0) throw new RulesTooLarge('too many of them overlap');
      }
    }
  }

  result(): ClassifierRows {
    return {
      count: this.#starts.length,
      summaries: this.#summaries.result(),
      starts: this.#starts.result(),
      words: this.#words.result(),
    };
  }
}
