/** libbpf for TypeScript: BPF objects, maps, links, test runs, ring buffers and types. See README.md in this folder. */
export {
  type Batch,
  BatchCursor,
  type BatchStatus,
  batchCursor,
  deleteBatch,
  lookupAndDeleteBatch,
  lookupBatch,
  updateBatch,
} from './batch.ts';
export { Btf, type BtfKind, type BtfMember, type BtfType } from './btf.ts';
export { type ClsactPlace, takeClsact } from './clsact.ts';
export type { ConstantValue } from './constants.ts';
export { CounterSocket, type InterfaceCounters, type QueueCounters } from './counters.ts';
export type { MapDescription, ProgramDescription } from './describe.ts';
export { BpfError, type BpfErrorCode, cutVerifierLog } from './error.ts';
export { releaseFilePages } from './file-pages.ts';
export {
  type Capability,
  capabilities,
  hasBtf,
  kernelAtLeast,
  kernelRelease,
  networkNamespace,
  possibleCpus,
} from './kernel.ts';
export { assertLayout, enumOf, fingerprint, type Layout, layoutOf } from './layout.ts';
export {
  attachTc,
  hasTcx,
  openPinnedTc,
  type TcAttachment,
  type TcDirection,
  type TcOptions,
  tcxPrograms,
} from './link.ts';
export { BpfMap, MapFlag, type MapSpecification, MapType, UpdateFlag, unpin } from './map.ts';
export type { Mapping } from './memory.ts';
export { setNetworkNamespace } from './namespace.ts';
export { BpfObject, readBtf } from './object.ts';
export {
  linkPin,
  linkPinsIn,
  lockPinDirectory,
  namesIn,
  openLinkPin,
  removeIfEmpty,
  type TcPlace,
} from './pin-directory.ts';
export { type BpfProgram, collectRunStatistics, ProgramType } from './program.ts';
export { openResources } from './resources.ts';
export { type RecordVisitor, RingReader } from './ring.ts';
export { type TestRunOptions, type TestRunResult, testRun, testRunAsync } from './run.ts';
export { attachTracing, BpfIterator, type TracingAttachment } from './tracing.ts';
export { MapWindow } from './window.ts';
