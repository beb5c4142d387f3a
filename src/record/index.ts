/** Records as the C side writes them, in the kernel or out of it: layouts, numbers, and the way into columns. */
export { decodeConnections, isUnlinked, LINGER_NS, type PickedConnection, rowsOver } from './connections.ts';
export * from './gen/meter.ts';
export * from './gen/sockets.ts';
export { pointOf, reasonName } from './ledger.ts';
export { biflowSettings, idleNs, measuredBits, sequenceSettings } from './measure-settings.ts';
export {
  clearWays,
  decodeMeasurements,
  PARTS,
  type PickedWay,
  type RawBiflows,
  type StampClock,
  waysOf,
} from './measurements.ts';
export { writePorts } from './ports.ts';
export { decodeRecords, type KeyShape, type RawRecords, type StampReference } from './records.ts';
export { decodeSockets } from './sockets.ts';
