/** The files of a journal: records one behind the other, a file per transaction to be. */
import { closeSync, ftruncateSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FlowBatch } from '../flow/index.ts';
import { decodeEpoch, decodeHead, type Head, isIntact, PREFIX_OCTETS, sizesOf } from './record.ts';

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
      const sizes = sizesOf(readAt(fd, at, PREFIX_OCTETS));
      if (!sizes) break;
      next = at + PREFIX_OCTETS + sizes.head + sizes.columns;
      if (next > size || (next === size && !isIntact(readAt(fd, at, next - at)))) break;
      const head = decodeHead(readAt(fd, at + PREFIX_OCTETS, sizes.head));
      if (head) heads.push(head);
    }
    return { heads, octets: at, rest: size - at };
  } finally {
    closeSync(fd);
  }
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

/** The epochs of a file, whose columns share its memory; and octets that are no epoch. */
export async function readEpochs(
  path: string,
): Promise<{ readonly epochs: readonly FlowBatch[]; readonly damagedOctets: number }> {
  const bytes = new Uint8Array(await readFile(path));
  const epochs: FlowBatch[] = [];
  let damagedOctets = 0;
  let at = 0;
  for (let next = 0; at < bytes.byteLength; at = next) {
    const sizes = sizesOf(bytes.subarray(at, at + PREFIX_OCTETS));
    next = sizes ? at + PREFIX_OCTETS + sizes.head + sizes.columns : Number.POSITIVE_INFINITY;
    if (next > bytes.byteLength) {
      damagedOctets += bytes.byteLength - at;
      break;
    }
    const record = bytes.subarray(at, next);
    const epoch = isIntact(record) ? decodeEpoch(record) : undefined;
    if (epoch) epochs.push(epoch);
    else damagedOctets += next - at;
  }
  return { epochs, damagedOctets };
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
