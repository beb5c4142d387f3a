/** A BPF object file: opened, configured, loaded into the kernel, and taken out again. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Btf } from './btf.ts';
import { Constants } from './constants.ts';
import { BpfError, errnoText, kernelError } from './error.ts';
import { cString, lastErrno, libbpf, OptionStruct, type Pointer, viewMemory } from './libbpf.ts';
import { listening, loadError, reasonOf } from './log.ts';
import { BpfMap, type MapSpecification, MapType } from './map.ts';
import { BpfProgram } from './program.ts';
import { track } from './resources.ts';

/** What a map of maps says about the maps that go into it. */
type InnerSpecification = Omit<MapSpecification, 'btf' | 'innerMapFd' | 'name'> & {
  keyType: number;
  valueType: number;
};

/**
 * The lifetime of an object file: open it, set constants and sizes, `load`, then use its maps and programs. Disposing unloads
 * all that no attachment and no pin holds; its `BpfMap` and `BpfProgram` throw from then on.
 */
export class BpfObject implements Disposable {
  readonly name: string;
  /** The object's own types. */
  readonly btf: Btf;
  readonly #handle: Pointer;
  readonly #constants: Constants;
  readonly #inner: ReadonlyMap<string, InnerSpecification>;
  readonly #maps = new Map<string, BpfMap>();
  readonly #programs = new Map<string, BpfProgram>();
  readonly #untrack: () => boolean;
  #state: 'open' | 'loaded' | 'closed' = 'open';

  private constructor(name: string, handle: Pointer, btf: Btf) {
    this.name = name;
    this.#handle = handle;
    this.#untrack = track(`object ${name}`);
    this.btf = btf;
    this.#constants = new Constants(this.btf, (section) => this.#initialValue(section));
    this.#inner = new Map(this.#mapHandles().flatMap(([outer, map]) => innerSpecification(outer, map)));
  }

  /** Opens an object file; its name (for map names and messages) is the file's up to the first dot unless given. */
  static openFile(path: string, options: { name?: string } = {}): BpfObject {
    const name = options.name ?? basename(path).split('.')[0]!;
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(path);
    } catch (cause) {
      const state = `the file cannot be read (${(cause as NodeJS.ErrnoException).code})`;
      throw new BpfError('BPF_OBJECT', { action: `open the BPF object ${path}`, state, cause });
    }
    return BpfObject.openBytes(bytes, { name });
  }

  /** Opens an object from memory, e.g. one that a bundle carries. @throws BpfError `BPF_OBJECT`. */
  static openBytes(bytes: Uint8Array, options: { name: string }): BpfObject {
    const openOptions = new OptionStruct('open', { object_name: cString(options.name) });
    const { result: handle, words } = listening(() =>
      libbpf().objectOpen(bytes, bytes.byteLength, openOptions.bytes),
    );
    if (handle === null) {
      const errno = lastErrno();
      const state = `${errnoText(errno)}${words && `: ${reasonOf(words)}`}`;
      throw new BpfError('BPF_OBJECT', { action: `open the BPF object ${options.name}`, state, errno });
    }
    try {
      return new BpfObject(options.name, handle, btfOf(libbpf().objectBtf(handle), options.name));
    } catch (failure) {
      libbpf().objectClose(handle);
      throw failure;
    }
  }

  /** The descriptor of its types in the kernel, valid until the object is disposed; negative when it has none. */
  get btfFd(): number {
    this.#demand('loaded');
    return libbpf().objectBtfFd(this.#handle);
  }

  get mapNames(): readonly string[] {
    return this.#mapHandles().map(([name]) => name);
  }

  get programNames(): readonly string[] {
    return this.#programHandles().map(([name]) => name);
  }

  /** The bytes of a read-only data section, to be written before `load`, which detaches them. Prefer `setConstant`. */
  rodata(section = '.rodata'): Uint8Array {
    this.#demand('open');
    return this.#constants.section(section);
  }

  /**
   * Sets a `const volatile` variable before `load`; the verifier then removes the code that it switches off.
   *
   * A number, bigint or boolean for a scalar; a typed array of the element's width for an array (shorter is filled up with
   * zeros); a Uint8Array of the exact size for a struct. @throws RangeError for an unknown variable or a value that does not fit.
   */
  setConstant(variable: string, value: number | bigint | boolean | ArrayBufferView): void {
    this.#demand('open');
    this.#constants.set(variable, value);
  }

  /** Names of all variables that `setConstant` knows. */
  get constantNames(): readonly string[] {
    return this.#constants.names;
  }

  /** Where a global variable lies: its section (a map of this name), byte offset and size there; see `BpfMap.mmap`. */
  locate(variable: string): { readonly section: string; readonly offset: number; readonly size: number } {
    for (const section of this.btf.types.filter((type) => type.kind === 'section')) {
      const entry = section.entries.find((candidate) => this.btf.type(candidate.variable).name === variable);
      if (entry !== undefined) return { section: section.name, offset: entry.offset, size: entry.size };
    }
    throw new RangeError(`object ${this.name} has no variable ${variable}`);
  }

  /** Sizes a map before `load`. Of a map of maps this is the number of inner maps. */
  setMaxEntries(map: string, count: number): void {
    this.#demand('open');
    this.#configure(
      libbpf().mapSetMaxEntries(this.#mapHandle(map), count),
      `set the size of map ${map} to ${count}`,
    );
  }

  /** Says whether `load` makes this map at all (default: yes). No loaded program may use a map that is not made. */
  setAutocreate(map: string, on: boolean): void {
    this.#demand('open');
    this.#configure(
      libbpf().mapSetAutocreate(this.#mapHandle(map), on),
      `switch map ${map} ${on ? 'on' : 'off'}`,
    );
  }

  /** Uses an existing map, e.g. a pinned one, in place of a new one. Its type and sizes must be the same. */
  reuseMap(map: string, existing: BpfMap): void {
    this.#demand('open');
    this.#configure(libbpf().mapReuseFd(this.#mapHandle(map), existing.fd), `use an existing map as ${map}`);
  }

  /** Says whether `load` loads this program (default: yes). */
  setAutoload(program: string, on: boolean): void {
    this.#demand('open');
    this.#configure(
      libbpf().programSetAutoload(this.#programHandle(program), on),
      `switch program ${program} ${on ? 'on' : 'off'}`,
    );
  }

  /** Sets what the section name does not tell: the type (`ProgramType`) and, when it has one, the expected attach type. */
  setProgramType(program: string, type: number, expectedAttachType?: number): void {
    this.#demand('open');
    const handle = this.#programHandle(program);
    this.#configure(libbpf().programSetType(handle, type), `set the type of program ${program}`);
    if (expectedAttachType === undefined) return;
    this.#configure(
      libbpf().programSetAttachType(handle, expectedAttachType),
      `set the attach type of program ${program}`,
    );
  }

  /** Loads maps and programs into the kernel. @throws BpfError `BPF_LOAD` with the verifier's log, or `BPF_PERMISSION`. */
  load(): void {
    this.#demand('open');
    this.#constants.seal();
    const { result, words } = listening(() => libbpf().objectLoad(this.#handle));
    if (result < 0) {
      this[Symbol.dispose]();
      throw loadError(this.name, result, words);
    }
    this.#state = 'loaded';
  }

  /** A map of the loaded object, by its full name (`.bss` and the like included). @throws RangeError when there is none. */
  map(name: string): BpfMap {
    this.#demand('loaded');
    const known = this.#maps.get(name);
    if (known !== undefined) return known;
    const fd = libbpf().mapFd(this.#mapHandle(name));
    if (fd < 0) throw new RangeError(`map ${name} of object ${this.name} was not made (it is switched off)`);
    const map = BpfMap.borrow(fd, name);
    this.#maps.set(name, map);
    return map;
  }

  /** A program of the loaded object. @throws RangeError when there is none, or it was not loaded. */
  program(name: string): BpfProgram {
    this.#demand('loaded');
    const known = this.#programs.get(name);
    if (known !== undefined) return known;
    const fd = libbpf().programFd(this.#programHandle(name));
    if (fd < 0)
      throw new RangeError(`program ${name} of object ${this.name} was not loaded (it is switched off)`);
    const program = new BpfProgram(name, () => {
      this.#demand('loaded');
      return fd;
    });
    this.#programs.set(name, program);
    return program;
  }

  /**
   * Creates a map that fits into a map of maps of this object: same type, sizes, flags and BTF types as its declaration says,
   * though `maxEntries` may differ for hash maps. It belongs to the caller.
   */
  createInner(outer: string, options: { name?: string; maxEntries?: number } = {}): BpfMap {
    this.#demand('loaded');
    const specification = this.#inner.get(outer);
    if (specification === undefined)
      throw new RangeError(`${outer} is not a map of maps of object ${this.name}`);
    const { keyType, valueType, ...rest } = specification;
    const fd = this.btfFd;
    return BpfMap.create({
      ...rest,
      name: options.name ?? outer,
      maxEntries: options.maxEntries ?? specification.maxEntries,
      ...(fd >= 0 && keyType > 0 && valueType > 0 && { btf: { fd, keyType, valueType } }),
    });
  }

  [Symbol.dispose](): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#constants.seal();
    for (const map of this.#maps.values()) map[Symbol.dispose]();
    libbpf().objectClose(this.#handle);
    this.#untrack();
  }

  #demand(state: 'open' | 'loaded'): void {
    if (this.#state === state) return;
    const wanted =
      state === 'open' ? 'this is possible only before load()' : 'this is possible only after load()';
    throw new TypeError(`object ${this.name} is ${this.#state}; ${wanted}`);
  }

  #configure(result: number, action: string): void {
    if (result < 0) throw kernelError('BPF_OBJECT', result, { action: `${action} in object ${this.name}` });
  }

  #initialValue(section: string): ArrayBuffer | undefined {
    const map = libbpf().findMap(this.#handle, section);
    if (map === null) return undefined;
    const size = new BigUint64Array(1);
    const at = libbpf().mapInitialValue(map, size);
    return at === null ? undefined : viewMemory(at, Number(size[0]));
  }

  #mapHandle(name: string): Pointer {
    const handle = libbpf().findMap(this.#handle, name);
    if (handle === null)
      throw new RangeError(`object ${this.name} has no map ${name}; it has ${this.mapNames.join(', ')}`);
    return handle;
  }

  #programHandle(name: string): Pointer {
    const handle = libbpf().findProgram(this.#handle, name);
    if (handle === null) {
      throw new RangeError(
        `object ${this.name} has no program ${name}; it has ${this.programNames.join(', ')}`,
      );
    }
    return handle;
  }

  #mapHandles(): readonly (readonly [string, Pointer])[] {
    const { nextMap, mapName } = libbpf();
    return [...chain((after) => nextMap(this.#handle, after))].map((map) => [mapName(map), map]);
  }

  #programHandles(): readonly (readonly [string, Pointer])[] {
    const { nextProgram, programName } = libbpf();
    return [...chain((after) => nextProgram(this.#handle, after))].map((program) => [
      programName(program),
      program,
    ]);
  }
}

/** The BTF of an object file or of raw BTF, without loading anything; needs no privilege. @throws BpfError `BPF_OBJECT`. */
export function readBtf(path: string): Btf {
  const { result: handle, words } = listening(() => libbpf().btfParse(path, null));
  if (handle === null) {
    const errno = lastErrno();
    const state = `${errnoText(errno)}${words && `: ${reasonOf(words)}`}`;
    throw new BpfError('BPF_OBJECT', {
      action: `read the BTF of ${path}`,
      state,
      errno,
      remedy: 'compile it with -g',
    });
  }
  try {
    return btfOf(handle, path);
  } finally {
    libbpf().btfFree(handle);
  }
}

function btfOf(handle: Pointer | null, name: string): Btf {
  const size = new Uint32Array(1);
  const at = handle === null ? null : libbpf().btfBytes(handle, size);
  if (at === null) {
    throw new BpfError('BPF_OBJECT', {
      action: `read the types of the BPF object ${name}`,
      state: 'it has no BTF',
      remedy: 'compile it with -g',
    });
  }
  return Btf.parse(new Uint8Array(viewMemory(at, size[0]!)));
}

/** libbpf frees this declaration when the object is loaded, so it is read before. */
function innerSpecification(outer: string, map: Pointer): [string, InnerSpecification][] {
  const native = libbpf();
  const type = native.mapType(map);
  if (type !== MapType.ARRAY_OF_MAPS && type !== MapType.HASH_OF_MAPS) return [];
  const inner = native.mapInner(map);
  if (inner === null) return [];
  const specification = {
    type: native.mapType(inner),
    keySize: native.mapKeySize(inner),
    valueSize: native.mapValueSize(inner),
    maxEntries: native.mapMaxEntries(inner),
    flags: native.mapFlags(inner),
    keyType: native.mapKeyType(inner),
    valueType: native.mapValueType(inner),
  };
  return [[outer, specification]];
}

function* chain(next: (after: Pointer | null) => Pointer | null): Generator<Pointer, void> {
  for (let at = next(null); at !== null; at = next(at)) yield at;
}
