/** A classifier as the kernel reads it: lines of 64 octets (bpf/rules/classifier.h). */
import {
  type Classifier,
  type ClassifierUse,
  type DecisionField,
  KINDS_WITH_ID,
  SUMMARY_WORDS,
} from '../query/index.ts';
import { RuleField, RuleHeader, RuleLine, RulePage, RuleRow, RuleTree, RuleUse } from '../record/index.ts';

const FIELD_NUMBERS = {
  source: RuleField.RULE_SOURCE,
  destination: RuleField.RULE_DESTINATION,
  outerSource: RuleField.RULE_OUTER_SOURCE,
  outerDestination: RuleField.RULE_OUTER_DESTINATION,
  sourcePort: RuleField.RULE_SOURCE_PORT,
  destinationPort: RuleField.RULE_DESTINATION_PORT,
  icmp: RuleField.RULE_ICMP,
  protocol: RuleField.RULE_PROTOCOL,
  outerNetwork: RuleField.RULE_OUTER_NETWORK,
  ethertype: RuleField.RULE_ETHERTYPE,
  tunnel0: RuleField.RULE_TUNNEL_0,
  tunnel1: RuleField.RULE_TUNNEL_1,
  tunnel2: RuleField.RULE_TUNNEL_2,
  tunnel3: RuleField.RULE_TUNNEL_3,
  tunnelId0: RuleField.RULE_TUNNEL_ID_0,
  tunnelId1: RuleField.RULE_TUNNEL_ID_1,
  tunnelId2: RuleField.RULE_TUNNEL_ID_2,
  tunnelId3: RuleField.RULE_TUNNEL_ID_3,
  depth: RuleField.RULE_DEPTH,
  vlan: RuleField.RULE_VLAN,
  secondVlan: RuleField.RULE_SECOND_VLAN,
  innerVlan: RuleField.RULE_INNER_VLAN,
  innerSecondVlan: RuleField.RULE_INNER_SECOND_VLAN,
  mark: RuleField.RULE_MARK,
  markId: RuleField.RULE_MARK_ID,
  fragment: RuleField.RULE_FRAGMENT,
  cast: RuleField.RULE_CAST,
  remark: RuleField.RULE_REMARK,
  interface: RuleField.RULE_INTERFACE,
  direction: RuleField.RULE_DIRECTION,
} as const satisfies Record<DecisionField, number>;

/** Keys of a line, as RULE_KEYS. */
const KEYS = 8;
const WORDS = RuleLine.counts.words;
/** More than any key that is compared with it. */
const NO_KEY = 1n << 61n;
const HIGHEST = (1n << 128n) - 1n;
const HALF = 2 ** 32;
/** Keys of a level that stands before the larger ones. */
const SMALL_LEVEL = KEYS * KEYS;
/** Lines of a field behind the header: itself and its two trees. */
const USE_LINES = 3;

/** All lines of a classifier, one behind the other, in whole pages. */
export function ruleLines(classifier: Classifier): Uint8Array {
  const { uses, usedBy } = classifier;
  const lines = new LineWriter(uses);
  const usedAt = lines.take(Math.ceil(usedBy.length / WORDS));
  lines.long(0, RuleHeader.offsets.fields, BigInt(uses.length));
  lines.long(0, RuleHeader.offsets.kindsWithId, BigInt(KINDS_WITH_ID));
  lines.long(0, RuleHeader.offsets.usedAt, BigInt(usedAt));
  for (const [word, bits] of usedBy.entries()) lines.long(usedAt, 8 * word, BigInt(bits));
  // Where each search begins stands in the first page.
  const trees = uses.map(({ numbers, addresses }) => [levelsOf(numbers), levelsOf(addresses)] as const);
  const places = trees.map(([narrow, wide]) => [
    new Array<number>(narrow.length),
    new Array<number>(wide.length),
  ]);
  for (const isSmall of [true, false])
    for (const [nth, both] of trees.entries())
      for (const [which, levels] of both.entries())
        for (const [level, keys] of levels.entries())
          if (keys.length <= SMALL_LEVEL === isSmall)
            places[nth]![which]![level] = lines.take((1 + which) * Math.ceil(keys.length / KEYS));
  for (const [nth, use] of uses.entries()) {
    const [narrow, wide] = trees[nth]!;
    const at = 1 + USE_LINES * nth;
    const rows = writeRows(lines, at, use);
    writeTree(lines, at + 1, { levels: narrow, places: places[nth]![0]!, rows: rows + 1 });
    writeWideTree(lines, at + 2, {
      levels: wide,
      places: places[nth]![1]!,
      rows: rows + 1 + use.numbers.length,
    });
  }
  return lines.pages;
}

/** @returns line of the first row */
function writeRows(lines: LineWriter, at: number, { field, unused, rows }: ClassifierUse): number {
  const firstRow = lines.take(rows.count);
  lines.word(at, RuleUse.offsets.field, FIELD_NUMBERS[field]);
  lines.word(at, RuleUse.offsets.absentRow, firstRow);
  lines.words(at, RuleUse.offsets.unused, unused);
  const wordsAt = lines.take(Math.ceil(rows.words.length / 2 / WORDS)) * WORDS;
  lines.words(wordsAt / WORDS, 0, rows.words);
  for (let row = 0; row < rows.count; row++) {
    const summary = rows.summaries.subarray(2 * SUMMARY_WORDS * row, 2 * SUMMARY_WORDS * (row + 1));
    lines.words(firstRow + row, RuleRow.offsets.summary, summary);
    lines.word(firstRow + row, RuleRow.offsets.wordsAt, wordsAt + rows.starts[row]!);
    const [low, high] = beforeOf(summary);
    lines.word(firstRow + row, RuleRow.offsets.before, low);
    lines.word(firstRow + row, RuleRow.offsets.before + 4, high);
  }
  return firstRow;
}

/** How many words stand before those of each word of the summary, ten bits each, as low and high half. */
function beforeOf(summary: Uint32Array): [low: number, high: number] {
  const before: number[] = [0];
  for (let part = 0; part < SUMMARY_WORDS; part++)
    before.push(before[part]! + bitsOf(summary[2 * part]!) + bitsOf(summary[2 * part + 1]!));
  const [b0 = 0, b1 = 0, b2 = 0, b3 = 0, b4 = 0, b5 = 0] = before;
  return [b0 | (b1 << 10) | (b2 << 20) | (b3 << 30), (b3 >>> 2) | (b4 << 8) | (b5 << 18)];
}

function bitsOf(word: number): number {
  let count = 0;
  for (let left = word; left !== 0; left &= left - 1) count++;
  return count;
}

/** A tree's levels, the highest first, where each begins, and where the rows of its intervals do; all in lines. */
interface Tree<Key> {
  readonly levels: readonly (readonly Key[])[];
  readonly places: readonly number[];
  readonly rows: number;
}

/** The ends, and above them every eighth of what is below, up to as many as a line holds. */
function levelsOf<Key>(ends: readonly Key[]): (readonly Key[])[] {
  const levels = ends.length === 0 ? [] : [ends];
  for (let below = ends; below.length > KEYS; levels.unshift(below))
    below = below.filter((_, i) => i % KEYS === 0);
  return levels;
}

/** Of numbers; of a line that is not full the rest is {@link NO_KEY}. */
function writeTree(lines: LineWriter, at: number, tree: Tree<number>): void {
  writeHead(lines, at, tree);
  for (const [level, keys] of tree.levels.entries()) {
    const first = tree.places[level]!;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      lines.word(first, 8 * i, key % HALF);
      lines.word(first, 8 * i + 4, Math.floor(key / HALF));
    }
    for (let i = keys.length; i % KEYS !== 0; i++) lines.long(first, 8 * i, NO_KEY);
  }
}

/** Of addresses: a line of high halves, a line of low ones. */
function writeWideTree(lines: LineWriter, at: number, tree: Tree<bigint>): void {
  writeHead(lines, at, tree);
  for (const [level, keys] of tree.levels.entries()) {
    for (let i = 0; i < Math.ceil(keys.length / KEYS) * KEYS; i++) {
      const key = keys[i] ?? HIGHEST;
      const node = tree.places[level]! + 2 * Math.floor(i / KEYS);
      lines.long(node, 8 * (i % KEYS), key >> 64n);
      lines.long(node + 1, 8 * (i % KEYS), BigInt.asUintN(64, key));
    }
  }
}

function writeHead(lines: LineWriter, at: number, { levels, places, rows }: Tree<unknown>): void {
  lines.word(at, RuleTree.offsets.levels, levels.length);
  lines.word(at, RuleTree.offsets.rows, rows);
  for (const [level, keys] of levels.entries()) {
    lines.word(at, RuleTree.offsets.levelAt + 4 * level, places[level]!);
    lines.word(at, RuleTree.offsets.last + 4 * level, keys.length - 1);
  }
}

/** Lines that are written in any order, and taken one after the other. */
class LineWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #taken: number;

  /** The header and the lines of the fields are taken already. */
  constructor(uses: readonly unknown[]) {
    this.#taken = 1 + USE_LINES * uses.length;
    this.#bytes = new Uint8Array(RuleLine.size * 1024);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** What was taken, and zeros to the end of the last page. */
  get pages(): Uint8Array {
    const size = Math.ceil((RuleLine.size * this.#taken) / RulePage.size) * RulePage.size;
    this.#reserve(size);
    return this.#bytes.subarray(0, size);
  }

  /** Takes lines of zeros. @returns number of the first */
  take(count: number): number {
    const first = this.#taken;
    this.#taken += count;
    this.#reserve(RuleLine.size * this.#taken);
    return first;
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.byteLength) return;
    const grown = new Uint8Array(2 * size);
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  word(line: number, offset: number, value: number): void {
    this.#view.setUint32(RuleLine.size * line + offset, value, true);
  }

  long(line: number, offset: number, value: bigint): void {
    this.#view.setBigUint64(RuleLine.size * line + offset, value, true);
  }

  words(line: number, offset: number, values: Uint32Array): void {
    new Uint32Array(this.#bytes.buffer, RuleLine.size * line + offset, values.length).set(values);
  }
}
