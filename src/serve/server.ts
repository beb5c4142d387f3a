import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Answers } from './answers.ts';
import { createApp, type ServeOptions } from './app.ts';
import { listenError } from './error.ts';
import { tokenCheck } from './gate.ts';
import { formatListen, type Listen } from './listen.ts';
import { readPage } from './page.ts';
import { STREAM_LIMITS, ViewStreams } from './stream.ts';

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
 * Throws {@link ServeError} when the address cannot be had, RangeError on a token too short to be safe.
 */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const page = await readPage(options.pageDirectory);
  if (!page.has('/')) options.log?.('The page is not built; only the API is served.');
  const server = createServer({ maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 30_000 });
  server.maxConnections = 1024;
  const port = await listen(server, options.listen);
  const address = { host: options.listen.host, port };
  let answers: Answers | undefined;
  try {
    answers = new Answers(options.views);
    const streams = new ViewStreams(
      answers,
      { ...STREAM_LIMITS, ...options.limits },
      options.log ?? (() => {}),
    );
    const token = options.auth.kind === 'token' ? tokenCheck(options.auth.token, port) : undefined;
    const app = createApp({ options, answers, streams, page, token });
    server.on('request', getRequestListener(app.fetch, { overrideGlobalObjects: false }));
    return { url: `http://${formatListen(address)}/`, close: () => close(server, answers!, streams) };
  } catch (error) {
    answers?.close();
    server.close();
    throw error;
  }
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
