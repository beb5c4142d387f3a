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
