/** What was measured, epoch by epoch: of each flow, or of flows together by tunnel or by protocol. */
import type { FlowBatch, MeasurementBatch } from '../flow/index.ts';
import { columnWords, FIELDS, type FieldName, type FlowColumns, transportName } from '../flow/index.ts';
import { ArrivalSums } from './arrivals.ts';
import { SequenceSums } from './sequences.ts';
import { type SocketFigures, SocketIndex } from './sockets.ts';
import { TcpSums } from './tcp.ts';
import { type FlowWords, flowWords, tunnelText } from './words.ts';

/** What is one row: a flow, one way at one observation point; a tunnel, one way; or a protocol (System D). */
export const GROUPINGS = ['flow', 'tunnel', 'protocol'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** One group: who it is, what went in the latest epoch, and what is kept since the start. */
export interface MeasuredGroup {
  readonly words: FlowWords;
  /** Flows in it, in the latest epoch. */
  flows: number;
  /** Of the latest epoch, on the wire; payload behind the transport header. */
  packets: number;
  octets: number;
  payloadOctets: number;
  /** Of the latest epoch. */
  arrivals: ArrivalSums | undefined;
  /** Since the start; undefined where no packet had a place for a number. */
  sequence: SequenceSums | undefined;
  /** Since the start, of TCP only. */
  tcp: TcpSums | undefined;
  /** Of the host's own socket at an end of the flow, at the end of the latest epoch, or when it closed; of single flows only. */
  socket: SocketFigures | undefined;
  /** The latest epoch in which it had packets. */
  epoch: number;
}

/** How groups are made and kept. */
export interface MeasuredOptions {
  readonly by: Grouping;
  /** Which records count; default all. @returns a test of the rows of a batch */
  readonly fits?: (batch: FlowBatch) => (flows: FlowColumns, row: number) => boolean;
  /** Epochs without packets after which a group is forgotten. Default 60. */
  readonly keptEpochs?: number;
}

/** Its IP protocol number. */
const TCP = 6;
const KEY_NAMES = (Object.keys(FIELDS) as FieldName[]).filter((name) => FIELDS[name].key);
/** Columns of 16 octets per record. */
const WIDE: ReadonlySet<FieldName> = new Set(KEY_NAMES.filter((name) => FIELDS[name].bits === 128));

/** Groups measurements. Feed it every epoch; rates are over the epoch's true length. */
export class Measured {
  readonly #options: MeasuredOptions;
  readonly #groups = new Map<string, MeasuredGroup>();
  /** Length of the latest epoch. */
  seconds = 0;
  /** Packets of the latest epoch of which nothing was measured. */
  unmeasuredPackets = 0;
  /** Sockets of the latest epoch that were more than are told. */
  untoldSockets = 0;
  #epoch = 0;

  constructor(options: MeasuredOptions) {
    this.#options = options;
  }

  /** Takes an epoch in. */
  write(batch: FlowBatch): void {
    const { measurements } = batch;
    this.seconds = (batch.endMs - batch.startMs) / 1000;
    this.#epoch = batch.epoch;
    this.unmeasuredPackets = measurements?.unmeasuredPackets ?? 0;
    this.untoldSockets = batch.sockets?.untold ?? 0;
    if (measurements) this.#add(batch, measurements);
    for (const [key, { epoch }] of this.#groups)
      if (batch.epoch - epoch > (this.#options.keptEpochs ?? 60)) this.#groups.delete(key);
  }

  /** The groups that had packets in the latest epoch, in the order in which they were first seen. */
  get active(): MeasuredGroup[] {
    return this.all.filter(({ epoch }) => epoch === this.#epoch);
  }

  /** Those and the ones that had some lately; their rates and arrivals are of their own latest epoch. */
  get all(): MeasuredGroup[] {
    return [...this.#groups.values()];
  }

  #add(batch: FlowBatch, measurements: MeasurementBatch): void {
    const { flows, length } = measurements;
    const fits = this.#options.fits?.(batch);
    const sockets =
      batch.sockets && this.#options.by === 'flow' ? new SocketIndex(batch.sockets, flows) : undefined;
    for (let row = 0; row < length; row++) {
      if (fits && !fits(flows, row)) continue;
      const group = this.#group(flows, row);
      if (group.epoch !== batch.epoch) {
        Object.assign(group, {
          flows: 0,
          packets: 0,
          octets: 0,
          payloadOctets: 0,
          arrivals: undefined,
          // Its last packets may come after the socket has closed, in another epoch.
          socket: group.socket?.isClosed ? group.socket : undefined,
        });
        group.epoch = batch.epoch;
      }
      group.flows++;
      if (sockets) group.socket = sockets.find(row) ?? group.socket;
      group.packets += Number(flows.wirePackets[row]!);
      group.octets += Number(flows.wireOctets[row]!);
      group.payloadOctets += Number(flows.payloadOctets[row]!);
      if (measurements.arrivals) {
        group.arrivals ??= new ArrivalSums();
        group.arrivals.add(measurements.arrivals, row);
      }
      if (measurements.sequence && hasNumbers(measurements.sequence, row)) {
        group.sequence ??= new SequenceSums();
        group.sequence.add(measurements.sequence, row);
      }
      if (measurements.tcp && flows.protocol[row] === TCP) {
        group.tcp ??= new TcpSums();
        group.tcp.add(measurements.tcp, row);
      }
    }
  }

  #group(flows: FlowColumns, row: number): MeasuredGroup {
    const key = KEYS[this.#options.by](flows, row);
    let group = this.#groups.get(key);
    if (!group) {
      const words = WORDS[this.#options.by](flows, row);
      group = {
        words,
        flows: 0,
        packets: 0,
        octets: 0,
        payloadOctets: 0,
        arrivals: undefined,
        sequence: undefined,
        tcp: undefined,
        socket: undefined,
        epoch: -1,
      };
      this.#groups.set(key, group);
    }
    return group;
  }
}

function hasNumbers(columns: NonNullable<MeasurementBatch['sequence']>, row: number): boolean {
  return columns.received[row] !== 0n || columns.noSequence[row] !== 0n || columns.otherSources[row] !== 0n;
}

function protocolOf(flows: FlowColumns, row: number): string {
  return transportName(flows.network[row]!, flows.protocol[row]!, flows.ethertype[row]!);
}

/** Both versions of ICMP are one, as in System D. */
function protocolGroup(flows: FlowColumns, row: number): string {
  const name = protocolOf(flows, row);
  return name === 'ICMPV6' ? 'ICMP' : name;
}

function flowKey(flows: FlowColumns, row: number): string {
  let key = '';
  for (const name of KEY_NAMES) {
    // What a fragment or a broadcast is does not make another flow: the kernel measures them together.
    if (name === 'cast' || name === 'fragment' || name === 'remark') continue;
    key += WIDE.has(name)
      ? `${columnWords(flows[name] as Uint8Array<ArrayBuffer>).subarray(4 * row, 4 * row + 4)} `
      : `${flows[name][row]!} `;
  }
  return key;
}

const KEYS: Readonly<Record<Grouping, (flows: FlowColumns, row: number) => string>> = {
  flow: flowKey,
  tunnel: tunnelText,
  protocol: protocolGroup,
};

const WORDS: Readonly<Record<Grouping, (flows: FlowColumns, row: number) => FlowWords>> = {
  flow: flowWords,
  tunnel: (flows, row) => ({
    protocol: '',
    source: '',
    destination: '',
    tunnel: tunnelText(flows, row) || 'no tunnel',
  }),
  protocol: (flows, row) => ({
    protocol: protocolGroup(flows, row),
    source: '',
    destination: '',
    tunnel: '',
  }),
};
