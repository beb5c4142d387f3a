import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';

/** What a route of this server runs in: Node's request and answer beside Hono's. */
export interface HttpEnv {
  Bindings: HttpBindings;
}

/** One request. */
export type HttpContext = Context<HttpEnv>;
