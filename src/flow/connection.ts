/** ConnectionBatch: connections, from their first packet on, as far as they are known at the end of an epoch. */
import { type FlowColumns, transferables } from './batch.ts';
import { createMeasuredColumns, type MeasuredColumns, type MeasuredField } from './measurement.ts';

/** How a connection ended, by the value of the `close` column; `opener` and `answerer` as the batch has them. */
export const CONNECTION_CLOSES = [
  'open',
  'finished',
  'reset by opener',
  'reset by answerer',
  'refused',
  'replaced',
  'idle',
] as const;
export type ConnectionClose = (typeof CONNECTION_CLOSES)[number];

/** Bits of the `traits` column. */
export const CONNECTION_TRAIT = {
  /** Who opened was seen; else it is who sent the first packet that was seen. */
  opener: 1,
  /** Both ends greeted each other. */
  handshake: 2,
  /** Nothing more will be told of it. */
  ended: 4,
} as const;

/** What is known of a connection beside what its opener sent, which stands with the flow columns. */
export const CONNECTION_FIELDS = {
  beganNs: { bits: 64, meaning: 'time of the first packet, nanoseconds of the clock of whoever observed' },
  durationNs: { bits: 64, meaning: 'from the first packet to the last' },
  answerOctets: { bits: 64, meaning: 'octets on the wire that the answerer sent' },
  answerPackets: { bits: 64, meaning: 'packets on the wire that the answerer sent' },
  answerPayloadOctets: { bits: 64, meaning: 'their octets behind the transport header' },
  close: { bits: 32, meaning: 'how it ended (CONNECTION_CLOSES)' },
  traits: { bits: 32, meaning: 'CONNECTION_TRAIT bits' },
} as const satisfies Record<string, MeasuredField>;

/** Connections that had packets in an epoch, or of which it is now known that they are over. Lent as what carries it. */
export interface ConnectionBatch {
  readonly length: number;
  /**
   * Who opened it (source) to whom, at the observation point where the opener's packets pass. Octets, packets and payload are the
   * opener's, since the beginning; `firstMs` and `lastMs` those of the connection. Other columns are zero.
   */
  readonly flows: FlowColumns;
  readonly columns: MeasuredColumns<typeof CONNECTION_FIELDS>;
}

/** Columns for `length` connections, all zero. */
export function createConnectionColumns(length: number): MeasuredColumns<typeof CONNECTION_FIELDS> {
  return createMeasuredColumns(CONNECTION_FIELDS, length);
}

/** The buffers behind a batch of connections. */
export function connectionBuffers(batch: ConnectionBatch | undefined): ArrayBuffer[] {
  if (!batch) return [];
  return [...transferables(batch.flows), ...Object.values(batch.columns).map(({ buffer }) => buffer)];
}
