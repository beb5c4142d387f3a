export type { Auth, ServeOptions } from './app.ts';
export { ServeError, type ServeErrorCode } from './error.ts';
export { SERVE_LIMITS, type ServeLimits } from './limits.ts';
export { openApi, parametersOf } from './openapi.ts';
export { FAILURES, OPERATIONS, type Operation } from './operations.ts';
export { LIVE_LIMITS } from './questions.ts';
export { type RunningServer, startServer } from './server.ts';
