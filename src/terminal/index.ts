export { formatAudit, isExplained } from './audit.ts';
export { type ConnectionTextOptions, formatConnections } from './connections.ts';
export { formatInstance, formatUptime, type InstanceFacts } from './instance.ts';
export { formatFlowJson } from './json.ts';
export {
  formatMeasured,
  formatProtocols,
  MEASURE_DISPLAYS,
  type MeasureDisplay,
  type MeasureTextOptions,
} from './measure.ts';
export { formatPastAudit, isPastExplained, type PastAuditOptions } from './past-audit.ts';
export { formatProgress, type ProgressOptions } from './progress.ts';
export { exactnessLine, formatReport, REPORT_COUNTS, type ReportOptions, reportBytes } from './report.ts';
export { REPORT_SORTS, type ReportSort } from './report-order.ts';
export { type ReportLayer, ReportRows, reportRows } from './report-rows.ts';
export { formatRise } from './rise.ts';
export { shownTable } from './shown.ts';
export { exactnessText, formatStatus, type StatusOptions } from './status.ts';
export { formatBasis, formatExported, formatTable, type TableTextOptions } from './table.ts';
export * from './top/index.ts';
export { formatNetwork, formatNetworkLine } from './vnet.ts';
export { formatBridge } from './vnet-bridge.ts';
export { formatGateway } from './vnet-gateway.ts';
