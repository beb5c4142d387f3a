import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { formatListen, type Listen } from '../listen.ts';
import { Answers } from './answers.ts';
import { createApp, type ServeOptions } from './app.ts';
import { Connections } from './connections.ts';
import { listenError } from './error.ts';
import { accessOf } from './gate.ts';
import { SERVE_LIMITS, type ServeLimits } from './limits.ts';
import { readPage } from './page.ts';
import { liveQuestions, pastAudits, Questions } from './questions.ts';
import { RateLimiter } from './rate.ts';
import { ViewStreams } from './stream.ts';

/** A server that listens. */
export interface RunningServer {
  /** `http://127.0.0.1:8080/`, with the port really taken; never holds the token. */
  readonly url: string;
  /** Ends all streams and connections; resolves when the port is free again. */
  close(): Promise<void>;
}

/**
 * Serves the page, the API and the event streams until closed.
 *
 * Throws {@link ServeError} when the address cannot be had, RangeError on tokens that are not safe.
 */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const page = await readPage(options.pageDirectory);
  if (!page.has('/')) options.log?.('The page is not built; only the API is served.');
  const limits: ServeLimits = { ...SERVE_LIMITS, ...options.limits };
  const connections = new Connections(limits);
  const server = boundedServer(limits, connections);
  const port = await listen(server, options.listen);
  const address = { host: options.listen.host, port };
  let answers: Answers | undefined;
  try {
    answers = new Answers(options.views);
    const log = boundedLog(options.log);
    const streams = new ViewStreams(answers, limits, log);
    const app = createApp({
      options: { ...options, log },
      answers,
      streams,
      page,
      connections,
      access: accessOf(
        { read: options.auth.kind === 'token' ? options.auth.token : undefined, admin: options.adminToken },
        port,
      ),
      questions: {
        past: options.history && new Questions(options.history, limits),
        audits: options.history && pastAudits(options.history, limits),
        live: options.live && liveQuestions(options.live),
      },
      limiters: {
        requests: new RateLimiter(limits.requests),
        tokenRequests: new RateLimiter(limits.tokenRequests),
        streamStarts: new RateLimiter(limits.streamStarts),
      },
    });
    const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false });
    server.on('request', (incoming, outgoing) => {
      const { socket } = incoming;
      if (!connections.begin(socket)) return;
      outgoing.once('close', () => connections.end(socket));
      void answer(incoming, outgoing);
    });
    return { url: `http://${formatListen(address)}/`, close: () => close(server, answers!, streams) };
  } catch (error) {
    answers?.close();
    server.close();
    throw error;
  }
}

/** Who is slow to ask, or to take the answer, is not waited for; who opens too many connections has no more. */
function boundedServer(
  { headMs, requestMs, idleMs, connections }: ServeLimits,
  account: Connections,
): Server {
  const server = createServer({
    maxHeaderSize: 16_384,
    headersTimeout: headMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.max(50, Math.min(headMs, requestMs) / 4),
  });
  server.maxConnections = connections;
  server.setTimeout(idleMs);
  server.on('connection', (socket) => account.take(socket));
  return server;
}

/** Lines that a client can bring about are told up to a rate, so that it cannot fill the log. */
function boundedLog(log: ServeOptions['log']): (line: string) => void {
  const limiter = new RateLimiter({ perSecond: 0.2, burst: 20 });
  let untold = 0;
  return (line) => {
    if (limiter.take('log') > 0) return void untold++;
    log?.(untold === 0 ? line : `${line} (${untold} lines before it were left out)`);
    untold = 0;
  };
}

function listen(server: Server, wanted: Listen): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, formatListen(wanted))));
    server.listen({ host: wanted.host, port: wanted.port }, () => {
      server.removeAllListeners('error');
      resolve((server.address() as AddressInfo).port);
    });
  });
}

async function close(server: Server, answers: Answers, streams: ViewStreams): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  streams.close();
  answers.close();
  server.closeIdleConnections();
  // Streams that have ended regularly leave in a moment; a client that does not read would keep the port for ever.
  const impatience = setTimeout(() => server.closeAllConnections(), 250);
  await closed;
  clearTimeout(impatience);
}
