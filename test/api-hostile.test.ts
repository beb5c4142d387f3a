/** The API of a real agent before clients who mean no good: it answers each as it should, stays as large as it was, and others notice nothing. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { ask, removePage } from '../src/serve/server.fixture.ts';
import { scaled } from './scale.ts';
import { until } from './until.ts';

after(removePage);

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const NAMESPACE = 'tsapih';
const ADMIN = 'a-token-for-the-hostile-test';
const MIB = 2 ** 20;

const directory = mkdtempSync(join(tmpdir(), 'tsapih-'));
let agent: ReturnType<typeof spawn>;
let port = 0;

before(async () => {
  spawnSync('ip', ['netns', 'del', NAMESPACE], { stdio: 'ignore' });
  execFileSync('ip', ['netns', 'add', NAMESPACE]);
  execFileSync('ip', ['-n', NAMESPACE, 'link', 'set', 'lo', 'up']);
  writeFileSync(join(directory, 'token'), ADMIN);
  const words = [
    'monitor',
    '--netns',
    NAMESPACE,
    '-i',
    'lo',
    '--interval',
    '200ms',
    '--listen',
    '127.0.0.1:0',
  ];
  agent = spawn(process.execPath, [CLI, ...words, '--admin-token-file', join(directory, 'token')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: agent.stdout! })) {
    const [, found] = /Page and API: http:\/\/127\.0\.0\.1:(\d+)\//.exec(line) ?? [];
    if (found === undefined) continue;
    port = Number(found);
    break;
  }
  agent.stdout!.resume();
});
after(async () => {
  agent.kill();
  await once(agent, 'exit');
  execFileSync('ip', ['netns', 'del', NAMESPACE]);
  rmSync(directory, { recursive: true });
});

/** What the agent has in memory, octets. */
function resident(): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${agent.pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

function assertGrowth(t: TestContext, octets: number, mostMiB: number): void {
  const words = `${(octets / MIB).toFixed(1)} MiB more resident`;
  t.diagnostic(words);
  assert.ok(octets < mostMiB * MIB, words);
}

/** A client of another address that watches the view, and must never be disturbed. */
class Witness implements Disposable {
  readonly #call: ReturnType<typeof request>;
  epoch = 0;
  problem: string | undefined;

  constructor(from: string) {
    this.#call = request({ port, path: '/api/v1/stream', localAddress: from, agent: false }, (response) => {
      if (response.statusCode !== 200) this.problem = `status ${response.statusCode}`;
      response.setEncoding('utf8').on('data', (text: string) => {
        for (const [, id] of text.matchAll(/^id: (\d+)$/gm)) this.epoch = Number(id);
      });
      response.on('close', () => {
        this.problem ??= 'the stream ended';
      });
    });
    this.#call.on('error', (error) => {
      this.problem ??= error.message;
    });
    this.#call.end();
  }

  /** Waits until it has news of now. */
  async looks(): Promise<void> {
    const next = this.epoch + 2;
    await until(() => this.epoch >= next || this.problem !== undefined, 'the witness sees epochs');
    assert.equal(this.problem, undefined);
  }

  [Symbol.dispose](): void {
    this.problem = 'disposed';
    this.#call.destroy();
  }
}

/** Any address of 127/8 but those of the witness. */
const address = fc
  .tuple(fc.integer({ min: 1, max: 254 }), fc.integer({ min: 0, max: 255 }), fc.integer({ min: 1, max: 254 }))
  .map((parts) => `127.${parts.join('.')}`);

const path = fc.oneof(
  fc.constantFrom(
    ...['view', 'stream', 'status', 'audit', 'vnet', 'query', 'rules', 'metering', 'openapi.json'].map(
      (name) => `/api/v1/${name}`,
    ),
    '/',
    '/metrics',
    '/api/view',
    '/api/v1/',
    '/../../etc/passwd',
    '/%00',
    '/%',
    '//',
    '*',
  ),
  fc.webPath(),
  fc.string({ unit: 'binary', maxLength: 60 }).map((text) => `/${encodeURI(text.toWellFormed())}`),
);
const query = fc.oneof(
  fc.constant(''),
  fc.webQueryParameters().map((text) => `?${text}`),
  fc
    .tuple(
      fc.constantFrom('window', 'filter', 'host', 'pair', 'q', 'entries', 'token', '__proto__'),
      fc.string({ maxLength: 300 }),
    )
    .map(([name, value]) => `?${new URLSearchParams({ [name]: value.toWellFormed() })}`),
  fc.integer({ min: 8000, max: 20_000 }).map((length) => `?host=${'x'.repeat(length)}`),
);
const ADMITTED = ['Content-Type: application/json', `Authorization: Bearer ${ADMIN}`];
const header = fc.oneof(
  fc.constantFrom(
    'Host: localhost',
    'Content-Type: application/json',
    `Authorization: Bearer ${ADMIN}`,
    'Accept: text/csv',
    'Sec-Fetch-Site: same-origin',
    'Transfer-Encoding: chunked',
    'Content-Length: 5',
    'Content-Length: -1',
    'Content-Length: 99999999999999999999',
    'Expect: 100-continue',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Range: bytes=0-',
  ),
  fc.tuple(fc.string({ maxLength: 20 }), fc.string({ maxLength: 40 })).map((parts) => parts.join(': ')),
  fc.integer({ min: 1000, max: 30_000 }).map((length) => `X-Long: ${'y'.repeat(length)}`),
);
const body = fc.oneof(
  fc.constant(''),
  fc.json(),
  fc.constantFrom(
    '{"rules":["arp"]}',
    '{"intervalMs":200}',
    '{"rules":[{}]}',
    '{"intervalMs":1e999}',
    '[',
    'null',
  ),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.integer({ min: 60_000, max: 200_000 }).map((length) => `"${'z'.repeat(length)}"`),
);
/** Requests as a browser would send them, but for what they ask. */
const wellFormed = fc
  .record({ method: fc.constantFrom('GET', 'HEAD', 'POST'), path, query, body })
  .map(({ method, path: where, query: what, body: text }) =>
    written(
      `${method} ${where}${what}`,
      ['Host: localhost', 'Connection: close', ...ADMITTED, sizeOf(text)],
      text,
    ),
  );
const misformed = fc
  .record({
    method: fc.constantFrom(
      'GET',
      'PUT',
      'DELETE',
      'OPTIONS',
      'TRACE',
      'CONNECT',
      'PATCH',
      'get',
      'M-SEARCH',
      'PRI',
    ),
    path,
    query,
    headers: fc.array(header, { maxLength: 6 }),
    body,
  })
  .map(({ method, path: where, query: what, headers, body: text }) =>
    written(`${method} ${where}${what}`, headers, text),
  );
const message = fc.oneof(
  { weight: 5, arbitrary: wellFormed },
  { weight: 4, arbitrary: misformed },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 500 }) },
);

function written(line: string, headers: readonly string[], text: string): string {
  return [`${line} HTTP/1.1`, ...headers, '', text].join('\r\n');
}

function sizeOf(text: string): string {
  return `Content-Length: ${Buffer.byteLength(text)}`;
}

/** Sends octets and says no more. @returns what came back until the other side closed, or had answered */
function sent(octets: string, from: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1', localAddress: from });
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.end(octets));
    socket.on('data', (piece: string) => {
      text += piece;
      // A stream goes on for ever.
      if (text.includes('text/event-stream') || text.includes('101 ')) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

/** Statuses that there may be for what is sent; 500 is a fault of the agent's. */
const STATUSES = [
  100, 200, 303, 308, 400, 401, 403, 404, 405, 408, 411, 413, 414, 415, 417, 421, 422, 429, 431, 503,
];

test('whatever is sent, the answer is none or one that is meant; the agent stays as it was', async (t) => {
  using witness = new Witness('127.0.0.9');
  await witness.looks();
  const before = resident();
  const seen = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(message, address, async (octets, from) => {
      const answer = await sent(octets, from);
      for (const [, status] of answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)) {
        assert.ok(STATUSES.includes(Number(status)), answer.slice(0, 300));
        seen.set(Number(status), (seen.get(Number(status)) ?? 0) + 1);
      }
      assert.equal(witness.problem, undefined);
    }),
    { numRuns: scaled(1500, 150) },
  );
  // The inputs reach what they are meant to reach.
  for (const status of [200, 400, 404, 405, 414, 431]) assert.ok((seen.get(status) ?? 0) > 0, `no ${status}`);
  await witness.looks();
  assert.equal(agent.exitCode, null);
  assertGrowth(t, resident() - before, 120);
});

test('of a thousand pages that do not read 256 are served, and a page beside them goes on', async (t) => {
  using witness = new Witness('127.0.0.9');
  await witness.looks();
  const before = resident();
  const sockets: Socket[] = [];
  const statuses = await Promise.all(
    Array.from({ length: 1000 }, async (_, i) => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: `127.5.0.${1 + (i % 20)}` });
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.write('GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
      const first = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => undefined)]);
      socket.pause();
      return first === undefined ? 0 : Number(String(first[0]).slice(9, 12));
    }),
  );
  assert.equal(statuses.filter((status) => status === 200).length, 255, 'with the witness it is 256');
  // Refused, or closed at once: there are no more connections than 1024.
  assert.ok(statuses.every((status) => [200, 429, 503, 0].includes(status)));
  await witness.looks();
  assert.equal((await ask(port, '/api/v1/status', {}, { from: '127.0.0.9' })).status, 200);
  assertGrowth(t, resident() - before, 200);
  for (const socket of sockets) socket.destroy();
  await until(() => isOpened('127.5.0.1'), 'there is room again');
  await witness.looks();
});

/** Whether an address gets a stream. */
async function isOpened(from: string): Promise<boolean> {
  const call = request({ port, path: '/api/v1/stream', localAddress: from, agent: false });
  call.on('error', () => undefined).end();
  const [{ statusCode }] = (await once(call, 'response')) as [{ readonly statusCode: number }];
  call.destroy();
  return statusCode === 200;
}
