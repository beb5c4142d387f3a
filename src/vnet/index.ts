/** Network functions in BPF: their control side. Kernel side: `bpf/vnet`. */

export { type BridgeConfiguration, readBridgeConfiguration } from './bridge/configuration.ts';
export { removeBridgeLeftovers } from './bridge/leftover.ts';
export type { PeerRequest } from './bridge/request.ts';
export { Bridge, type BridgeOptions } from './bridge.ts';
export { VNET } from './dialogue.ts';
export { VnetError, type VnetErrorCode } from './error.ts';
export { type NetworkFunction, Tellings, type Told } from './function.ts';
export { Gateway, type GatewayOptions, readGatewayConfig } from './gateway.ts';
export type { GatewayClient, GatewayConfig } from './gateway-config.ts';
export type { Line } from './ledger.ts';
export { pinnedNames, removePins } from './pinned.ts';
export { type CableEnds, Relay, type Relayed, type RelayLedger } from './relay.ts';
export {
  type Cable,
  type CableSource,
  parseCable,
  RelayConfigSchema,
  RelayFunction,
  readCables,
} from './relay-function.ts';
