/** SocketBatch: what the host's own TCP sockets knew at the end of an epoch, as columns. */

/** Unit and meaning of a column of sockets. Addresses have 128 bits: 16 octets per record, IPv4 in the mapped form. */
export interface SocketField {
  readonly bits: 8 | 16 | 32 | 64 | 128;
  readonly meaning: string;
}

/** Every field of a socket (bpf/sockets.bpf.c); counters are since it was made. Times are 0 before the first sample. */
export const SOCKET_FIELDS = {
  networkNamespace: { bits: 32, meaning: 'inode of its network namespace' },
  localAddress: { bits: 128, meaning: 'own address' },
  remoteAddress: { bits: 128, meaning: 'address of the other end' },
  localPort: { bits: 16, meaning: 'own port' },
  remotePort: { bits: 16, meaning: 'port of the other end' },
  state: {
    bits: 8,
    meaning: 'TCP state of net/tcp_states.h, e.g. 1 established; of a closed socket the one before',
  },
  isClosed: { bits: 8, meaning: '1: closed during the epoch, these are its last figures' },
  srttUs: { bits: 32, meaning: 'smoothed round-trip time (RFC 6298), microseconds' },
  rttvarUs: { bits: 32, meaning: 'its mean deviation, as ss prints it, microseconds' },
  minRttUs: { bits: 32, meaning: 'least round-trip time of the last five minutes, microseconds' },
  receiverRttUs: { bits: 32, meaning: 'round-trip time as a receiver estimates it, microseconds' },
  cwnd: { bits: 32, meaning: 'congestion window, segments' },
  ssthresh: { bits: 32, meaning: 'slow-start threshold, segments; NO_SSTHRESH before the first loss' },
  mss: { bits: 32, meaning: 'sending maximum segment size, octets' },
  retransmits: { bits: 32, meaning: 'segments sent again, SYN included' },
  lost: { bits: 32, meaning: 'segments taken for lost' },
  unacked: { bits: 32, meaning: 'segments sent and not acknowledged at that moment' },
  unackedLost: { bits: 32, meaning: 'of these the ones taken for lost' },
  unackedSacked: { bits: 32, meaning: 'of these the ones acknowledged selectively' },
  segmentsIn: { bits: 32, meaning: 'segments received' },
  segmentsOut: { bits: 32, meaning: 'segments sent' },
  sentOctets: { bits: 64, meaning: 'payload sent, retransmissions included' },
  retransmittedOctets: { bits: 64, meaning: 'payload sent again' },
  ackedOctets: { bits: 64, meaning: 'payload that the other end acknowledged' },
  receivedOctets: { bits: 64, meaning: 'payload received in order' },
} as const satisfies Record<string, SocketField>;

/** Name of a field of a socket. */
export type SocketFieldName = keyof typeof SOCKET_FIELDS;

/** `ssthresh` of a socket that has seen no loss (TCP_INFINITE_SSTHRESH). */
export const NO_SSTHRESH = 0x7fff_ffff;

type ColumnOf<Bits extends number> = Bits extends 16
  ? Uint16Array<ArrayBuffer>
  : Bits extends 32
    ? Uint32Array<ArrayBuffer>
    : Bits extends 64
      ? BigUint64Array<ArrayBuffer>
      : Uint8Array<ArrayBuffer>;

/** The columns of a batch of sockets. */
export type SocketColumns = {
  readonly [Name in SocketFieldName]: ColumnOf<(typeof SOCKET_FIELDS)[Name]['bits']>;
};

/** The TCP sockets of an epoch: those that closed in it, in that order, then those that are there at its end. Lent as the batch that carries it. */
export interface SocketBatch {
  readonly length: number;
  readonly columns: SocketColumns;
  /** Sockets that found no room in this batch. */
  readonly untold: number;
}

/** Columns for `length` sockets, all zero. */
export function createSocketColumns(length: number): SocketColumns {
  const columns: Record<string, ArrayBufferView> = {};
  for (const [name, { bits }] of Object.entries(SOCKET_FIELDS)) columns[name] = socketColumn(bits, length);
  return columns as SocketColumns;
}

/** The buffers behind a batch of sockets. */
export function socketBuffers(batch: SocketBatch | undefined): ArrayBuffer[] {
  return batch ? Object.values(batch.columns).map((column) => column.buffer) : [];
}

/** A copy of which the caller is the owner. */
export function copySockets(batch: SocketBatch): SocketBatch {
  return structuredClone(batch);
}

function socketColumn(bits: number, length: number): ArrayBufferView {
  switch (bits) {
    case 16:
      return new Uint16Array(length);
    case 32:
      return new Uint32Array(length);
    case 64:
      return new BigUint64Array(length);
    default:
      return new Uint8Array((length * bits) / 8);
  }
}
