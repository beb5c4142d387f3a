export { type LiveOptions, LiveView } from './live.ts';
export { Uniflow } from './uniflow.ts';
