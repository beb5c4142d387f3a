export { ask, askInstance, type Patience, RefusedError } from './client.ts';
export { DaemonError, type DaemonErrorCode } from './error.ts';
export { type Identity, isAlive, killNow, ownIdentity } from './identity.ts';
export { demandFree, FileLock, holderOf, InstanceLock } from './lock.ts';
export {
  groupId,
  type InstanceKind,
  instanceNames,
  leaveDirectory,
  logDirectory,
  type Place,
  placeOf,
  runDirectory,
} from './place.ts';
export {
  type Dialogue,
  IdentitySchema,
  type InstanceStatus,
  METERING,
  NO_WORDS,
  type Reload,
  type Rules,
  STOP_WORDS,
  type Words,
} from './protocol.ts';
export { type Answerer, ControlServer } from './server.ts';
export { formatDropIn, formatUnit, UNIT_CAPABILITIES, UNIT_FILE, type UnitNeeds } from './unit.ts';
