/** From rows of biflows to connections, each as its opener sees it. */
import {
  type ConnectionClose as CloseName,
  CONNECTION_CLOSES,
  CONNECTION_TRAIT,
  type ConnectionBatch,
  createColumns,
  createConnectionColumns,
  type MeasureOptions,
} from '../flow/index.ts';
import { Biflow, ConnectionClose, ConnectionTrait, FlowCounters, WideKey } from './gen/meter.ts';
import { idleNs } from './measure-settings.ts';
import { type RawBiflows, type StampClock, timeOf, writeWayKey } from './measurements.ts';
import { decodeRecords } from './records.ts';

/** A connection to be told of: which row of which run, and whether nothing more will come. */
export interface PickedConnection {
  readonly run: number;
  readonly row: number;
  readonly isEnded: boolean;
}

const AT = {
  first: Biflow.offsets['connection.firstNs'],
  last: Biflow.offsets['connection.lastNs'],
  packets: Biflow.offsets['connection.packets'],
  octets: Biflow.offsets['connection.octets'],
  payload: Biflow.offsets['connection.payloadOctets'],
  opener: Biflow.offsets['connection.opener'],
  close: Biflow.offsets['connection.close'],
  traits: Biflow.offsets['connection.traits'],
  protocol: Biflow.offsets['key.labels.protocol'],
  isUnlinked: Biflow.offsets.isUnlinked,
} as const;

/** How long after it was closed a connection's last packets may come: what is sent twice, a last ACK. */
export const LINGER_NS = 2_000_000_000n;

/** Whether a later biflow has the row's key: then it is out of the index. */
export function isUnlinked(biflows: Uint8Array, row: number): boolean {
  return biflows[row * Biflow.size + AT.isUnlinked] !== 0;
}

/**
 * The rows of which nothing more will come: another has their key, or they were closed or silent for long enough. Rows
 * that are free or being made are nobody's.
 *
 * @param nowNs of the clock of their stamps; `lingerNs` is how long a closed one may still have packets
 */
export function rowsOver(
  { biflows, count }: RawBiflows,
  {
    nowNs,
    lingerNs,
    options,
  }: { readonly nowNs: bigint; readonly lingerNs: bigint; readonly options: MeasureOptions },
): number[] {
  const longs = new BigUint64Array(biflows.buffer, biflows.byteOffset, (count * Biflow.size) >> 3);
  const over: number[] = [];
  for (let row = 0; row < count; row++) {
    const base = row * Biflow.size;
    if ((biflows[base + AT.traits]! & ConnectionTrait.CONNECTION_BEGUN) === 0) continue;
    const isClosed = biflows[base + AT.close] !== ConnectionClose.CLOSE_NOT;
    const limitNs = isClosed ? lingerNs : idleNs(options, biflows[base + AT.protocol]!);
    if (isUnlinked(biflows, row) || nowNs - longs[(base + AT.last) >> 3]! >= limitNs) over.push(row);
  }
  return over;
}

/** Decodes the picked rows into a batch of its own. */
export function decodeConnections(
  runs: readonly RawBiflows[],
  picked: readonly PickedConnection[],
  clock: StampClock,
): ConnectionBatch {
  const length = picked.length;
  const keys = new Uint8Array(length * WideKey.size);
  const values = new Uint8Array(length * FlowCounters.size);
  const flows = createColumns(length);
  const columns = createConnectionColumns(length);
  for (const [i, { run, row, isEnded }] of picked.entries()) {
    const biflow = runs[run]!.biflows.subarray(row * Biflow.size, (row + 1) * Biflow.size);
    const view = new DataView(biflow.buffer, biflow.byteOffset, Biflow.size);
    const long = (at: number): bigint => view.getBigUint64(at, true);
    const opener = biflow[AT.opener]! === 1 ? 1 : 0;
    writeWayKey(keys.subarray(i * WideKey.size, (i + 1) * WideKey.size), biflow, opener);
    for (const [from, to] of [
      [AT.octets, FlowCounters.offsets.octets],
      [AT.packets, FlowCounters.offsets.packets],
      [AT.payload, FlowCounters.offsets.payloadOctets],
    ] as const) {
      const begin = from + 8 * opener;
      values.set(biflow.subarray(begin, begin + 8), i * FlowCounters.size + to);
    }
    const there = 8 * (1 - opener);
    columns.answerOctets[i] = long(AT.octets + there);
    columns.answerPackets[i] = long(AT.packets + there);
    columns.answerPayloadOctets[i] = long(AT.payload + there);
    columns.beganNs[i] = long(AT.first);
    columns.durationNs[i] = long(AT.last) - long(AT.first);
    flows.firstMs[i] = timeOf(long(AT.first), clock);
    flows.lastMs[i] = timeOf(long(AT.last), clock);
    columns.close[i] = CONNECTION_CLOSES.indexOf(closeOf(biflow[AT.close]!, opener, isEnded));
    columns.traits[i] = traitsOf(biflow[AT.traits]!, isEnded);
  }
  const raw = { keys, keyStride: WideKey.size, values, valueStride: FlowCounters.size, count: length };
  decodeRecords('wide', raw, flows, 0, undefined);
  return { length, flows, columns };
}

function traitsOf(said: number, isEnded: boolean): number {
  return (
    (said & ConnectionTrait.CONNECTION_OPENER_SAID ? CONNECTION_TRAIT.opener : 0) |
    (said & ConnectionTrait.CONNECTION_HANDSHAKE ? CONNECTION_TRAIT.handshake : 0) |
    (isEnded ? CONNECTION_TRAIT.ended : 0)
  );
}

/** What nobody ended is idle once nothing more will come. */
function closeOf(close: number, opener: number, isEnded: boolean): CloseName {
  switch (close) {
    case ConnectionClose.CLOSE_FINISHED:
      return 'finished';
    case ConnectionClose.CLOSE_RESET_0:
    case ConnectionClose.CLOSE_RESET_1:
      return close - ConnectionClose.CLOSE_RESET_0 === opener ? 'reset by opener' : 'reset by answerer';
    case ConnectionClose.CLOSE_REFUSED_0:
    case ConnectionClose.CLOSE_REFUSED_1:
      return 'refused';
    case ConnectionClose.CLOSE_REPLACED:
      return 'replaced';
    default:
      return isEnded ? 'idle' : 'open';
  }
}
