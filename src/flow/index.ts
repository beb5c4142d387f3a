export * from './address.ts';
export * from './batch.ts';
export * from './keytable.ts';
export * from './protocol.ts';
export * from './quantity.ts';
export * from './record.ts';
