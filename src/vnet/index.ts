/** Network functions in BPF: their control side. Kernel side: `bpf/vnet`. */
export type { Line } from './ledger.ts';
export { type CableEnds, Relay, type Relayed, type RelayLedger } from './relay.ts';
