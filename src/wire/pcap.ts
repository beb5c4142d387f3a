/** Captures for other tools to read, in the classic format (draft-ietf-opsawg-pcap). */

/** What frames begin with, as the registry of link types numbers it: Ethernet, or IP without a link layer. */
export const LINK_TYPE = { ethernet: 1, raw: 101 } as const;

/** A packet as it stands in a capture. */
export interface CapturedPacket {
  readonly octets: Uint8Array;
  /** Octets on the wire; default: all are here. */
  readonly originalLength?: number;
  /** Nanoseconds since 1970; default 0. What is finer than the file's unit is rounded down. */
  readonly timeNs?: bigint;
}

/** How the file is written; the default is little-endian, microseconds, Ethernet. */
export interface PcapOptions {
  readonly bigEndian?: boolean;
  readonly nanoseconds?: boolean;
  /** LINKTYPE number; see LINK_TYPE. */
  readonly linkType?: number;
  /** Record headers as Kuznetzov's patched libpcap wrote them; with microseconds only. */
  readonly kuznetzov?: boolean;
}

/** A capture of frames, or of packets with times and lengths of their own; frames are uncut and of the epoch's start. */
export function writePcap(
  frames: readonly (Uint8Array | CapturedPacket)[],
  {
    bigEndian = false,
    nanoseconds = false,
    linkType = LINK_TYPE.ethernet,
    kuznetzov = false,
  }: PcapOptions = {},
): Uint8Array<ArrayBuffer> {
  const packets = frames.map((frame) => (frame instanceof Uint8Array ? { octets: frame } : frame));
  const headerOctets = kuznetzov ? 24 : 16;
  const sum = packets.reduce((total, { octets }) => total + headerOctets + octets.byteLength, 24);
  const capture = new Uint8Array(sum);
  const view = new DataView(capture.buffer);
  const little = !bigEndian;
  view.setUint32(0, kuznetzov ? 0xa1b2_cd34 : nanoseconds ? 0xa1b2_3c4d : 0xa1b2_c3d4, little);
  view.setUint16(4, 2, little);
  view.setUint16(6, 4, little);
  view.setUint32(16, 262_144, little); // longest frame
  view.setUint32(20, linkType, little);
  let at = 24;
  for (const { octets, originalLength = octets.byteLength, timeNs = 0n } of packets) {
    const fraction = Number(timeNs % 1_000_000_000n);
    view.setUint32(at, Number(timeNs / 1_000_000_000n), little);
    view.setUint32(at + 4, nanoseconds ? fraction : Math.floor(fraction / 1_000), little);
    view.setUint32(at + 8, octets.byteLength, little);
    view.setUint32(at + 12, originalLength, little);
    capture.set(octets, at + headerOctets);
    at += headerOctets + octets.byteLength;
  }
  return capture;
}
