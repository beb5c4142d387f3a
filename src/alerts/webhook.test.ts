/** Webhooks against real HTTP servers, good ones and others. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { until } from '../../test/until.ts';
import { Webhook, type WebhookLimits } from './webhook.ts';

const LIMITS: Partial<WebhookLimits> = { timeoutMs: 20_000, pausesMs: [10, 20] };
const IMPATIENT: Partial<WebhookLimits> = { ...LIMITS, timeoutMs: 300 };

interface Receiver extends AsyncDisposable {
  readonly url: string;
  /** Bodies that came, whatever was answered. */
  readonly bodies: string[];
  readonly requests: IncomingMessage[];
}

/** A server that takes bodies and answers as a test wants. */
async function receiver(
  answer: (response: ServerResponse, count: number, request: IncomingMessage) => void,
): Promise<Receiver> {
  const bodies: string[] = [];
  const requests: IncomingMessage[] = [];
  const server = createServer(async (request, response) => {
    bodies.push(await text(request));
    requests.push(request);
    response.on('error', () => undefined);
    answer(response, bodies.length, request);
  });
  return { bodies, requests, ...(await listening(server, () => server.closeAllConnections())) };
}

async function listening(
  server: Server,
  end: () => void,
): Promise<AsyncDisposable & { readonly url: string }> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=secret`,
    async [Symbol.asyncDispose]() {
      server.close();
      end();
      await once(server, 'close');
    },
  };
}

/** A webhook, and what it tells. */
function webhookTo(url: string, limits: Partial<WebhookLimits> = LIMITS): { hook: Webhook; told: string[] } {
  const told: string[] = [];
  const hook = new Webhook(
    url,
    { failing: (_, why) => told.push(why), recovered: () => told.push('recovered') },
    limits,
  );
  return { hook, told };
}

const isDone = (hook: Webhook) => (): boolean => hook.isIdle;

test('documents arrive in order, as JSON, once each, and nothing is told', async () => {
  await using server = await receiver((response) => response.writeHead(204).end());
  const { hook, told } = webhookTo(server.url);
  for (let i = 0; i < 5; i++) hook.post({ i });
  await until(isDone(hook), 'all is posted');
  assert.deepEqual(server.bodies, ['{"i":0}', '{"i":1}', '{"i":2}', '{"i":3}', '{"i":4}']);
  const [{ method, url, headers }] = server.requests as [IncomingMessage];
  assert.deepEqual([method, url, headers['content-type']], ['POST', '/hook?key=secret', 'application/json']);
  const { host, ...status } = hook.status;
  assert.equal(headers.host, host);
  assert.ok(!JSON.stringify(hook.status).includes('secret'));
  assert.deepEqual(status, { waiting: 0, posted: 5, dropped: 0, failing: null });
  assert.deepEqual(told, []);
});

test('a name is looked up, and the server is asked by it', async () => {
  await using server = await receiver((response) => response.end());
  const { hook } = webhookTo(server.url.replace('127.0.0.1', 'localhost'), LIMITS);
  hook.post({});
  await until(isDone(hook), 'it is posted');
  assert.equal(hook.status.posted, 1);
  assert.match(server.requests[0]!.headers.host!, /^localhost:\d+$/);
});

test('what fails is tried again, told once, and said to be well again', async () => {
  await using server = await receiver((response, count) => response.writeHead(count < 3 ? 503 : 200).end());
  const { hook, told } = webhookTo(server.url);
  hook.post({ a: 1 });
  await until(isDone(hook), 'it is posted');
  assert.equal(server.bodies.length, 3);
  assert.deepEqual(told, ['it answers 503', 'recovered']);
  assert.deepEqual([hook.status.posted, hook.status.failing], [1, null]);
});

test('a server that is down is told once; what waits is bounded, and the newest arrives when it is back', async () => {
  const server = createServer(async (request, response) => {
    bodies.push(await text(request));
    response.end();
  });
  const bodies: string[] = [];
  const { url, ...first } = await listening(server, () => undefined);
  await first[Symbol.asyncDispose]();
  const { hook, told } = webhookTo(url, {
    ...LIMITS,
    waiting: 3,
    pausesMs: Array(1000).fill(10),
  });
  for (let i = 0; i < 10; i++) hook.post({ i });
  await until(() => told.length > 0, 'it is told');
  assert.match(told[0]!, /^connect ECONNREFUSED .* \(ECONNREFUSED\)$/);
  assert.deepEqual([hook.status.waiting, hook.status.dropped], [3, 6], 'one is under way');
  const { sinceMs } = hook.status.failing!;
  assert.ok(Math.abs(Date.now() - sinceMs) < 60_000);
  server.listen(Number(new URL(url).port), '127.0.0.1');
  await until(isDone(hook), 'all that is left is posted');
  assert.deepEqual(bodies, ['{"i":0}', '{"i":7}', '{"i":8}', '{"i":9}']);
  assert.deepEqual(told.slice(1), ['recovered']);
  server.close();
  await once(server, 'close');
});

test('a server that says nothing is waited for so long and no longer', async () => {
  await using server = await receiver(() => undefined);
  const { hook, told } = webhookTo(server.url, IMPATIENT);
  const began = performance.now();
  hook.post({});
  await until(isDone(hook), 'it is given up');
  assert.ok(performance.now() - began >= 3 * 300, 'three attempts');
  assert.ok(server.bodies.length <= 3);
  assert.deepEqual(told, ['nothing came back in 0.3 s']);
  assert.deepEqual([hook.status.posted, hook.status.dropped], [0, 1]);
});

test('a head of which a byte comes now and then is no answer either, nor is one that never ends', async () => {
  for (const [piece, pauseMs] of [
    ['H', 20],
    [`X: ${'y'.repeat(8000)}\r\n`, 0],
  ] as const) {
    const timers = new Set<NodeJS.Timeout>();
    const server = createTcpServer((socket) => {
      if (pauseMs === 0) socket.write('HTTP/1.1 200 OK\r\n');
      const timer = setInterval(() => socket.write(piece), pauseMs);
      timers.add(timer);
      socket.on('error', () => undefined).on('close', () => clearInterval(timer));
      socket.resume();
    });
    await using at = await listening(server, () => timers.forEach(clearInterval));
    const { hook, told } = webhookTo(at.url, IMPATIENT);
    hook.post({});
    await until(isDone(hook), 'it is given up');
    assert.match(told.join(), /^(Parse Error|nothing came back)/);
    assert.equal(hook.status.dropped, 1);
  }
});

test('of an answer of 100 MB nothing is taken but that there is one', async () => {
  let sent = 0;
  await using server = await receiver((response) => {
    response.writeHead(200);
    const piece = Buffer.alloc(65_536);
    const pour = (): void => {
      while (sent < 100e6 && !response.destroyed) {
        sent += piece.length;
        if (!response.write(piece)) return void response.once('drain', pour);
      }
    };
    pour();
  });
  const { hook, told } = webhookTo(server.url);
  const before = process.memoryUsage().rss;
  hook.post({});
  await until(isDone(hook), 'it is posted');
  assert.equal(hook.status.posted, 1);
  assert.deepEqual(told, []);
  assert.ok(sent < 20e6, `${sent} octets were written by the server`);
  assert.ok(process.memoryUsage().rss - before < 50e6);
});

test('a redirect is not followed and not tried again, and where it leads is told without its path', async () => {
  await using other = await receiver((response) => response.end());
  await using server = await receiver((response) =>
    response.writeHead(307, { Location: `${other.url}&more=private` }).end(),
  );
  const { hook, told } = webhookTo(server.url);
  hook.post({});
  await until(isDone(hook), 'it is given up');
  assert.deepEqual([server.bodies.length, other.bodies.length], [1, 0]);
  assert.deepEqual(told, [
    `it answers 307 and leads to ${new URL(other.url).origin}; redirects are not followed`,
  ]);
});

test('what is refused is not tried again, but where it may go better later', async () => {
  for (const [status, attempts] of [
    [400, 1],
    [404, 1],
    [429, 3],
    [500, 3],
  ] as const) {
    await using server = await receiver((response) => response.writeHead(status).end());
    const { hook, told } = webhookTo(server.url);
    hook.post({});
    await until(isDone(hook), 'it is given up');
    assert.equal(server.bodies.length, attempts, `${status}`);
    assert.deepEqual(told, [`it answers ${status}`]);
  }
});

test('a host that is none, or does not speak TLS, is told', async () => {
  await using server = await receiver((response) => response.end());
  for (const [url, why] of [
    ['http://nowhere.invalid/', /^getaddrinfo (ENOTFOUND|EAI_AGAIN) nowhere\.invalid/],
    [server.url.replace('http', 'https'), /SSL|TLS|EPROTO|ECONNRESET/i],
  ] as const) {
    const { hook, told } = webhookTo(url, { ...LIMITS, pausesMs: [] });
    hook.post({});
    await until(isDone(hook), 'it is given up', 20_000);
    assert.match(told.join(), why);
  }
});

test('when it ends, what is under way is called off at once, and what is not posted is told', async () => {
  await using server = await receiver(() => undefined);
  const { hook, told } = webhookTo(server.url, { timeoutMs: 60_000 });
  hook.post({ i: 1 });
  hook.post({ i: 2 });
  await until(() => server.bodies.length === 1, 'the first is there');
  hook[Symbol.dispose]();
  hook.post({ i: 3 });
  await until(isDone(hook), 'nothing is under way');
  assert.deepEqual([server.bodies.length, hook.status.waiting, hook.status.dropped], [1, 0, 2]);
  assert.deepEqual(told, ['it is over, and 2 of them are not posted']);
});
