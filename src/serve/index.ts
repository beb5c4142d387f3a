export type { App, Auth, ServeOptions } from './app.ts';
export { ServeError, type ServeErrorCode } from './error.ts';
export { formatListen, isLoopback, type Listen, parseListen } from './listen.ts';
export { type RunningServer, startServer } from './server.ts';
