/** Rows into a table, a block of columns at a time: no value becomes a JavaScript object. */
import { setImmediate } from 'node:timers/promises';
import {
  BOOLEAN,
  type DuckDBAppender,
  DuckDBDataChunk,
  type DuckDBType,
  TIMESTAMP,
  TIMESTAMP_MS,
  UBIGINT,
  UINTEGER,
  USMALLINT,
  UTINYINT,
} from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { columnWords, FIELDS, type FieldName, type FlowColumns } from '../flow/index.ts';
import { type ColumnType, columnsOf, FIELD_COLUMNS, type StoredColumn } from './columns.ts';
import type { ValueRow } from './tunnel-fold.ts';

const TYPES: Readonly<Record<ColumnType, { readonly type: DuckDBType; readonly octets: number }>> = {
  BOOLEAN: { type: BOOLEAN, octets: 1 },
  UTINYINT: { type: UTINYINT, octets: 1 },
  USMALLINT: { type: USMALLINT, octets: 2 },
  UINTEGER: { type: UINTEGER, octets: 4 },
  UBIGINT: { type: UBIGINT, octets: 8 },
  TIMESTAMP: { type: TIMESTAMP, octets: 8 },
  TIMESTAMP_MS: { type: TIMESTAMP_MS, octets: 8 },
};

/** Rows of a block: what DuckDB works through at a time. */
const BLOCK_ROWS = 2048;
/** Rows after which the appender hands them on, and others have their turn. */
const ROWS_A_TURN = 8 * BLOCK_ROWS;

/** Rows as columns, which may be longer than there are rows. */
export interface RowColumns {
  readonly length: number;
  readonly columns: FlowColumns;
  readonly points: Uint32Array;
  /** Which of them count: 1, or 0. */
  readonly counted: Uint8Array;
}

/** Rows of one period, to be appended. */
export interface PeriodRows {
  readonly periodMs: number;
  readonly rows: RowColumns;
}

/** Appends rows to a table that has these fields of them ({@link columnsOf}). */
export async function appendRows(
  appender: DuckDBAppender,
  periods: readonly PeriodRows[],
  fields: readonly FieldName[],
): Promise<void> {
  const chunk = DuckDBDataChunk.create(columnsOf(fields).map(({ type }) => TYPES[type].type));
  let waiting = 0;
  for (const period of periods) {
    const { columns, length } = period.rows;
    const order = rowOrder(columns, length);
    const fillings = rowFillings(period, fields);
    for (let at = 0; at < length; at += BLOCK_ROWS) {
      const rows = order.subarray(at, Math.min(at + BLOCK_ROWS, length));
      chunk.reset();
      for (const [nth, each] of fillings.entries())
        each.write(duckdb.data_chunk_get_vector(chunk.chunk, nth), rows);
      chunk.rowCount = rows.length;
      appender.appendDataChunk(chunk);
      waiting += rows.length;
      if (waiting < ROWS_A_TURN) continue;
      appender.flushSync();
      waiting = 0;
      await setImmediate();
    }
  }
}

/** Appends rows of a period to a table, as they are: its columns but the period in the order of the values. */
export function appendValues(
  appender: DuckDBAppender,
  table: readonly Pick<StoredColumn, 'type'>[],
  periods: readonly { readonly periodMs: number; readonly rows: readonly ValueRow[] }[],
): void {
  const chunk = DuckDBDataChunk.create(table.map(({ type }) => TYPES[type].type));
  const values = periods.flatMap(({ periodMs, rows }) => rows.map((row) => [microsOf(periodMs), ...row]));
  for (let at = 0; at < values.length; at += BLOCK_ROWS) {
    const rows = values.slice(at, at + BLOCK_ROWS);
    chunk.reset();
    for (const [nth, { type }] of table.entries()) {
      const block = blockOf(type);
      for (const [row, each] of rows.entries()) block[row] = each[nth]!;
      const { buffer } = block;
      const vector = duckdb.data_chunk_get_vector(chunk.chunk, nth);
      duckdb.copy_data_to_vector(vector, 0, buffer as ArrayBuffer, 0, TYPES[type].octets * rows.length);
    }
    chunk.rowCount = rows.length;
    appender.appendDataChunk(chunk);
  }
}

/** A moment as a column TIMESTAMP has it. */
function microsOf(ms: number): bigint {
  return BigInt(Math.trunc(ms)) * 1000n;
}

function rowFillings({ periodMs, rows }: PeriodRows, fields: readonly FieldName[]): Filling[] {
  const period = microsOf(periodMs);
  return [
    new Filling('TIMESTAMP', (into: BigInt64Array, _nth, count) => into.fill(period, 0, count)),
    picking('UINTEGER', rows.points),
    picking('BOOLEAN', rows.counted),
    ...fieldFillings(rows.columns, fields),
  ];
}

type Block = Uint8Array | Uint16Array | Uint32Array | BigUint64Array | BigInt64Array;

/** How one column of a block is filled: the values of `rows`, in their order. */
class Filling {
  readonly #block: Block;
  readonly #octets: number;
  readonly #fill: (into: never, rows: Uint32Array, count: number) => void;

  constructor(type: ColumnType, fill: (into: never, rows: Uint32Array, count: number) => void) {
    this.#octets = TYPES[type].octets;
    this.#block = blockOf(type);
    this.#fill = fill;
  }

  write(vector: duckdb.Vector, rows: Uint32Array): void {
    this.#fill(this.#block as never, rows, rows.length);
    const { buffer } = this.#block;
    duckdb.copy_data_to_vector(vector, 0, buffer as ArrayBuffer, 0, this.#octets * rows.length);
  }
}

/** One for each type: what is filled is copied before the next is. Made for each period they were a quarter of what a commit of small ones takes. */
const blocks = new Map<ColumnType, Block>();

function blockOf(type: ColumnType): Block {
  const block = blocks.get(type) ?? newBlock(type);
  blocks.set(type, block);
  return block;
}

function newBlock(type: ColumnType): Block {
  const { octets } = TYPES[type];
  if (octets === 8)
    return type === 'TIMESTAMP' ? new BigInt64Array(BLOCK_ROWS) : new BigUint64Array(BLOCK_ROWS);
  return new ({ 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[octets] ?? Uint8Array)(BLOCK_ROWS);
}

/** A column whose elements are what is stored. */
function picking(type: ColumnType, column: Uint8Array | Uint16Array | Uint32Array): Filling {
  return new Filling(type, (into: Uint32Array, rows, count) => {
    for (let i = 0; i < count; i++) into[i] = column[rows[i]!]!;
  });
}

/** Writes two words a row, low half first, into a column of 64 bits. */
function words(type: ColumnType, write: (into: Uint32Array, at: number, row: number) => void): Filling {
  return new Filling(type, (into: BigUint64Array<ArrayBuffer>, rows, count) => {
    const halves = columnWords(into);
    for (let i = 0; i < count; i++) write(halves, 2 * i, rows[i]!);
  });
}

function fieldFillings(columns: FlowColumns, fields: readonly FieldName[]): Filling[] {
  return fields.flatMap((name): Filling[] => {
    const [first]: readonly StoredColumn[] = FIELD_COLUMNS[name];
    if (!first) return [];
    const column = columns[name];
    const { bits } = FIELDS[name];
    if (bits === 128) return addressHalves(column as Uint8Array<ArrayBuffer>);
    if (bits === 48) return [macNumber(column as Uint8Array<ArrayBuffer>)];
    if (column instanceof Float64Array) return [times(column)];
    if (column instanceof BigUint64Array) return [counters(column)];
    return [picking(first.type, column)];
  });
}

/** Both halves of an address: its octets are in network order, numbers in memory's. */
function addressHalves(column: Uint8Array<ArrayBuffer>): Filling[] {
  const from = columnWords(column);
  return [0, 2].map((first) =>
    words('UBIGINT', (into, at, row) => {
      into[at] = swapped(from[4 * row + first + 1]!);
      into[at + 1] = swapped(from[4 * row + first]!);
    }),
  );
}

function macNumber(column: Uint8Array<ArrayBuffer>): Filling {
  return words('UBIGINT', (into, at, row) => {
    const i = 6 * row;
    into[at] = (column[i + 2]! << 24) | (column[i + 3]! << 16) | (column[i + 4]! << 8) | column[i + 5]!;
    into[at + 1] = (column[i]! << 8) | column[i + 1]!;
  });
}

function times(column: Float64Array): Filling {
  return words('TIMESTAMP_MS', (into, at, row) => {
    const time = column[row]!;
    into[at] = time % 2 ** 32;
    into[at + 1] = time / 2 ** 32;
  });
}

function counters(column: BigUint64Array<ArrayBuffer>): Filling {
  const from = columnWords(column);
  return words('UBIGINT', (into, at, row) => {
    into[at] = from[2 * row]!;
    into[at + 1] = from[2 * row + 1]!;
  });
}

function swapped(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

/**
 * Rows by tunnel, then source, then destination: neighbours are alike, which takes a sixth less room and reads nearly
 * twice as fast as rows in order of their arrival.
 */
function rowOrder(columns: FlowColumns, length: number): Uint32Array<ArrayBuffer> {
  const source = columnWords(columns.source);
  const destination = columnWords(columns.destination);
  const keys = [
    (row: number) => swapped(destination[4 * row + 3]!) >>> 0,
    (row: number) => swapped(source[4 * row + 3]!) >>> 0,
    (row: number) => columns.tunnelId[row]!,
  ];
  const order = Uint32Array.from({ length }, (_, row) => row);
  if (length >= DIGITS) return keys.reduce(sortedBy, order);
  const [third, second, first] = keys as [Key, Key, Key];
  return order.sort((a, b) => first(a) - first(b) || second(a) - second(b) || third(a) - third(b));
}

type Key = (row: number) => number;

/** Rows of one key after the other, digit by digit; with fewer rows than digits comparing is faster. */
const DIGITS = 2 ** 16;

/** Rows by a key of 32 bits, those of equal keys in their order before. */
function sortedBy(rows: Uint32Array<ArrayBuffer>, key: Key): Uint32Array<ArrayBuffer> {
  let order = rows;
  for (const digit of [(row: number) => key(row) & 0xffff, (row: number) => key(row) >>> 16]) {
    const starts = new Uint32Array(DIGITS + 1);
    for (const row of order) starts[digit(row) + 1]!++;
    for (let i = 1; i < starts.length; i++) starts[i]! += starts[i - 1]!;
    const next = new Uint32Array(order.length);
    for (const row of order) next[starts[digit(row)]!++] = row;
    order = next;
  }
  return order;
}
