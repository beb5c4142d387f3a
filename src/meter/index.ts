export type { MeteredInterface } from './attachments.ts';
export type { RetiredEpoch, TableFill } from './epoch-maps.ts';
export { MeterError, type MeterErrorCode } from './error.ts';
export {
  type ChosenInterface,
  chooseInterfaces,
  type InterfacePatterns,
  type NetworkInterface,
  readInterfaces,
} from './interfaces.ts';
export { KEEP } from './keep.ts';
export {
  configureMeter,
  type EpochMapName,
  LoadedMeter,
  type LoadOptions,
  METER_OBJECT,
  type ProgramRuns,
  portTable,
} from './loaded.ts';
export { Meter } from './meter.ts';
export type { MeterCost, MeterListener, MeterOptions, MeterSettings, PinOptions } from './options.ts';
export { type LeftMeter, leftMeters, purgeMeter } from './pins.ts';
export { SOCKETS_OBJECT, Sockets } from './sockets.ts';
export { MeterThread, MeterThreadError } from './thread.ts';
