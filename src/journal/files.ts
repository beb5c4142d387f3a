/** The files of a journal: records one behind the other, a file per transaction to be. */
import { closeSync, ftruncateSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type FlowBatch, type FlowColumns, freeColumns } from '../flow/index.ts';
import {
  columnsOf,
  decodeHead,
  epochOf,
  fits,
  type Head,
  PREFIX_OCTETS,
  RecordCheck,
  sizesOf,
} from './record.ts';

/** A record is checked by so many octets at a time: it may have tens of millions. */
const PIECE_OCTETS = 1024 * 1024;
const FILE = /^(\d{16})\.epochs$/;

/** Name of a file; files are in the order of their numbers. */
export function fileName(number: number): string {
  return `${String(number).padStart(16, '0')}.epochs`;
}

/** Numbers of the files in a directory, the oldest first. */
export function fileNumbers(directory: string): number[] {
  return readdirSync(directory)
    .map((name) => Number(FILE.exec(name)?.[1] ?? Number.NaN))
    .filter((number) => !Number.isNaN(number))
    .toSorted((a, b) => a - b);
}

/** What a look at a file gave. */
export interface Scan {
  readonly heads: readonly Head[];
  /** Octets of whole records, from the beginning on. */
  readonly octets: number;
  /** Octets behind them that are none. */
  readonly rest: number;
}

/** Reads the heads of a file's records; of the last record all, since it may have been cut by the end of a process. */
export function scanFile(path: string): Scan {
  const size = statSync(path).size;
  const fd = openSync(path, 'r');
  try {
    const heads: Head[] = [];
    let at = 0;
    for (let next = 0; at < size; at = next) {
      const prefix = readAt(fd, at, PREFIX_OCTETS);
      const sizes = sizesOf(prefix);
      if (!sizes) break;
      next = at + PREFIX_OCTETS + sizes.head + sizes.columns;
      if (next > size || (next === size && !isIntactAt(fd, prefix, { at, next }))) break;
      const head = decodeHead(readAt(fd, at + PREFIX_OCTETS, sizes.head));
      if (head) heads.push(head);
    }
    return { heads, octets: at, rest: size - at };
  } finally {
    closeSync(fd);
  }
}

/** Where a record is in its file. */
interface Place {
  readonly at: number;
  /** Where the one behind it begins. */
  readonly next: number;
}

/** The octets behind the prefix of a record, in pieces. */
function* piecesOf({ at, next }: Place): Iterable<{ readonly at: number; readonly octets: number }> {
  for (let from = at + PREFIX_OCTETS; from < next; from += PIECE_OCTETS)
    yield { at: from, octets: Math.min(PIECE_OCTETS, next - from) };
}

function isIntactAt(fd: number, prefix: Uint8Array, place: Place): boolean {
  const check = new RecordCheck(prefix);
  for (const { at, octets } of piecesOf(place)) check.add(readAt(fd, at, octets));
  return check.isIntact;
}

/** Cuts off what stands behind the whole records. */
export function cutFile(path: string, octets: number): void {
  const fd = openSync(path, 'r+');
  try {
    ftruncateSync(fd, octets);
  } finally {
    closeSync(fd);
  }
}

/** Epochs of a file that is open, their columns in it. Dispose it when nobody asks for them any more. */
export interface OpenEpochs extends Disposable {
  readonly epochs: readonly FlowBatch[];
  /** Octets that are no epoch. */
  readonly damagedOctets: number;
  /** Gives up the columns that are held. */
  freeColumns(): void;
}

/** Looks at all octets of a file, one record after the other. @throws the error of the file system */
export async function openEpochs(path: string): Promise<OpenEpochs> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const held = new HeldColumns(path);
    const piece = new Uint8Array(PIECE_OCTETS);
    const epochs: FlowBatch[] = [];
    let damagedOctets = 0;
    let at = 0;
    for (let next = 0; at < size; at = next) {
      const prefix = await readPart(file, at, new Uint8Array(Math.min(PREFIX_OCTETS, size - at)));
      const sizes = sizesOf(prefix);
      next = sizes ? at + PREFIX_OCTETS + sizes.head + sizes.columns : Number.POSITIVE_INFINITY;
      if (!sizes || next > size) {
        damagedOctets += size - at;
        break;
      }
      const check = new RecordCheck(prefix);
      for (const { at: from, octets } of piecesOf({ at, next }))
        check.add(await readPart(file, from, piece.subarray(0, octets)));
      const head = check.isIntact
        ? decodeHead(await readPart(file, at + PREFIX_OCTETS, new Uint8Array(sizes.head)))
        : undefined;
      if (head && fits(head, sizes.columns)) {
        const place = { at: next - sizes.columns, octets: sizes.columns };
        epochs.push(epochOf(head, () => held.read(head, place)));
      } else damagedOctets += next - at;
    }
    return {
      epochs,
      damagedOctets,
      freeColumns: () => held.free(),
      [Symbol.dispose]: () => held[Symbol.dispose](),
    };
  } finally {
    await file.close();
  }
}

/** The columns that were asked for last; those before are given up, for they are tens of megabytes. */
class HeldColumns implements Disposable {
  readonly #fd: number;
  #held: { readonly head: Head; readonly columns: FlowColumns } | undefined;

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
  }

  read(head: Head, { at, octets }: { readonly at: number; readonly octets: number }): FlowColumns {
    if (this.#held?.head === head) return this.#held.columns;
    this.free();
    const columns = columnsOf(head, readAt(this.#fd, at, octets).buffer);
    this.#held = { head, columns };
    return columns;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
    this.free();
  }

  /** Gives up what is held. */
  free(): void {
    if (this.#held) freeColumns(this.#held.columns);
    this.#held = undefined;
  }
}

/** Reads from `at` on into all of `bytes`, or as much as there is. @returns what was read of them */
async function readPart(
  file: FileHandle,
  at: number,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  let got = 0;
  for (let count = -1; got < bytes.length && count !== 0; got += count)
    count = (await file.read(bytes, got, bytes.length - got, at + got)).bytesRead;
  return bytes.subarray(0, got);
}

/** Path of a file by its number. */
export function pathOf(directory: string, number: number): string {
  return join(directory, fileName(number));
}

function readAt(fd: number, at: number, octets: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(octets);
  let got = 0;
  for (let count = -1; got < octets && count !== 0; got += count)
    count = readSync(fd, bytes, got, octets - got, at + got);
  return bytes.subarray(0, got);
}
