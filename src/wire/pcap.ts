/** Captures for other tools to read. */

/** What frames begin with, as the registry of link types numbers it: Ethernet, or IP without a link layer. */
export const LINK_TYPE = { ethernet: 1, raw: 101 } as const;

/** A capture in the classic format (draft-ietf-opsawg-pcap), all frames at the epoch's start, uncut. */
export function writePcap(
  frames: readonly Uint8Array[],
  linkType: number = LINK_TYPE.ethernet,
): Uint8Array<ArrayBuffer> {
  const capture = new Uint8Array(frames.reduce((sum, frame) => sum + 16 + frame.byteLength, 24));
  const view = new DataView(capture.buffer);
  view.setUint32(0, 0xa1b2_c3d4, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, 262_144, true); // longest frame
  view.setUint32(20, linkType, true);
  let at = 24;
  for (const frame of frames) {
    view.setUint32(at + 8, frame.byteLength, true);
    view.setUint32(at + 12, frame.byteLength, true);
    capture.set(frame, at + 16);
    at += 16 + frame.byteLength;
  }
  return capture;
}
