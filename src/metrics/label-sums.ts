/**
 * Sums by labels, with a hard bound on how many sets of labels there are.
 *
 * A set that finds no room counts as `other` of its place (interface and direction, where these are told apart), and
 * where not even that has room as `other` altogether: sums over all sets stay exact. A set that was idle for long goes,
 * and its sums are added to {@link LabelSums.expired}, not to `other`: there they would be a rise that was no traffic.
 */
import { type FlowBatch, KeyTable } from '../flow/index.ts';
import { labelText } from './exposition.ts';
import { LABEL_GROUPS, type LabelGroup, type LabelSource, Names } from './labels.ts';

/** How sums are kept. */
export interface LabelSumsOptions {
  readonly labels: readonly LabelGroup[];
  /** Sums of each set. */
  readonly width: number;
  /** Most sets, those of `other` included. */
  readonly maxSets: number;
  /** A set without traffic for longer goes, milliseconds. */
  readonly idleMs: number;
}

/** Value of a label whose detail found no room. */
const OTHER = 'other';
/** So many names beside those in use are kept. */
const MANY_NAMES = 1024;
/** First word of a key: the set itself, `other` of its place, `other` altogether. */
const SCOPE = { itself: 0, place: 1, all: 2 } as const;
type Scope = (typeof SCOPE)[keyof typeof SCOPE];

type Bound = ReturnType<(typeof LABEL_GROUPS)[LabelGroup]['bind']>;

interface Column {
  readonly group: (typeof LABEL_GROUPS)[LabelGroup];
  /** Where its words begin in the key. */
  readonly at: number;
}

/** Sums of one kind of row by its labels. Call {@link begin} once per batch, {@link set} per row, {@link expire} at its end. */
export class LabelSums {
  readonly width: number;
  readonly maxSets: number;
  /** The sums of sets that are gone. */
  readonly expired: Float64Array;
  readonly #columns: readonly Column[];
  readonly #keyWidth: number;
  readonly #hasPlaces: boolean;
  readonly #idleMs: number;
  readonly #names = new Names();
  #keys: KeyTable;
  #texts: string[] = [];
  #lastMs: number[] = [];
  #sums: Float64Array;
  #others = 0;
  #hasAll = false;
  /** Of the batch in hand. */
  #bound: readonly Bound[] = [];
  #places = 0;
  #nowMs = 0;

  constructor({ labels, width, maxSets, idleMs }: LabelSumsOptions) {
    this.width = width;
    this.maxSets = maxSets;
    this.expired = new Float64Array(width);
    this.#idleMs = idleMs;
    let at = 1;
    const names = Object.keys(LABEL_GROUPS) as LabelGroup[];
    this.#columns = names
      .filter((name) => labels.includes(name))
      .map((name) => {
        const column = { group: LABEL_GROUPS[name], at };
        at += column.group.width;
        return column;
      });
    this.#keyWidth = at;
    this.#hasPlaces = this.#columns.some(({ group }) => group.isPlace);
    this.#keys = new KeyTable(at);
    this.#sums = new Float64Array(width * this.#keys.capacity);
  }

  /** Sets there are now. */
  get length(): number {
    return this.#keys.length;
  }

  /** Those of them that are `other`. */
  get others(): number {
    return this.#others + Number(this.#hasAll);
  }

  /** Takes the records of an epoch in hand. */
  begin(records: LabelSource & Pick<FlowBatch, 'endMs'>): void {
    this.#bound = this.#columns.map(({ group }) => group.bind(records, this.#names));
    this.#places = records.points.length;
    this.#nowMs = records.endMs;
  }

  /** Where the sums of a row's set begin in {@link sums}. */
  set(row: number): number {
    this.#write(row, SCOPE.itself);
    let id = this.#keys.find();
    if (id < 0) id = this.#add(row);
    this.#lastMs[id] = this.#nowMs;
    return this.width * id;
  }

  /** `width` numbers per set, to be added to. Lent until the next {@link set} or {@link expire}. */
  get sums(): Float64Array {
    return this.#sums;
  }

  /** The sets and where their sums begin. */
  *sets(): Generator<{ readonly labels: string; readonly at: number }> {
    for (const [id, labels] of this.#texts.entries()) yield { labels, at: this.width * id };
  }

  /** Lets go of the sets that were idle for long, and of names that none has any more. */
  expire(): void {
    this.#dropIdle();
    if (this.#names.length > MANY_NAMES + 2 * this.length) this.#dropNames();
  }

  /** Interfaces come and go under names of their own for ever. */
  #dropNames(): void {
    const used = new Set<number>();
    for (const { group, at } of this.#columns) {
      if (group.isNamed) for (let id = 0; id < this.length; id++) used.add(this.#keys.word(id, at));
    }
    this.#names.retain(used);
  }

  #dropIdle(): void {
    const isIdle = (id: number): boolean => this.#nowMs - this.#lastMs[id]! > this.#idleMs;
    if (!this.#texts.some((_, id) => isIdle(id))) return;
    const { width } = this;
    const keys = new KeyTable(this.#keyWidth, Math.max(64, this.#keys.capacity));
    const old = { keys: this.#keys, texts: this.#texts, lastMs: this.#lastMs, sums: this.#sums };
    [this.#keys, this.#texts, this.#lastMs] = [keys, [], []];
    this.#sums = new Float64Array(width * keys.capacity);
    this.#others = 0;
    this.#hasAll = false;
    for (const [id, text] of old.texts.entries()) {
      const sums = old.sums.subarray(width * id, width * (id + 1));
      if (this.#nowMs - old.lastMs[id]! > this.#idleMs) {
        for (let i = 0; i < width; i++) this.expired[i]! += sums[i]!;
        continue;
      }
      keys.load(old.keys, id);
      this.#sums.set(sums, width * this.#intern(text, keys.probe[0] as Scope));
      this.#lastMs.push(old.lastMs[id]!);
    }
  }

  /** A set of its own where there is room, else the closest of the others. */
  #add(row: number): number {
    const { length } = this.#keys;
    // Room that others may yet need is not given away: one per place, and one for all.
    const places = this.#hasPlaces ? Math.max(0, this.#places - this.#others) : 0;
    const kept = places + (this.#hasAll ? 0 : 1);
    if (length + kept < this.maxSets) return this.#intern(this.#text(row, SCOPE.itself), SCOPE.itself);
    this.#write(row, SCOPE.place);
    const known = this.#keys.find();
    if (known >= 0) return known;
    if (this.#hasPlaces && length + (this.#hasAll ? 0 : 1) < this.maxSets)
      return this.#intern(this.#text(row, SCOPE.place), SCOPE.place);
    this.#write(row, SCOPE.all);
    const all = this.#keys.find();
    return all >= 0 ? all : this.#intern(this.#text(row, SCOPE.all), SCOPE.all);
  }

  /** The probed key becomes the next set. */
  #intern(text: string, scope: Scope): number {
    const id = this.#keys.intern();
    this.#texts.push(text);
    if (scope === SCOPE.place) this.#others++;
    if (scope === SCOPE.all) this.#hasAll = true;
    if (this.width * this.#keys.capacity > this.#sums.length) {
      const sums = new Float64Array(this.width * this.#keys.capacity);
      sums.set(this.#sums);
      this.#sums = sums;
    }
    return id;
  }

  /** Probes a row's key; of `other` only the words that stay are not zero. */
  #write(row: number, scope: Scope): void {
    const { probe } = this.#keys;
    if (scope !== SCOPE.itself) probe.fill(0);
    probe[0] = scope;
    for (const [i, { group, at }] of this.#columns.entries()) {
      if (stays(group, scope)) this.#bound[i]!.key(row, probe, at);
    }
  }

  #text(row: number, scope: Scope): string {
    const pairs = this.#columns.flatMap(({ group }, i) => {
      const values = stays(group, scope) ? this.#bound[i]!.values(row) : [];
      return group.labels.map((label, j) => [label, values[j] ?? OTHER] as const);
    });
    return labelText(Object.fromEntries(pairs));
  }
}

function stays({ isPlace }: Column['group'], scope: Scope): boolean {
  return scope === SCOPE.itself || (scope === SCOPE.place && isPlace);
}
