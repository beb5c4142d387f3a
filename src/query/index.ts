export * from './audit.ts';
export * from './streamed.ts';
export * from './view.ts';
