export { ArrivalSums } from './arrivals.ts';
export { type Connection, connectionOf } from './connections.ts';
export { percentileNs } from './histogram.ts';
export { GROUPINGS, type Grouping, Measured, type MeasuredGroup, type MeasuredOptions } from './measured.ts';
export { SequenceSums } from './sequences.ts';
export { type SocketFigures, SocketIndex } from './sockets.ts';
export { type TcpCount, TcpSums } from './tcp.ts';
export {
  addSums,
  MOST_TUNNELS,
  measuredWeight,
  type Suffered,
  sufferedOf,
  tunnelMeasures,
} from './tunnels.ts';
export { type FlowWords, flowWords } from './words.ts';
