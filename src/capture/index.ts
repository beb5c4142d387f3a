/**
 * Capture files as streams: pcap and pcapng, plain or compressed with gzip or zstd, from a path or standard input, in
 * constant memory.
 *
 *     await using capture = await Capture.open('trace.pcapng.zst');
 *     for await (const batch of capture) {
 *       for (let i = 0; i < batch.count; i++) {
 *         const at = batch.offsets[i]!;
 *         parse(batch.octets, at, at + batch.capturedLengths[i]!);
 *       }
 *     }
 *     if (capture.error) console.error(capture.error.message);
 *
 * **Lent.** There is one batch, and it is overwritten by the next step: copy what is to be kept.
 *
 * **Formats** are told by content. pcap 2.0 to 2.4 in both byte orders, micro- and nanoseconds, Kuznetzov's variant.
 * pcapng 1.0 with any number of sections in either byte order; interfaces of all sections are one growing list, and
 * a batch's `interfaces` are indices into it. Packets of link types that cannot be parsed are delivered all the same:
 * `linkTypes()` counts and names them.
 *
 * **Nothing is lost silently.** A file that is cut, broken or no capture at all is read up to there; then the iteration
 * ends, without an exception, and `error` names place and reason. Within a pcapng block whose frame is whole, a packet
 * that contradicts it is left out and counted in `counters`. Any length may lie: a packet has at most
 * MAX_PACKET_OCTETS, a block MAX_BLOCK_OCTETS, a capture MAX_INTERFACES. Options that run over their block are ignored
 * from there on. A compressed stream that is cut or damaged gives away all but the last piece before: at most 64 KiB
 * with gzip; with zstd, whose blocks are decoded as a whole, 192 KiB.
 *
 * **Memory** is one buffer of 512 KiB, or as large as the largest block, and the columns of 4,096 packets.
 */
export { BATCH_PACKETS, type PacketBatch, packetTimeMs, packetTimeNs } from './batch.ts';
export { Capture, type CaptureOptions, type CaptureProgress, type LinkTypeTally } from './capture.ts';
export { type CaptureCounters, MAX_BLOCK_OCTETS, MAX_INTERFACES, MAX_PACKET_OCTETS } from './decoder.ts';
export { CaptureError, type CaptureErrorCode } from './error.ts';
export type { Compression } from './format.ts';
export type { CaptureInterface, InterfaceStatistics } from './interface.ts';
export { isReadLinkType, LINK_TYPE, linkTypeName } from './linktype.ts';
export { captureOctets } from './source.ts';
