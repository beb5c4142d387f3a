/** BPF maps: single elements, iteration, nesting, pins and mapped memory. Batches are in batch.ts. */
import { unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { describeMap, type MapDescription } from './describe.ts';
import { kernelError } from './error.ts';
import { kernelAtLeast, possibleCpus } from './kernel.ts';
import { libbpf, libc, OptionStruct, runOnPool } from './libbpf.ts';
import { Mapping } from './memory.ts';
import { makeDirectories } from './pin-path.ts';
import { track } from './resources.ts';

/** Map types of linux/bpf.h that this library knows by name; any other number works as well. */
export const MapType = {
  HASH: 1,
  ARRAY: 2,
  PROG_ARRAY: 3,
  PERF_EVENT_ARRAY: 4,
  PERCPU_HASH: 5,
  PERCPU_ARRAY: 6,
  LRU_HASH: 9,
  LRU_PERCPU_HASH: 10,
  LPM_TRIE: 11,
  ARRAY_OF_MAPS: 12,
  HASH_OF_MAPS: 13,
  DEVMAP: 14,
  QUEUE: 22,
  STACK: 23,
  RINGBUF: 27,
} as const;

/** Flags for creating maps. */
export const MapFlag = {
  NO_PREALLOC: 1,
  RDONLY_PROG: 1 << 7,
  MMAPABLE: 1 << 10,
  INNER_MAP: 1 << 12,
} as const;

/** Flags of `update`: whether the key may or must exist. */
export const UpdateFlag = { ANY: 0, NOEXIST: 1, EXIST: 2 } as const;

const PER_CPU: ReadonlySet<number> = new Set([
  MapType.PERCPU_HASH,
  MapType.PERCPU_ARRAY,
  MapType.LRU_PERCPU_HASH,
  21,
]);
const OF_DESCRIPTORS: ReadonlySet<number> = new Set([
  MapType.ARRAY_OF_MAPS,
  MapType.HASH_OF_MAPS,
  MapType.PROG_ARRAY,
]);
const ENOENT = -2;
const ENOTSUPP = -524;

/** What a new map is made of; sizes in bytes. `btf` links it to types, so that its layout can be checked. */
export type MapSpecification = {
  readonly type: number;
  readonly name: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags?: number;
  /** For a map of maps: a map whose type and sizes all inner maps will have. */
  readonly innerMapFd?: number;
  readonly btf?: { readonly fd: number; readonly keyType: number; readonly valueType: number };
};

/**
 * A map that the kernel holds. Keys and values are bytes as the BPF program lays them out; all lengths are checked.
 *
 * A map that was created or opened here belongs to the caller, who disposes it; a map of a `BpfObject` ends with the object.
 */
export class BpfMap implements Disposable {
  readonly description: MapDescription;
  /** The name it was asked for: unlike the kernel's it is not cut at 15 characters. */
  readonly name: string;
  /** Bytes of one value as `lookup` gives it: for a per-CPU map, all CPUs' values, each rounded up to 8. */
  readonly valueBytes: number;
  /** Bytes from one CPU's value to the next within a per-CPU value; equal to `valueBytes` for other maps. */
  readonly valueStride: number;
  readonly isPerCpu: boolean;
  readonly #close: () => void;
  #fd: number;

  private constructor(fd: number, name: string | undefined, close: () => void) {
    this.#fd = fd;
    this.#close = close;
    this.description = describeMap(fd);
    this.name = name ?? this.description.name;
    this.isPerCpu = PER_CPU.has(this.description.type);
    this.valueStride = this.isPerCpu
      ? Math.ceil(this.description.valueSize / 8) * 8
      : this.description.valueSize;
    this.valueBytes = this.isPerCpu ? this.valueStride * possibleCpus() : this.valueStride;
  }

  /** Creates a map. @throws BpfError `BPF_MAP` or `BPF_PERMISSION`. */
  static create(specification: MapSpecification): BpfMap {
    const { type, name, keySize, valueSize, maxEntries, flags, innerMapFd, btf } = specification;
    const options = new OptionStruct('mapCreate', {
      map_flags: flags,
      inner_map_fd: innerMapFd,
      btf_fd: btf?.fd,
      btf_key_type_id: btf?.keyType,
      btf_value_type_id: btf?.valueType,
    });
    const fd = libbpf().create(type, name.slice(0, 15), keySize, valueSize, maxEntries, options.bytes);
    if (fd < 0) {
      throw kernelError('BPF_MAP', fd, {
        action: `create the map ${name} (type ${type}, ${maxEntries} entries of ${keySize} + ${valueSize} bytes)`,
      });
    }
    return BpfMap.#owning(fd, name);
  }

  /** Opens a map pinned in a BPF file system. @throws BpfError `BPF_MAP`. */
  static openPinned(path: string, name?: string): BpfMap {
    const fd = libbpf().openPin(path);
    if (fd < 0) throw kernelError('BPF_MAP', fd, { action: `open the pinned map ${path}` });
    return BpfMap.#owning(fd, name);
  }

  /** A map whose descriptor belongs to someone else, as an object's do. */
  static borrow(fd: number, name: string): BpfMap {
    return new BpfMap(fd, name, () => {});
  }

  static #owning(fd: number, name: string | undefined): BpfMap {
    const untrack = track(`map ${name ?? ''} (fd ${fd})`);
    const close = (): void => {
      libc().close(fd);
      untrack();
    };
    try {
      return new BpfMap(fd, name, close);
    } catch (failure) {
      close();
      throw failure;
    }
  }

  /** The descriptor, valid until the map (or its object) is disposed. @throws TypeError after that. */
  get fd(): number {
    if (this.#fd < 0) throw new TypeError(`map ${this.name} has been closed`);
    return this.#fd;
  }

  get type(): number {
    return this.description.type;
  }

  get keySize(): number {
    return this.description.keySize;
  }

  get valueSize(): number {
    return this.description.valueSize;
  }

  get maxEntries(): number {
    return this.description.maxEntries;
  }

  /** The value of a key as a new array of `valueBytes`, or undefined when the key is not there. @throws BpfError `BPF_MAP`. */
  lookup(key: Uint8Array, flags = 0): Uint8Array | undefined {
    const value = new Uint8Array(this.valueBytes);
    return this.lookupInto(key, value, flags) ? value : undefined;
  }

  /** Like `lookup`, into a buffer of the caller's. Returns whether the key was there. */
  lookupInto(key: Uint8Array, value: Uint8Array, flags = 0): boolean {
    this.#check(key, this.keySize, 'key');
    this.#check(value, this.valueBytes, 'value');
    return this.#found(libbpf().lookup(this.fd, key, value, flags), 'read an element of');
  }

  /** Reads and removes in one step; not every map type can (hash: Linux 5.14). For a queue or stack pass an empty key. */
  take(key: Uint8Array): Uint8Array | undefined {
    this.#check(key, this.keySize, 'key');
    const value = new Uint8Array(this.valueBytes);
    const result = libbpf().lookupAndDelete(this.fd, this.keySize === 0 ? null : key, value, 0);
    if (result === ENOTSUPP) {
      throw kernelError('BPF_MAP', result, {
        action: `take an element of the map ${this.name}`,
        minimumKernel: this.type === MapType.HASH && !kernelAtLeast('5.14') ? '5.14' : undefined,
        remedy: 'read it, then delete it, while no program writes to the map',
      });
    }
    return this.#found(result, 'take an element of') ? value : undefined;
  }

  /** Sets a value; `flags` are of `UpdateFlag`. @throws BpfError `BPF_MAP`, with errno E2BIG when the map is full. */
  update(key: Uint8Array, value: Uint8Array, flags: number = UpdateFlag.ANY): void {
    this.#check(key, this.keySize, 'key');
    this.#check(value, OF_DESCRIPTORS.has(this.type) ? 4 : this.valueBytes, 'value');
    this.#demand(libbpf().update(this.fd, this.keySize === 0 ? null : key, value, flags), 'update');
  }

  /**
   * Puts an inner map into a map of maps. The call returns after all programs that may still see the former inner map have
   * ended (the kernel waits for RCU, 10 ms and more): from then on the former map does not change any more.
   */
  updateInner(key: Uint8Array, inner: BpfMap): void {
    this.update(key, descriptorBytes(inner.fd));
  }

  /** `updateInner` on a thread of the pool, so that waiting for RCU holds up nobody. The map must stay open meanwhile. */
  async updateInnerAsync(key: Uint8Array, inner: BpfMap): Promise<void> {
    this.#check(key, this.keySize, 'key');
    const parameters = [this.fd, key.slice(), descriptorBytes(inner.fd), UpdateFlag.ANY];
    this.#demand(await runOnPool(libbpf().update, parameters), 'update');
  }

  /** Removes a key. Returns false when it was not there. */
  delete(key: Uint8Array): boolean {
    this.#check(key, this.keySize, 'key');
    return this.#found(libbpf().delete(this.fd, key), 'delete from');
  }

  /** The key after this one, or the first when there is none or it has gone; undefined at the end. */
  nextKey(after?: Uint8Array): Uint8Array | undefined {
    if (after !== undefined) this.#check(after, this.keySize, 'key');
    const key = new Uint8Array(this.keySize);
    const result = libbpf().nextKey(this.fd, after ?? null, key);
    return this.#found(result, 'iterate') ? key : undefined;
  }

  /** All keys, each a new array. A map that changes meanwhile may repeat or omit keys; batches are faster. */
  *keys(): Generator<Uint8Array, void> {
    for (let key = this.nextKey(); key !== undefined; key = this.nextKey(key)) yield key;
  }

  /** Maps the memory of an array map that was made with `MapFlag.MMAPABLE` (.bss and .data are). Dispose it after use. */
  mmap(): Mapping {
    return Mapping.open(this.fd, {
      length: Math.ceil(this.valueSize / 8) * 8 * this.maxEntries,
      writable: true,
      description: `map ${this.name}`,
      code: 'BPF_MAP',
      remedy:
        'only array maps with the flag BPF_F_MMAPABLE can be mapped; a frozen one such as .rodata is read with lookup()',
    });
  }

  /** Pins the map under a path of a BPF file system, whose directory is made when missing, so that it outlives the process. */
  pin(path: string): void {
    makeDirectories(dirname(path));
    const result = libbpf().pin(this.fd, path);
    if (result < 0) {
      throw kernelError('BPF_MAP', result, {
        action: `pin the map ${this.name} as ${path}`,
        remedy: 'the path must be free and in a BPF file system (mount -t bpf bpf /sys/fs/bpf)',
      });
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd < 0) return;
    this.#fd = -1;
    this.#close();
  }

  #check(bytes: Uint8Array, length: number, what: string): void {
    if (!(bytes instanceof Uint8Array)) throw new TypeError(`the ${what} must be a Uint8Array`);
    if (bytes.byteLength === length) return;
    throw new RangeError(
      `the ${what} of map ${this.name} has ${length} bytes, this one has ${bytes.byteLength}`,
    );
  }

  #found(result: number, verb: string): boolean {
    if (result === ENOENT) return false;
    this.#demand(result, verb);
    return true;
  }

  #demand(result: number, verb: string): void {
    if (result < 0) throw kernelError('BPF_MAP', result, { action: `${verb} the map ${this.name}` });
  }
}

/** Removes a pin of a map, program or link; what it held lives on while others hold it. A missing pin is no error. */
export function unpin(path: string): void {
  try {
    unlinkSync(path);
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'ENOENT') throw failure;
  }
}

function descriptorBytes(fd: number): Uint8Array {
  return new Uint8Array(new Uint32Array([fd]).buffer);
}
