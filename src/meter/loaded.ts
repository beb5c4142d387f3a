/** The meter's BPF object in the kernel, attached to nothing: its programs, its epochs and its clock. */
import { fileURLToPath } from 'node:url';
import {
  assertLayout,
  type BpfMap,
  BpfObject,
  type BpfProgram,
  type Mapping,
  possibleCpus,
  testRun,
} from '../bpf/index.ts';
import { DEFAULT_MEASURE, type MeasureOptions, type TunnelPorts } from '../flow/index.ts';
import {
  Control,
  CpuArea,
  FlowCounters,
  IndexLine,
  LedgerCounters,
  LedgerKey,
  NarrowRow,
  RowSource,
  RuleWork,
  SeenCounters,
  WideKey,
  WideRow,
  writePorts,
} from '../record/index.ts';
import { BiflowTable, configureBiflows } from './biflow-table.ts';
import { type ClockReading, tickMs } from './clock.ts';
import { CACHE_PLACES } from './cpu-areas.ts';
import { EpochMaps, type EpochSizes, parityOf, type RetiredEpoch, type TableFill } from './epoch-maps.ts';
import { tableSize } from './flow-table.ts';
import { Rules, verdictBits } from './rules.ts';

/** What is fixed when the object is loaded. */
export interface LoadOptions {
  /** UDP destination ports of tunnels; what is not named has its usual ones. */
  readonly ports?: Partial<TunnelPorts>;
  /** Whether GRE with a key and an Ethernet frame inside is NVGRE, not a gretap: they look the same. */
  readonly nvgre?: boolean;
  /** Entries of the maps of one epoch; what is not named keeps the size the object gives it. */
  readonly capacities?: Partial<Record<EpochMapName, number>>;
  /** Places of each per-CPU flow cache: a power of two up to {@link CACHE_PLACES}, or 0 for none. Default: by the number of CPUs. */
  readonly cachePlaces?: number;
  /** What is measured of flows beside what is counted; what is not named is as {@link DEFAULT_MEASURE} says. */
  readonly measure?: Partial<MeasureOptions>;
}

/** What is doubled by epochs: flows by the shape of their key, overflow records, the ledger. */
export type EpochMapName = 'narrow' | 'wide' | 'overflow' | 'ledger';

/** Entries of one epoch unless told otherwise. */
const DEFAULT_CAPACITY = { narrow: 131_072, wide: 65_536, overflow: 4096, ledger: 4096 } as const;
/** Rows of a table that a CPU takes at once are at most this many, and at most one of so many of the rows. */
const MOST_CLAIMED_ROWS = 32;
const CLAIMED_PART = 16;

/** Runs of a program since it was loaded. */
export interface ProgramRuns {
  readonly name: string;
  readonly runs: bigint;
  readonly runTimeNs: bigint;
}

/** Path of the meter's BPF object. */
export const METER_OBJECT: string = fileURLToPath(new URL('../../bpf/meter.bpf.o', import.meta.url));
const BARE_PROGRAMS: readonly string[] = ['ts_ingress_bare', 'ts_egress_bare'];
/** The shortest frame BPF_PROG_TEST_RUN takes. */
const CLOCK_FRAME = new Uint8Array(14);

/** A meter object in the kernel. Disposing it unloads what no attachment holds. */
export class LoadedMeter implements Disposable {
  readonly #object: BpfObject;
  readonly #mapping: Mapping;
  /** `struct control` as 64-bit words. */
  readonly #control: BigUint64Array;
  readonly #maps: EpochMaps;
  readonly #sizes: EpochSizes;
  readonly #biflows: BiflowTable | undefined;
  readonly #rules: Rules;
  readonly #firstReading: ClockReading;
  readonly #options: LoadOptions;
  /** A second object with the same maps, of which only the programs for bare packets are loaded. */
  #bare: BpfObject | undefined;

  private constructor(
    object: BpfObject,
    mapping: Mapping,
    {
      maps,
      sizes,
      biflows,
    }: {
      readonly maps: EpochMaps;
      readonly sizes: EpochSizes;
      readonly biflows: BiflowTable | undefined;
    },
    options: LoadOptions,
  ) {
    this.#object = object;
    this.#biflows = biflows;
    this.#options = options;
    this.#mapping = mapping;
    this.#control = controlWords(object, mapping);
    this.#maps = maps;
    this.#sizes = sizes;
    this.#rules = new Rules(object, this.#control);
    this.#firstReading = this.readClock();
  }

  /** @throws BpfError when the kernel refuses. */
  static load(options: LoadOptions = {}): LoadedMeter {
    using stack = new DisposableStack();
    const object = stack.use(BpfObject.openFile(METER_OBJECT));
    const sizes = configureMeter(object, options);
    for (const program of BARE_PROGRAMS) object.setAutoload(program, false);
    object.load();
    assertLayouts(object);
    const mapping = stack.use(object.map('.bss').mmap());
    const maps = stack.use(new EpochMaps(object, controlWords(object, mapping), sizes));
    const measure = measureOptions(options);
    const biflows =
      measure.measurements.length > 0 ? stack.use(new BiflowTable(object, mapping, measure)) : undefined;
    const loaded = new LoadedMeter(object, mapping, { maps, sizes, biflows }, options);
    loaded.setPorts(options.ports ?? {});
    stack.move();
    return loaded;
  }

  /** The program for what an interface receives. */
  get ingress(): BpfProgram {
    return this.#object.program('ts_ingress');
  }

  /** The program for what an interface sends. */
  get egress(): BpfProgram {
    return this.#object.program('ts_egress');
  }

  /** As {@link ingress}, where packets have no Ethernet header. Loaded when first asked for. */
  get bareIngress(): BpfProgram {
    return this.#bareObject().program('ts_ingress_bare');
  }

  /** As {@link egress}, where packets have no Ethernet header. Loaded when first asked for. */
  get bareEgress(): BpfProgram {
    return this.#bareObject().program('ts_egress_bare');
  }

  /** Says which UDP ports carry tunnels from now on. */
  setPorts(ports: Partial<TunnelPorts>): void {
    writePorts(portTable(this.#object, this.#mapping), ports);
  }

  /** Of the flow tables and caches, as {@link EpochMaps} is told. */
  get sizes(): EpochSizes {
    return this.#sizes;
  }

  /** Where `struct control` begins in .bss, octets. */
  get controlAt(): number {
    return this.#object.locate('control').offset;
  }

  /** By its full name, e.g. to pin it. */
  map(name: string): BpfMap {
    return this.#object.map(name);
  }

  /** The epoch under way, from 0 on, and the one that was retired last. */
  get current(): bigint {
    return this.#maps.current;
  }

  get retired(): bigint {
    return this.#maps.retired;
  }

  /** Both clocks when it was loaded. */
  get firstReading(): ClockReading {
    return this.#firstReading;
  }

  /** See {@link EpochMaps.waitForPrograms}. */
  waitForPrograms(): Promise<void> {
    return this.#maps.waitForPrograms();
  }

  /** Says what is kept, before anything is attached. */
  async beginRules(lines: Uint8Array | undefined): Promise<void> {
    const ruling = this.#rules.set(lines);
    const parity = parityOf(this.#maps.current);
    await this.#rules.prepare(parity);
    this.#rules.begun(parity);
    await ruling;
  }

  /** Says what is kept from the next epoch on; see {@link Rules.set}. */
  setRules(lines: Uint8Array | undefined): Promise<void> {
    return this.#rules.set(lines);
  }

  /** Ends the current epoch; see {@link EpochMaps.flip}. */
  async flip(): Promise<0 | 1> {
    const next = parityOf(this.#maps.current + 1n);
    await this.#rules.prepare(next);
    const retired = await this.#maps.flip();
    this.#rules.begun(next);
    return retired;
  }

  /** What a retired half held; its stamps become times by the clocks as they are at `nowMs`. */
  read(parity: 0 | 1, nowMs: number): RetiredEpoch {
    const reading = this.readClock();
    const stamps = { jiffies: reading.jiffies, nowMs, tickMs: tickMs(this.#firstReading, reading) };
    const epoch = this.#maps.read(parity, stamps);
    if (!this.#biflows) return epoch;
    const clock = { ns: reading.monotonicNs, ms: nowMs };
    const unmeasuredPackets = this.#maps.unmeasuredPackets;
    return { ...epoch, measurements: this.#biflows.read(parity, clock, unmeasuredPackets) };
  }

  /** How full the half was that was read last. */
  get fill(): readonly TableFill[] {
    return this.#maps.fill;
  }

  /** What the kernel counted of the programs that packets run through; zeros unless run statistics are on. */
  get runs(): readonly ProgramRuns[] {
    const programs = [this.ingress, this.egress];
    if (this.#bare) programs.push(this.bareIngress, this.bareEgress);
    return programs.map((program) => {
      const { runCount, runTimeNs } = program.describe();
      return { name: program.name, runs: runCount, runTimeNs };
    });
  }

  /** Empties the half that was read last. */
  clear(parity: 0 | 1): void {
    this.#maps.clear(parity);
    this.#biflows?.clear(parity);
  }

  [Symbol.dispose](): void {
    this.#biflows?.[Symbol.dispose]();
    this.#rules[Symbol.dispose]();
    this.#maps[Symbol.dispose]();
    this.#mapping[Symbol.dispose]();
    this.#bare?.[Symbol.dispose]();
    this.#object[Symbol.dispose]();
  }

  #bareObject(): BpfObject {
    this.#bare ??= loadBare(this.#object, this.#options);
    return this.#bare;
  }

  /** Both clocks now: runs the clock program and reads what it left. */
  readClock(): ClockReading {
    testRun(this.#object.program('ts_clock'), { packet: CLOCK_FRAME });
    return {
      jiffies: this.#control[Control.offsets.jiffies >> 3]!,
      monotonicNs: this.#control[Control.offsets.monotonicNs >> 3]!,
    };
  }
}

/** Loads the programs for bare packets on the maps of an object that is loaded. */
function loadBare(whole: BpfObject, options: LoadOptions): BpfObject {
  using stack = new DisposableStack();
  const object = stack.use(BpfObject.openFile(METER_OBJECT));
  configureMeter(object, options);
  for (const program of object.programNames) object.setAutoload(program, BARE_PROGRAMS.includes(program));
  for (const name of object.mapNames) if (name !== '.rodata') object.reuseMap(name, whole.map(name));
  object.load();
  stack.move();
  return object;
}

/** Sets all sizes and constants of an opened meter object. @returns what is needed to read its maps */
export function configureMeter(object: BpfObject, options: LoadOptions = {}): EpochSizes {
  const capacities = { ...DEFAULT_CAPACITY, ...options.capacities };
  const cpus = possibleCpus();
  object.setConstant('verdict_bits', verdictBits());
  object.setConstant('nvgre', options.nvgre ?? false);
  const cachePlaces = options.cachePlaces ?? defaultCachePlaces(cpus);
  object.setConstant('cache_mask', Math.max(0, cachePlaces - 1));
  for (const name of ['cpu_areas', 'rule_works']) object.setMaxEntries(name, cpus);
  configureBiflows(object, measureOptions(options));
  for (const name of ['overflow', 'ledger'] as const) {
    for (const parity of [0, 1]) object.setMaxEntries(`${name}_${parity}`, capacities[name]);
  }
  const tables = {
    narrow: tableSize(capacities.narrow),
    wide: tableSize(capacities.wide),
  };
  for (const [shape, { capacity, indexBits }] of Object.entries(tables)) {
    object.setConstant(`${shape}_capacity`, capacity);
    object.setConstant(`${shape}_index_bits`, indexBits);
    object.setMaxEntries(`${shape}_rows`, 2 * capacity);
    object.setMaxEntries(`${shape}_index`, (2 * 2 ** indexBits) / IndexLine.counts.places);
  }
  const least = Math.min(...Object.values(tables).map(({ capacity }) => capacity));
  const claimed = Math.floor(least / (CLAIMED_PART * cpus));
  object.setConstant('claim_rows', Math.max(1, Math.min(MOST_CLAIMED_ROWS, claimed)));
  return { tables, cachePlaces };
}

function measureOptions({ measure }: LoadOptions): MeasureOptions {
  return { ...DEFAULT_MEASURE, ...measure };
}

function controlWords(object: BpfObject, mapping: Mapping): BigUint64Array {
  return new BigUint64Array(mapping.buffer, object.locate('control').offset, Control.size / 8);
}

/** The kernel's table of ports in the mapped .bss. */
export function portTable(object: BpfObject, mapping: Mapping): Uint8Array {
  const { offset, size } = object.locate('tunnel_ports');
  return new Uint8Array(mapping.buffer, offset, size);
}

/** All busy CPUs' caches are read at every flip: together they have about 16,384 places. */
function defaultCachePlaces(cpus: number): number {
  const places = 2 ** Math.max(8, Math.floor(Math.log2(16_384 / cpus)));
  return Math.min(CACHE_PLACES, places);
}

/** The code was generated from the object's types; a kernel object that differs would be read wrongly. */
function assertLayouts(object: BpfObject): void {
  assertLayout(object.map('cpu_areas'), { value: CpuArea }, object);
  assertLayout(object.map('narrow_rows'), { value: NarrowRow }, object);
  assertLayout(object.map('wide_rows'), { value: WideRow }, object);
  for (const shape of ['narrow', 'wide'])
    assertLayout(object.map(`${shape}_index`), { value: IndexLine }, object);
  assertLayout(object.map('row_sources'), { value: RowSource }, object);
  assertLayout(object.map('overflow_0'), { key: WideKey, value: FlowCounters }, object);
  assertLayout(object.map('ledger_0'), { key: LedgerKey, value: LedgerCounters }, object);
  assertLayout(object.map('seen_crowded_0'), { value: SeenCounters }, object);
  assertLayout(object.map('rule_works'), { value: RuleWork }, object);
}
