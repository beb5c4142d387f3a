/** Where the members of a C struct lie, taken from BTF, and the check that a loaded map has the layout we were built for. */
import { createHash } from 'node:crypto';
import type { Btf, BtfType } from './btf.ts';
import { kernelBtf } from './describe.ts';
import { BpfError } from './error.ts';
import type { BpfMap } from './map.ts';

/**
 * A struct as TypeScript constants: all numbers in bytes, member names in camelCase, members of a nested struct as
 * `outer.inner`. `sizes` are those of one element for an array, whose length is in `counts`.
 */
export type Layout = {
  readonly size: number;
  /** sha256 over the names, offsets, sizes and types of all members, recursively. */
  readonly fingerprint: string;
  readonly offsets: Readonly<Record<string, number>>;
  readonly sizes: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<string, number>>;
};

/** The layout of a struct type. @throws RangeError for bit-fields, which have no offset in bytes. */
export function layoutOf(btf: Btf, id: number): Layout {
  const type = btf.resolve(id);
  const offsets: Record<string, number> = {};
  const sizes: Record<string, number> = {};
  const counts: Record<string, number> = {};
  for (const { path, offset, type: member } of flatten(btf, type, '', 0)) {
    const element = member.kind === 'array' ? innermost(btf, member) : member;
    offsets[path] = offset;
    sizes[path] = btf.sizeOf(element.id);
    if (member.kind === 'array') counts[path] = btf.sizeOf(member.id) / btf.sizeOf(element.id);
  }
  return { size: btf.sizeOf(type.id), fingerprint: fingerprint(btf, type.id), offsets, sizes, counts };
}

/** Names and numbers of an enum. @throws RangeError for a number that JavaScript cannot hold exactly. */
export function enumOf(btf: Btf, id: number): Readonly<Record<string, number>> {
  const entries = btf.resolve(id).values.map(({ name, value }) => {
    if (!Number.isSafeInteger(Number(value)))
      throw new RangeError(`enumerator ${name} is too big for a number`);
    return [name, Number(value)] as const;
  });
  return Object.fromEntries(entries);
}

/** sha256, in hex, of what a type looks like: equal exactly when names, offsets, sizes and types are equal, all the way down. */
export function fingerprint(btf: Btf, id: number): string {
  return createHash('sha256').update(canonical(btf, id)).digest('hex');
}

/**
 * Compares the key and value types of a map in the kernel with generated layouts. Works for pinned maps of another process too.
 * @param object whose map it is: its types are at hand then, and CAP_SYS_ADMIN is not needed to read them
 * @throws BpfError `BPF_LAYOUT` when they differ, or when the map carries no types.
 */
export function assertLayout(
  map: BpfMap,
  expected: { key?: Layout; value?: Layout },
  object?: { readonly btfFd: number },
): void {
  const { btfId, keyType, valueType } = map.description;
  if (btfId === 0) {
    throw new BpfError('BPF_LAYOUT', {
      action: `check the layout of map ${map.name}`,
      state: 'the map carries no types',
      remedy: 'declare it with __type(key, …) and __type(value, …), and compile with -g',
    });
  }
  const btf = kernelBtf(btfId, object?.btfFd);
  if (expected.key) demand(map, btf, { part: 'key', id: keyType, layout: expected.key });
  if (expected.value) demand(map, btf, { part: 'value', id: valueType, layout: expected.value });
}

function demand(map: BpfMap, btf: Btf, wanted: { part: string; id: number; layout: Layout }): void {
  const { part, id, layout } = wanted;
  const found = fingerprint(btf, id);
  if (found === layout.fingerprint) return;
  const type = btf.resolve(id);
  throw new BpfError('BPF_LAYOUT', {
    action: `use the map ${map.name}`,
    state: `its ${part}, ${type.kind} ${type.name}, has another layout (${differences(btf, type, layout)})`,
    remedy:
      'program and layouts must come from one build: rebuild the object, generate the layouts again, remove old pins',
  });
}

function differences(btf: Btf, type: BtfType, layout: Layout): string {
  if (type.kind !== 'struct' && type.kind !== 'union')
    return `it has ${btf.sizeOf(type.id)} bytes, expected ${layout.size}`;
  const found = layoutOf(btf, type.id);
  const names = [...new Set([...Object.keys(found.offsets), ...Object.keys(layout.offsets)])];
  const place = (of: Layout, name: string): string =>
    name in of.offsets
      ? `${of.offsets[name]}+${of.sizes[name]}${name in of.counts ? `×${of.counts[name]}` : ''}`
      : 'absent';
  const lines = names
    .filter((name) => place(found, name) !== place(layout, name))
    .map((name) => `${name} at ${place(found, name)}, expected ${place(layout, name)}`);
  if (found.size !== layout.size) lines.push(`size ${found.size}, expected ${layout.size}`);
  return lines.slice(0, 4).join('; ') || 'types or names of members differ';
}

type Place = { path: string; offset: number; type: BtfType };

/** All members; those of nested structs follow the nested struct itself, those of anonymous ones stand in its place. */
function* flatten(btf: Btf, type: BtfType, prefix: string, base: number): Generator<Place, void> {
  for (const member of type.members) {
    const inner = btf.resolve(member.type);
    if (member.bitSize !== 0) throw new RangeError(`${type.name}.${member.name} is a bit-field`);
    const offset = base + member.bitOffset / 8;
    const path = prefix + camelCase(member.name);
    if (member.name !== '') yield { path, offset, type: inner };
    if (inner.kind !== 'struct' && inner.kind !== 'union') continue;
    yield* flatten(btf, inner, member.name === '' ? prefix : `${path}.`, offset);
  }
}

function innermost(btf: Btf, array: BtfType): BtfType {
  const element = btf.resolve(array.target);
  return element.kind === 'array' ? innermost(btf, element) : element;
}

/** A description that does not depend on how a compiler numbers types. Pointers end it, so it is finite. */
function canonical(btf: Btf, id: number): string {
  const type = btf.resolve(id);
  switch (type.kind) {
    case 'struct':
    case 'union': {
      const members = type.members.map(
        (member) => `${member.name}@${member.bitOffset}:${member.bitSize}=${canonical(btf, member.type)}`,
      );
      return `${type.kind} ${type.name} ${type.size}{${members.join(';')}}`;
    }
    case 'array':
      return `[${type.count}]${canonical(btf, type.target)}`;
    case 'enum':
      // As unsigned bits: for kernels that know no signed enums (before 6.0) libbpf drops the sign from the BTF it loads.
      return `enum ${type.name} ${type.size}{${type.values
        .map(({ name, value }) => `${name}=${BigInt.asUintN(8 * type.size, BigInt(value))}`)
        .join(',')}}`;
    case 'int':
      return `${type.signed ? 's' : 'u'}${type.size * 8}`;
    case 'float':
      return `f${type.size * 8}`;
    default:
      return type.kind;
  }
}

/** `first_arrival_ns` as `firstArrivalNs`. */
export function camelCase(name: string): string {
  return name.replaceAll(/(?<=[^_])_+([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
