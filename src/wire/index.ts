export type { Extension, LayerKind } from './layer.ts';
export { Packet, type PacketModelOptions, packet } from './packet.ts';
export { type CapturedPacket, LINK_TYPE, type PcapOptions, writePcap } from './pcap.ts';
export {
  type PcapngInterface,
  type PcapngPacket,
  type PcapngSection,
  pcapngBlock,
  writePcapng,
} from './pcapng.ts';
export type { Model, Verdict } from './walk.ts';
