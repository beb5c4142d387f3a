export type { Extension, LayerKind } from './layer.ts';
export { Packet, type PacketModelOptions, packet } from './packet.ts';
export { LINK_TYPE, writePcap } from './pcap.ts';
export type { Model, Verdict } from './walk.ts';
