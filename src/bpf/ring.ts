/**
 * Reading a BPF ring buffer through its own memory (kernel/bpf/ringbuf.c): a page for the reader's position, a page for the
 * writer's, and the records mapped twice in a row so that none is ever cut in two.
 */
import { pollReadable } from './libbpf.ts';
import { type BpfMap, MapType } from './map.ts';
import { Mapping, pageSize } from './memory.ts';
import { track } from './resources.ts';

/** Header of a record: its length with two flags (4 bytes), and a page offset for the kernel (4 bytes). */
const HEADER_BYTES = 8;
const BUSY = 1 << 31;
const DISCARDED = 1 << 30;
const LENGTH_MASK = 0x3fff_ffff;
/** Room is given back to the writers after this many records, so that the shared cache line does not move for each. */
const RELEASE_EVERY = 128;

/** Sees one record: `length` bytes at `offset` of the reader's `bytes`, lent until the function returns. */
export type RecordVisitor = (offset: number, length: number) => void;

/**
 * The only reader of a ring buffer map. It copies and allocates nothing per record; use `bytes` or a view of your own over
 * `bytes.buffer` (records start at multiples of 8). The memory is read-only: a write into it ends the process.
 */
export class RingReader implements Disposable {
  /** The records' memory, to be used only within a visitor. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #map: BpfMap;
  readonly #mappings: readonly [Mapping, Mapping];
  readonly #consumed: BigUint64Array;
  readonly #produced: BigUint64Array;
  readonly #headers: Int32Array;
  readonly #watches = new Set<Disposable>();
  #isOpen = true;

  private constructor(map: BpfMap, mappings: readonly [Mapping, Mapping]) {
    const [positions, records] = mappings;
    this.#map = map;
    this.#mappings = mappings;
    this.#consumed = new BigUint64Array(positions.buffer, 0, 1);
    this.#produced = new BigUint64Array(records.buffer, 0, 1);
    this.bytes = new Uint8Array(records.buffer, pageSize(), 2 * map.maxEntries);
    this.#headers = new Int32Array(records.buffer, pageSize(), map.maxEntries / 2);
  }

  /** Maps a ring buffer. The map must outlive the reader. @throws BpfError `BPF_MAP`. */
  static open(map: BpfMap): RingReader {
    if (map.type !== MapType.RINGBUF) throw new TypeError(`map ${map.name} is not a ring buffer`);
    const common = { description: `ring buffer ${map.name}`, code: 'BPF_MAP' } as const;
    const page = pageSize();
    const positions = Mapping.open(map.fd, { ...common, length: page, writable: true });
    try {
      const records = Mapping.open(map.fd, {
        ...common,
        length: page + 2 * map.maxEntries,
        offset: page,
        writable: false,
      });
      return new RingReader(map, [positions, records]);
    } catch (failure) {
      positions[Symbol.dispose]();
      throw failure;
    }
  }

  /** Visits the records that are there now, in order, up to `limit`. Returns how many it visited. */
  drain(visit: RecordVisitor, limit = Number.POSITIVE_INFINITY): number {
    if (!this.#isOpen) throw new TypeError(`the reader of ring buffer ${this.#map.name} is closed`);
    const mask = this.#map.maxEntries - 1;
    let position = Number(Atomics.load(this.#consumed, 0));
    let end = Number(Atomics.load(this.#produced, 0));
    let count = 0;
    let sinceRelease = 0;
    try {
      while (position < end && count < limit) {
        const at = position & mask;
        const header = Atomics.load(this.#headers, at >>> 2);
        if ((header & BUSY) !== 0) break; // Reserved and not yet submitted: its writer is still at work.
        const length = header & LENGTH_MASK;
        position += (HEADER_BYTES + length + 7) & ~7;
        if ((header & DISCARDED) === 0) {
          count++;
          visit(at + HEADER_BYTES, length);
        }
        if (++sinceRelease === RELEASE_EVERY) {
          Atomics.store(this.#consumed, 0, BigInt(position));
          sinceRelease = 0;
        }
        if (position === end) end = Number(Atomics.load(this.#produced, 0));
      }
    } finally {
      if (this.#isOpen) Atomics.store(this.#consumed, 0, BigInt(position));
    }
    return count;
  }

  /**
   * Drains whenever the kernel says that there are records, until the returned watch (or the reader) is disposed. At most
   * `limit` records per turn of the event loop (default 65536). The watch keeps the process alive unless `unref` is set.
   */
  watch(visit: RecordVisitor, options: { limit?: number; unref?: boolean } = {}): Disposable {
    const handle = pollReadable(this.#map.fd, () => this.drain(visit, options.limit ?? 65536));
    if (options.unref) handle.unref();
    const untrack = track(`watch of ring buffer ${this.#map.name}`);
    const watch: Disposable = {
      [Symbol.dispose]: () => {
        if (!untrack()) return;
        handle.close();
        this.#watches.delete(watch);
      },
    };
    // A handle that nobody references is collected, and polling silently stops.
    this.#watches.add(watch);
    return watch;
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const watch of [...this.#watches]) watch[Symbol.dispose]();
    for (const mapping of this.#mappings) mapping[Symbol.dispose]();
  }
}
