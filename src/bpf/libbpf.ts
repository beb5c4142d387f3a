/**
 * The border to C: the only file that imports koffi. Everything above it sees typed functions that take byte arrays and
 * file descriptors and return a count or a negative errno; nothing above it holds a C pointer except as an opaque `Pointer`.
 *
 * koffi accepts a number or a string where C wants `void *`, and a short buffer where C wants a long one; both crash the
 * process. Callers pass `Uint8Array` of the length that the kernel will read or write, checked where that length is known.
 */
import { createRequire } from 'node:module';
import type { LibraryHandle, TypeObject } from 'koffi';
import { BpfError } from './error.ts';

/** An address in this process, never to be calculated with. */
export type Pointer = bigint;

const require = createRequire(import.meta.url);

let loaded: typeof import('koffi') | undefined;

/** Loaded on first use, which is to say never where nothing is asked of a kernel: captures are read without it. */
function koffi(): typeof import('koffi') {
  loaded ??= require('koffi') as typeof import('koffi');
  return loaded;
}

type Native<F extends (...parameters: never[]) => unknown> = F & {
  async: (...parameters: unknown[]) => void;
};

type Bytes = Uint8Array | null;
type Batch = (
  fd: number,
  from: Bytes,
  to: Uint8Array,
  keys: Uint8Array,
  values: Uint8Array,
  count: Uint32Array,
  options: Pointer | null,
) => number;

const optionStructs = {
  open: {
    sz: 'size_t',
    object_name: 'void *',
    relaxed_maps: 'bool',
    pin_root_path: 'void *',
    stub: 'uint32_t',
    kconfig: 'void *',
    btf_custom_path: 'void *',
    kernel_log_buf: 'void *',
    kernel_log_size: 'size_t',
    kernel_log_level: 'uint32_t',
  },
  mapCreate: {
    sz: 'size_t',
    btf_fd: 'uint32_t',
    btf_key_type_id: 'uint32_t',
    btf_value_type_id: 'uint32_t',
    btf_vmlinux_value_type_id: 'uint32_t',
    inner_map_fd: 'uint32_t',
    map_flags: 'uint32_t',
    map_extra: 'uint64_t',
    numa_node: 'uint32_t',
    map_ifindex: 'uint32_t',
  },
  testRun: {
    sz: 'size_t',
    data_in: 'void *',
    data_out: 'void *',
    data_size_in: 'uint32_t',
    data_size_out: 'uint32_t',
    ctx_in: 'void *',
    ctx_out: 'void *',
    ctx_size_in: 'uint32_t',
    ctx_size_out: 'uint32_t',
    retval: 'uint32_t',
    repeat: 'int',
    duration: 'uint32_t',
    flags: 'uint32_t',
    cpu: 'uint32_t',
    batch_size: 'uint32_t',
  },
  tcHook: { sz: 'size_t', ifindex: 'int', attach_point: 'int', parent: 'uint32_t' },
  tcFilter: {
    sz: 'size_t',
    prog_fd: 'int',
    flags: 'uint32_t',
    prog_id: 'uint32_t',
    handle: 'uint32_t',
    priority: 'uint32_t',
  },
} as const;

type OptionKind = keyof typeof optionStructs;
const optionTypes: Partial<Record<OptionKind, TypeObject>> = {};

function optionType(kind: OptionKind): TypeObject {
  optionTypes[kind] ??= koffi().struct(optionStructs[kind]);
  return optionTypes[kind];
}

/** One C options struct in memory of ours: laid out by koffi, so that padding is the compiler's and not ours to guess. */
export class OptionStruct {
  readonly #type: TypeObject;
  /** Buffers whose addresses stand in the struct: they must live as long as it does. */
  readonly #held: Uint8Array[] = [];
  readonly bytes: Uint8Array;

  constructor(kind: OptionKind, members: Readonly<Record<string, number | bigint | Uint8Array | undefined>>) {
    this.#type = optionType(kind);
    this.bytes = new Uint8Array(koffi().sizeof(this.#type));
    this.#put('sz', this.bytes.byteLength);
    for (const [name, value] of Object.entries(members)) {
      if (value === undefined) continue;
      if (value instanceof Uint8Array) this.#held.push(value);
      this.#put(name, value instanceof Uint8Array ? koffi().address(value) : value);
    }
  }

  /** The number that the kernel or libbpf left in a 32-bit member. */
  read(name: string): number {
    return this.#view().getUint32(koffi().offsetof(this.#type, name), true);
  }

  #put(name: string, value: number | bigint): void {
    const member = this.#type.members?.[name];
    if (member === undefined) throw new TypeError(`no member ${name} in this options struct`);
    if (member.type.size === 8) this.#view().setBigUint64(member.offset, BigInt(value), true);
    else if (member.type.size === 4) this.#view().setUint32(member.offset, Number(value), true);
    else this.#view().setUint8(member.offset, Number(value));
  }

  #view(): DataView {
    return new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }
}

/** A C string: UTF-8 and a final zero. */
export function cString(text: string): Uint8Array {
  if (text.includes('\0')) throw new TypeError('a C string cannot hold a zero byte');
  return Buffer.from(`${text}\0`, 'utf8');
}

let libcTable: ReturnType<typeof bindLibc> | undefined;
let libbpfTable: ReturnType<typeof bindLibbpf> | undefined;

/** libc, bound on first use. */
export function libc(): ReturnType<typeof bindLibc> {
  libcTable ??= bindLibc();
  return libcTable;
}

/** libbpf.so.1, bound on first use. @throws BpfError `BPF_MISSING_LIBRARY` when this machine has none. */
export function libbpf(): ReturnType<typeof bindLibbpf> {
  if (libbpfTable === undefined) {
    libbpfTable = bindLibbpf();
    libbpfTable.setPrint(null); // It would write to stderr of its own accord; log.ts listens when there is need.
  }
  return libbpfTable;
}

function bindLibc() {
  const library = koffi().load(null);
  const bind = <F extends (...parameters: never[]) => unknown>(prototype: string): Native<F> =>
    library.func(prototype) as unknown as Native<F>;
  return {
    // syscall() is variadic in C; a fixed prototype passes the same registers on x86-64 and arm64 Linux.
    syscall: bind<(nr: number, command: number, attr: Uint8Array, size: number) => number>(
      'long syscall(long nr, long command, void *attr, long size)',
    ),
    mmap: bind<
      (
        at: Pointer | null,
        length: number,
        protection: number,
        flags: number,
        fd: number,
        offset: number,
      ) => bigint
    >('void *mmap(void *at, size_t length, int protection, int flags, int fd, long offset)'),
    munmap: bind<(at: Pointer, length: number) => number>('int munmap(void *at, size_t length)'),
    madvise: bind<(at: Pointer, length: number, advice: number) => number>(
      'int madvise(void *at, size_t length, int advice)',
    ),
    setns: bind<(fd: number, kind: number) => number>('int setns(int fd, int kind)'),
    getpagesize: bind<() => number>('int getpagesize()'),
    close: bind<(fd: number) => number>('int close(int fd)'),
    flock: bind<(fd: number, operation: number) => number>('int flock(int fd, int operation)'),
    socket: bind<(domain: number, type: number, protocol: number) => number>(
      'int socket(int domain, int type, int protocol)',
    ),
    send: bind<(fd: number, bytes: Uint8Array, length: number, flags: number) => number>(
      'long send(int fd, void *bytes, size_t length, int flags)',
    ),
    recv: bind<(fd: number, bytes: Uint8Array, length: number, flags: number) => number>(
      'long recv(int fd, void *bytes, size_t length, int flags)',
    ),
    vsnprintf: bind<(bytes: Uint8Array, length: number, format: Pointer, parameters: Pointer) => number>(
      'int vsnprintf(void *bytes, size_t length, void *format, void *parameters)',
    ),
  };
}

function bindLibbpf() {
  let library: LibraryHandle;
  try {
    library = koffi().load('libbpf.so.1');
  } catch (cause) {
    throw new BpfError('BPF_MISSING_LIBRARY', {
      action: 'load the library libbpf.so.1',
      state: 'this machine has no libbpf.so.1',
      remedy: 'install libbpf 1.x (package libbpf1 on Debian and Ubuntu, libbpf on Fedora, Alpine and Arch)',
      cause,
    });
  }
  const bind = <F extends (...parameters: never[]) => unknown>(prototype: string): Native<F> =>
    library.func(prototype) as unknown as Native<F>;
  const batch = (name: string): Native<Batch> =>
    bind(`int ${name}(int fd, void *from, void *to, void *keys, void *values, void *count, void *options)`);
  const byName = 'void *object, const char *name';
  return {
    setPrint: bind<(callback: Pointer | null) => Pointer | null>('void *libbpf_set_print(void *callback)'),
    objectOpen: bind<(bytes: Uint8Array, length: number, options: Uint8Array) => Pointer | null>(
      'void *bpf_object__open_mem(void *bytes, size_t length, void *options)',
    ),
    objectLoad: bind<(object: Pointer) => number>('int bpf_object__load(void *object)'),
    objectClose: bind<(object: Pointer) => void>('void bpf_object__close(void *object)'),
    objectBtf: bind<(object: Pointer) => Pointer | null>('void *bpf_object__btf(void *object)'),
    objectBtfFd: bind<(object: Pointer) => number>('int bpf_object__btf_fd(void *object)'),
    findMap: bind<(object: Pointer, name: string) => Pointer | null>(
      `void *bpf_object__find_map_by_name(${byName})`,
    ),
    nextMap: bind<(object: Pointer, after: Pointer | null) => Pointer | null>(
      'void *bpf_object__next_map(void *object, void *after)',
    ),
    findProgram: bind<(object: Pointer, name: string) => Pointer | null>(
      `void *bpf_object__find_program_by_name(${byName})`,
    ),
    nextProgram: bind<(object: Pointer, after: Pointer | null) => Pointer | null>(
      'void *bpf_object__next_program(void *object, void *after)',
    ),
    btfParse: bind<(path: string, extension: null) => Pointer | null>(
      'void *btf__parse(const char *path, void *extension)',
    ),
    btfFree: bind<(btf: Pointer) => void>('void btf__free(void *btf)'),
    btfBytes: bind<(btf: Pointer, size: Uint32Array) => Pointer | null>(
      'void *btf__raw_data(void *btf, void *size)',
    ),

    programName: bind<(program: Pointer) => string>('const char *bpf_program__name(void *program)'),
    programFd: bind<(program: Pointer) => number>('int bpf_program__fd(void *program)'),
    programSetAutoload: bind<(program: Pointer, on: boolean) => number>(
      'int bpf_program__set_autoload(void *program, bool on)',
    ),
    programSetType: bind<(program: Pointer, type: number) => number>(
      'int bpf_program__set_type(void *program, int type)',
    ),
    programSetAttachType: bind<(program: Pointer, type: number) => number>(
      'int bpf_program__set_expected_attach_type(void *program, int type)',
    ),

    mapName: bind<(map: Pointer) => string>('const char *bpf_map__name(void *map)'),
    mapFd: bind<(map: Pointer) => number>('int bpf_map__fd(void *map)'),
    mapType: bind<(map: Pointer) => number>('int bpf_map__type(void *map)'),
    mapKeySize: bind<(map: Pointer) => number>('uint32_t bpf_map__key_size(void *map)'),
    mapValueSize: bind<(map: Pointer) => number>('uint32_t bpf_map__value_size(void *map)'),
    mapMaxEntries: bind<(map: Pointer) => number>('uint32_t bpf_map__max_entries(void *map)'),
    mapFlags: bind<(map: Pointer) => number>('uint32_t bpf_map__map_flags(void *map)'),
    mapKeyType: bind<(map: Pointer) => number>('uint32_t bpf_map__btf_key_type_id(void *map)'),
    mapValueType: bind<(map: Pointer) => number>('uint32_t bpf_map__btf_value_type_id(void *map)'),
    mapInner: bind<(map: Pointer) => Pointer | null>('void *bpf_map__inner_map(void *map)'),
    mapSetMaxEntries: bind<(map: Pointer, count: number) => number>(
      'int bpf_map__set_max_entries(void *map, uint32_t count)',
    ),
    mapSetAutocreate: bind<(map: Pointer, on: boolean) => number>(
      'int bpf_map__set_autocreate(void *map, bool on)',
    ),
    mapReuseFd: bind<(map: Pointer, fd: number) => number>('int bpf_map__reuse_fd(void *map, int fd)'),
    mapInitialValue: bind<(map: Pointer, size: BigUint64Array) => Pointer | null>(
      'void *bpf_map__initial_value(void *map, void *size)',
    ),

    create: bind<
      (
        type: number,
        name: string | null,
        keySize: number,
        valueSize: number,
        maxEntries: number,
        options: Uint8Array,
      ) => number
    >(
      'int bpf_map_create(int type, const char *name, uint32_t keySize, uint32_t valueSize, uint32_t maxEntries, void *options)',
    ),
    lookup: bind<(fd: number, key: Bytes, value: Uint8Array, flags: number) => number>(
      'int bpf_map_lookup_elem_flags(int fd, void *key, void *value, uint64_t flags)',
    ),
    lookupAndDelete: bind<(fd: number, key: Bytes, value: Uint8Array, flags: number) => number>(
      'int bpf_map_lookup_and_delete_elem_flags(int fd, void *key, void *value, uint64_t flags)',
    ),
    update: bind<(fd: number, key: Bytes, value: Uint8Array, flags: number) => number>(
      'int bpf_map_update_elem(int fd, void *key, void *value, uint64_t flags)',
    ),
    delete: bind<(fd: number, key: Uint8Array) => number>('int bpf_map_delete_elem(int fd, void *key)'),
    nextKey: bind<(fd: number, after: Bytes, key: Uint8Array) => number>(
      'int bpf_map_get_next_key(int fd, void *after, void *key)',
    ),
    lookupBatch: batch('bpf_map_lookup_batch'),
    lookupAndDeleteBatch: batch('bpf_map_lookup_and_delete_batch'),
    updateBatch: bind<
      (fd: number, keys: Uint8Array, values: Uint8Array, count: Uint32Array, options: null) => number
    >('int bpf_map_update_batch(int fd, void *keys, void *values, void *count, void *options)'),
    deleteBatch: bind<(fd: number, keys: Uint8Array, count: Uint32Array, options: null) => number>(
      'int bpf_map_delete_batch(int fd, void *keys, void *count, void *options)',
    ),
    pin: bind<(fd: number, path: string) => number>('int bpf_obj_pin(int fd, const char *path)'),
    openPin: bind<(path: string) => number>('int bpf_obj_get(const char *path)'),

    programFdById: bind<(id: number) => number>('int bpf_prog_get_fd_by_id(uint32_t id)'),
    btfFdById: bind<(id: number) => number>('int bpf_btf_get_fd_by_id(uint32_t id)'),
    describe: bind<(fd: number, bytes: Uint8Array, length: Uint32Array) => number>(
      'int bpf_obj_get_info_by_fd(int fd, void *bytes, void *length)',
    ),
    testRun: bind<(fd: number, options: Uint8Array) => number>(
      'int bpf_prog_test_run_opts(int fd, void *options)',
    ),

    tcHookCreate: bind<(hook: Uint8Array) => number>('int bpf_tc_hook_create(void *hook)'),
    tcHookDestroy: bind<(hook: Uint8Array) => number>('int bpf_tc_hook_destroy(void *hook)'),
    tcAttach: bind<(hook: Uint8Array, filter: Uint8Array) => number>(
      'int bpf_tc_attach(void *hook, void *filter)',
    ),
    tcDetach: bind<(hook: Uint8Array, filter: Uint8Array) => number>(
      'int bpf_tc_detach(void *hook, void *filter)',
    ),
    tcQuery: bind<(hook: Uint8Array, filter: Uint8Array) => number>(
      'int bpf_tc_query(void *hook, void *filter)',
    ),
  };
}

/** errno of the last libc call, or of a libbpf function that returned a null pointer. */
export function lastErrno(): number {
  return koffi().errno();
}

/** The address of a buffer of ours, to be put into a struct; the caller keeps the buffer alive while C uses it. */
export function addressOf(bytes: Uint8Array): Pointer {
  return koffi().address(bytes);
}

/** Foreign memory as an ArrayBuffer, without a copy. Made once per memory: a view costs about a microsecond. */
export function viewMemory(at: Pointer, length: number): ArrayBuffer {
  return koffi().view(at, length);
}

/**
 * Runs a native function on a thread of the pool. The buffers among its parameters stay referenced until it has returned:
 * koffi does not do that itself.
 */
export function runOnPool(
  native: { async: (...parameters: unknown[]) => void },
  parameters: readonly unknown[],
): Promise<number> {
  return new Promise((resolve, reject) => {
    native.async(...parameters, (failure: Error | null, result: number) => {
      void parameters;
      if (failure) reject(failure);
      else resolve(result);
    });
  });
}

const BPF_SYSCALL: Readonly<Record<string, number>> = {
  x64: 321,
  arm64: 280,
  riscv64: 280,
  loong64: 280,
  s390x: 351,
  ppc64: 361,
};

/** bpf(2) itself, for commands that libbpf 1.1 has no function for. Returns its result or a negative errno. */
export function bpf(command: number, attr: Uint8Array): number {
  const nr = BPF_SYSCALL[process.arch];
  if (nr === undefined) throw new RangeError(`the number of bpf(2) on ${process.arch} is not known here`);
  const result = Number(libc().syscall(nr, command, attr, attr.byteLength));
  return result === -1 ? -lastErrno() : result;
}

/** Wakes a function whenever a descriptor is readable. The handle must stay referenced, or polling silently stops. */
export function pollReadable(fd: number, wake: () => void): { close(): void; ref(): void; unref(): void } {
  return koffi().node.poll(fd, { readable: true }, wake);
}

/** Makes a C function pointer of libbpf's print callback: (level, format, va_list). Kept for the life of the thread. */
export function printCallback(
  print: (level: number, format: Pointer, parameters: Pointer) => number,
): Pointer {
  const prototype = koffi().proto('int print(int level, void *format, void *parameters)');
  return koffi().register(print, koffi().pointer(prototype));
}
