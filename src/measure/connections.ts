/** Connections of a batch as plain values. */
import {
  CONNECTION_CLOSES,
  CONNECTION_TRAIT,
  type ConnectionBatch,
  type ConnectionClose,
} from '../flow/index.ts';
import { type FlowWords, flowWords } from './words.ts';

/** One connection as far as it is known; its source is who opened it. */
export interface Connection extends FlowWords {
  readonly ifindex: number;
  readonly startMs: number;
  readonly durationMs: number;
  /** On the wire, from who opened to who answered, and back. */
  readonly packets: number;
  readonly octets: number;
  readonly payloadOctets: number;
  readonly answerPackets: number;
  readonly answerOctets: number;
  readonly answerPayloadOctets: number;
  readonly close: ConnectionClose;
  /** Whether it was seen who opened it; else it is who sent the first packet that was seen. */
  readonly isOpenerKnown: boolean;
  /** Of TCP: whether both ends greeted each other. */
  readonly hasHandshake: boolean;
  /** Nothing more will come. */
  readonly isEnded: boolean;
}

/** Connection `row` of a batch. */
export function connectionOf({ flows, columns }: ConnectionBatch, row: number): Connection {
  const traits = columns.traits[row]!;
  return {
    ...flowWords(flows, row),
    ifindex: flows.ifindex[row]!,
    startMs: flows.firstMs[row]!,
    durationMs: Number(columns.durationNs[row]!) / 1e6,
    packets: Number(flows.wirePackets[row]!),
    octets: Number(flows.wireOctets[row]!),
    payloadOctets: Number(flows.payloadOctets[row]!),
    answerPackets: Number(columns.answerPackets[row]!),
    answerOctets: Number(columns.answerOctets[row]!),
    answerPayloadOctets: Number(columns.answerPayloadOctets[row]!),
    close: CONNECTION_CLOSES[columns.close[row]!] ?? 'open',
    isOpenerKnown: (traits & CONNECTION_TRAIT.opener) !== 0,
    hasHandshake: (traits & CONNECTION_TRAIT.handshake) !== 0,
    isEnded: (traits & CONNECTION_TRAIT.ended) !== 0,
  };
}
