export * from './streamed.ts';
export * from './view.ts';
