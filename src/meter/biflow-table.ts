/** The kernel's biflows (bpf/biflow_table.h): rows are given to it, read, cleared, and taken back when their biflow is over. */
import { type BpfObject, type Mapping, MapWindow } from '../bpf/index.ts';
import {
  MEASUREMENTS,
  type MeasurementBatch,
  type MeasurementName,
  type MeasureOptions,
  withColumns,
} from '../flow/index.ts';
import {
  Biflow,
  biflowSettings,
  clearWays,
  decodeConnections,
  decodeMeasurements,
  isUnlinked,
  LINGER_NS,
  measuredBits,
  PARTS,
  type PickedConnection,
  type PickedWay,
  type RawBiflows,
  rowsOver,
  type StampClock,
  sequenceSettings,
  WideKey,
  waysOf,
} from '../record/index.ts';

/** The map of each measurement. */
const ARRAYS: Readonly<Record<MeasurementName, string>> = {
  arrivals: 'biflow_arrivals',
  sequence: 'biflow_numbers',
  tcp: 'biflow_tcp',
};
const NAMES = Object.keys(MEASUREMENTS) as MeasurementName[];
/** One number of the ring of free rows. */
const RING_OCTETS = 8;

/** Sets sizes and constants of an opened meter object. */
export function configureBiflows(object: BpfObject, options: MeasureOptions): void {
  const { measurements, capacity } = options;
  if (measurements.length === 0) return;
  object.setConstant('measured', measuredBits(options));
  object.setConstant('biflow_capacity', capacity);
  for (const map of ['biflow_index', 'biflow_locks', 'biflows', 'free_rows'])
    object.setMaxEntries(map, capacity);
  for (const name of withColumns(measurements)) object.setMaxEntries(ARRAYS[name], capacity);
  object.setConstant('biflow_settings', biflowSettings(options));
  object.setConstant('sequence_settings', sequenceSettings(options));
}

/** The biflows of a loaded meter object. Owned by who made it; object and mapping stay the caller's. */
export class BiflowTable implements Disposable {
  readonly #object: BpfObject;
  readonly #options: MeasureOptions;
  readonly #resources = new DisposableStack();
  readonly #rows: MapWindow;
  readonly #parts: Readonly<Partial<Record<MeasurementName, MapWindow>>>;
  readonly #ring: Uint32Array;
  /** `free_rows_given`: how many rows were ever put into the ring. */
  readonly #given: Uint32Array;
  /** The ways that were read last. */
  #picked: readonly PickedWay[] = [];
  /** Rows out of the index: nobody writes to them any more once the epoch in which they left it is retired. */
  #leaving: number[] = [];
  #freed: number[] = [];

  /** @param mapping the mapped .bss of the object */
  constructor(object: BpfObject, mapping: Mapping, options: MeasureOptions) {
    this.#object = object;
    this.#options = options;
    const { capacity } = options;
    const window = (map: string, size: number): MapWindow =>
      this.#resources.use(MapWindow.open(object.map(map), size * capacity));
    this.#rows = window('biflows', Biflow.size);
    this.#parts = Object.fromEntries(
      withColumns(options.measurements).map((name) => [name, window(ARRAYS[name], PARTS[name].size)]),
    );
    const ring = this.#resources.use(object.map('free_rows').mmap());
    this.#ring = new Uint32Array(ring.buffer);
    this.#given = new Uint32Array(mapping.buffer, object.locate('free_rows_given').offset, 1);
    for (let row = 0; row < capacity; row++) this.#giveBack(row);
  }

  /**
   * Reads what was measured in a retired half; rows whose biflow is over leave the index.
   *
   * @param clock the kernel's monotonic clock and Unix time, at the same moment
   */
  read(parity: 0 | 1, clock: StampClock, unmeasuredPackets: number): MeasurementBatch {
    const run = this.#show();
    this.#picked = waysOf(run, 0, parity);
    this.#freed = this.#leaving;
    this.#leaving = this.#takeOut(run, clock.ns);
    const batch = {
      ...decodeMeasurements([run], this.#picked, parity, clock),
      connections: decodeConnections([run], this.#told(), clock),
      unmeasuredPackets,
    };
    this.#hide();
    return batch;
  }

  /** The rows that had packets, and those that are over for good. */
  #told(): PickedConnection[] {
    const rows = new Set(this.#picked.map(({ row }) => row));
    for (const row of this.#freed) rows.add(row);
    const freed = new Set(this.#freed);
    return Array.from(rows, (row) => ({ run: 0, row, isEnded: freed.has(row) }));
  }

  /** Empties the half that was read last, and gives rows that are nobody's any more to the kernel again. */
  clear(parity: 0 | 1): void {
    const { biflows, parts, count } = this.#show();
    clearWays([{ biflows, parts, count }], this.#picked, parity);
    for (const row of this.#freed) {
      biflows.fill(0, row * Biflow.size, (row + 1) * Biflow.size);
      for (const name of NAMES) parts[name]?.fill(0, row * PARTS[name].size, (row + 1) * PARTS[name].size);
      this.#giveBack(row);
    }
    this.#picked = [];
    this.#freed = [];
    this.#hide();
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  #show(): RawBiflows {
    const { capacity } = this.#options;
    const shown = (window: MapWindow, size: number): Uint8Array =>
      new Uint8Array(window.buffer, window.show(0, size * capacity), size * capacity);
    const parts: Partial<Record<MeasurementName, Uint8Array>> = {};
    for (const name of NAMES) {
      const window = this.#parts[name];
      if (window) parts[name] = shown(window, PARTS[name].size);
    }
    return { biflows: shown(this.#rows, Biflow.size), parts, count: capacity };
  }

  #hide(): void {
    this.#rows.hide();
    for (const window of Object.values(this.#parts)) window.hide();
  }

  /** Takes what is over out of the index; what the kernel itself took out is over as well. */
  #takeOut(run: RawBiflows, nowNs: bigint): number[] {
    const known = new Set(this.#freed);
    const over = rowsOver(run, { nowNs, lingerNs: LINGER_NS, options: this.#options });
    const out = over.filter((row) => !known.has(row));
    const { biflows } = run;
    for (const row of out) {
      const base = row * Biflow.size;
      if (isUnlinked(biflows, row)) continue;
      this.#leaveIndex(biflows.slice(base, base + WideKey.size), row);
      // CPUs that remember the row look at this; by now the index does not lead them here again.
      biflows[base + Biflow.offsets.isUnlinked] = 1;
    }
    return out;
  }

  /** Unless another row has taken its place meanwhile. */
  #leaveIndex(key: Uint8Array, row: number): void {
    const index = this.#object.map('biflow_index');
    const found = index.lookup(key);
    if (found && new Uint32Array(found.buffer, found.byteOffset, 1)[0] === row) index.delete(key);
  }

  /** The number stands before it counts: a CPU that sees the one sees the other. */
  #giveBack(row: number): void {
    const given = this.#given[0]!;
    this.#ring[((given % this.#options.capacity) * RING_OCTETS) >> 2] = row;
    Atomics.store(this.#given, 0, given + 1);
  }
}
