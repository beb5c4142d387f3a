export { PERSISTENT_EPOCHS } from './audit-point.ts';
export { Counters } from './counters.ts';
export type { GroupQuestion, GroupSums } from './group-sums.ts';
export { ConnectionsNow } from './host-connections.ts';
export { type LiveOptions, LiveView } from './live.ts';
export { ratedNetworks } from './network-rates.ts';
export { type NodeTable, ORDER_WORDS } from './nodes.ts';
export { UnexplainedError } from './unexplained-error.ts';
export { Uniflow } from './uniflow.ts';
