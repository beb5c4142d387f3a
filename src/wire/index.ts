export type { Extension, LayerKind } from './layer.ts';
export type { Model, Verdict } from './model.ts';
export { Packet, packet } from './packet.ts';
export { writePcap } from './pcap.ts';
