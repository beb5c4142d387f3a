export { ExportError, type ExportErrorCode } from './error.ts';
export { JsonFiles, type JsonFilesOptions } from './json.ts';
export { type TunnelRow, TunnelTotals } from './tunnels.ts';
