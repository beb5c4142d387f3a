/** The C of TCP and connections, in the kernel and in WebAssembly: packets in, what is kept of their biflow out. */
import { readFileSync } from 'node:fs';
import type { Workshop } from '../bench/build.ts';
import { BpfObject, type Layout, layoutOf, testRun } from '../src/bpf/index.ts';

declare const WebAssembly: {
  readonly Module: new (octets: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
};

/** struct observed, as far as a test says it; what is not said is 0. Times are whole ns. */
export interface Observed {
  readonly timeNs: number;
  readonly octets?: number;
  /** Default: 1. */
  readonly packets?: number;
  readonly payload?: number;
  readonly segment?: number;
  readonly sequence?: number;
  readonly acknowledgment?: number;
  readonly timestamp?: number;
  readonly echo?: number;
  readonly window?: number;
  readonly flags?: number;
  /** Default: TCP. */
  readonly protocol?: number;
  readonly way: 0 | 1;
  readonly parity?: 0 | 1;
  /** Default: the header is there, and timestamps where one is said. */
  readonly traits?: number;
}

export const FLAGS = { fin: 1, syn: 2, rst: 4, push: 8, ack: 16 } as const;
export const TRAITS = { header: 1, timestamps: 2, selective: 8 } as const;
const OBSERVED_OCTETS = 64;
const ETHERNET = 14;
const HEADER_ROOM = 60;

/** A packet as its struct. */
export function observedBytes(said: Observed): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(OBSERVED_OCTETS);
  const view = new DataView(bytes.buffer);
  const timestamps = said.timestamp === undefined ? 0 : TRAITS.timestamps;
  view.setBigUint64(0, BigInt(said.timeNs), true);
  view.setBigUint64(8, BigInt(said.octets ?? 0), true);
  const words = [said.packets ?? 1, said.payload, 0, said.segment ?? said.payload, 0, said.sequence];
  for (const [i, word] of [...words, said.acknowledgment, said.timestamp, said.echo].entries())
    view.setUint32(16 + 4 * i, word ?? 0, true);
  view.setUint16(52, said.window ?? 1000, true);
  view.setUint16(54, said.flags ?? FLAGS.ack, true);
  const rest = [said.protocol ?? 6, said.way, said.parity ?? 0, said.traits ?? TRAITS.header | timestamps];
  bytes.set(rest, 56);
  return bytes;
}

/** What is read of a header. */
export interface HeaderRead {
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly timestamp: number;
  readonly echo: number;
  readonly window: number;
  readonly flags: number;
  readonly traits: number;
}

function headerOf(bytes: Uint8Array): HeaderRead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, OBSERVED_OCTETS);
  const word = (at: number): number => view.getUint32(at, true);
  return {
    sequence: word(36),
    acknowledgment: word(40),
    timestamp: word(44),
    echo: word(48),
    window: view.getUint16(52, true),
    flags: view.getUint16(54, true),
    traits: bytes[59]!,
  };
}

/** One side: where packets of one biflow go, and what is kept of it. */
export interface Side {
  /** Forgets all. */
  clear(): void;
  /** Takes note of a packet. */
  note(packet: Uint8Array): void;
  /** A copy of what is kept, without the lock. */
  row(): Uint8Array;
  /** Reads a TCP header of up to 60 octets. */
  read(header: Uint8Array): HeaderRead;
}

function padded(header: Uint8Array): Uint8Array<ArrayBuffer> {
  const room = new Uint8Array(HEADER_ROOM);
  room.set(header);
  return room;
}

/** The program in the kernel. */
export class KernelSide implements Side, Disposable {
  readonly #object: BpfObject;
  readonly layouts: RowLayouts;

  private constructor(object: BpfObject) {
    this.#object = object;
    const layout = (name: string): Layout => layoutOf(object.btf, object.btf.find('struct', name)!.id);
    this.layouts = { row: layout('locked_row'), counts: layout('tcp_counts'), state: layout('tcp_state') };
  }

  static load(workshop: Workshop): KernelSide {
    const object = BpfObject.openFile(workshop.object('test/biflow.bpf.c'));
    object.load();
    return new KernelSide(object);
  }

  clear(): void {
    const rows = this.#object.map('rows');
    rows.update(new Uint8Array(4), new Uint8Array(rows.valueSize));
  }

  note(packet: Uint8Array): void {
    this.#run('note', packet);
  }

  row(): Uint8Array {
    const row = this.#object.map('rows').lookup(new Uint8Array(4))!;
    return row.fill(0, 0, 4);
  }

  read(header: Uint8Array): HeaderRead {
    this.#run('read_header', padded(header));
    return headerOf(this.#object.map('headers').lookup(new Uint8Array(4))!);
  }

  #run(name: string, content: Uint8Array): void {
    const packet = new Uint8Array(ETHERNET + content.byteLength);
    packet.set(content, ETHERNET);
    const { retval } = testRun(this.#object.program(name), { packet });
    if (retval !== 0) throw new Error(`the program ${name} returned ${retval}`);
  }

  [Symbol.dispose](): void {
    this.#object[Symbol.dispose]();
  }
}

type Exports = {
  readonly memory: { readonly buffer: ArrayBuffer };
  note(): void;
  read_header(): void;
  readonly row: { readonly value: number };
  readonly observed: { readonly value: number };
  readonly header_octets: { readonly value: number };
};

/** The same in WebAssembly. */
export class ModuleSide implements Side {
  readonly #exports: Exports;
  readonly #row: Uint8Array;
  readonly #observed: Uint8Array;
  readonly #header: Uint8Array;

  /** @param rowOctets size of what is kept, from {@link KernelSide.layouts} */
  constructor(workshop: Workshop, rowOctets: number) {
    const path = workshop.module('test/biflow.wasm.c', ['row', 'observed', 'header_octets']);
    this.#exports = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path))).exports as Exports;
    const { memory, row, observed, header_octets } = this.#exports;
    this.#row = new Uint8Array(memory.buffer, row.value, rowOctets);
    this.#observed = new Uint8Array(memory.buffer, observed.value, OBSERVED_OCTETS);
    this.#header = new Uint8Array(memory.buffer, header_octets.value, HEADER_ROOM);
  }

  clear(): void {
    this.#row.fill(0);
  }

  note(packet: Uint8Array): void {
    this.#observed.set(packet);
    this.#exports.note();
  }

  row(): Uint8Array {
    return this.#row.slice();
  }

  read(header: Uint8Array): HeaderRead {
    this.#observed.fill(0);
    this.#header.set(padded(header));
    this.#exports.read_header();
    return headerOf(this.#observed);
  }
}

/** Where members lie. */
export interface RowLayouts {
  readonly row: Layout;
  readonly counts: Layout;
  readonly state: Layout;
}

/** Reads what is kept of a biflow by the names of its members. */
export class Row {
  readonly #view: DataView;
  readonly #layouts: RowLayouts;

  constructor(bytes: Uint8Array, layouts: RowLayouts) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#layouts = layouts;
  }

  /** A member of the row; of a pair that of `way`. */
  get(name: string, way = 0): number {
    return this.#read(this.#layouts.row, name, way);
  }

  /** A member of a way's state. */
  state(way: number, name: string): number {
    const { row, state } = this.#layouts;
    return this.#read(state, name, 0, row.offsets['tcp.state']! + way * state.size);
  }

  /** A member of a way's counts in an epoch's half. */
  count(way: number, name: string, parity = 0): number {
    const { row, counts } = this.#layouts;
    return this.#read(counts, name, 0, row.offsets['tcp.counts']! + (2 * way + parity) * counts.size);
  }

  #read(layout: Layout, name: string, index: number, base = 0): number {
    const size = layout.sizes[name];
    if (size === undefined) throw new RangeError(`there is no ${name}`);
    const at = base + layout.offsets[name]! + index * size;
    if (size === 8) return Number(this.#view.getBigUint64(at, true));
    if (size === 4) return this.#view.getUint32(at, true);
    return size === 2 ? this.#view.getUint16(at, true) : this.#view.getUint8(at);
  }
}
