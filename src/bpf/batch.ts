/** Many elements of a map in one system call, into buffers that the caller keeps and reuses. */
import { kernelError } from './error.ts';
import { libbpf } from './libbpf.ts';
import type { BpfMap } from './map.ts';

const ENOENT = -2;
const ENOSPC = -28;
const EFAULT = -14;

/**
 * How a batch ended: `more` elements follow, this was the `end`, or a hash bucket holds more elements than the buffers:
 * `grow` them (and call again with the same cursor; nothing was read or deleted).
 */
export type BatchStatus = 'more' | 'end' | 'grow';

/** What a batch did: the first `count` keys and values of the buffers are filled. */
export type Batch = { readonly count: number; readonly status: BatchStatus };

/** Where a walk over a map has got to. Made by `batchCursor`, advanced by each batch, used for one walk only. */
export class BatchCursor {
  #from: Uint8Array | null = null;
  #to: Uint8Array;
  #spare: Uint8Array;

  constructor(keySize: number) {
    // Hash and array maps put a 32-bit position here, an LPM trie a key.
    this.#to = new Uint8Array(Math.max(8, keySize));
    this.#spare = new Uint8Array(this.#to.byteLength);
  }

  /** The position to start from; null at the start of the map. */
  get from(): Uint8Array | null {
    return this.#from;
  }

  /** Where the kernel writes the position after this batch. */
  get to(): Uint8Array {
    return this.#to;
  }

  /** Makes the position that the kernel wrote the next start. */
  advance(): void {
    const written = this.#to;
    this.#to = this.#from ?? this.#spare;
    this.#from = written;
  }
}

/** A cursor at the start of a map. */
export function batchCursor(map: BpfMap): BatchCursor {
  return new BatchCursor(map.keySize);
}

/**
 * Reads up to `count` elements (default: as many as fit) into `keys` (keySize bytes each) and `values` (valueBytes each).
 *
 * On a map that programs write to meanwhile, elements may be missed or read twice when they move; on one that nobody writes
 * to, a walk reads each exactly once. @throws BpfError `BPF_MAP`; minimum kernel 5.6.
 */
export function lookupBatch(
  map: BpfMap,
  cursor: BatchCursor,
  keys: Uint8Array,
  values: Uint8Array,
  count?: number,
): Batch {
  return walk(map, libbpf().lookupBatch, cursor, keys, values, count);
}

/** `lookupBatch` that deletes what it reads. An update between reading and deleting is lost: see README on exactness. */
export function lookupAndDeleteBatch(
  map: BpfMap,
  cursor: BatchCursor,
  keys: Uint8Array,
  values: Uint8Array,
  count?: number,
): Batch {
  return walk(map, libbpf().lookupAndDeleteBatch, cursor, keys, values, count);
}

/** Sets `count` elements. Returns how many were set: fewer when one of them was refused, e.g. by a full map. */
export function updateBatch(map: BpfMap, keys: Uint8Array, values: Uint8Array, count: number): number {
  demandRoom(map, keys, values, count);
  return many(map, 'update', count, (done) => libbpf().updateBatch(map.fd, keys, values, done, null));
}

/** Deletes the first `count` keys of a buffer. Returns how many were deleted before one was missing (count: all were there). */
export function deleteBatch(map: BpfMap, keys: Uint8Array, count: number): number {
  demandRoom(map, keys, undefined, count);
  return many(map, 'delete', count, (done) => libbpf().deleteBatch(map.fd, keys, done, null));
}

function walk(
  map: BpfMap,
  call: ReturnType<typeof libbpf>['lookupBatch'],
  cursor: BatchCursor,
  keys: Uint8Array,
  values: Uint8Array,
  wanted: number | undefined,
): Batch {
  const fits = Math.floor(Math.min(keys.byteLength / map.keySize, values.byteLength / map.valueBytes));
  const limit = wanted ?? fits;
  demandRoom(map, keys, values, limit);
  const done = new Uint32Array([limit]);
  const result = call(map.fd, cursor.from, cursor.to, keys, values, done, null);
  const count = done[0]!;
  if (result === ENOSPC) return { count: 0, status: 'grow' };
  if (result < 0 && result !== ENOENT) throw failure(map, result, 'read');
  cursor.advance();
  return { count, status: result === ENOENT ? 'end' : 'more' };
}

function many(map: BpfMap, verb: string, count: number, call: (done: Uint32Array) => number): number {
  if (count === 0) return 0;
  const done = new Uint32Array([count]);
  const result = call(done);
  // On EFAULT the kernel leaves the count as it was: nothing is known.
  if (result === EFAULT || (result < 0 && done[0] === count)) throw failure(map, result, verb);
  return done[0]!;
}

function demandRoom(map: BpfMap, keys: Uint8Array, values: Uint8Array | undefined, count: number): void {
  if (!(keys instanceof Uint8Array) || (values !== undefined && !(values instanceof Uint8Array))) {
    throw new TypeError('keys and values must be Uint8Array');
  }
  if (!Number.isInteger(count) || count < 0) throw new RangeError(`a batch cannot have ${count} elements`);
  if (count === 0 && values !== undefined)
    throw new RangeError(`the buffers hold not one element of map ${map.name}`);
  if (keys.byteLength < count * map.keySize)
    throw new RangeError(`the key buffer holds fewer than ${count} keys`);
  if (values !== undefined && values.byteLength < count * map.valueBytes) {
    throw new RangeError(`the value buffer holds fewer than ${count} values`);
  }
}

function failure(map: BpfMap, result: number, verb: string): Error {
  return kernelError('BPF_MAP', result, {
    action: `${verb} a batch of the map ${map.name}`,
    remedy: result === -524 || result === -22 ? 'this type of map may lack batches' : undefined,
    minimumKernel: result === -22 ? '5.6' : undefined,
  });
}
