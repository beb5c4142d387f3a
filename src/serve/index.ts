export type { Auth, ServeOptions } from './app.ts';
export { ServeError, type ServeErrorCode } from './error.ts';
export { SERVE_LIMITS, type ServeLimits } from './limits.ts';
export { formatListen, isLoopback, type Listen, parseListen } from './listen.ts';
export { type RunningServer, startServer } from './server.ts';
