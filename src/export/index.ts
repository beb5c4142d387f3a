export { DATA_DISPLAYS, type DataOptions } from './data-columns.ts';
export { DataLog } from './data-log.ts';
export { ExportError, type ExportErrorCode } from './error.ts';
export { JsonFiles, type JsonFilesOptions } from './json.ts';
export { RotatingFile, type Rotation } from './rotating-file.ts';
export { type TunnelRow, TunnelTotals } from './tunnels.ts';
