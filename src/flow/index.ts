export * from './address.ts';
export * from './batch.ts';
export * from './combine.ts';
export * from './keytable.ts';
export * from './ports.ts';
export * from './protocol.ts';
export * from './quantity.ts';
export * from './record.ts';
