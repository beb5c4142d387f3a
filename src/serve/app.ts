import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { accepts } from 'hono/accepts';
import { getCookie, setCookie } from 'hono/cookie';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import {
  agentFamilies,
  auditFamilies,
  type Family,
  METRICS_TYPES,
  writeExposition,
} from '../metrics/index.ts';
import {
  type FilterFault,
  type Status,
  type ViewQuestion,
  ViewQuestionSchema,
  type ViewSource,
  type VirtualNetworks,
  withFewerEntries,
} from '../query/index.ts';
import type { Answers } from './answers.ts';
import { isHostAllowed, SECURITY_HEADERS, type TokenCheck } from './gate.ts';
import type { Listen } from './listen.ts';
import type { Page } from './page.ts';
import { notBuiltPage, tokenPage } from './plain-pages.ts';
import type { StreamLimits, ViewStreams } from './stream.ts';

/** Who may look: everybody who reaches the address, or who knows the token. */
export type Auth = { readonly kind: 'none' } | { readonly kind: 'token'; readonly token: string };

/** What {@link startServer} needs. */
export interface ServeOptions {
  readonly listen: Listen;
  readonly auth: Auth;
  /** Names beside the listen address and loopback under which this server may be addressed, e.g. behind a proxy. */
  readonly allowedHosts?: readonly string[];
  readonly views: ViewSource;
  readonly status: () => Status;
  /** Metrics beside those of status and audit, as of now. */
  readonly families?: () => Promise<readonly Family[]>;
  /** The virtual networks of this machine, asked for only when somebody looks; none without it. */
  readonly networks?: () => Promise<VirtualNetworks>;
  /** Where the built page lies. */
  readonly pageDirectory: string;
  readonly limits?: Partial<StreamLimits>;
  /** One line for the operator; never holds a token. */
  readonly log?: (line: string) => void;
}

/** What the routes stand on, made by the server. */
export interface AppParts {
  readonly options: ServeOptions;
  readonly answers: Answers;
  readonly streams: ViewStreams;
  readonly page: Page;
  readonly token: TokenCheck | undefined;
}

/** Longest path with query taken: a filter of 2,000 characters, each written as three, and a short rest. */
const URL_LENGTH = 8192;

type Env = { Bindings: HttpBindings };

/** The routes. Its type is the contract for a typed client. */
export function createApp({ options, answers, streams, page, token }: AppParts) {
  const app = new Hono<Env>();

  app.use(async (c, next) => {
    const refusal = refuse(c, options);
    if (refusal) c.res = refusal;
    else await next();
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.res.headers.set(name, value);
    if (!c.res.headers.has('Cache-Control')) c.res.headers.set('Cache-Control', 'no-store');
  });

  if (token) {
    app.use(async (c, next) => {
      const given = c.req.query('token');
      if (c.req.path === '/' && given !== undefined) return enter(c, token, given);
      const bearer = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
      if (token.isToken(bearer) || token.isCookie(getCookie(c, token.cookieName))) return next();
      return unauthorized(c);
    });
  }

  app.onError((error, c) => {
    options.log?.(`${c.req.method} ${c.req.path}: ${error.stack ?? error.message}`);
    return failure(c, 500, { error: 'The answer could not be computed; the log of the agent says why.' });
  });
  app.notFound((c) => failure(c, 404, { error: `There is nothing at ${c.req.path}.` }));

  const routes = app
    .get('/api/status', (c) => c.json(options.status()))
    .get('/api/audit', (c) => c.json(options.views.audit()))
    .get('/api/vnet', async (c) => {
      const most = c.req.query('entries');
      if (most !== undefined && !/^\d{1,9}$/.test(most))
        return c.json(badQuestion('entries', most, 'is no number of entries, e.g. 500'), 400);
      const none: VirtualNetworks = { nowMs: Date.now(), functions: [], unanswered: [] };
      const networks = (await options.networks?.()) ?? none;
      return c.json(most === undefined ? networks : withFewerEntries(networks, Number(most)));
    })
    .get('/metrics', async (c) => {
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
    })
    .get('/api/view', (c) => {
      const question = readQuestion(c);
      if ('error' in question) return c.json(question, 400);
      return c.body(answers.answer(question, 'whole').json, 200, { 'Content-Type': 'application/json' });
    })
    .get('/api/stream', (c) => {
      const question = readQuestion(c);
      if ('error' in question) return c.json(question, 400);
      const headers = { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' };
      if (c.req.method === 'HEAD') return c.body(null, 200, headers);
      const body = streams.open(question, c.env.outgoing);
      if (!body) {
        return c.json({ error: 'Too many pages are open on this agent; close some and try again.' }, 503, {
          'Retry-After': '10',
        });
      }
      return c.body(body, 200, headers);
    });

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
  return routes;
}

/** Type of the routes, for a typed client. */
export type App = ReturnType<typeof createApp>;

/** Checks that need no route; a Response when the request is turned away. */
function refuse(c: Context<Env>, options: ServeOptions): Response | undefined {
  const host = c.req.header('host');
  if (!isHostAllowed(host, options.listen, options.allowedHosts ?? [])) {
    return failure(c, 421, {
      error: `This server does not answer as "${shorten(host ?? '')}". Use its address, or allow the name with --allow-host.`,
    });
  }
  if (!c.env.incoming.url?.startsWith('/')) {
    return failure(c, 400, { error: 'This server is no proxy; ask with a path.' });
  }
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD') {
    c.header('Allow', 'GET, HEAD');
    return failure(c, 405, {
      error: `${shorten(c.req.method)} is not offered; this server only answers GET and HEAD.`,
    });
  }
  if ((c.env.incoming.url ?? '').length > URL_LENGTH) {
    return failure(c, 414, { error: `The address is longer than ${URL_LENGTH} characters.` });
  }
  if (isForPrograms(c.req.path) && c.req.header('sec-fetch-site') === 'cross-site') {
    return failure(c, 403, { error: 'Another site may not read this.' });
  }
  return undefined;
}

/** A wrong question, in words: which field, which value, what is wrong with it. */
interface BadQuestion {
  readonly error: string;
  readonly field: string;
  readonly value: string;
  /** Of a wrong filter: where, from 1, and two lines that point at it. */
  readonly column?: number;
  readonly caret?: string;
}

const FIELDS = Object.keys(ViewQuestionSchema.shape);

function readQuestion(c: Context<Env>): ViewQuestion | BadQuestion {
  const fields: Record<string, string> = {};
  for (const [field, values] of Object.entries(c.req.queries())) {
    const value = values[0] ?? '';
    if (!FIELDS.includes(field))
      return badQuestion(field, value, `is no field; there are ${FIELDS.join(', ')}`);
    if (values.length > 1) return badQuestion(field, values.join(', '), 'is given more than once');
    fields[field] = value;
  }
  const parsed = ViewQuestionSchema.safeParse(fields);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const field = String(issue.path[0] ?? '');
  const reason =
    issue.code === 'invalid_union' ? 'is neither all nor a segment, e.g. none or vxlan:10001' : issue.message;
  const bad = badQuestion(field, fields[field] ?? '', reason);
  if (issue.code !== 'custom') return bad;
  const { from, caret } = issue.params as unknown as FilterFault;
  return { ...bad, column: from + 1, caret };
}

function badQuestion(field: string, value: string, reason: string): BadQuestion {
  return {
    error: `${shorten(field)} "${shorten(value)}": ${reason}`,
    field: shorten(field),
    value: shorten(value),
  };
}

/** The token stands in the address once; then only the cookie does. */
function enter(c: Context<Env>, token: TokenCheck, given: string): Response {
  if (!token.isToken(given)) return unauthorized(c);
  setCookie(c, token.cookieName, token.cookieValue, { httpOnly: true, sameSite: 'Strict', path: '/' });
  const rest = new URL(c.req.url).searchParams;
  rest.delete('token');
  return c.redirect(rest.size > 0 ? `/?${rest}` : '/', 303);
}

function unauthorized(c: Context<Env>): Response {
  c.header('WWW-Authenticate', 'Bearer realm="tunnelscope"');
  return isForPrograms(c.req.path)
    ? c.json({ error: 'A token is needed: Authorization: Bearer <token>.' }, 401)
    : c.html(tokenPage, 401);
}

/** What programs ask for, not people. */
function isForPrograms(path: string): boolean {
  return path.startsWith('/api/') || path === '/metrics';
}

function failure(c: Context<Env>, status: ContentfulStatusCode, answer: { error: string }): Response {
  return c.json(answer, status);
}

function shorten(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
