/** The checksums of the headers we build. */

/** Adds octets as 16-bit words in network order, an odd last one as if a zero followed. */
export function addWords(sum: number, octets: Uint8Array): number {
  let total = sum;
  for (let i = 0; i < octets.length; i += 2) total += (octets[i]! << 8) | (octets[i + 1] ?? 0);
  return total;
}

/** The Internet checksum (RFC 1071) of a sum of 16-bit words. */
export function internetChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

/** CRC32c (Castagnoli) as SCTP carries it, to be stored least significant octet first (RFC 9260 appendix A). */
export function crc32c(octets: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const octet of octets) {
    crc ^= octet;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
