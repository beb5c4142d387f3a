/** The WebAssembly module of bpf/replay.wasm.c: its functions, and views of the memory it shares. */
import { readFileSync } from 'node:fs';
import type { MeasurementName, MeasureOptions } from '../flow/index.ts';
import { biflowSettings, FlowCounters, measuredBits, sequenceSettings, WideKey } from '../record/index.ts';

/** The part of the JavaScript API that is used: the types of Node leave it to those of browsers. */
declare const WebAssembly: {
  readonly Module: new (octets: Uint8Array) => WebAssemblyModule;
  readonly Instance: new (module: WebAssemblyModule) => { readonly exports: object };
};
type WebAssemblyModule = object;

/** Path of the module. */
const MODULE = new URL('../../bpf/replay.wasm', import.meta.url);

/** As in replay.wasm.c. */
const BATCH_PACKETS = 4_096;
const PORTS = 65_536;
const KEY_WORDS = WideKey.size >> 3;
const MOST_CHUNKS = 5_120;
const MOST_BIFLOW_CHUNKS = 256;
/** Where in `settings` the hash's factors stand, and behind them struct followed_settings. In octets. */
const FACTORS_AT = 16;
const FOLLOWED_AT = FACTORS_AT + WideKey.size;

/** Rows of a chunk, and their layout in octets: key, counters, two times as 64-bit floats. */
export const CHUNK_ROWS = 4_096;
export const ROW = {
  counters: WideKey.size,
  times: WideKey.size + FlowCounters.size,
  size: WideKey.size + FlowCounters.size + 16,
} as const;
/** struct line: point, reason, level, then two 64-bit counters. In octets. */
export const LINE = { point: 0, reason: 4, level: 6, packets: 8, octets: 16, size: 24 } as const;

/** What the module exports: functions, and addresses of what it shares. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  reserve_octets(octets: number): number;
  run(first: number, count: number, untilMs: number): number;
  parse_one(captured: number, original: number, linkType: number): number;
  clear(): void;
  give_back(row: number): void;
}

/** Words of `state`. */
const STATE = { rows: 0, lines: 1, linesPlace: 2, octetsPlace: 3, interfaceBase: 10 } as const;
/** Time of the latest packet that had one, nanoseconds since 1970; in octets. */
const NOW_AT = 48;
/** Words of `followed`. */
const FOLLOWED = { rows: 0, unmeasured: 1, isWaiting: 2, patience: 3, words: 5 } as const;
/** Its times, as 64-bit floats from its beginning. */
const STATE_TIMES = { firstMs: 2, lastMs: 3 } as const;

type Shared =
  | 'offsets'
  | 'captured_lengths'
  | 'original_lengths'
  | 'seconds'
  | 'nanoseconds'
  | 'interfaces'
  | 'link_types'
  | 'tunnel_ports'
  | 'settings'
  | 'state'
  | 'chunks'
  | 'single'
  | 'followed'
  | 'biflow_chunks'
  | 'arrivals_chunks'
  | 'sequence_chunks'
  | 'tcp_chunks';

type Exported = Exports & Readonly<Record<Shared, { readonly value: number }>>;

/** Views of the memory as it is now: growing makes all of them void. */
export interface Views {
  readonly octets: Uint8Array<ArrayBuffer>;
  readonly offsets: Uint32Array<ArrayBuffer>;
  readonly capturedLengths: Uint32Array<ArrayBuffer>;
  readonly originalLengths: Uint32Array<ArrayBuffer>;
  readonly seconds: Float64Array<ArrayBuffer>;
  readonly nanoseconds: Uint32Array<ArrayBuffer>;
  readonly interfaces: Uint16Array<ArrayBuffer>;
  readonly linkTypes: Uint16Array<ArrayBuffer>;
  readonly ports: Uint8Array<ArrayBuffer>;
  readonly state: Uint32Array<ArrayBuffer>;
  readonly times: Float64Array<ArrayBuffer>;
  readonly chunks: Uint32Array<ArrayBuffer>;
}

/** The settings of an instance, fixed at its beginning. */
export interface Settings {
  readonly nvgre: boolean;
  readonly mostRows: number;
  readonly attributeFragments: boolean;
  readonly measure: MeasureOptions;
}

let compiled: WebAssemblyModule | undefined;

/** One instance with memory of its own. */
export class ReplayModule {
  readonly #exports: Exported;
  #views: Views;

  constructor({ nvgre, mostRows, attributeFragments, measure }: Settings) {
    compiled ??= new WebAssembly.Module(readFileSync(MODULE));
    this.#exports = new WebAssembly.Instance(compiled).exports as Exported;
    this.#views = this.#makeViews();
    const { buffer } = this.#exports.memory;
    const words = new Uint32Array(buffer, this.#place('settings'), 3);
    words[0] = nvgre ? 1 : 0;
    words[1] = mostRows;
    words[2] = attributeFragments ? 1 : 0;
    const factors = new BigUint64Array(buffer, this.#place('settings') + FACTORS_AT, KEY_WORDS);
    crypto.getRandomValues(factors);
    for (const [i, factor] of factors.entries()) factors[i] = factor | 1n;
    const followed = new Uint32Array(buffer, this.#place('settings') + FOLLOWED_AT, 2);
    followed[0] = measuredBits(measure);
    followed[1] = measure.capacity;
    let at = this.#place('settings') + FOLLOWED_AT + followed.byteLength;
    for (const part of [biflowSettings(measure), sequenceSettings(measure)]) {
      new Uint8Array(buffer, at, part.length).set(part);
      at += part.length;
    }
    this.#exports.clear();
  }

  /** Views of the memory, good until the next call. */
  get views(): Views {
    if (this.#views.octets.buffer !== this.#exports.memory.buffer) this.#views = this.#makeViews();
    return this.#views;
  }

  get rows(): number {
    return this.views.state[STATE.rows]!;
  }

  get lines(): { readonly count: number; readonly at: number } {
    return { count: this.views.state[STATE.lines]!, at: this.views.state[STATE.linesPlace]! };
  }

  /** Rows of biflows that were ever taken; those that are free again are zeros. */
  get biflowRows(): number {
    return this.#followed[FOLLOWED.rows]!;
  }

  /** Packets that found no row among the biflows since this was asked last. */
  takeUnmeasured(): number {
    const words = this.#followed;
    const packets = words[FOLLOWED.unmeasured]!;
    words[FOLLOWED.unmeasured] = 0;
    return packets;
  }

  /** Whether {@link run} ended before a packet that needs a row of a biflow, because none is free. */
  get isWaiting(): boolean {
    return this.#followed[FOLLOWED.isWaiting] !== 0;
  }

  /** How many connections must end, or packets go without a row, before one waits again. */
  set patience(count: number) {
    this.#followed[FOLLOWED.patience] = count;
  }

  /** Time of the latest packet that had one, nanoseconds since 1970. */
  get nowNs(): bigint {
    return new DataView(this.#exports.memory.buffer, this.#place('state')).getBigUint64(NOW_AT, true);
  }

  /** Makes a row of a biflow free: it is zeros, and out of the index. */
  giveBack(row: number): void {
    this.#exports.give_back(row);
  }

  /** Addresses of the chunks of biflows, or of what is measured of them. */
  biflowChunks(part: 'biflow' | MeasurementName): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#exports.memory.buffer, this.#place(`${part}_chunks`), MOST_BIFLOW_CHUNKS);
  }

  /** Earliest and latest time since the last {@link clear}, milliseconds; infinite where there was none. */
  get times(): { readonly firstMs: number; readonly lastMs: number } {
    const { times } = this.views;
    return { firstMs: times[STATE_TIMES.firstMs]!, lastMs: times[STATE_TIMES.lastMs]! };
  }

  /** The struct packet that {@link parseOne} filled, to its memory's end. */
  get single(): Uint8Array<ArrayBuffer> {
    return this.views.octets.subarray(this.#place('single'));
  }

  set interfaceBase(base: number) {
    this.views.state[STATE.interfaceBase] = base;
  }

  /** Copies octets to where the next call reads them. @throws RangeError when memory is full */
  copyOctets(octets: Uint8Array): void {
    const room = 2 ** Math.ceil(Math.log2(Math.max(octets.length, 2 ** 16)));
    const place = this.#exports.reserve_octets(room);
    if (place === 0) throw new RangeError(`no memory is left for a batch of ${octets.length} octets`);
    this.views.octets.set(octets, place);
  }

  run(first: number, count: number, untilMs: number): number {
    return this.#exports.run(first, count, untilMs);
  }

  parseOne(captured: number, original: number, linkType: number): number {
    return this.#exports.parse_one(captured, original, linkType);
  }

  clear(): void {
    this.#exports.clear();
  }

  get #followed(): Uint32Array {
    return new Uint32Array(this.#exports.memory.buffer, this.#place('followed'), FOLLOWED.words);
  }

  #place(name: Shared): number {
    return this.#exports[name].value;
  }

  #makeViews(): Views {
    const buffer = this.#exports.memory.buffer;
    const at = (name: Shared): number => this.#place(name);
    return {
      octets: new Uint8Array(buffer),
      offsets: new Uint32Array(buffer, at('offsets'), BATCH_PACKETS),
      capturedLengths: new Uint32Array(buffer, at('captured_lengths'), BATCH_PACKETS),
      originalLengths: new Uint32Array(buffer, at('original_lengths'), BATCH_PACKETS),
      seconds: new Float64Array(buffer, at('seconds'), BATCH_PACKETS),
      nanoseconds: new Uint32Array(buffer, at('nanoseconds'), BATCH_PACKETS),
      interfaces: new Uint16Array(buffer, at('interfaces'), BATCH_PACKETS),
      linkTypes: new Uint16Array(buffer, at('link_types'), BATCH_PACKETS),
      ports: new Uint8Array(buffer, at('tunnel_ports'), PORTS),
      state: new Uint32Array(buffer, at('state'), 12),
      times: new Float64Array(buffer, at('state'), 5),
      chunks: new Uint32Array(buffer, at('chunks'), MOST_CHUNKS),
    };
  }
}
