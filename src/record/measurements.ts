/** From rows of biflows, and what is measured beside them, to columns: one record per way that had packets in the epoch. */
import {
  createColumns,
  createMeasuredColumns,
  type FlowColumns,
  MEASUREMENTS,
  type MeasuredField,
  type MeasurementBatch,
  type MeasurementName,
} from '../flow/index.ts';
import {
  Arrivals,
  ArrivalsCounts,
  ArrivalsState,
  Biflow,
  FlowCounters,
  Labels,
  NumberedCounts,
  NumberedState,
  Numbers,
  TcpCounts,
  TcpState,
  TcpTrack,
  WayCounts,
  WideKey,
} from './gen/meter.ts';
import { decodeRecords } from './records.ts';

/** Rows that follow each other in memory: the biflows', and with the same numbers those of what is measured. */
export interface RawBiflows {
  readonly biflows: Uint8Array;
  readonly parts: Readonly<Partial<Record<MeasurementName, Uint8Array>>>;
  readonly count: number;
}

/** Turns the stamps of biflows into Unix time: `ns` and `ms` are the same moment. */
export interface StampClock {
  readonly ns: bigint;
  readonly ms: number;
}

/** A half of a row's counts: which row of which run, and which way. */
export interface PickedWay {
  readonly run: number;
  readonly row: number;
  readonly way: 0 | 1;
}

/** Where a measurement's fields lie in the struct that holds both ways of it. */
interface Part {
  /** Size of that struct. */
  readonly size: number;
  /** Where `counts[way][parity]` begin, and the size of one. */
  readonly counts: number;
  readonly half: number;
  /** Of each field where it lies in a half; or, with `state`, in what is kept of a way from epoch to epoch. */
  readonly fields: Readonly<Record<string, { readonly at: number; readonly state?: true }>>;
  /** Where `state[way]` begin, and the size of one. */
  readonly state: number;
  readonly way: number;
}

/** Finds each field of a table by the last part of its name in the struct, or by the name that is given for it. */
function partOf(
  whole: { readonly size: number; readonly offsets: { readonly state: number; readonly counts: number } },
  [counts, state]: readonly { readonly size: number; readonly offsets: Readonly<Record<string, number>> }[],
  table: Readonly<Record<string, MeasuredField>>,
  named: Readonly<Record<string, string>> = {},
): Part {
  const fields = Object.keys(table).map((field) => {
    const name = named[field] ?? field;
    const inCounts = offsetOf(counts!.offsets, name);
    if (inCounts !== undefined) return [field, { at: inCounts }];
    const at = offsetOf(state!.offsets, name);
    if (at === undefined) throw new RangeError(`no struct has the field ${name}`);
    return [field, { at, state: true }];
  });
  return {
    size: whole.size,
    counts: whole.offsets.counts,
    half: counts!.size,
    fields: Object.fromEntries(fields),
    state: whole.offsets.state,
    way: state!.size,
  };
}

function offsetOf(offsets: Readonly<Record<string, number>>, name: string): number | undefined {
  const found = Object.entries(offsets).find(([path]) => path === name || path.endsWith(`.${name}`));
  return found?.[1];
}

/** The structs of each measurement. */
export const PARTS: Readonly<Record<MeasurementName, Part>> = {
  arrivals: partOf(Arrivals, [ArrivalsCounts, ArrivalsState], MEASUREMENTS.arrivals),
  sequence: partOf(Numbers, [NumberedCounts, NumberedState], MEASUREMENTS.sequence, {
    last: 'sequence.last',
    jitterSamples: 'jitter.samples',
    jitterSumNs: 'jitter.sumNs',
    jitterMostNs: 'jitter.mostNs',
    jitterSixteenths: 'jitter.sixteenths',
  }),
  tcp: partOf(TcpTrack, [TcpCounts, TcpState], MEASUREMENTS.tcp, {
    roundTrips: 'roundTrip.samples',
    roundTripSumNs: 'roundTrip.sum',
    roundTripLeastNs: 'roundTrip.least',
    roundTripMostNs: 'roundTrip.most',
    roundTripHistogram: 'roundTrip.places',
  }),
};

const HALVES = 2;

/** Where the counts of a way and half begin in a struct: `counts[way][parity]`. */
function halfAt(counts: number, size: number, way: number, parity: number): number {
  return counts + (way * HALVES + parity) * size;
}

/** The ways of rows that had packets in the half of this parity. */
export function waysOf(run: RawBiflows, number: number, parity: 0 | 1): PickedWay[] {
  const words = new Uint32Array(run.biflows.buffer, run.biflows.byteOffset, (run.count * Biflow.size) >> 2);
  const picked: PickedWay[] = [];
  for (let row = 0; row < run.count; row++) {
    const base = (row * Biflow.size) >> 2;
    for (const way of [0, 1] as const) {
      const at = base + (halfAt(Biflow.offsets.counts, WayCounts.size, way, parity) >> 2);
      if (words[at] !== 0 || words[at + 1] !== 0) picked.push({ run: number, row, way });
    }
  }
  return picked;
}

/** Empties the picked halves. */
export function clearWays(runs: readonly RawBiflows[], picked: readonly PickedWay[], parity: 0 | 1): void {
  for (const { run, row, way } of picked) {
    const { biflows, parts } = runs[run]!;
    const at = row * Biflow.size + halfAt(Biflow.offsets.counts, WayCounts.size, way, parity);
    biflows.fill(0, at, at + WayCounts.size);
    for (const [name, bytes] of Object.entries(parts)) {
      const { size, counts, half } = PARTS[name as MeasurementName];
      const from = row * size + halfAt(counts, half, way, parity);
      bytes.fill(0, from, from + half);
    }
  }
}

/** Decodes the picked ways into a batch of its own; the connections are another's to add. */
export function decodeMeasurements(
  runs: readonly RawBiflows[],
  picked: readonly PickedWay[],
  parity: 0 | 1,
  clock: StampClock,
): Omit<MeasurementBatch, 'connections' | 'unmeasuredPackets'> {
  const flows = decodeWays(runs, picked, parity, clock);
  const parts: Record<string, unknown> = {};
  for (const name of Object.keys(MEASUREMENTS) as MeasurementName[]) {
    if (runs.some(({ parts }) => parts[name])) parts[name] = decodePart(runs, picked, name, parity);
  }
  return { length: picked.length, flows, ...parts };
}

/** Keys as each way has them and what went that way, in the form of flow records. */
function decodeWays(
  runs: readonly RawBiflows[],
  picked: readonly PickedWay[],
  parity: 0 | 1,
  clock: StampClock,
): FlowColumns {
  const count = picked.length;
  const keys = new Uint8Array(count * WideKey.size);
  const values = new Uint8Array(count * FlowCounters.size);
  const columns = createColumns(count);
  for (const [i, { run, row, way }] of picked.entries()) {
    const { biflows } = runs[run]!;
    const from = biflows.subarray(row * Biflow.size, (row + 1) * Biflow.size);
    const key = keys.subarray(i * WideKey.size, (i + 1) * WideKey.size);
    writeWayKey(key, from, way);
    const at = halfAt(Biflow.offsets.counts, WayCounts.size, way, parity);
    const value = i * FlowCounters.size;
    for (const [name, field] of [
      ['octets', FlowCounters.offsets.octets],
      ['packets', FlowCounters.offsets.packets],
      ['payloadOctets', FlowCounters.offsets.payloadOctets],
    ] as const) {
      const begin = at + WayCounts.offsets[name];
      values.set(from.subarray(begin, begin + 8), value + field);
    }
    const view = new DataView(from.buffer, from.byteOffset);
    columns.firstMs[i] = timeOf(view.getBigUint64(Biflow.offsets['connection.firstNs'], true), clock);
    columns.lastMs[i] = timeOf(view.getBigUint64(Biflow.offsets['connection.lastNs'], true), clock);
  }
  const raw = { keys, keyStride: WideKey.size, values, valueStride: FlowCounters.size, count };
  decodeRecords('wide', raw, columns, 0, undefined);
  return columns;
}

/** Unix time of a stamp, milliseconds. */
export function timeOf(ns: bigint, { ns: nowNs, ms }: StampClock): number {
  return ms - Number(nowNs - ns) / 1e6;
}

/** Writes the key of the flow which goes `way` of a biflow: way 0 has its key as it stands, way 1 the ends exchanged. */
export function writeWayKey(key: Uint8Array, biflow: Uint8Array, way: 0 | 1): void {
  key.set(biflow.subarray(0, WideKey.size));
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  const from = new DataView(biflow.buffer, biflow.byteOffset, biflow.byteLength);
  const { protocol, sourcePort, destinationPort, point, traits } = Labels.offsets;
  const isIcmp = key[protocol] === 1 || key[protocol] === 58;
  key[point] = (key[point]! & ~1) | ((biflow[Biflow.offsets.directions]! >> way) & 1);
  if (way === 1) {
    for (const [a, b] of [
      ['outerSource', 'outerDestination'],
      ['source', 'destination'],
    ] as const) {
      const first = WideKey.offsets[`addresses.${a}`];
      const second = WideKey.offsets[`addresses.${b}`];
      const kept = key.slice(first, first + 16);
      key.copyWithin(first, second, second + 16);
      key.set(kept, second);
    }
    if (!isIcmp) {
      const kept = view.getUint16(sourcePort, true);
      view.setUint16(sourcePort, view.getUint16(destinationPort, true), true);
      view.setUint16(destinationPort, kept, true);
    }
  }
  if (isIcmp)
    view.setUint16(destinationPort, from.getUint16(Biflow.offsets.destinationPorts + 2 * way, true), true);
  key[traits] = biflow[Biflow.offsets.traits + way]!;
}

function decodePart(
  runs: readonly RawBiflows[],
  picked: readonly PickedWay[],
  name: MeasurementName,
  parity: 0 | 1,
): unknown {
  const { size, counts, half, fields, state, way: waySize } = PARTS[name];
  const table: Readonly<Record<string, MeasuredField>> = MEASUREMENTS[name];
  const columns = createMeasuredColumns(table, picked.length);
  for (const [field, { bits, count = 1 }] of Object.entries(table)) {
    const { at, state: isState } = fields[field]!;
    const into = new Uint32Array(columns[field]!.buffer);
    const wordCount = (count * bits) / 32;
    for (const [i, { run, row, way }] of picked.entries()) {
      const bytes = runs[run]!.parts[name]!;
      const begin = isState ? state + way * waySize : halfAt(counts, half, way, parity);
      const from = bytes.byteOffset + row * size + begin + at;
      into.set(new Uint32Array(bytes.buffer, from, wordCount), i * wordCount);
    }
  }
  return columns;
}
