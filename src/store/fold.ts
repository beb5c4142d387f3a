/** Epochs of one interval as rows: one per record key, each with the mark whether it counts. */
import {
  columnWords,
  createColumns,
  FIELDS,
  type FieldName,
  type FlowBatch,
  type FlowColumns,
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
  readonly #uniflows = new KeyTable(UNIFLOW_WORDS.width, 1024, UNIFLOW_WORDS.near);
  readonly #rows = new KeyTable(ROW_WORDS, 1024);
  #columns: FlowColumns = createColumns(1024);
  #points = new Uint32Array(1024);
  #uniflowOf = new Uint32Array(1024);
  /** Kind of point per row. */
  #kinds = new Uint8Array(1024);
  /** Per uniflow octets, then packets of each kind; −1 octets: none of them saw it. */
  #tallies = new Float64Array(2 * KINDS * 1024);

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

  /** Adds records `from` to before `to` of a batch. */
  add(
    batch: FlowBatch,
    pointOf: PointOf,
    { from, to }: { readonly from: number; readonly to: number },
  ): void {
    const { columns } = batch;
    const readUniflow = uniflowReader(batch, this.#uniflows.probe);
    const octets = columnWords(columns.wireOctets);
    const packets = columnWords(columns.wirePackets);
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
      if (at === known) this.#begin(at, { columns, row, point: point.id, uniflow, kind });
      else this.#join(at, columns, row);
      const tally = 2 * KINDS * uniflow + 2 * kind;
      const before = this.#tallies[tally]!;
      this.#tallies[tally] = Math.max(before, 0) + octets[2 * row]! + 2 ** 32 * octets[2 * row + 1]!;
      this.#tallies[tally + 1]! += packets[2 * row]! + 2 ** 32 * packets[2 * row + 1]!;
    }
  }

  /** Whether each row counts: 1, or 0. To be asked when all records are there. */
  counted(): Uint8Array<ArrayBuffer> {
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

  #begin(
    at: number,
    {
      columns,
      row,
      point,
      uniflow,
      kind,
    }: {
      readonly columns: FlowColumns;
      readonly row: number;
      readonly point: number;
      readonly uniflow: number;
      readonly kind: number;
    },
  ): void {
    if (at === this.#points.length) this.#grow();
    const own = this.#columns;
    for (const name of FIELD_NAMES) {
      const from = columns[name];
      const into = own[name];
      const width = WIDTHS[name];
      if (width === 1) into[at] = from[row]!;
      else for (let i = 0; i < width; i++) into[width * at + i] = from[width * row + i]!;
    }
    this.#points[at] = point;
    this.#uniflowOf[at] = uniflow;
    this.#kinds[at] = kind;
  }

  #join(at: number, from: FlowColumns, row: number): void {
    const own = this.#columns;
    for (const name of SUMS) addCounter(own[name], at, from[name], row);
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

/** Elements a record takes of each column. */
const WIDTHS = Object.fromEntries(
  FIELD_NAMES.map((name) => [name, { 128: 16, 48: 6 }[FIELDS[name].bits as number] ?? 1]),
) as Record<FieldName, number>;

/** Adds one counter of 64 bits to another; numbers of 53 bits would do for years, but a counter stays what it is. */
function addCounter(into: BigUint64Array, at: number, from: BigUint64Array, row: number): void {
  into[at]! += from[row]!;
}

/** Of ingress (0) and egress (1) the one with more octets, then packets. */
function larger(tallies: Float64Array, at: number): 0 | 1 {
  const [ingress, egress] = [tallies[at]!, tallies[at + 2]!];
  if (egress !== ingress) return egress > ingress ? 1 : 0;
  return tallies[at + 3]! > tallies[at + 1]! ? 1 : 0;
}
