import { type Context, Hono } from 'hono';
import { accepts } from 'hono/accepts';
import { getCookie, setCookie } from 'hono/cookie';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Listen } from '../listen.ts';
import {
  agentFamilies,
  auditFamilies,
  type Family,
  METRICS_TYPES,
  writeExposition,
} from '../metrics/index.ts';
import type {
  AgentControl,
  Alerts,
  AskConnections,
  FlowQuery,
  HistoryAudit,
  HistoryQuestion,
  HistorySpan,
  LiveQuery,
  LiveQuestion,
  NameSource,
  PastAudit,
  Status,
  ViewSource,
  VirtualNetworks,
} from '../query/index.ts';
import type { Answers } from './answers.ts';
import { readAsked } from './asked.ts';
import type { Connections } from './connections.ts';
import type { HttpContext, HttpEnv } from './context.ts';
import { type Access, isForeign, isHostAllowed, SECURITY_HEADERS } from './gate.ts';
import { type Handlers, handlersOf, tooMany } from './handlers.ts';
import type { ServeLimits } from './limits.ts';
import { FORMER_PATHS, OPERATIONS, type Operation, PATHS } from './operations.ts';
import type { Page } from './page.ts';
import { notBuiltPage, tokenPage } from './plain-pages.ts';
import { Refusal, shorten } from './problem.ts';
import type { Questions } from './questions.ts';
import { clientOf, type RateLimiter } from './rate.ts';
import type { ViewStreams } from './stream.ts';

/** Who may look: everybody who reaches the address, or who knows the token. */
export type Auth = { readonly kind: 'none' } | { readonly kind: 'token'; readonly token: string };

/** What {@link startServer} needs. */
export interface ServeOptions {
  readonly listen: Listen;
  readonly auth: Auth;
  /** Who knows it may change things; without it nobody may, not even on loopback. */
  readonly adminToken?: string | undefined;
  /** Names beside the listen address and loopback under which this server may be addressed, e.g. behind a proxy. */
  readonly allowedHosts?: readonly string[];
  readonly views: ViewSource;
  readonly status: () => Status;
  /** Metrics beside those of status and audit, as of now. */
  readonly families?: () => Promise<readonly Family[]>;
  /** The host's own connections, asked for only when somebody looks; without it there are none, as of captures. */
  readonly connections?: AskConnections;
  /** The virtual networks of this machine, asked for only when somebody looks; none without it. */
  readonly networks?: () => Promise<VirtualNetworks>;
  /** Answers questions about now; without it there is no answer to them. */
  readonly live?: LiveQuery | undefined;
  /** How alerts stand; none without it. */
  readonly alerts?: () => Alerts;
  /** Knows what addresses are called; without it none has a name. */
  readonly names?: NameSource | undefined;
  /** Answers questions about the past; without it there is none. */
  readonly history?: (FlowQuery & HistoryAudit) | undefined;
  /** What can be changed; without it nothing can, as of captures. */
  readonly control?: AgentControl | undefined;
  /** Where the built page lies. */
  readonly pageDirectory: string;
  readonly limits?: Partial<ServeLimits>;
  /** One line for the operator; never holds a token. */
  readonly log?: (line: string) => void;
}

/** What the routes stand on, made by the server. */
export interface AppParts {
  readonly options: ServeOptions;
  readonly answers: Answers;
  readonly streams: ViewStreams;
  readonly page: Page;
  readonly access: Access;
  readonly connections: Connections;
  readonly questions: {
    readonly past: Questions<HistoryQuestion> | undefined;
    readonly audits: Questions<HistorySpan, PastAudit> | undefined;
    readonly live: Questions<LiveQuestion> | undefined;
  };
  readonly limiters: {
    readonly requests: RateLimiter;
    readonly tokenRequests: RateLimiter;
    readonly streamStarts: RateLimiter;
  };
}

/** Longest path with query taken: a filter of 2,000 characters, each written as three, and a short rest. */
const URL_LENGTH = 8192;
/** What a token that is none costs who tried it, in requests. */
const WRONG_TOKEN = 20;

/** The routes. */
export function createApp(parts: AppParts): Hono<HttpEnv> {
  const { options, page } = parts;
  const app = new Hono<HttpEnv>();

  app.use(async (c, next) => {
    try {
      refuse(c, options);
      await next();
    } catch (error) {
      c.res = failure(c, error as Error, options);
    }
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.res.headers.set(name, value);
    if (!c.res.headers.has('Cache-Control')) c.res.headers.set('Cache-Control', 'no-store');
  });
  app.use(async (c, next) => {
    const refusal = admit(c, parts);
    if (refusal) return refusal;
    return next();
  });
  app.onError((error, c) => failure(c, error, options));
  app.notFound((c) => failure(c, new Refusal(404, `There is nothing at ${shorten(c.req.path)}.`), options));

  const handlers = handlersOf(parts);
  for (const [name, operation] of Object.entries<Operation>(OPERATIONS)) {
    // Of one entry of the table, which the type of a union of names cannot say.
    const handle = handlers[name as keyof Handlers] as (asked: object, c: HttpContext) => Promise<Response>;
    app.on(operation.method.toUpperCase(), operation.path, async (c) =>
      handle(await readAsked(c, operation), c),
    );
  }
  for (const [former, path] of FORMER_PATHS)
    app.get(former, (c) => c.redirect(path + new URL(c.req.url).search, 308));
  app.get('/metrics', (c) => metrics(c, options));
  app.get('*', (c) => {
    const file = page.get(c.req.path);
    if (!file) return c.req.path === '/' ? c.html(notBuiltPage, 503) : c.notFound();
    const packed =
      file.gzip && /\bgzip\b/.test(c.req.header('accept-encoding') ?? '') ? file.gzip : undefined;
    return c.body(packed ?? file.body, 200, {
      'Content-Type': file.type,
      'Cache-Control': file.cacheControl,
      ...(file.gzip ? { Vary: 'Accept-Encoding' } : {}),
      ...(packed ? { 'Content-Encoding': 'gzip' } : {}),
    });
  });
  return app;
}

async function metrics(c: HttpContext, options: ServeOptions): Promise<Response> {
  const type = accepts(c, { header: 'Accept', supports: [...METRICS_TYPES], default: METRICS_TYPES[0] });
  const form = METRICS_TYPES.find((each) => each === type) ?? METRICS_TYPES[0];
  const audit = options.views.audit();
  const families = [
    ...agentFamilies(audit, options.status()),
    ...auditFamilies(audit.points),
    ...((await options.families?.()) ?? []),
  ];
  const { contentType, text } = writeExposition(families, form);
  return c.body(text, 200, { 'Content-Type': contentType, Vary: 'Accept' });
}

/** Checks that need no route. @throws Refusal when the request is turned away */
function refuse(c: HttpContext, options: ServeOptions): void {
  const host = c.req.header('host');
  if (!isHostAllowed(host, options.listen, options.allowedHosts ?? []))
    throw new Refusal(
      421,
      `This server does not answer as "${shorten(host ?? '')}". Use its address, or allow the name with --allow-host.`,
    );
  const address = c.env.incoming.url ?? '';
  if (!address.startsWith('/')) throw new Refusal(400, 'This server is no proxy; ask with a path.');
  if (address.length > URL_LENGTH)
    throw new Refusal(414, `The address is longer than ${URL_LENGTH} characters.`);
  const methods = methodsOf(c.req.path);
  if (!methods.includes(c.req.method))
    throw new Refusal(405, `${shorten(c.req.method)} is not offered here; there are ${methods.join(', ')}.`, {
      Allow: methods.join(', '),
    });
  if (isForPrograms(c.req.path) && isForeign(c.req.raw.headers, c.req.method === 'POST'))
    throw new Refusal(403, 'Another site may not ask this.');
}

function methodsOf(path: string): string[] {
  const operations = PATHS.get(path);
  if (!operations) return ['GET', 'HEAD'];
  return operations.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : ['POST']));
}

/** Who may, and how often. @returns an answer instead of that of a route @throws Refusal */
function admit(c: HttpContext, { access, connections, limiters }: AppParts): Response | undefined {
  const { path, method } = c.req;
  const client = clientOf(c.env.incoming.socket.remoteAddress);
  if (connections.isFull(client))
    throw new Refusal(503, 'Too much that was answered is not taken yet; read it, or wait.', {
      'Retry-After': '10',
    });
  const { reader } = access;
  const given = c.req.query('token');
  if ((isForPrograms(path) && !isStream(c)) || (path === '/' && given !== undefined)) {
    const wait = limiters.requests.take(client);
    if (wait > 0) throw tooMany('requests', wait);
  }
  if (reader && path === '/' && given !== undefined) {
    if (reader.isToken(given)) return enter(c, reader.cookieName, reader.cookieValue);
    payForGuess(limiters.requests, client);
    return unauthorized(c);
  }
  const bearer = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
  const role = access.roleOf(bearer);
  // Where there are no tokens, one that is sent all the same guesses nothing.
  if (bearer !== undefined && role === undefined && (reader || access.hasAdmin))
    payForGuess(limiters.requests, client);
  if (role !== undefined) {
    const wait = limiters.tokenRequests.take(role);
    if (wait > 0) throw tooMany('requests with this token', wait);
  }
  if (operationOf(path, method)?.role === 'admin') return admitAdmin(c, access, { bearer, role });
  if (!reader || role !== undefined || reader.isCookie(getCookie(c, reader.cookieName))) return undefined;
  return unauthorized(c);
}

/** @throws Refusal to who has tried too many tokens */
function payForGuess(limiter: RateLimiter, client: string): void {
  const wait = limiter.take(client, WRONG_TOKEN);
  if (wait > 0) throw tooMany('wrong tokens', wait);
}

/** A cookie does not do: the browser would send it whoever asked it to. */
function admitAdmin(
  c: HttpContext,
  access: Access,
  { bearer, role }: { readonly bearer: string | undefined; readonly role: string | undefined },
): Response | undefined {
  if (role === 'admin') return undefined;
  if (!access.hasAdmin)
    throw new Refusal(403, {
      error: 'Nobody may change things here: no admin token is set.',
      remedy: 'Start the agent with --admin-token-file, or set serve.adminTokenFile.',
    });
  if (bearer !== undefined && role !== undefined)
    throw new Refusal(403, 'This token is for reading; changing things takes the admin token.');
  return unauthorized(c);
}

function operationOf(path: string, method: string): Operation | undefined {
  return PATHS.get(path)?.find((each) => each.method === method.toLowerCase());
}

/** Opening one is counted by itself. */
function isStream(c: HttpContext): boolean {
  return c.req.path === OPERATIONS.stream.path && c.req.method === 'GET';
}

/** The token stands in the address once; then only the cookie does. */
function enter(c: HttpContext, cookieName: string, cookieValue: string): Response {
  setCookie(c, cookieName, cookieValue, { httpOnly: true, sameSite: 'Strict', path: '/' });
  const rest = new URL(c.req.url).searchParams;
  rest.delete('token');
  return c.redirect(rest.size > 0 ? `/?${rest}` : '/', 303);
}

function unauthorized(c: HttpContext): Response {
  c.header('WWW-Authenticate', 'Bearer realm="tunnelscope"');
  return isForPrograms(c.req.path)
    ? c.json({ error: 'A token is needed: Authorization: Bearer <token>.' }, 401)
    : c.html(tokenPage, 401);
}

/** What programs ask for, not people. */
function isForPrograms(path: string): boolean {
  return path.startsWith('/api/') || path === '/metrics';
}

function failure(c: Context<HttpEnv>, error: Error, { log }: ServeOptions): Response {
  if (error instanceof Refusal)
    return c.json(error.problem, error.status as ContentfulStatusCode, { ...error.headers });
  log?.(`${c.req.method} ${shorten(c.req.path)}: ${error.stack ?? error.message}`);
  return c.json({ error: 'The answer could not be computed; the log of the agent says why.' }, 500);
}
