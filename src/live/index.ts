export { PERSISTENT_EPOCHS } from './audit-point.ts';
export { type LiveOptions, LiveView } from './live.ts';
export { UnexplainedError } from './unexplained-error.ts';
export { Uniflow } from './uniflow.ts';
