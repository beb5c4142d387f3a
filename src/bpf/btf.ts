/**
 * BTF, the type information of BPF objects and of the kernel, read from its raw bytes.
 * Source: Documentation/bpf/btf.rst and include/uapi/linux/btf.h of Linux.
 */

const MAGIC = 0xeb9f;

const KINDS = [
  'void',
  'int',
  'pointer',
  'array',
  'struct',
  'union',
  'enum',
  'forward',
  'typedef',
  'volatile',
  'const',
  'restrict',
  'function',
  'prototype',
  'variable',
  'section',
  'float',
  'declTag',
  'typeTag',
  'enum64',
] as const;

/** The kind of a BTF type; `enum` covers BTF_KIND_ENUM64 as well. */
export type BtfKind = Exclude<(typeof KINDS)[number], 'enum64'>;

/** A member of a struct or union. `bitSize` is 0 unless it is a bit-field. Offsets are in bits, as BTF has them. */
export type BtfMember = {
  readonly name: string;
  readonly type: number;
  readonly bitOffset: number;
  readonly bitSize: number;
};

/** A variable of a data section: byte offset and size within it. */
export type BtfSectionEntry = { readonly variable: number; readonly offset: number; readonly size: number };

/** One type. Which fields are filled follows from `kind`. */
export type BtfType = {
  readonly id: number;
  readonly kind: BtfKind;
  /** Empty for an anonymous type. */
  readonly name: string;
  /** Size in bytes of int, enum, struct, union, float and section; 0 for others (see `Btf.sizeOf`). */
  readonly size: number;
  /** What a pointer, array (its element), typedef, qualifier, variable or function refers to. */
  readonly target: number;
  /** Number of elements of an array. */
  readonly count: number;
  readonly signed: boolean;
  readonly members: readonly BtfMember[];
  readonly values: readonly { readonly name: string; readonly value: bigint }[];
  readonly entries: readonly BtfSectionEntry[];
};

/** A set of BTF types, numbered as in the file; type 0 is void. */
export class Btf {
  readonly types: readonly BtfType[];

  private constructor(types: readonly BtfType[]) {
    this.types = types;
  }

  /** Parses raw BTF of this machine's byte order. @throws RangeError when the bytes are not that. */
  static parse(bytes: Uint8Array): Btf {
    return new Btf(new Parser(bytes).types());
  }

  /** A type by number. @throws RangeError for a number that is not in this set. */
  type(id: number): BtfType {
    const type = this.types[id];
    if (type === undefined) throw new RangeError(`this BTF has no type ${id}`);
    return type;
  }

  /** The type behind typedefs, qualifiers and tags. */
  resolve(id: number): BtfType {
    let type = this.type(id);
    while (TRANSPARENT.has(type.kind)) type = this.type(type.target);
    return type;
  }

  /** The first type of this kind and name. */
  find(kind: BtfKind, name: string): BtfType | undefined {
    return this.types.find((type) => type.kind === kind && type.name === name);
  }

  /** Size of a type in bytes: of the whole array, of a pointer as BPF has it (8). */
  sizeOf(id: number): number {
    const type = this.resolve(id);
    if (type.kind === 'array') return type.count * this.sizeOf(type.target);
    if (type.kind === 'pointer') return 8;
    if (type.kind === 'variable') return this.sizeOf(type.target);
    return type.size;
  }
}

const TRANSPARENT: ReadonlySet<BtfKind> = new Set(['typedef', 'volatile', 'const', 'restrict', 'typeTag']);

/** Fields that most kinds leave empty. */
const EMPTY = { size: 0, target: 0, count: 0, signed: false, members: [], values: [], entries: [] } as const;

class Parser {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #typesEnd: number;
  readonly #stringsStart: number;
  #at: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.byteLength < 24 || this.#view.getUint16(0, true) !== MAGIC)
      throw new RangeError('these bytes are not BTF');
    const header = this.#view.getUint32(4, true);
    this.#at = header + this.#view.getUint32(8, true);
    this.#typesEnd = this.#at + this.#view.getUint32(12, true);
    this.#stringsStart = header + this.#view.getUint32(16, true);
  }

  types(): readonly BtfType[] {
    const types: BtfType[] = [{ ...EMPTY, id: 0, kind: 'void', name: 'void' }];
    while (this.#at < this.#typesEnd) types.push(this.#type(types.length));
    return types;
  }

  #type(id: number): BtfType {
    const name = this.#string(this.#u32());
    const word = this.#u32();
    const sizeOrType = this.#u32();
    const length = word & 0xffff;
    const flag = word >>> 31 === 1;
    const rawKind = KINDS[(word >>> 24) & 0x1f];
    if (rawKind === undefined) throw new RangeError(`BTF type ${id} is of an unknown kind`);
    const kind = rawKind === 'enum64' ? 'enum' : rawKind;
    const common = { ...EMPTY, id, kind, name };
    switch (rawKind) {
      case 'int': {
        const encoding = this.#u32();
        return { ...common, size: sizeOrType, signed: ((encoding >>> 24) & 1) === 1 };
      }
      case 'array': {
        const target = this.#u32();
        this.#u32(); // The type of the index.
        return { ...common, target, count: this.#u32() };
      }
      case 'struct':
      case 'union':
        return { ...common, size: sizeOrType, members: this.#repeat(length, () => this.#member(flag)) };
      case 'enum':
        return {
          ...common,
          size: sizeOrType,
          signed: flag,
          values: this.#repeat(length, () => this.#value(flag)),
        };
      case 'enum64':
        return {
          ...common,
          size: sizeOrType,
          signed: flag,
          values: this.#repeat(length, () => this.#value64(flag)),
        };
      case 'section':
        return { ...common, size: sizeOrType, entries: this.#repeat(length, () => this.#entry()) };
      case 'float':
        return { ...common, size: sizeOrType };
      case 'prototype':
        this.#at += length * 8;
        return { ...common, target: sizeOrType };
      case 'variable':
      case 'declTag':
        this.#at += 4;
        return { ...common, target: sizeOrType };
      default:
        return { ...common, target: sizeOrType };
    }
  }

  #member(flag: boolean): BtfMember {
    const name = this.#string(this.#u32());
    const type = this.#u32();
    const offset = this.#u32();
    // With the struct's flag, the upper byte of an offset is the size of a bit-field.
    return { name, type, bitOffset: flag ? offset & 0xff_ffff : offset, bitSize: flag ? offset >>> 24 : 0 };
  }

  #value(signed: boolean): { name: string; value: bigint } {
    const name = this.#string(this.#u32());
    const value = this.#u32();
    return { name, value: BigInt(signed ? value | 0 : value) };
  }

  #value64(signed: boolean): { name: string; value: bigint } {
    const name = this.#string(this.#u32());
    const low = BigInt(this.#u32());
    const value = (BigInt(this.#u32()) << 32n) | low;
    return { name, value: signed ? BigInt.asIntN(64, value) : value };
  }

  #entry(): BtfSectionEntry {
    return { variable: this.#u32(), offset: this.#u32(), size: this.#u32() };
  }

  #repeat<T>(count: number, read: () => T): readonly T[] {
    return Array.from({ length: count }, read);
  }

  #u32(): number {
    const value = this.#view.getUint32(this.#at, true);
    this.#at += 4;
    return value;
  }

  #string(offset: number): string {
    const start = this.#stringsStart + offset;
    return Buffer.from(this.#bytes.subarray(start, this.#bytes.indexOf(0, start))).toString('utf8');
  }
}
