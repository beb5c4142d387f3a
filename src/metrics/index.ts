/** Metrics for Prometheus: families of them, and their text. */
export { agentFamilies } from './agent.ts';
export { auditFamilies } from './audit.ts';
export {
  counter,
  type Distribution,
  type Exposition,
  type Family,
  gauge,
  labelText,
  METRICS_TYPES,
  type MetricsType,
  type Sample,
  writeExposition,
} from './exposition.ts';
export { DEFAULT_LABELS, LABEL_GROUP_NAMES, LABEL_GROUPS, type LabelGroup } from './labels.ts';
export { LegacyGauges } from './legacy.ts';
export { Measures } from './measures.ts';
export { NetworkMetrics } from './networks.ts';
export { type OwnCost, ownFamilies } from './own.ts';
export { Traffic, type TrafficOptions } from './traffic.ts';
