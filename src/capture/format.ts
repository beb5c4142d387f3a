/** Which format a capture is in, by its first octets. */
import type { Decoder, Fault, Findings } from './decoder.ts';
import { isPcap, pcapDecoder } from './pcap.ts';
import { pcapngDecoder, SECTION_HEADER } from './pcapng.ts';

/** How a capture may be compressed. */
export type Compression = 'gzip' | 'zstd';

/** Octets the format and the compression are told by. */
export const MAGIC_OCTETS = 4;

/** Formats that are known and not read, by their first four octets read big-endian. */
const REFUSED: ReadonlyMap<number, string> = new Map([
  [0x736e_6f6f, 'a snoop capture (RFC 1761)'],
  [0x1c00_01ac, "an IXIA capture (hardware) in IXIA's variant of pcap"],
  [0x1c00_01ab, "an IXIA capture (software) in IXIA's variant of pcap"],
  [0xac01_001c, "an IXIA capture (hardware) in IXIA's variant of pcap"],
  [0xab01_001c, "an IXIA capture (software) in IXIA's variant of pcap"],
  [0xa12b_3c4d, "a capture in Navtel's variant of pcap"],
  [0x4d3c_2ba1, "a capture in Navtel's variant of pcap"],
  [0x474d_4255, 'a Network Monitor capture'],
  [0x5254_5353, 'a Network Monitor 1 capture'],
  [0x5852_5f56, 'a Sniffer capture'],
  [0xfd37_7a58, 'compressed with xz, which is not read here'],
  [0x0422_4d18, 'compressed with lz4, which is not read here'],
  [0x504b_0304, 'a zip archive'],
  [0x7f45_4c46, 'a program'],
]);

/** Whether octets are compressed, and how. */
export function compressionOf(octets: Uint8Array): Compression | undefined {
  if (octets[0] === 0x1f && octets[1] === 0x8b) return 'gzip';
  if (octets.length < MAGIC_OCTETS) return undefined;
  const magic = magicOf(octets);
  // A frame, or one to be skipped (RFC 8878, 3.1).
  return magic === 0x28b5_2ffd || (magic & 0xf0ff_ffff) >>> 0 === 0x502a_4d18 ? 'zstd' : undefined;
}

/** The decoder for a capture that begins with these octets, or why there is none. */
export function decoderFor(octets: Uint8Array, findings: Findings): Decoder | Fault {
  const length = octets.length;
  if (length === 0) return { code: 'CAPTURE_EMPTY', reason: 'it has no octets' };
  if (length < MAGIC_OCTETS) return { code: 'CAPTURE_TRUNCATED', reason: `it ends after ${length} octets` };
  const magic = magicOf(octets);
  if (isPcap(magic)) return pcapDecoder(findings);
  if (magic === SECTION_HEADER) return pcapngDecoder(findings);
  const isBzip2 = (magic & 0xffff_ff00) >>> 0 === 0x425a_6800;
  const known = isBzip2 ? 'compressed with bzip2, which is not read here' : REFUSED.get(magic);
  return {
    code: 'CAPTURE_FORMAT',
    reason: known
      ? `it is ${known}`
      : `it begins with ${magic.toString(16).padStart(8, '0')}, which is no capture file`,
  };
}

function magicOf(octets: Uint8Array): number {
  return new DataView(octets.buffer, octets.byteOffset).getUint32(0);
}
