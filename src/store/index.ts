export { DuckDbStore, type DuckDbStoreOptions, type Retention, type StoreListener } from './duckdb.ts';
export { StoreError, type StoreErrorCode } from './error.ts';
export type { SqlTable } from './own-sql.ts';
