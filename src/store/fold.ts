/** Epochs of one interval as rows: one per record key, each with the mark whether it counts. */
import {
  columnWords,
  createColumns,
  FIELDS,
  type FieldName,
  type FlowBatch,
  type FlowColumns,
  freeBuffers,
  freeColumns,
  grownCapacity,
  KeyTable,
} from '../flow/index.ts';
import { ROW_WORDS, UNIFLOW_WORDS, uniflowReader, writeRowKey } from './flow-key.ts';

/** An observation point as rows name it. */
export interface StoredPoint {
  readonly id: number;
  readonly isPrimary: boolean;
  readonly direction: 0 | 1;
}

/** Finds the point of an interface and direction. */
export type PointOf = (ifindex: number, direction: number) => StoredPoint;

const FIELD_NAMES = Object.keys(FIELDS) as FieldName[];
/** Kinds of points a uniflow has tallies of: primary ingress and egress, other ingress and egress. */
const KINDS = 4;

/**
 * Rows of one agent in one interval. **Counting once** is as in the live view: of a uniflow count the rows of primary
 * points where any saw it, and of these the direction with more octets on the wire.
 */
export class IntervalFold {
  readonly #uniflows: KeyTable;
  readonly #rows: KeyTable;
  #columns: FlowColumns;
  #points: Uint32Array<ArrayBuffer>;
  #uniflowOf: Uint32Array<ArrayBuffer>;
  /** Kind of point per row. */
  #kinds: Uint8Array<ArrayBuffer>;
  /** Per uniflow octets, then packets of each kind; −1 octets: none of them saw it. */
  #tallies: Float64Array<ArrayBuffer>;
  /** Rows whose columns are filled; the others are begun by these records. */
  #filled = 0;
  readonly #begun: number[] = [];

  /** Which rows count, from the end on. */
  #counted: Uint8Array<ArrayBuffer> | undefined;

  /** Number of rows. */
  get length(): number {
    return this.#rows.length;
  }

  /** Columns of the rows; longer than {@link length}. Lent until the next call. */
  get columns(): FlowColumns {
    return this.#columns;
  }

  /** Point of each row; longer than {@link length}. */
  get points(): Uint32Array<ArrayBuffer> {
    return this.#points;
  }

  /** @param records how many records will be added at least, as far as that is known */
  constructor(records = 0) {
    const capacity = Math.max(64, records);
    this.#uniflows = new KeyTable(UNIFLOW_WORDS.width, capacity, UNIFLOW_WORDS.near);
    this.#rows = new KeyTable(ROW_WORDS, capacity);
    this.#columns = createColumns(capacity);
    this.#points = new Uint32Array(capacity);
    this.#uniflowOf = new Uint32Array(capacity);
    this.#kinds = new Uint8Array(capacity);
    this.#tallies = new Float64Array(2 * KINDS * capacity);
  }

  /** Adds records `from` to before `to` of a batch. */
  add(
    batch: FlowBatch,
    pointOf: PointOf,
    { from, to }: { readonly from: number; readonly to: number },
  ): void {
    const { columns } = batch;
    const readUniflow = uniflowReader(batch, this.#uniflows.probe);
    const words = SUMS.map((name) => columnWords(columns[name]));
    let own = SUMS.map((name) => columnWords(this.#columns[name]));
    const [, , octets, packets] = words as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
    for (let row = from; row < to; row++) {
      const point = pointOf(columns.ifindex[row]!, columns.direction[row]!);
      const kind = (point.isPrimary ? 0 : 2) + point.direction;
      readUniflow(row);
      const uniflow = this.#internUniflow();
      const { probe } = this.#rows;
      probe[0] = uniflow;
      probe[1] = point.id;
      writeRowKey(columns, row, probe);
      const known = this.#rows.length;
      const at = this.#rows.intern();
      if (at === known) {
        if (at === this.#points.length) {
          this.#fill(columns);
          this.#grow();
          own = SUMS.map((name) => columnWords(this.#columns[name]));
        }
        this.#uniflowOf[at] = uniflow;
        this.#kinds[at] = kind;
        this.#points[at] = point.id;
        this.#begun.push(row);
      } else {
        if (at >= this.#filled) this.#fill(columns);
        joinWords(own, at, words, row);
        this.#join(at, columns, row);
      }
      const tally = 2 * KINDS * uniflow + 2 * kind;
      const before = this.#tallies[tally]!;
      this.#tallies[tally] = Math.max(before, 0) + octets[2 * row]! + 2 ** 32 * octets[2 * row + 1]!;
      this.#tallies[tally + 1]! += packets[2 * row]! + 2 ** 32 * packets[2 * row + 1]!;
    }
    this.#fill(columns);
  }

  /** Whether each row counts: 1, or 0. From {@link end} on. */
  get counted(): Uint8Array<ArrayBuffer> {
    return this.#counted!;
  }

  /** All records are there: what only adding needs is given back. */
  end(): void {
    this.#counted = this.#countedRows();
    this.#uniflows.free();
    this.#rows.free();
    freeBuffers([this.#uniflowOf.buffer, this.#kinds.buffer, this.#tallies.buffer]);
  }

  #countedRows(): Uint8Array<ArrayBuffer> {
    const counted = new Uint8Array(this.length);
    const tallies = this.#tallies;
    for (let row = 0; row < counted.length; row++) {
      const at = 2 * KINDS * this.#uniflowOf[row]!;
      const isSeenByPrimary = tallies[at]! >= 0 || tallies[at + 2]! >= 0;
      const first = isSeenByPrimary ? 0 : 2;
      counted[row] = this.#kinds[row] === first + larger(tallies, at + 2 * first) ? 1 : 0;
    }
    return counted;
  }

  /** Gives the memory back at once; the fold is of no use then. */
  free(): void {
    freeColumns(this.#columns);
  }

  #internUniflow(): number {
    const known = this.#uniflows.length;
    const uniflow = this.#uniflows.intern();
    if (uniflow < known) return uniflow;
    const needed = 2 * KINDS * (uniflow + 1);
    if (needed > this.#tallies.length) {
      const grown = new Float64Array(2 * KINDS * grownCapacity(this.#tallies.length / (2 * KINDS)));
      grown.set(this.#tallies);
      this.#tallies = grown;
    }
    const at = needed - 2 * KINDS;
    for (let kind = 0; kind < KINDS; kind++) this.#tallies[at + 2 * kind] = -1;
    return uniflow;
  }

  /** Fills the columns of the rows that were begun, one column after the other: loops over one type each are fast. */
  #fill(from: FlowColumns): void {
    const rows = this.#begun;
    for (const name of FIELD_NAMES)
      copyElements(elementsOf(this.#columns, name), elementsOf(from, name), {
        width: WIDTHS[name],
        at: this.#filled,
        rows,
      });
    this.#filled += rows.length;
    rows.length = 0;
  }

  #join(at: number, from: FlowColumns, row: number): void {
    const own = this.#columns;
    if (from.firstMs[row]! < own.firstMs[at]!) own.firstMs[at] = from.firstMs[row]!;
    if (from.lastMs[row]! > own.lastMs[at]!) own.lastMs[at] = from.lastMs[row]!;
    own.tcpFlags[at]! |= from.tcpFlags[row]!;
    if (from.shortest[row]! < own.shortest[at]!) own.shortest[at] = from.shortest[row]!;
    if (from.longest[row]! > own.longest[at]!) own.longest[at] = from.longest[row]!;
  }

  #grow(): void {
    const capacity = grownCapacity(this.#points.length);
    const columns = createColumns(capacity);
    // Equal types under equal names, which the type of a union of names cannot say.
    for (const name of FIELD_NAMES) (columns[name] as Uint8Array).set(this.#columns[name] as Uint8Array);
    freeColumns(this.#columns);
    this.#columns = columns;
    const grown = <Column extends Uint32Array | Uint8Array>(from: Column, into: Column): Column => {
      into.set(from);
      return into;
    };
    this.#points = grown(this.#points, new Uint32Array(capacity));
    this.#uniflowOf = grown(this.#uniflowOf, new Uint32Array(capacity));
    this.#kinds = grown(this.#kinds, new Uint8Array(capacity));
  }
}

const SUMS = ['octets', 'packets', 'wireOctets', 'wirePackets', 'payloadOctets'] as const;

/** Elements a record takes of each column, as {@link elementsOf} cuts it. */
const WIDTHS = Object.fromEntries(
  FIELD_NAMES.map((name) => [name, { 128: 4, 64: 2, 48: 6 }[FIELDS[name].bits as number] ?? 1]),
) as Record<FieldName, number>;

type Elements = Uint8Array | Uint16Array | Uint32Array;

/** A column in elements of three types at most: more would make every loop over them slow. */
function elementsOf(columns: FlowColumns, name: FieldName): Elements {
  const column = columns[name];
  if (column instanceof BigUint64Array) return columnWords(column);
  if (column instanceof Float64Array)
    return new Uint32Array(column.buffer, column.byteOffset, column.byteLength / 4);
  return FIELDS[name].bits === 128 ? columnWords(column as Uint8Array<ArrayBuffer>) : column;
}

function copyElements(
  into: Elements,
  from: Elements,
  { width, at, rows }: { readonly width: number; readonly at: number; readonly rows: readonly number[] },
): void {
  if (width === 1) {
    for (let i = 0; i < rows.length; i++) into[at + i] = from[rows[i]!]!;
    return;
  }
  for (let i = 0; i < rows.length; i++)
    for (let part = 0; part < width; part++) into[width * (at + i) + part] = from[width * rows[i]! + part]!;
}

/** Adds the counters of a record to those of a row: 64 bits as two words, for the sum of big integers is slow. */
export function joinWords(
  own: readonly Uint32Array[],
  at: number,
  from: readonly Uint32Array[],
  row: number,
): void {
  for (let nth = 0; nth < own.length; nth++) {
    const into = own[nth]!;
    const words = from[nth]!;
    const low = into[2 * at]! + words[2 * row]!;
    into[2 * at] = low;
    into[2 * at + 1]! += words[2 * row + 1]! + (low > 0xffff_ffff ? 1 : 0);
  }
}

/** Of ingress (0) and egress (1) the one with more octets, then packets. */
function larger(tallies: Float64Array, at: number): 0 | 1 {
  const [ingress, egress] = [tallies[at]!, tallies[at + 2]!];
  if (egress !== ingress) return egress > ingress ? 1 : 0;
  return tallies[at + 3]! > tallies[at + 1]! ? 1 : 0;
}
