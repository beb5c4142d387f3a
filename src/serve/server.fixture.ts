/** A real server before a source that the test turns, and ways to ask it that no client library has. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Audit, Status, View, ViewQuestion, ViewSource } from '../query/index.ts';
import { type RunningServer, type ServeOptions, startServer } from './index.ts';

/** Answers with whatever was asked, and an epoch that the test turns. */
export class CountingSource implements ViewSource {
  epoch = 1;
  asked = 0;
  /** Makes the answers heavy. */
  ballast = 0;
  readonly listeners = new Set<() => void>();

  view(question: ViewQuestion): View {
    this.asked++;
    const none = { octets: 0, packets: 0 };
    return {
      question,
      level: 'hosts',
      agent: 'x'.repeat(this.ballast),
      epoch: this.epoch,
      atMs: 1,
      windowSeconds: 5,
      intervalSeconds: 1,
      isRecorded: false,
      total: none,
      segments: [],
      nodes: [],
      links: [],
      flows: [],
      leader: null,
      filter: null,
      exactness: {
        seen: none,
        recorded: none,
        overflow: none,
        ledger: [],
        unexplained: none,
        outside: { points: 0, ...none },
      },
      history: [],
    };
  }

  audit(): Audit {
    const { epoch } = this;
    return {
      agent: 'x',
      epoch,
      atMs: 1,
      persistentEpochs: 5,
      points: [],
      persistent: { packets: 0, octets: 0 },
    };
  }

  onEpoch(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  turn(): void {
    this.epoch++;
    for (const listener of [...this.listeners]) listener();
  }
}

export const STATUS: Status = {
  version: '0.1.0',
  agent: 'x',
  hostname: 'here',
  startedMs: 1,
  nowMs: 2,
  intervalSeconds: 1,
  namespace: null,
  interfaces: [],
  unexplained: [],
  flows: 0,
  records: 0,
  flowCapacity: 16,
  rules: null,
  sinks: [],
};
export const TOKEN = 'a-token-that-is-long-enough';
/** A built page, and what must not be served of its surroundings. */
export const directory = await mkdtemp(join(tmpdir(), 'page-'));
const page = join(directory, 'dist');
await mkdir(join(page, 'assets'), { recursive: true });
await writeFile(join(page, 'index.html'), '<!doctype html><title>page</title>');
await writeFile(join(page, 'assets/index-AbCd1234.js'), `/* ${'x'.repeat(4000)} */`);
await writeFile(join(page, '.stamp'), 'hidden');
await writeFile(join(page, 'notes.weird'), 'of no known type');
await writeFile(join(directory, 'secret.txt'), 'outside');
await symlink(join(directory, 'secret.txt'), join(page, 'link.txt'));
/** To be called after all tests. */
export function removePage(): Promise<void> {
  return rm(directory, { recursive: true });
}

export interface Served extends AsyncDisposable {
  readonly server: RunningServer;
  readonly source: CountingSource;
  readonly logged: string[];
  readonly port: number;
}

export async function served(options: Partial<ServeOptions> = {}): Promise<Served> {
  const source = new CountingSource();
  const logged: string[] = [];
  const server = await startServer({
    listen: { host: '127.0.0.1', port: 0 },
    auth: { kind: 'none' },
    views: source,
    status: () => STATUS,
    pageDirectory: page,
    log: (line) => logged.push(line),
    ...options,
  });
  const port = Number(new URL(server.url).port);
  return { server, source, logged, port, [Symbol.asyncDispose]: () => server.close() };
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** What a request may have beside headers. */
export interface Asking {
  readonly method?: string;
  readonly body?: string;
  /** The address it comes from; all of 127.0.0.0/8 are this machine. */
  readonly from?: string;
}

/** A request as written: no normalising of paths, any Host header. */
export function ask(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  { method = 'GET', body, from }: Asking = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const where = { host: '127.0.0.1', port, path, method, headers, agent: false as const };
    const call = request({ ...where, ...(from !== undefined && { localAddress: from }) }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end(body);
  });
}

/** Asks with a body of JSON. */
export function post(
  port: number,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  return ask(
    port,
    path,
    { 'content-type': 'application/json', ...headers },
    { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) },
  );
}

/** What comes back, up to the end of its head, for bytes that no client would send. */
export function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('utf8');
    socket.on('data', (text) => {
      resolve(String(text));
      socket.destroy();
    });
    socket.on('error', reject);
    socket.setTimeout(5000, () => reject(new Error('no answer')));
  });
}

/** Reads a stream until `enough`, with a deadline. */
export async function readUntil(response: Response, enough: (text: string) => boolean): Promise<string> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const deadline = AbortSignal.timeout(5000);
  deadline.addEventListener('abort', () => void reader.cancel(), { once: true });
  let text = '';
  while (!enough(text)) {
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
  }
  assert.ok(enough(text), `stream ended or stalled after ${JSON.stringify(text.slice(0, 200))}`);
  await reader.cancel();
  return text;
}
