/**
 * What a meter leaves behind for the one after it, in a map of its own: it is user space's alone, and being a map it lives
 * and dies with the tables that it describes, however the process ends.
 *
 *     words: magic, text in force, octets of either text, epoch taken, begin of the epochs of either parity, ended
 *     two texts (JSON): one is in force while the other is written
 */
import { createHash } from 'node:crypto';
import { BpfMap, MapFlag, type Mapping, MapType } from '../bpf/index.ts';
import {
  Control,
  CpuArea,
  FlowCounters,
  IndexLine,
  LedgerCounters,
  LedgerKey,
  Mark,
  NarrowKey,
  NarrowRow,
  NarrowSlot,
  Network,
  Reason,
  RowSource,
  SeenCounters,
  Shape,
  Trait,
  Tunnel,
  WideKey,
  WideRow,
  WideSlot,
} from '../record/index.ts';
import type { ClockReading } from './clock.ts';
import { seenAt } from './cpu-areas.ts';
import type { EpochSizes } from './epoch-maps.ts';

/** Of this form of the map; "TSMETER" and a number. */
const MAGIC = 0x5453_4d45_5445_5201n;
const WORDS = { magic: 0, inForce: 1, lengths: 2, taken: 4, begins: 5, ended: 7, count: 8 } as const;
const TEXT_AT = 4096;
const TEXT_OCTETS = 256 * 1024;

/** An interface that records may name, and how it was attached to. */
export interface StatePoint {
  readonly ifindex: number;
  readonly name: string;
  readonly primary: boolean;
  readonly hook: 'tcx' | 'clsact';
}

/**
 * What is told in words. `seen` and `controlAt` are there for other versions, which cannot read the rest: how much was seen
 * they can say all the same.
 */
export interface StateText {
  /** Of whom: the name of the instance. */
  readonly label: string;
  readonly namespace: string | null;
  /** Of the layouts and numbers of all that is pinned. */
  readonly digest: string;
  /** Where `struct control` begins in .bss. */
  readonly controlAt: number;
  readonly seen: SeenPlaces;
  /** Both clocks when the programs were loaded; 64-bit numbers as text. */
  readonly clock: { readonly jiffies: string; readonly monotonicNs: string };
  readonly sizes: EpochSizes;
  readonly points: readonly StatePoint[];
}

/** Where in the map `cpu_areas` the counters of what was seen are, in octets. */
export interface SeenPlaces {
  readonly areaOctets: number;
  /** Of either parity, in an area. */
  readonly at: readonly [number, number];
  readonly places: number;
  /** Of one counter, and in it. */
  readonly octets: number;
  readonly point: number;
  readonly packetsAt: number;
  readonly octetsAt: number;
}

/** Where this version has them. */
export const SEEN_PLACES: SeenPlaces = {
  areaOctets: CpuArea.size,
  at: [seenAt(0), seenAt(1)],
  places: CpuArea.counts.seen / 2,
  octets: SeenCounters.size,
  point: SeenCounters.offsets.point,
  packetsAt: SeenCounters.offsets.packets,
  octetsAt: SeenCounters.offsets.octets,
};

/** Equal where a meter's maps can be read by this version: the same layouts, and the same meaning of the numbers in them. */
export const STATE_DIGEST: string = createHash('sha256')
  .update(
    JSON.stringify([
      [Control, CpuArea, FlowCounters, IndexLine, LedgerCounters, LedgerKey, NarrowKey, NarrowRow].map(
        ({ fingerprint }) => fingerprint,
      ),
      [NarrowSlot, RowSource, SeenCounters, WideKey, WideRow, WideSlot].map(({ fingerprint }) => fingerprint),
      { Mark, Network, Reason, Shape, Trait, Tunnel },
    ]),
  )
  .digest('hex');

/** The map, open. Disposing it leaves it where it is pinned. */
export class PinnedState implements Disposable {
  readonly #map: BpfMap;
  readonly #mapping: Mapping;
  readonly #words: BigUint64Array;
  readonly #times: Float64Array;
  readonly #bytes: Uint8Array;

  private constructor(map: BpfMap, mapping: Mapping) {
    this.#map = map;
    this.#mapping = mapping;
    this.#words = new BigUint64Array(mapping.buffer, 0, WORDS.count);
    this.#times = new Float64Array(mapping.buffer, 0, WORDS.count);
    this.#bytes = new Uint8Array(mapping.buffer);
  }

  /** A new one, with nothing in it. @throws BpfError */
  static create(): PinnedState {
    const map = BpfMap.create({
      type: MapType.ARRAY,
      name: 'ts_meter_state',
      keySize: 4,
      valueSize: TEXT_AT + 2 * TEXT_OCTETS,
      maxEntries: 1,
      flags: MapFlag.MMAPABLE,
    });
    const state = PinnedState.#over(map);
    state.#words[WORDS.magic] = MAGIC;
    return state;
  }

  /** One of another process; undefined where it is none that this version knows. @throws BpfError */
  static open(path: string): PinnedState | undefined {
    const map = BpfMap.openPinned(path, 'state');
    if (map.type !== MapType.ARRAY || map.valueSize < TEXT_AT + 2 * TEXT_OCTETS) {
      map[Symbol.dispose]();
      return undefined;
    }
    const state = PinnedState.#over(map);
    if (state.#words[WORDS.magic] === MAGIC) return state;
    state[Symbol.dispose]();
    return undefined;
  }

  static #over(map: BpfMap): PinnedState {
    using stack = new DisposableStack();
    stack.use(map);
    const mapping = map.mmap();
    stack.move();
    return new PinnedState(map, mapping);
  }

  pin(path: string): void {
    this.#map.pin(path);
  }

  /** Whether nothing was ever written: then nothing was attached. */
  get isBlank(): boolean {
    return this.#words[WORDS.lengths]! === 0n && this.#words[WORDS.lengths + 1] === 0n;
  }

  /** The text in force; undefined for one that cannot be read. */
  get text(): StateText | undefined {
    const slot = Number(this.#words[WORDS.inForce]! & 1n);
    const length = Number(this.#words[WORDS.lengths + slot]!);
    if (length > TEXT_OCTETS) return undefined;
    const at = TEXT_AT + slot * TEXT_OCTETS;
    try {
      return checked(JSON.parse(Buffer.from(this.#bytes.slice(at, at + length)).toString()));
    } catch {
      return undefined;
    }
  }

  /** Puts a text in force in one step. @throws RangeError for one that is too long */
  write(text: StateText): void {
    const bytes = Buffer.from(JSON.stringify(text));
    if (bytes.byteLength > TEXT_OCTETS)
      throw new RangeError(`the state of a meter has ${bytes.byteLength} octets, of ${TEXT_OCTETS} at most`);
    const slot = Number(~this.#words[WORDS.inForce]! & 1n);
    this.#bytes.set(bytes, TEXT_AT + slot * TEXT_OCTETS);
    this.#words[WORDS.lengths + slot] = BigInt(bytes.byteLength);
    this.#words[WORDS.inForce] = BigInt(slot);
  }

  /** The last epoch whose half may be cleared, or is: somebody has it. */
  get taken(): number {
    return Number(this.#words[WORDS.taken]!);
  }

  set taken(epoch: number) {
    this.#words[WORDS.taken] = BigInt(epoch);
  }

  /** When the epoch of a parity began, Unix epoch, milliseconds. */
  beganMs(parity: 0 | 1): number {
    return this.#times[WORDS.begins + parity]!;
  }

  begin(parity: 0 | 1, ms: number): void {
    this.#times[WORDS.begins + parity] = ms;
  }

  /** Whether it ended in order: what came after its last epoch was seen by nobody. */
  get hasEnded(): boolean {
    return this.#words[WORDS.ended] !== 0n;
  }

  end(): void {
    this.#words[WORDS.ended] = 1n;
  }

  [Symbol.dispose](): void {
    this.#mapping[Symbol.dispose]();
    this.#map[Symbol.dispose]();
  }
}

/** The text for a meter of this version. */
export function stateText(
  about: Pick<StateText, 'label' | 'namespace' | 'controlAt' | 'sizes' | 'points'>,
  clock: ClockReading,
): StateText {
  return {
    ...about,
    digest: STATE_DIGEST,
    seen: SEEN_PLACES,
    clock: { jiffies: String(clock.jiffies), monotonicNs: String(clock.monotonicNs) },
  };
}

/** @throws TypeError for a text that no version has written */
function checked(value: unknown): StateText {
  const text = value as StateText;
  const { at, ...counters } = text.seen;
  const numbers = [text.controlAt, ...at, ...Object.values(counters)];
  const isText =
    numbers.length === 9 &&
    numbers.every((each) => Number.isSafeInteger(each) && each >= 0) &&
    /^\d+ \d+$/.test(`${text.clock.jiffies} ${text.clock.monotonicNs}`) &&
    [text.label, text.digest].every((each) => typeof each === 'string') &&
    Array.isArray(text.points) &&
    text.points.every(({ ifindex, name }) => Number.isSafeInteger(ifindex) && typeof name === 'string');
  if (!isText) throw new TypeError('not the state of a meter');
  return text;
}
