/** What the uniflows of the last 5 s come to, by group: for alerts, which ask the same after each epoch. */
import { NETWORK } from '../flow/index.ts';
import { type AlertDimension, type AlertQuantity, type Filter, MAX_ALERTS } from '../query/index.ts';
import { FittingUniflows } from './fitting.ts';
import { KEY, type UniflowTable } from './uniflows.ts';

/** What is asked. */
export interface GroupQuestion {
  readonly filter: Filter;
  readonly quantity: AlertQuantity;
  /** Undefined: only the sum of all. */
  readonly by: AlertDimension | undefined;
  /** So many groups are told, the largest. */
  readonly most: number;
  /** Told as well, however small. */
  readonly also: readonly string[];
  /** How many groups have more than this is told. */
  readonly above: number;
}

/** Octets or packets per second, or flows. */
export interface GroupSums {
  readonly total: number;
  /** The largest first; then those that were asked for besides, as far as they have any. */
  readonly groups: ReadonlyMap<string, number>;
  readonly count: number;
  readonly countAbove: number;
}

/** Numbers of groups, by uniflow, and their words. */
interface Grouping {
  /** −1: the uniflow is in none. */
  readonly of: (uniflow: number) => number;
  readonly text: (group: number) => string;
  /** −1: there is none of these words. */
  readonly find: (text: string) => number;
}

/** Sums, with memory that is used again. */
export class GroupSummer {
  readonly #fitting = new FittingUniflows(MAX_ALERTS);
  /** Uniflows of the window, and the tally that counts for each. */
  #uniflows = new Uint32Array(0);
  #tallies = new Uint32Array(0);
  /** By group; zeros between questions. */
  #sums = new Float64Array(0);

  /** Answers each question. @param seconds that the window covers */
  sums(table: UniflowTable, questions: readonly GroupQuestion[], seconds: number): GroupSums[] {
    if (questions.length === 0) return [];
    const length = this.#select(table);
    return questions.map((question) => this.#answer(table, question, { length, seconds }));
  }

  #select(table: UniflowTable): number {
    if (this.#uniflows.length < table.length) {
      const room = table.length + (table.length >> 3);
      this.#uniflows = new Uint32Array(room);
      this.#tallies = new Uint32Array(room);
    }
    let length = 0;
    for (let uniflow = 0; uniflow < table.length; uniflow++) {
      const tally = table.counted(uniflow, table.counters['5s']);
      if (tally < 0) continue;
      this.#uniflows[length] = uniflow;
      this.#tallies[length++] = tally;
    }
    return length;
  }

  #answer(
    table: UniflowTable,
    question: GroupQuestion,
    { length, seconds }: { readonly length: number; readonly seconds: number },
  ): GroupSums {
    const { quantity, by } = question;
    const counters = table.counters['5s'];
    const fits = this.#fitting.testOf(table, question.filter);
    const grouping = by === undefined ? undefined : groupingOf(table, by);
    const unit = quantity === 'flows' || seconds <= 0 ? 1 : 1 / seconds;
    const touched: number[] = [];
    let total = 0;
    for (let i = 0; i < length; i++) {
      const uniflow = this.#uniflows[i]!;
      if (!fits(uniflow)) continue;
      const tally = this.#tallies[i]!;
      const amount =
        quantity === 'flows' ? 1 : quantity === 'octets' ? counters.octets(tally) : counters.packets(tally);
      total += amount;
      const group = grouping ? grouping.of(uniflow) : -1;
      if (group < 0) continue;
      this.#reserve(group);
      if (this.#sums[group] === 0) touched.push(group);
      this.#sums[group] = this.#sums[group]! + amount;
    }
    const groups = grouping
      ? this.#largest(touched, grouping, { question, unit })
      : new Map<string, number>();
    let countAbove = 0;
    for (const group of touched) {
      if (this.#sums[group]! * unit > question.above) countAbove++;
      this.#sums[group] = 0;
    }
    return { total: total * unit, groups, count: touched.length, countAbove };
  }

  #largest(
    touched: readonly number[],
    { text, find }: Grouping,
    { question, unit }: { readonly question: GroupQuestion; readonly unit: number },
  ): Map<string, number> {
    const sums = this.#sums;
    const told = new Map<string, number>();
    for (const group of largestOf(touched, sums, question.most)) told.set(text(group), sums[group]! * unit);
    for (const each of question.also) {
      const group = find(each);
      const sum = group < 0 ? 0 : (sums[group] ?? 0);
      if (sum > 0) told.set(each, sum * unit);
    }
    return told;
  }

  #reserve(group: number): void {
    if (group < this.#sums.length) return;
    const sums = new Float64Array(Math.max(1024, group + 1 + (group >> 1)));
    sums.set(this.#sums);
    this.#sums = sums;
  }
}

function groupingOf(table: UniflowTable, by: AlertDimension): Grouping {
  const { nodes, segments } = table;
  if (by === 'segment')
    return {
      of: (uniflow) => table.segment[uniflow]!,
      text: (group) => segments.list[group]!.id,
      find: (text) => segments.find(text),
    };
  const isOuter = by.startsWith('outer.');
  const isSource = by.endsWith('src');
  const column = isOuter
    ? isSource
      ? table.hostSource
      : table.hostDestination
    : isSource
      ? table.clientSource
      : table.clientDestination;
  const isCarried = (uniflow: number): boolean =>
    ((table.keys.word(uniflow, KEY.layers) >>> 16) & 0xff) !== NETWORK.none;
  return {
    of: (uniflow) => (isOuter && !isCarried(uniflow) ? -1 : column[uniflow]!),
    text: (group) => nodes.id(group),
    find: (text) => nodes.find(text),
  };
}

/** The groups with the largest sums, the largest first, of equal ones the one seen first; `most` of them. */
function largestOf(groups: readonly number[], sums: Float64Array, most: number): number[] {
  const largest: number[] = [];
  for (const group of groups) {
    const sum = sums[group]!;
    if (largest.length === most && sum <= sums[largest[most - 1]!]!) continue;
    let [from, to] = [0, largest.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (sums[largest[middle]!]! >= sum) from = middle + 1;
      else to = middle;
    }
    largest.splice(from, 0, group);
    if (largest.length > most) largest.pop();
  }
  return largest;
}
