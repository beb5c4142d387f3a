/** The meter for captured packets: no kernel, the same parser, the same records. */
import type { PacketBatch } from '../capture/index.ts';
import {
  createColumns,
  DEFAULT_MEASURE,
  type FlowColumns,
  type LedgerLine,
  type MeasurementBatch,
  type MeasureOptions,
  reuseColumns,
  type SeenLine,
  type TunnelPorts,
  withColumns,
} from '../flow/index.ts';
import {
  Biflow,
  clearWays,
  decodeConnections,
  decodeMeasurements,
  decodeRecords,
  LINGER_NS,
  PARTS,
  type PickedWay,
  pointOf,
  type RawBiflows,
  reasonName,
  rowsOver,
  waysOf,
  writePorts,
} from '../record/index.ts';
import { CHUNK_ROWS, LINE, ReplayModule, ROW } from './module.ts';

/** How captured packets are metered. */
export interface ReplayOptions {
  /** UDP destination ports of tunnels; what is not named has its usual ones. */
  readonly ports?: Partial<TunnelPorts>;
  /** Whether GRE with a key and an Ethernet frame inside is NVGRE, not a gretap: they look the same. */
  readonly nvgre?: boolean;
  /** Whether later fragments count in the flow of their first one. Default true; else they are a flow without ports. */
  readonly attributeFragments?: boolean;
  /** Flows kept apart between two drains, 200 octets each and up to 16 to find it; default 4,194,304. What exceeds it loses detail, never octets. */
  readonly flowCapacity?: number;
  /** What is measured of flows beside what is counted; nothing unless said. */
  readonly measure?: Partial<MeasureOptions>;
}

/** What was taken in since the last drain. Owned by the receiver. */
export interface Drained {
  readonly length: number;
  readonly columns: FlowColumns;
  readonly seen: readonly SeenLine[];
  readonly ledger: readonly LedgerLine[];
  /** Earliest and latest packet, milliseconds since 1970; infinite where no packet had a time. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** What was measured of flows, where anything is. */
  readonly measurements?: MeasurementBatch;
}

/** What the parser says of one packet. */
export interface Parsed {
  /** `reason_none`, or the ledger's reason. */
  readonly status: string;
  /** The memory of struct packet; a copy. */
  readonly packet: Uint8Array<ArrayBuffer>;
}

/** Biflows followed at a time unless told otherwise. */
const BIFLOWS = 262_144;

/** Part of the biflows that must end, or go without a row, before one waits again where none was over. */
const PATIENCE = 1 / 64;
/** Stamps are nanoseconds since 1970. */
const CLOCK = { ns: 0n, ms: 0 } as const;

/** Size of struct packet. */
const PACKET_OCTETS = 176;

/** Parses and aggregates packets in WebAssembly; memory grows with the flows, 4 GiB at most. */
export class ReplayMeter {
  readonly #module: ReplayModule;
  readonly #measure: MeasureOptions;

  constructor({
    ports = {},
    nvgre = false,
    attributeFragments = true,
    flowCapacity = 4_194_304,
    measure = {},
  }: ReplayOptions = {}) {
    this.#measure = { ...DEFAULT_MEASURE, capacity: BIFLOWS, ...measure };
    this.#module = new ReplayModule({
      nvgre,
      attributeFragments,
      mostRows: flowCapacity,
      measure: this.#measure,
    });
    writePorts(this.#module.views.ports, ports);
  }

  /** Number by which the first interface of the batches to come is known; from 1. */
  set interfaceBase(base: number) {
    this.#module.interfaceBase = base;
  }

  /** Makes a batch the one that {@link run} works on. It is copied. */
  load(batch: PacketBatch): void {
    const { count, offsets, capturedLengths } = batch;
    if (count === 0) return;
    const last = offsets[count - 1]! + capturedLengths[count - 1]!;
    this.#module.copyOctets(batch.octets.subarray(offsets[0]!, last));
    const { views } = this.#module;
    views.offsets.set(offsets.subarray(0, count));
    views.capturedLengths.set(capturedLengths.subarray(0, count));
    views.originalLengths.set(batch.originalLengths.subarray(0, count));
    views.seconds.set(batch.seconds.subarray(0, count));
    views.nanoseconds.set(batch.nanoseconds.subarray(0, count));
    views.interfaces.set(batch.interfaces.subarray(0, count));
    views.linkTypes.set(batch.linkTypes.subarray(0, count));
  }

  /**
   * Takes in packets of the loaded batch from row `first` on, up to the first of `untilMs` or later.
   *
   * @returns the row to go on with; `count` when all are in. It may be one that {@link isWaiting}
   */
  run(first: number, count: number, untilMs: number = Number.POSITIVE_INFINITY): number {
    return this.#module.run(first, count, untilMs);
  }

  /** Whether the next packet waits until {@link endOver} has made room among the biflows. */
  get isWaiting(): boolean {
    return this.#module.isWaiting;
  }

  /**
   * Tells what was measured of biflows that are over, and makes room; everything else stays as it is. Those that were
   * closed count as over at once where not enough of them lingered. Without any, packets go unmeasured for a while.
   */
  endOver(): MeasurementBatch | undefined {
    const runs = this.#biflowRuns();
    const lingered = this.#over(runs, LINGER_NS);
    const over = lingered.length > 0 ? lingered : this.#over(runs, 0n);
    if (over.length === 0) {
      this.#module.patience = Math.max(1, Math.floor(this.#measure.capacity * PATIENCE));
      return undefined;
    }
    const ended = new Set(over);
    const ways = runs.flatMap((run, number) => waysOf(run, number, 0));
    const picked = ways.filter(({ run, row }) => ended.has(run * CHUNK_ROWS + row));
    const batch = this.#tell(runs, picked, over, 0);
    this.#giveBack(over);
    return batch;
  }

  /** Forgets all biflows, told or not: none of them will have packets. */
  forgetBiflows(): void {
    const rows = this.#module.biflowRows;
    for (let row = 0; row < rows; row++) this.#module.giveBack(row);
  }

  /** Time of the packets since the last drain: earliest and latest, milliseconds since 1970; infinite where none had one. */
  get times(): { readonly firstMs: number; readonly lastMs: number } {
    return this.#module.times;
  }

  /** Gives what was taken in, and begins anew. @param spare columns that nobody reads any more, taken over */
  drain(spare?: FlowColumns): Drained {
    const length = this.#module.rows;
    const columns = spare ? reuseColumns(spare, length) : createColumns(length);
    this.#decodeRows(columns, length);
    const drained = { length, columns, ...this.#readLines(), ...this.#module.times };
    this.#module.clear();
    if (this.#measure.measurements.length === 0) return drained;
    return { ...drained, measurements: this.#takeMeasurements() };
  }

  /** Parses one packet without taking it in. */
  parse(
    octets: Uint8Array,
    { linkType = 1, originalLength = octets.length }: { linkType?: number; originalLength?: number } = {},
  ): Parsed {
    this.#module.copyOctets(octets);
    const status = reasonName(this.#module.parseOne(octets.length, originalLength, linkType));
    return { status, packet: this.#module.single.slice(0, PACKET_OCTETS) };
  }

  #decodeRows(columns: FlowColumns, length: number): void {
    const { octets, chunks } = this.#module.views;
    for (let first = 0; first < length; first += CHUNK_ROWS) {
      const count = Math.min(CHUNK_ROWS, length - first);
      const at = chunks[first / CHUNK_ROWS]!;
      const keys = octets.subarray(at, at + count * ROW.size);
      const values = keys.subarray(ROW.counters);
      const raw = { keys, keyStride: ROW.size, values, valueStride: ROW.size, count };
      decodeRecords('wide', raw, columns, first, undefined);
      const times = new Float64Array(octets.buffer, at, (count * ROW.size) >> 3);
      for (let row = 0; row < count; row++) {
        const time = (row * ROW.size + ROW.times) >> 3;
        columns.firstMs[first + row] = times[time]!;
        columns.lastMs[first + row] = times[time + 1]!;
      }
    }
  }

  /**
   * Reads what was measured since the last time and begins anew. What a biflow has to remember stays, unless it is over:
   * then it is told for the last time, and its row is free.
   */
  #takeMeasurements(): MeasurementBatch {
    const runs = this.#biflowRuns();
    const over = this.#over(runs, LINGER_NS);
    const picked = runs.flatMap((run, number) => waysOf(run, number, 0));
    const batch = this.#tell(runs, picked, over, this.#module.takeUnmeasured());
    clearWays(runs, picked, 0);
    this.#giveBack(over);
    return batch;
  }

  #tell(
    runs: readonly RawBiflows[],
    picked: readonly PickedWay[],
    over: readonly number[],
    unmeasuredPackets: number,
  ): MeasurementBatch {
    const ended = new Set(over);
    const rows = new Set(picked.map(({ run, row }) => run * CHUNK_ROWS + row)).union(ended);
    const told = Array.from(rows, (at) => ({ ...placeOf(at), isEnded: ended.has(at) }));
    return {
      ...decodeMeasurements(runs, picked, 0, CLOCK),
      connections: decodeConnections(runs, told, CLOCK),
      unmeasuredPackets,
    };
  }

  /** The rows of biflows that are over by the time of the latest packet. */
  #over(runs: readonly RawBiflows[], lingerNs: bigint): number[] {
    const when = { nowNs: this.#module.nowNs, lingerNs, options: this.#measure };
    return runs.flatMap((run, number) => rowsOver(run, when).map((row) => number * CHUNK_ROWS + row));
  }

  #giveBack(rows: readonly number[]): void {
    for (const row of rows) this.#module.giveBack(row);
  }

  /** Rows of biflows where they lie; good until the next call of the module. */
  #biflowRuns(): RawBiflows[] {
    const rows = this.#module.biflowRows;
    const { octets } = this.#module.views;
    const biflows = this.#module.biflowChunks('biflow');
    const runs: RawBiflows[] = [];
    for (let first = 0; first < rows; first += CHUNK_ROWS) {
      const chunk = first / CHUNK_ROWS;
      const count = Math.min(CHUNK_ROWS, rows - first);
      const part = (at: number, size: number): Uint8Array => octets.subarray(at, at + count * size);
      const parts = Object.fromEntries(
        withColumns(this.#measure.measurements).map((name) => [
          name,
          part(this.#module.biflowChunks(name)[chunk]!, PARTS[name].size),
        ]),
      );
      runs.push({ biflows: part(biflows[chunk]!, Biflow.size), parts, count });
    }
    return runs;
  }

  #readLines(): { readonly seen: SeenLine[]; readonly ledger: LedgerLine[] } {
    const { count, at } = this.#module.lines;
    const { buffer } = this.#module.views.octets;
    const view = new DataView(buffer, at, count * LINE.size);
    const seen: SeenLine[] = [];
    const ledger: LedgerLine[] = [];
    for (let line = 0; line < count * LINE.size; line += LINE.size) {
      const place = pointOf(view.getUint32(line + LINE.point, true));
      const packets = view.getBigUint64(line + LINE.packets, true);
      const octets = view.getBigUint64(line + LINE.octets, true);
      const reason = view.getUint16(line + LINE.reason, true);
      if (reason === 0) seen.push({ ...place, packets, octets });
      else {
        const level = view.getUint16(line + LINE.level, true);
        ledger.push({ ...place, reason: reasonName(reason), level, packets, octets });
      }
    }
    return { seen, ledger };
  }
}

/** Which row of which run one is. */
function placeOf(at: number): { readonly run: number; readonly row: number } {
  return { run: Math.floor(at / CHUNK_ROWS), row: at % CHUNK_ROWS };
}
