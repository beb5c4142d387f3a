/** A run of packets as columns over one buffer: nothing is allocated per packet. */
import type { CaptureInterface } from './interface.ts';

/** Most packets in a batch; the columns stay in a processor's second-level cache. */
export const BATCH_PACKETS = 4_096;

/**
 * Consecutive packets of a capture. Row i of each column belongs to packet i < `count`; rows beyond are leftovers.
 *
 * **Lent:** the batch, its columns and its octets are the reader's and are overwritten by the next step of the iterator.
 */
export interface PacketBatch {
  /** Holds the packets of this batch, and other octets between them. */
  readonly octets: Uint8Array<ArrayBuffer>;
  readonly count: number;
  /** Packets of the capture before this batch: packet i has number `before + i`, from 0. */
  readonly before: number;
  /** Where a packet begins in `octets`. */
  readonly offsets: Uint32Array<ArrayBuffer>;
  /** Octets of the packet that are here. */
  readonly capturedLengths: Uint32Array<ArrayBuffer>;
  /** Octets of the packet on the wire, never less than captured. As the file says otherwise, which may be absurd. */
  readonly originalLengths: Uint32Array<ArrayBuffer>;
  /** Whole seconds since 1970; NaN where the file has no time (Simple Packet Blocks). */
  readonly seconds: Float64Array<ArrayBuffer>;
  /** Nanoseconds within the second, 0 to 999,999,999; finer time stamps are rounded down. */
  readonly nanoseconds: Uint32Array<ArrayBuffer>;
  /** Index into the capture's `interfaces`. */
  readonly interfaces: Uint16Array<ArrayBuffer>;
  /** LINKTYPE number of that interface. */
  readonly linkTypes: Uint16Array<ArrayBuffer>;
}

/** A batch being filled. */
export type Filling = { -readonly [Key in keyof PacketBatch]: PacketBatch[Key] } & {
  /** Packets whose captured length was above the original length. */
  raised: number;
};

/** An empty batch. */
export function newBatch(): Filling {
  return {
    octets: new Uint8Array(0),
    count: 0,
    before: 0,
    raised: 0,
    offsets: new Uint32Array(BATCH_PACKETS),
    capturedLengths: new Uint32Array(BATCH_PACKETS),
    originalLengths: new Uint32Array(BATCH_PACKETS),
    seconds: new Float64Array(BATCH_PACKETS),
    nanoseconds: new Uint32Array(BATCH_PACKETS),
    interfaces: new Uint16Array(BATCH_PACKETS),
    linkTypes: new Uint16Array(BATCH_PACKETS),
  };
}

/** Time of a packet in nanoseconds since 1970; `undefined` where the file has none. */
export function packetTimeNs(batch: PacketBatch, row: number): bigint | undefined {
  const seconds = batch.seconds[row]!;
  return Number.isNaN(seconds)
    ? undefined
    : BigInt(seconds) * 1_000_000_000n + BigInt(batch.nanoseconds[row]!);
}

/** Time of a packet in milliseconds since 1970, exact to a quarter of a microsecond; NaN where the file has none. */
export function packetTimeMs(batch: PacketBatch, row: number): number {
  return batch.seconds[row]! * 1_000 + batch.nanoseconds[row]! / 1e6;
}

/** Adds a batch to the counters of its interfaces. @returns octets of the batch, here and on the wire */
export function tally(
  batch: PacketBatch,
  interfaces: readonly CaptureInterface[],
): { readonly captured: number; readonly original: number } {
  const sum = { captured: 0, original: 0 };
  let row = 0;
  while (row < batch.count) {
    const first = row;
    const index = batch.interfaces[row]!;
    let captured = 0;
    let original = 0;
    for (; row < batch.count && batch.interfaces[row] === index; row++) {
      captured += batch.capturedLengths[row]!;
      original += batch.originalLengths[row]!;
    }
    const from = interfaces[index]!;
    from.packets += row - first;
    from.capturedOctets += captured;
    from.originalOctets += original;
    sum.captured += captured;
    sum.original += original;
  }
  return sum;
}
