export { startActivity } from './activity.ts';
export { asItStands, checkLab } from './checks.ts';
export { LabError, type LabErrorCode } from './error.ts';
export type { Count, DirectionCount, FrameCount, StreamLedger, TrafficLedger } from './ledger.ts';
export { type LabUpOptions, labDown, labUp } from './network.ts';
export {
  type BulkStream,
  loadProfile,
  type PingStream,
  profileNames,
  type Rate,
  type RequestStream,
  type TrafficProfile,
  TrafficProfileSchema,
  type TrafficStream,
  type UdpStream,
} from './profile.ts';
export { describe, type NoisyClient, type RoutedStream } from './route.ts';
export { type LabStatus, labStatus } from './status.ts';
export { namespaceOf } from './steps.ts';
export {
  type Client,
  type Host,
  loadTopology,
  type Segment,
  type Topology,
  type TopologyFile,
  type TopologyOptions,
  topologyNames,
} from './topology.ts';
export { startTraffic, stopTraffic, type Traffic, type TrafficOptions } from './traffic.ts';
