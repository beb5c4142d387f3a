/** What the two formats' decoders have in common: how they are fed, and how they say what they found. */
import type { Filling } from './batch.ts';
import type { CaptureErrorCode } from './error.ts';
import type { CaptureInterface } from './interface.ts';

/**
 * Most octets of one packet. Super-packets of Linux (BIG TCP) reach 512 KiB; more is a length that lies.
 */
export const MAX_PACKET_OCTETS = 1 << 20;

/** Most octets of one pcapng block, as in libpcap; a block is held in memory as a whole. */
export const MAX_BLOCK_OCTETS = 16 << 20;

/** Most interfaces of one capture, over all its sections. */
export const MAX_INTERFACES = 1 << 16;

/** Octets of a capture that have been read and not been decoded: `from` to `to` of a buffer. */
export interface Window {
  octets: Uint8Array<ArrayBuffer>;
  /** Over the same buffer. */
  view: DataView<ArrayBuffer>;
  from: number;
  to: number;
}

/** A record that cannot be read, and with it all behind it. It begins at `from` of the window. */
export interface Fault {
  readonly code: CaptureErrorCode;
  /** What was found, as half a sentence. */
  readonly reason: string;
}

/** What a decoder says when it returns. */
export type Step =
  /** The record at `from` is longer than the window; `wanted` says how many octets the decoder waits for. */
  | 'more'
  /** The batch has no room, or what was read has to be used before going on. */
  | 'full'
  | Fault;

/** What was found beside packets. */
export interface CaptureCounters {
  /** Packets delivered. */
  packets: number;
  capturedOctets: number;
  /** Octets on the wire. */
  originalOctets: number;
  /** Packets whose captured length was above the original length, which was raised. */
  raisedLengths: number;
  /** Packets not delivered: their block names an interface that was not described. */
  undeclaredInterface: number;
  /** Packets not delivered: they say they are longer than their block. */
  beyondBlock: number;
  /** Packets not delivered: longer than MAX_PACKET_OCTETS, in a block that holds them. */
  tooLong: number;
  /** Blocks with neither packets nor anything else that is read here. */
  skippedBlocks: number;
  /** Blocks whose options run over the block, or that are too short for what they are. The options before count. */
  damagedBlocks: number;
}

/** Decodes one format. Its state lasts from the first record to the last. */
export interface Decoder {
  readonly format: 'pcap' | 'pcapng';
  /** Octets from `from` on that the record there is known to need. At least 1. */
  readonly wanted: number;
  /** Takes whole records from the window into the batch, and moves `from` behind them. */
  decode(window: Window, batch: Filling): Step;
  /** What a record cut off by the end of the file is. */
  readonly awaited: string;
}

/** What decoders write to. */
export interface Findings {
  readonly interfaces: CaptureInterface[];
  readonly counters: CaptureCounters;
}
