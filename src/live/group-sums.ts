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
  readonly column: Uint32Array;
  /** Groups that may be. */
  readonly length: number;
  /** Whether a uniflow that nothing carries is in none. */
  readonly isOuter: boolean;
  readonly text: (group: number) => string;
  /** −1: there is none of these words. */
  readonly find: (text: string) => number;
}

/** Sums, with memory that is used again. */
export class GroupSummer {
  readonly #fitting = new FittingUniflows(MAX_ALERTS);
  /** Uniflows of the window, and what counts for each. */
  #uniflows = new Uint32Array(0);
  #octets = new Float64Array(0);
  #packets = new Float64Array(0);
  /** By group; zeros between questions. */
  #sums = new Float64Array(0);

  /** Answers each question. @param seconds that the window covers */
  sums(table: UniflowTable, questions: readonly GroupQuestion[], seconds: number): GroupSums[] {
    if (questions.length === 0) return [];
    const length = this.#select(table);
    return questions.map((question) => this.#answer(table, question, { length, seconds }));
  }

  #select(table: UniflowTable): number {
    const counters = table.counters['5s'];
    if (this.#uniflows.length < table.length) {
      const room = table.length + (table.length >> 3);
      this.#uniflows = new Uint32Array(room);
      this.#octets = new Float64Array(room);
      this.#packets = new Float64Array(room);
    }
    let length = 0;
    for (let uniflow = 0; uniflow < table.length; uniflow++) {
      const tally = table.counted(uniflow, counters);
      if (tally < 0) continue;
      this.#uniflows[length] = uniflow;
      this.#octets[length] = counters.octets(tally);
      this.#packets[length++] = counters.packets(tally);
    }
    return length;
  }

  #answer(
    table: UniflowTable,
    question: GroupQuestion,
    { length, seconds }: { readonly length: number; readonly seconds: number },
  ): GroupSums {
    const { quantity, by, filter } = question;
    const grouping = by === undefined ? undefined : groupingOf(table, by);
    if (grouping && this.#sums.length < grouping.length)
      this.#sums = new Float64Array(grouping.length + (grouping.length >> 3));
    const fits = filter.kind === 'any' ? undefined : this.#fitting.testOf(table, filter);
    const amounts = { octets: this.#octets, packets: this.#packets, flows: undefined }[quantity];
    const sums = this.#sums;
    const touched: number[] = [];
    let total = 0;
    for (let i = 0; i < length; i++) {
      const uniflow = this.#uniflows[i]!;
      if (fits && !fits(uniflow)) continue;
      const amount = amounts ? amounts[i]! : 1;
      total += amount;
      if (!grouping || (grouping.isOuter && !isCarried(table, uniflow))) continue;
      const group = grouping.column[uniflow]!;
      if (sums[group] === 0) touched.push(group);
      sums[group] = sums[group]! + amount;
    }
    const unit = quantity === 'flows' || seconds <= 0 ? 1 : 1 / seconds;
    const groups = grouping ? this.#told(touched, grouping, { question, unit }) : NO_GROUPS;
    let countAbove = 0;
    for (const group of touched) {
      if (sums[group]! * unit > question.above) countAbove++;
      sums[group] = 0;
    }
    return { total: total * unit, groups, count: touched.length, countAbove };
  }

  #told(
    touched: readonly number[],
    { text, find }: Grouping,
    { question, unit }: { readonly question: GroupQuestion; readonly unit: number },
  ): Map<string, number> {
    const sums = this.#sums;
    const told = new Map<string, number>();
    for (const group of largestOf(touched, sums, question.most)) told.set(text(group), sums[group]! * unit);
    for (const each of question.also) {
      const group = find(each);
      const sum = group < 0 ? 0 : sums[group]!;
      if (sum > 0) told.set(each, sum * unit);
    }
    return told;
  }
}

const NO_GROUPS: ReadonlyMap<string, number> = new Map();

function isCarried({ keys }: UniflowTable, uniflow: number): boolean {
  return ((keys.word(uniflow, KEY.layers) >>> 16) & 0xff) !== NETWORK.none;
}

function groupingOf(table: UniflowTable, by: AlertDimension): Grouping {
  const { nodes, segments } = table;
  const { length } = segments.list;
  if (by === 'segment')
    return {
      column: table.segment,
      length,
      isOuter: false,
      text: (group) => segments.list[group]!.id,
      find: (text) => segments.find(text),
    };
  const column = {
    src: table.clientSource,
    dst: table.clientDestination,
    'outer.src': table.hostSource,
    'outer.dst': table.hostDestination,
  }[by];
  return {
    column,
    length: nodes.keys.length,
    isOuter: by.startsWith('outer.'),
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
