/** Memory shared with the kernel, as an ArrayBuffer that is detached before it is unmapped. */
import { type BpfErrorCode, kernelError } from './error.ts';
import { lastErrno, libc, type Pointer, viewMemory } from './libbpf.ts';
import { track } from './resources.ts';

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
/** mmap's failure, (void *)-1, as koffi hands it over. */
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

let page: number | undefined;

/** Bytes of a memory page of this kernel: 4096 on x86-64, up to 65536 on arm64. */
export function pageSize(): number {
  page ??= libc().getpagesize();
  return page;
}

/** Where and how to map: byte offset and length in the descriptor, both rounded to pages by the caller or the kernel. */
export type MappingOptions = {
  readonly length: number;
  readonly offset?: number;
  /** A write into a mapping that is not writable ends the process: hand such a view to nobody who might. */
  readonly writable: boolean;
  /** What is mapped, for errors and leak reports. */
  readonly description: string;
  readonly code: BpfErrorCode;
  readonly remedy?: string;
};

/** A shared mapping of a BPF map's memory. Using its buffer after disposal throws or reads nothing; it never crashes. */
export class Mapping implements Disposable {
  readonly #at: Pointer;
  readonly #length: number;
  readonly #untrack: () => boolean;
  #buffer: ArrayBuffer | undefined;

  private constructor(at: Pointer, length: number, untrack: () => boolean) {
    this.#at = at;
    this.#length = length;
    this.#untrack = untrack;
    this.#buffer = viewMemory(at, length);
  }

  /** Maps a descriptor. @throws BpfError with the code of the options. */
  static open(fd: number, options: MappingOptions): Mapping {
    const length = Math.ceil(options.length / pageSize()) * pageSize();
    const protection = options.writable ? PROT_READ | PROT_WRITE : PROT_READ;
    const at = BigInt.asUintN(
      64,
      BigInt(libc().mmap(null, length, protection, MAP_SHARED, fd, options.offset ?? 0)),
    );
    if (at === MAP_FAILED) {
      throw kernelError(options.code, lastErrno(), {
        action: `map ${options.description} into memory`,
        remedy: options.remedy,
      });
    }
    return new Mapping(at, length, track(`mapping of ${options.description}`));
  }

  /** The memory itself; detached when the mapping is disposed. */
  get buffer(): ArrayBuffer {
    if (this.#buffer === undefined) throw new TypeError('this mapping has been disposed');
    return this.#buffer;
  }

  [Symbol.dispose](): void {
    if (this.#buffer === undefined) return;
    const detached = detach(this.#buffer);
    this.#buffer = undefined;
    this.#untrack();
    // Memory that a view may still reach stays mapped: a leak is better than a crash (Node 20 cannot detach).
    if (detached) libc().munmap(this.#at, this.#length);
  }
}

/** Takes foreign memory away from every view on it. Returns false where this Node cannot do that (before 22). */
export function detach(buffer: ArrayBuffer): boolean {
  if (typeof buffer.transfer !== 'function') return false;
  buffer.transfer(0);
  return true;
}
