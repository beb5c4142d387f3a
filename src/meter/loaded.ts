/** The meter's BPF object in the kernel, attached to nothing: its programs, its epochs and its clock. */
import { fileURLToPath } from 'node:url';
import {
  assertLayout,
  BpfObject,
  type BpfProgram,
  type Mapping,
  possibleCpus,
  testRun,
} from '../bpf/index.ts';
import { type ClockReading, tickMs } from './clock.ts';
import { EpochMaps, type RetiredEpoch } from './epoch-maps.ts';
import {
  Control,
  DeepKey,
  FlowCounters,
  LedgerCounters,
  LedgerKey,
  NarrowKey,
  NarrowSlot,
  SeenCounters,
  WideKey,
  WideSlot,
} from './gen/meter.ts';

/** What is fixed when the object is loaded. */
export interface LoadOptions {
  /** UDP destination ports of VXLAN, at most 8. */
  readonly vxlanPorts: readonly number[];
  /** Entries of the maps of one epoch; what is not named keeps the size the object gives it. */
  readonly capacities?: Partial<Record<EpochMapName, number>>;
  /** Places of each per-CPU flow cache: a power of two up to 2048, or 0 for none. Default: by the number of CPUs. */
  readonly cachePlaces?: number;
}

/** The doubled maps: flows by the shape of their key, overflow records, the ledger. */
export type EpochMapName = 'narrow' | 'wide' | 'deep' | 'overflow' | 'ledger';

/** Path of the meter's BPF object. */
export const METER_OBJECT: string = fileURLToPath(new URL('../../bpf/meter.bpf.o', import.meta.url));
/** The shortest frame BPF_PROG_TEST_RUN takes. */
const CLOCK_FRAME = new Uint8Array(14);

/** A meter object in the kernel. Disposing it unloads what no attachment holds. */
export class LoadedMeter implements Disposable {
  readonly #object: BpfObject;
  readonly #mapping: Mapping;
  /** `struct control` as 64-bit words. */
  readonly #control: BigUint64Array;
  readonly #maps: EpochMaps;
  readonly #firstReading: ClockReading;

  private constructor(object: BpfObject, mapping: Mapping, cachePlaces: number) {
    this.#object = object;
    this.#mapping = mapping;
    this.#control = new BigUint64Array(mapping.buffer, object.locate('control').offset, Control.size / 8);
    this.#maps = new EpochMaps(object, this.#control, cachePlaces);
    this.#firstReading = this.#readClock();
  }

  /** @throws BpfError when the kernel refuses. */
  static load(options: LoadOptions): LoadedMeter {
    using stack = new DisposableStack();
    const object = stack.use(BpfObject.openFile(METER_OBJECT));
    const ports = new Uint16Array(8);
    ports.set(options.vxlanPorts.slice(0, 8));
    object.setConstant('vxlan_ports', ports);
    const cachePlaces = options.cachePlaces ?? defaultCachePlaces(possibleCpus());
    object.setConstant('cache_mask', Math.max(0, cachePlaces - 1));
    for (const [name, entries] of Object.entries(options.capacities ?? {})) {
      for (const parity of [0, 1]) object.setMaxEntries(`${name}_${parity}`, entries);
    }
    object.load();
    assertLayouts(object);
    const loaded = new LoadedMeter(object, stack.use(object.map('.bss').mmap()), cachePlaces);
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

  /** Ends the current epoch; see {@link EpochMaps.flip}. */
  flip(): Promise<0 | 1> {
    return this.#maps.flip();
  }

  /** What a retired half held; its stamps become times by the clocks as they are at `nowMs`. */
  read(parity: 0 | 1, nowMs: number): RetiredEpoch {
    const reading = this.#readClock();
    return this.#maps.read(parity, {
      jiffies: reading.jiffies,
      nowMs,
      tickMs: tickMs(this.#firstReading, reading),
    });
  }

  /** Empties the half that was read last. */
  clear(parity: 0 | 1): void {
    this.#maps.clear(parity);
  }

  [Symbol.dispose](): void {
    this.#mapping[Symbol.dispose]();
    this.#object[Symbol.dispose]();
  }

  /** Runs the clock program and reads what it left. */
  #readClock(): ClockReading {
    testRun(this.#object.program('ts_clock'), { packet: CLOCK_FRAME });
    return {
      jiffies: this.#control[Control.offsets.jiffies >> 3]!,
      monotonicNs: this.#control[Control.offsets.monotonicNs >> 3]!,
    };
  }
}

/** All CPUs' caches are read at every flip: together they have about 16,384 places. */
function defaultCachePlaces(cpus: number): number {
  return 2 ** Math.min(11, Math.max(8, Math.floor(Math.log2(16_384 / cpus))));
}

/** The code was generated from the object's types; a kernel object that differs would be read wrongly. */
function assertLayouts(object: BpfObject): void {
  assertLayout(object.map('narrow_0'), { key: NarrowKey, value: FlowCounters });
  assertLayout(object.map('wide_0'), { key: WideKey, value: FlowCounters });
  assertLayout(object.map('narrow_cache_0'), { value: NarrowSlot });
  assertLayout(object.map('wide_cache_0'), { value: WideSlot });
  assertLayout(object.map('deep_0'), { key: DeepKey, value: FlowCounters });
  assertLayout(object.map('overflow_0'), { key: WideKey, value: FlowCounters });
  assertLayout(object.map('ledger_0'), { key: LedgerKey, value: LedgerCounters });
  assertLayout(object.map('seen_0'), { value: SeenCounters });
}
