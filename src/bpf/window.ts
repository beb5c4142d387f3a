/** A window over a map's memory: of a large array only the part that is shown counts as this process's memory. */
import { kernelError } from './error.ts';
import { lastErrno, libc, type Pointer, viewMemory } from './libbpf.ts';
import type { BpfMap } from './map.ts';
import { detach, pageSize } from './memory.ts';
import { track } from './resources.ts';

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
/** mmap's failure, (void *)-1, as koffi hands it over. */
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/**
 * Addresses for a part of an array map that was made with `MapFlag.MMAPABLE`. The buffer stays the same whatever is
 * shown; where nothing is shown it reads as zeros. Owned by who opened it.
 */
export class MapWindow implements Disposable {
  readonly #map: BpfMap;
  readonly #at: Pointer;
  readonly #length: number;
  readonly #untrack: () => boolean;
  #buffer: ArrayBuffer | undefined;
  #isShown = false;

  private constructor(map: BpfMap, at: Pointer, length: number) {
    this.#map = map;
    this.#at = at;
    this.#length = length;
    this.#buffer = viewMemory(at, length);
    this.#untrack = track(`window over map ${map.name}`);
  }

  /** @param room the most bytes that will be shown at once */
  static open(map: BpfMap, room: number): MapWindow {
    // What is shown begins and ends in the midst of a page.
    const length = (Math.ceil(room / pageSize()) + 2) * pageSize();
    const at = mapMemory(map, null, length, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return new MapWindow(map, at, length);
  }

  /** The memory behind the window; detached when it is disposed. */
  get buffer(): ArrayBuffer {
    if (this.#buffer === undefined) throw new TypeError('this window has been disposed');
    return this.#buffer;
  }

  /** Shows bytes of the map in place of what was shown. @returns where in the buffer `offset` is */
  show(offset: number, length: number): number {
    const page = pageSize();
    const start = Math.floor(offset / page) * page;
    const bytes = Math.ceil((offset + length - start) / page) * page;
    if (bytes > this.#length) throw new RangeError(`${length} bytes do not fit into this window`);
    this.hide();
    if (length > 0) mapMemory(this.#map, this.#at, bytes, MAP_SHARED | MAP_FIXED, this.#map.fd, start);
    this.#isShown = length > 0;
    return offset - start;
  }

  /** Gives back what was shown. */
  hide(): void {
    if (!this.#isShown) return;
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    mapMemory(this.#map, this.#at, this.#length, flags, -1, 0);
    this.#isShown = false;
  }

  [Symbol.dispose](): void {
    if (this.#buffer === undefined) return;
    const isDetached = detach(this.#buffer);
    this.#buffer = undefined;
    this.#untrack();
    // As with a Mapping: a leak is better than a crash.
    if (isDetached) libc().munmap(this.#at, this.#length);
  }
}

function mapMemory(
  map: BpfMap,
  at: Pointer | null,
  length: number,
  flags: number,
  fd: number,
  offset: number,
): Pointer {
  const result = BigInt.asUintN(64, BigInt(libc().mmap(at, length, PROT_READ_WRITE, flags, fd, offset)));
  if (result === MAP_FAILED)
    throw kernelError('BPF_MAP', lastErrno(), {
      action: `map ${length} bytes of map ${map.name} into memory`,
    });
  return result;
}
