/** What the host's own TCP sockets know, once per epoch: the kernel's side is bpf/sockets.bpf.c. */
import { fileURLToPath } from 'node:url';
import {
  attachTracing,
  BpfError,
  BpfIterator,
  BpfObject,
  fingerprint,
  hasBtf,
  networkNamespace,
  RingReader,
} from '../bpf/index.ts';
import type { SocketBatch } from '../flow/index.ts';
import { decodeSockets, SocketRow } from '../record/index.ts';
import { MeterError } from './error.ts';

/** Path of the object. */
export const SOCKETS_OBJECT: string = fileURLToPath(new URL('../../bpf/sockets.bpf.o', import.meta.url));

/** A record in the ring has a header of 8 octets, and takes a multiple of 8. */
const RING_RECORD = 8 + SocketRow.size;
/** The least size of a ring; others are powers of two of it. */
const PAGE_OCTETS = 4096;
/** The kernel gives at most 32 kB at a time. */
const PIECE_OCTETS = 32_768;
const SOME_ROWS = 256;

interface SocketParts {
  readonly iterator: BpfIterator;
  readonly ring: RingReader;
  /** How many sockets closed without room in the ring, ever. */
  readonly untoldClosed: BigUint64Array;
  /** All that is to be closed. */
  readonly resources: DisposableStack;
}

/**
 * The TCP sockets of the network namespace in which it was opened, but for listening ones: each that is there, and each
 * that has closed since the walk before, once. Owned by the thread that opened it, which stays in that namespace.
 */
export class Sockets implements Disposable {
  readonly #resources: DisposableStack;
  readonly #capacity: number;
  readonly #iterator: BpfIterator;
  readonly #ring: RingReader;
  readonly #untoldClosed: BigUint64Array;
  #untoldBefore = 0n;
  /** Rows of the walk under way; kept from epoch to epoch. */
  #rows = new Uint8Array(SOME_ROWS * SocketRow.size);
  readonly #piece = new Uint8Array(PIECE_OCTETS);

  private constructor(capacity: number, parts: SocketParts) {
    this.#capacity = capacity;
    this.#iterator = parts.iterator;
    this.#ring = parts.ring;
    this.#untoldClosed = parts.untoldClosed;
    this.#resources = parts.resources;
  }

  /**
   * Loads the programs and attaches them.
   *
   * @param capacity sockets told per epoch at most, and as many of those that closed in it; more are counted
   * @throws MeterError `METER_SOCKETS` where the kernel cannot do it, BpfError `BPF_PERMISSION`
   */
  static open(capacity: number): Sockets {
    using stack = new DisposableStack();
    try {
      const object = stack.use(BpfObject.openFile(SOCKETS_OBJECT));
      assertRows(object);
      object.setConstant('metered_namespace', namespaceInode());
      object.setMaxEntries('closed_sockets', ringOctets(capacity));
      object.load();
      const iterator = stack.use(BpfIterator.open(object.program('ts_socket')));
      const ring = stack.use(RingReader.open(object.map('closed_sockets')));
      const mapping = stack.use(object.map('.bss').mmap());
      const untoldClosed = new BigUint64Array(mapping.buffer, object.locate('untold_closed').offset, 1);
      stack.use(attachTracing(object.program('ts_socket_state')));
      return new Sockets(capacity, { iterator, ring, untoldClosed, resources: stack.move() });
    } catch (error) {
      throw explained(error);
    }
  }

  /** The sockets that closed since the call before, then those that are there now. */
  read(): SocketBatch {
    // In this order, or a socket that closes meanwhile would be told twice.
    const closed = this.#readClosed();
    const { count, untold } = this.#walk(closed);
    const everUntold = Atomics.load(this.#untoldClosed, 0);
    const untoldClosed = Number(everUntold - this.#untoldBefore);
    this.#untoldBefore = everUntold;
    return { length: count, columns: decodeSockets(this.#rows, count), untold: untold + untoldClosed };
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  /** Puts what is in the ring at the beginning of the rows. @returns how many those are */
  #readClosed(): number {
    const { bytes } = this.#ring;
    let count = 0;
    this.#ring.drain((offset) => {
      this.#reserve((count + 1) * SocketRow.size);
      this.#rows.set(bytes.subarray(offset, offset + SocketRow.size), count * SocketRow.size);
      count++;
    });
    return count;
  }

  /** Puts the sockets that are there behind `before` rows, as many as there may be. */
  #walk(before: number): { count: number; untold: number } {
    const start = before * SocketRow.size;
    const end = start + this.#capacity * SocketRow.size;
    let at = start;
    let beyond = 0;
    this.#iterator.walk(this.#piece, (piece) => {
      const fits = Math.min(piece.length, end - at);
      this.#reserve(at + fits);
      this.#rows.set(piece.subarray(0, fits), at);
      at += fits;
      beyond += piece.length - fits;
    });
    return { count: at / SocketRow.size, untold: beyond / SocketRow.size };
  }

  #reserve(octets: number): void {
    if (octets <= this.#rows.length) return;
    const count = Math.ceil(Math.max(octets, 2 * this.#rows.length) / SocketRow.size);
    const rows = new Uint8Array(count * SocketRow.size);
    rows.set(this.#rows);
    this.#rows = rows;
  }
}

/** Rows come through no map that the kernel would know the types of: the object itself is asked. */
function assertRows({ btf }: BpfObject): void {
  const row = btf.find('struct', 'socket_row');
  if (row && fingerprint(btf, row.id) === SocketRow.fingerprint) return;
  throw new BpfError('BPF_LAYOUT', {
    action: `read the rows of ${SOCKETS_OBJECT}`,
    state: 'struct socket_row has another layout',
    remedy: 'object and layouts must come from one build: npm run bpf',
  });
}

/** Of the calling thread's network namespace: 4026531840 of `net:[4026531840]`. */
function namespaceInode(): number {
  return Number(/\d+/.exec(networkNamespace())![0]);
}

function ringOctets(capacity: number): number {
  return Math.max(PAGE_OCTETS, 2 ** Math.ceil(Math.log2(capacity * RING_RECORD)));
}

/** What the kernel lacks, in words of this machine. */
function explained(error: unknown): unknown {
  if (!(error instanceof BpfError) || !['BPF_LOAD', 'BPF_LINK'].includes(error.code)) return error;
  const found = hasBtf()
    ? error.message
    : 'this kernel does not tell its types: there is no /sys/kernel/btf/vmlinux';
  return new MeterError('METER_SOCKETS', `reading what the host's sockets know failed (${found})`, {
    cause: error,
    remedy:
      'it needs Linux 5.9 or later, built with CONFIG_DEBUG_INFO_BTF; without sockets all else is measured',
  });
}
