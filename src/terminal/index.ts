export { formatAudit, isExplained } from './audit.ts';
export { formatFlowJson } from './json.ts';
export { formatProgress, type ProgressOptions } from './progress.ts';
export {
  exactnessLine,
  formatReport,
  REPORT_COUNTS,
  REPORT_SORTS,
  type ReportLayer,
  type ReportOptions,
  type ReportRow,
  type ReportSort,
  reportBytes,
  reportRows,
} from './report.ts';
export { exactnessText, formatStatus, type StatusOptions } from './status.ts';
