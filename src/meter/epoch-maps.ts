/**
 * The maps of an epoch, doubled by parity: the programs write to one half while the other, retired, is read and cleared.
 */
import { type BpfMap, batchCursor, deleteBatch, lookupBatch } from '../bpf/index.ts';
import {
  addRecord,
  createColumns,
  type FlowColumns,
  type LedgerLine,
  type MeasurementBatch,
  type SeenLine,
} from '../flow/index.ts';
import {
  Control,
  decodeRecords,
  type KeyShape,
  LedgerCounters,
  LedgerKey,
  pointOf,
  type RawRecords,
  reasonName,
  type StampReference,
} from '../record/index.ts';
import { CachedRecords } from './cached-records.ts';
import { CpuAreas } from './cpu-areas.ts';
import { FlowTable, type RowRun, type TableSize } from './flow-table.ts';
import type { MapSource } from './map-source.ts';
import { SeenSum } from './seen.ts';

const SHAPES = ['narrow', 'wide'] as const satisfies readonly KeyShape[];
/** Hash maps that come in two, one per parity. */
const HASHES = ['overflow', 'ledger', 'seen_crowded'] as const;
type HashName = (typeof HASHES)[number];

/** Elements one batch call asks for. */
const BATCH_ELEMENTS = 4096;

/** What a retired epoch held. Owned by the receiver. */
export interface RetiredEpoch {
  readonly length: number;
  readonly columns: FlowColumns;
  readonly seen: readonly SeenLine[];
  readonly ledger: readonly LedgerLine[];
  /** What was measured of flows, where anything is. */
  readonly measurements?: MeasurementBatch;
}

/** Places of a table of the kernel: those used in an epoch, and those there are. */
export interface TableFill {
  readonly name: string;
  readonly used: number;
  readonly capacity: number;
}

/** Raw elements of one map, in buffers that are kept from epoch to epoch and grow with the flows. */
class ElementBuffer {
  keys: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  values: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  count = 0;

  /** Reads all of `map`, replacing what was here. Nobody may write to it meanwhile. */
  fill(map: BpfMap): void {
    this.count = 0;
    const cursor = batchCursor(map);
    let room = BATCH_ELEMENTS;
    for (;;) {
      this.#reserve(map, this.count + room);
      const batch = lookupBatch(
        map,
        cursor,
        this.keys.subarray(this.count * map.keySize),
        this.values.subarray(this.count * map.valueBytes),
        room,
      );
      this.count += batch.count;
      if (batch.status === 'end') return;
      if (batch.status === 'grow') room *= 2;
    }
  }

  clear(map: BpfMap): void {
    deleteBatch(map, this.keys, this.count);
    this.count = 0;
  }

  #reserve(map: BpfMap, elements: number): void {
    if (this.keys.byteLength >= elements * map.keySize) return;
    const capacity = Math.max(elements, Math.ceil((this.keys.byteLength / map.keySize) * 1.5));
    this.keys = grown(this.keys, capacity * map.keySize);
    this.values = grown(this.values, capacity * map.valueBytes);
  }
}

function grown(old: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  bytes.set(old);
  return bytes;
}

/** Records to be decoded together. */
interface RecordPart {
  readonly shape: KeyShape;
  readonly raw: RawRecords;
}

/** What is fixed when the object is loaded. */
export interface EpochSizes {
  readonly tables: Readonly<Record<KeyShape, TableSize>>;
  /** Places of each per-CPU flow cache; 0 when the caches are off. */
  readonly cachePlaces: number;
}

/** Flips, reads and clears the doubled maps of a loaded meter object. */
export class EpochMaps implements Disposable {
  readonly #object: MapSource;
  readonly #control: BigUint64Array;
  readonly #resources = new DisposableStack();
  readonly #tables: Readonly<Record<KeyShape, FlowTable>>;
  readonly #areas: CpuAreas;
  readonly #cached = { narrow: new CachedRecords('narrow'), wide: new CachedRecords('wide') } as const;
  readonly #hashes: Readonly<Record<HashName, ElementBuffer>>;
  #retired = 0n;
  #fill: readonly TableFill[] = [];

  /**
   * @param object the loaded meter object, or a former one's pinned maps; stays the caller's
   * @param control the 64-bit words of `struct control` in mapped memory; stay the caller's
   */
  constructor(object: MapSource, control: BigUint64Array, sizes: EpochSizes) {
    this.#object = object;
    this.#control = control;
    const table = (shape: KeyShape): FlowTable =>
      this.#resources.use(new FlowTable(object, shape, sizes.tables[shape]));
    this.#tables = { narrow: table('narrow'), wide: table('wide') };
    this.#areas = this.#resources.use(new CpuAreas(object, sizes.cachePlaces));
    this.#hashes = {
      overflow: new ElementBuffer(),
      ledger: new ElementBuffer(),
      seen_crowded: new ElementBuffer(),
    };
  }

  /** The epoch under way, from 0 on. */
  get current(): bigint {
    return this.#control[Control.offsets.epoch >> 3]!;
  }

  /** The epoch that was retired last. */
  get retired(): bigint {
    return this.#retired;
  }

  /**
   * Ends the current epoch. When this resolves no program can write to the retired maps any more: updating an array of
   * maps waits for all running programs (kernel/bpf/syscall.c, maybe_wait_bpf_programs).
   *
   * @returns parity of the retired epoch
   */
  async flip(): Promise<0 | 1> {
    const at = Control.offsets.epoch >> 3;
    this.#retired = this.#control[at]!;
    this.#control[at] = this.#retired + 1n;
    const parity = parityOf(this.#retired);
    await this.#waitForPrograms(parity);
    return parity;
  }

  /** When this resolves, all runs of programs have ended that were under way when it was called; of any programs. */
  waitForPrograms(): Promise<void> {
    return this.#waitForPrograms(0);
  }

  /** Puts a map where it is already. */
  #waitForPrograms(parity: 0 | 1): Promise<void> {
    const slot = new Uint8Array(new Uint32Array([parity]).buffer);
    return this.#object.map('overflow').updateInnerAsync(slot, this.#map('overflow', parity));
  }

  /**
   * Reads a retired half. Changes nothing in it: it can be read again until {@link clear}.
   *
   * @param epoch whose half it is; by default the one that was retired last
   */
  read(parity: 0 | 1, stamps: StampReference, epoch: bigint = this.#retired): RetiredEpoch {
    const sum = new SeenSum();
    for (const shape of SHAPES) this.#tables[shape].show(parity, epoch);
    for (const cached of Object.values(this.#cached)) cached.clear();
    this.#areas.read(parity, sum, this.#cached);
    for (const name of HASHES) this.#hashes[name].fill(this.#map(name, parity));
    const crowded = this.#hashes.seen_crowded;
    sum.add(crowded.values.subarray(0, crowded.count * this.#map('seen_crowded', parity).valueBytes));
    const { seen, ledger: counted } = sum.result();
    const ledger = [...decodeLedger(this.#hashes.ledger), ...counted];
    const records = this.#decode(parity, stamps);
    this.#fill = [
      ...SHAPES.map((name) => ({ name, ...this.#tables[name].fill })),
      ...(['overflow', 'ledger'] as const).map((name) => ({
        name,
        used: this.#hashes[name].count,
        capacity: this.#map(name, parity).maxEntries,
      })),
    ];
    for (const shape of SHAPES) this.#tables[shape].hide();
    return { ...records, seen, ledger };
  }

  /** Packets of the half that was read last of which nothing was measured, though it should have been. */
  get unmeasuredPackets(): number {
    return this.#areas.unmeasuredPackets;
  }

  /** How full the half was that {@link read} read last; nothing before the first. */
  get fill(): readonly TableFill[] {
    return this.#fill;
  }

  /** Empties the retired half that {@link read} read last. */
  clear(parity: 0 | 1): void {
    for (const shape of SHAPES) this.#tables[shape].clear();
    this.#areas.clear(parity);
    for (const name of HASHES) this.#hashes[name].clear(this.#map(name, parity));
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  #map(name: HashName, parity: 0 | 1): BpfMap {
    return this.#object.map(`${name}_${parity}`);
  }

  /** All records as columns: those in rows, those only a cache has, overflow; then what caches add to rows. */
  #decode(parity: 0 | 1, stamps: StampReference): { length: number; columns: FlowColumns } {
    const parts: RecordPart[] = [];
    const additions: { readonly shape: KeyShape; readonly numbers: number[]; readonly places: number[] }[] =
      [];
    let length = 0;
    const append = (shape: KeyShape, raw: RawRecords): void => {
      if (raw.count > 0) parts.push({ shape, raw });
      length += raw.count;
    };
    for (const shape of SHAPES) {
      const table = this.#tables[shape];
      const runs = table.runs();
      const begin = length;
      for (const run of runs) append(shape, table.records(run));
      const fresh: number[] = [];
      const added = { shape, numbers: [] as number[], places: [] as number[] };
      this.#cached[shape].forEach((record, words, at, hashLow, hashHigh) => {
        const row = table.find(words, at, hashLow, hashHigh);
        if (row < 0) {
          fresh.push(record);
          return;
        }
        added.numbers.push(record);
        added.places.push(begin + placeInRuns(runs, row));
      });
      append(shape, this.#cached[shape].records(fresh));
      if (added.numbers.length > 0) additions.push(added);
    }
    const overflow = this.#hashes.overflow;
    const { keySize: keyStride, valueBytes: valueStride } = this.#map('overflow', parity);
    const { keys, values, count } = overflow;
    append('wide', { keys, keyStride, values, valueStride, count });
    const columns = createColumns(length);
    let at = 0;
    for (const { shape, raw } of parts) {
      decodeRecords(shape, raw, columns, at, stamps);
      at += raw.count;
    }
    for (const { shape, numbers, places } of additions) {
      const extra = createColumns(numbers.length);
      decodeRecords(shape, this.#cached[shape].records(numbers), extra, 0, stamps);
      for (const [i, place] of places.entries()) addRecord(columns, place, extra, i);
    }
    return { length, columns };
  }
}

/** Which half an epoch is in. */
export function parityOf(epoch: bigint): 0 | 1 {
  return Number(epoch & 1n) as 0 | 1;
}

/** How many rows of the runs come before a row that is in one of them. */
function placeInRuns(runs: readonly RowRun[], row: number): number {
  let before = 0;
  for (const { first, count } of runs) {
    if (row < first + count) return before + row - first;
    before += count;
  }
  throw new RangeError(`row ${row} is in the index and holds no record`);
}

function decodeLedger({ keys, values, count }: ElementBuffer): LedgerLine[] {
  const words = new Uint32Array(keys.buffer);
  const halves = new Uint16Array(keys.buffer);
  const longs = new BigUint64Array(values.buffer);
  const lines: LedgerLine[] = [];
  for (let i = 0; i < count; i++) {
    const key = i * LedgerKey.size;
    const value = i * LedgerCounters.size;
    lines.push({
      ...pointOf(words[(key + LedgerKey.offsets.point) >> 2]!),
      reason: reasonName(halves[(key + LedgerKey.offsets.reason) >> 1]!),
      level: halves[(key + LedgerKey.offsets.level) >> 1]!,
      packets: longs[(value + LedgerCounters.offsets.packets) >> 3]!,
      octets: longs[(value + LedgerCounters.offsets.octets) >> 3]!,
    });
  }
  return lines;
}
