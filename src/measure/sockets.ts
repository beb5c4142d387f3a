/** What the host's own socket at an end of a measured flow knows. */
import {
  columnWords,
  type FlowColumns,
  KeyTable,
  NO_SSTHRESH,
  type SocketBatch,
  type SocketColumns,
} from '../flow/index.ts';

/** Figures of a socket; what it has no sample of yet is `undefined`. Counters are since it was made. */
export interface SocketFigures {
  /** Smoothed round-trip time and its mean deviation, milliseconds. */
  readonly srttMs: number | undefined;
  readonly rttvarMs: number | undefined;
  /** Least round-trip time of the last five minutes. */
  readonly minRttMs: number | undefined;
  /** What a socket that only receives takes for the round-trip time. */
  readonly receiverRttMs: number | undefined;
  /** Congestion window, segments. */
  readonly cwnd: number;
  /** Slow-start threshold, segments; `undefined` before the first loss. */
  readonly ssthresh: number | undefined;
  /** Octets. */
  readonly mss: number;
  /** Segments sent again. */
  readonly retransmits: number;
  /** Segments taken for lost. */
  readonly lost: number;
  /** Sent and not acknowledged, segments. */
  readonly unacked: number;
  /** It is closed: these are its last figures. */
  readonly isClosed: boolean;
}

const TCP = 6;
const EGRESS = 1;
/** Words of an address, and of a key: own address, the other end's, both ports. */
const ADDRESS_WORDS = 4;
const KEY_WORDS = 2 * ADDRESS_WORDS + 1;

/** One end of flows or sockets, in the columns that have it. */
interface End {
  readonly address: Uint32Array;
  readonly port: Uint16Array;
}

/** Finds the sockets of measured flows by the flows' innermost ends. Reads both batches as long as it lives. */
export class SocketIndex {
  readonly #sockets: SocketColumns;
  readonly #flows: FlowColumns;
  readonly #source: End;
  readonly #destination: End;
  readonly #keys: KeyTable;
  /** Of each key the last row that has it: an open socket rather than one that closed before. */
  readonly #rows: Uint32Array;

  constructor({ columns, length }: SocketBatch, flows: FlowColumns) {
    this.#sockets = columns;
    this.#flows = flows;
    this.#source = endOf(flows.source, flows.sourcePort);
    this.#destination = endOf(flows.destination, flows.destinationPort);
    this.#keys = new KeyTable(KEY_WORDS, Math.max(64, length));
    this.#rows = new Uint32Array(length);
    const local = endOf(columns.localAddress, columns.localPort);
    const remote = endOf(columns.remoteAddress, columns.remotePort);
    for (let row = 0; row < length; row++) {
      this.#probe(local, remote, row);
      this.#rows[this.#keys.intern()] = row;
    }
  }

  /** The socket at that end of a flow which is here: the sender of what leaves, the receiver of what comes in, else the other. */
  find(row: number): SocketFigures | undefined {
    const { direction, protocol } = this.#flows;
    if (protocol[row] !== TCP) return undefined;
    const isEgress = direction[row] === EGRESS;
    const [near, far] = isEgress ? [this.#source, this.#destination] : [this.#destination, this.#source];
    return this.#find(near, far, row) ?? this.#find(far, near, row);
  }

  #find(local: End, remote: End, row: number): SocketFigures | undefined {
    this.#probe(local, remote, row);
    const key = this.#keys.find();
    return key < 0 ? undefined : figuresOf(this.#sockets, this.#rows[key]!);
  }

  #probe(local: End, remote: End, row: number): void {
    const { probe } = this.#keys;
    for (let word = 0; word < ADDRESS_WORDS; word++) {
      probe[word] = local.address[ADDRESS_WORDS * row + word]!;
      probe[ADDRESS_WORDS + word] = remote.address[ADDRESS_WORDS * row + word]!;
    }
    probe[2 * ADDRESS_WORDS] = ((local.port[row]! << 16) | remote.port[row]!) >>> 0;
  }
}

function endOf(addresses: Uint8Array<ArrayBuffer>, port: Uint16Array): End {
  return { address: columnWords(addresses), port };
}

function figuresOf(columns: SocketColumns, row: number): SocketFigures {
  const ssthresh = columns.ssthresh[row]!;
  return {
    srttMs: milliseconds(columns.srttUs[row]!),
    rttvarMs: columns.srttUs[row] === 0 ? undefined : columns.rttvarUs[row]! / 1000,
    minRttMs: milliseconds(columns.minRttUs[row]!),
    receiverRttMs: milliseconds(columns.receiverRttUs[row]!),
    cwnd: columns.cwnd[row]!,
    ssthresh: ssthresh >= NO_SSTHRESH ? undefined : ssthresh,
    mss: columns.mss[row]!,
    retransmits: columns.retransmits[row]!,
    lost: columns.lost[row]!,
    unacked: columns.unacked[row]!,
    isClosed: columns.isClosed[row] === 1,
  };
}

/** 0 is no sample. */
function milliseconds(us: number): number | undefined {
  return us === 0 ? undefined : us / 1000;
}
