export { DuckDbStore } from './duckdb.ts';
export { StoreError, type StoreErrorCode } from './error.ts';
export type { ExportTarget } from './export.ts';
export type { DuckDbStoreOptions, StoreListener } from './options.ts';
export type { SqlTable } from './own-sql.ts';
export type { Retention } from './upkeep.ts';
