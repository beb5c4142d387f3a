/** The variables of an object's read-only sections (`const volatile` in C), set by name and type before it is loaded. */
import type { Btf, BtfType } from './btf.ts';
import { detach } from './memory.ts';

type Variable = {
  readonly section: string;
  readonly offset: number;
  readonly size: number;
  readonly type: BtfType;
};

/** What can stand for a C variable: a scalar, or an array whose elements have the width of the C array's. */
export type ConstantValue = number | bigint | boolean | ArrayBufferView;

/** The image of the .rodata sections that libbpf will hand to the kernel. */
export class Constants {
  readonly #variables: ReadonlyMap<string, Variable>;
  readonly #images = new Map<string, ArrayBuffer>();
  readonly #image: (section: string) => ArrayBuffer | undefined;
  readonly #btf: Btf;

  constructor(btf: Btf, image: (section: string) => ArrayBuffer | undefined) {
    this.#btf = btf;
    this.#image = image;
    this.#variables = new Map(variablesOf(btf));
  }

  get names(): readonly string[] {
    return [...this.#variables.keys()];
  }

  /** The bytes of a section, until `seal`. @throws RangeError when the object has no such section. */
  section(name: string): Uint8Array {
    const buffer = this.#images.get(name) ?? this.#image(name);
    if (buffer === undefined) throw new RangeError(`this object has no section ${name}`);
    this.#images.set(name, buffer);
    return new Uint8Array(buffer);
  }

  set(name: string, value: ConstantValue): void {
    const variable = this.#variables.get(name);
    if (variable === undefined) {
      throw new RangeError(`this object has no constant ${name}; it has ${this.names.join(', ') || 'none'}`);
    }
    const bytes = this.section(variable.section).subarray(variable.offset, variable.offset + variable.size);
    if (ArrayBuffer.isView(value)) this.#setArray(name, variable, bytes, value);
    else setScalar(name, variable, bytes, value);
  }

  /** Takes the images away from all views: libbpf has copied them, or will free them. */
  seal(): void {
    for (const buffer of this.#images.values()) detach(buffer);
    this.#images.clear();
  }

  #setArray(name: string, variable: Variable, bytes: Uint8Array, value: ArrayBufferView): void {
    const given = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    const { type } = variable;
    if (type.kind === 'array') {
      const wanted = this.#btf.sizeOf(type.target);
      const width = 'BYTES_PER_ELEMENT' in value ? Number(value.BYTES_PER_ELEMENT) : 1;
      const isBytes = width === 1 && given.byteLength % wanted === 0;
      if (width !== wanted && !isBytes) {
        throw new RangeError(
          `the elements of ${name} have ${wanted} bytes, those of the value have ${width}`,
        );
      }
      if (given.byteLength > bytes.byteLength) {
        throw new RangeError(
          `${name} holds ${bytes.byteLength / wanted} elements, the value has ${given.byteLength / wanted}`,
        );
      }
    } else if (given.byteLength !== bytes.byteLength) {
      throw new RangeError(`${name} has ${bytes.byteLength} bytes, the value has ${given.byteLength}`);
    }
    bytes.fill(0);
    bytes.set(given);
  }
}

function setScalar(
  name: string,
  variable: Variable,
  bytes: Uint8Array,
  value: number | bigint | boolean,
): void {
  const { type, size } = variable;
  if ((type.kind !== 'int' && type.kind !== 'enum') || size > 8) {
    throw new RangeError(`${name} is a ${type.kind} of ${size} bytes: give it as a typed array`);
  }
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new RangeError(`${value} for ${name} is not a whole number`);
  const wanted = BigInt(value);
  const kept = type.signed ? BigInt.asIntN(size * 8, wanted) : BigInt.asUintN(size * 8, wanted);
  if (kept !== wanted)
    throw new RangeError(
      `${value} does not fit ${name}, which has ${size} bytes, ${type.signed ? '' : 'un'}signed`,
    );
  for (let i = 0; i < size; i++) bytes[i] = Number((wanted >> BigInt(8 * i)) & 0xffn);
}

function* variablesOf(btf: Btf): Generator<[string, Variable], void> {
  const sections = btf.types.filter((type) => type.kind === 'section' && type.name.startsWith('.rodata'));
  for (const section of sections) {
    for (const { variable, offset, size } of section.entries) {
      const { name, target } = btf.type(variable);
      yield [name, { section: section.name, offset, size, type: btf.resolve(target) }];
    }
  }
}
