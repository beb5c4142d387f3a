import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { until } from '../../test/until.ts';
import { AuditSchema, type View, VirtualNetworksSchema } from '../query/index.ts';
import { bridgeOf, networksOf, relayOf } from '../query/vnet.fixture.ts';
import { ServeError } from './index.ts';
import { ask, directory, raw, readUntil, removePage, STATUS, served, TOKEN } from './server.fixture.ts';

after(removePage);

test('the audit is that of the newest epoch', async () => {
  await using it = await served();
  it.source.turn();
  const { status, headers, text } = await ask(it.port, '/api/v1/audit');
  assert.equal(status, 200);
  assert.match(headers['content-type'] ?? '', /^application\/json/);
  assert.deepEqual(AuditSchema.parse(JSON.parse(text)), it.source.audit());
  assert.equal(it.source.audit().epoch, 2);
});

test('virtual networks are asked for when somebody looks, and are none without a source', async () => {
  let asked = 0;
  const networks = async () => {
    asked++;
    return networksOf(bridgeOf(0, 2, 1), relayOf(1));
  };
  await using it = await served({ networks });
  await ask(it.port, '/api/v1/view');
  assert.equal(asked, 0);
  const { status, headers, text } = await ask(it.port, '/api/v1/vnet');
  assert.equal(status, 200);
  assert.match(headers['content-type'] ?? '', /^application\/json/);
  assert.deepEqual(VirtualNetworksSchema.parse(JSON.parse(text)), await networks());
  const few = VirtualNetworksSchema.parse(JSON.parse((await ask(it.port, '/api/v1/vnet?entries=1')).text));
  const [bridge] = few.functions;
  assert.ok(bridge?.kind === 'bridge');
  assert.deepEqual([bridge.entries.map(({ port }) => port), bridge.entriesLeftOut], [['veth0'], 1]);
  const wrong = await ask(it.port, '/api/v1/vnet?entries=few');
  assert.equal(wrong.status, 400);
  assert.match(wrong.text, /entries.*few.*is no whole number/);
  await using without = await served();
  const none = VirtualNetworksSchema.parse(JSON.parse((await ask(without.port, '/api/v1/vnet')).text));
  assert.deepEqual([none.functions, none.unanswered], [[], []]);
});

test('the page, its assets and nothing else are served', async () => {
  await using it = await served();
  const index = await ask(it.port, '/');
  assert.equal(index.status, 200);
  assert.equal(index.headers['cache-control'], 'no-store');
  assert.match(index.headers['content-type'] ?? '', /^text\/html/);
  const asset = await ask(it.port, '/assets/index-AbCd1234.js', { 'accept-encoding': 'gzip' });
  assert.equal(asset.status, 200);
  assert.equal(asset.headers['content-encoding'], 'gzip');
  assert.match(asset.headers['cache-control'] ?? '', /immutable/);
  for (const path of [
    '/index.html',
    '/assets',
    '/assets/',
    '/.stamp',
    '/notes.weird',
    '/link.txt',
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/..%5c..%5csecret.txt',
    '//etc/passwd',
    '/secret.txt%00.js',
    '/constructor',
    '/__proto__',
  ]) {
    const reply = await ask(it.port, path);
    assert.ok(reply.status === 404 || reply.status === 400, `${path}: ${reply.status}`);
    assert.ok(!reply.text.includes('outside') && !reply.text.includes('hidden'), path);
  }
});

test('every answer carries the security headers, also a refusal', async () => {
  await using it = await served();
  for (const [path, headers] of [
    ['/', {}],
    ['/api/v1/view', {}],
    ['/nothing', {}],
    ['/', { host: 'evil.example' }],
  ] as [string, Record<string, string>][]) {
    const reply = await ask(it.port, path, headers);
    assert.match(
      reply.headers['content-security-policy'] as string,
      /default-src 'none'.*frame-ancestors 'none'/,
    );
    assert.equal(reply.headers['x-content-type-options'], 'nosniff');
    assert.equal(reply.headers['referrer-policy'], 'no-referrer');
    assert.equal(reply.headers['cross-origin-resource-policy'], 'same-origin');
    assert.equal(reply.headers['access-control-allow-origin'], undefined);
    assert.equal(reply.headers['cache-control'], 'no-store');
  }
});

test('a foreign Host header is turned away before anything is computed', async () => {
  await using it = await served({ allowedHosts: ['probe.example'] });
  for (const host of [
    'evil.example',
    `evil.example:${it.port}`,
    '10.0.0.1',
    '[::2]',
    'localhost@evil.example',
  ]) {
    const reply = await ask(it.port, '/api/v1/view', { host });
    assert.ok(reply.status === 421 || reply.status === 400, `${host}: ${reply.status}`);
  }
  for (const head of ['Host:', 'Host: localhost\r\nHost: evil.example', 'X: y']) {
    assert.match(
      await raw(it.port, `GET /api/v1/view HTTP/1.1\r\n${head}\r\n\r\n`),
      /^HTTP\/1.1 4\d\d /,
      head,
    );
  }
  assert.match(
    await raw(it.port, 'GET http://evil.example/api/v1/view HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    /^HTTP\/1.1 4/,
  );
  assert.equal(it.source.asked, 0);
  for (const host of [`127.0.0.1:${it.port}`, 'localhost', 'probe.example']) {
    assert.equal((await ask(it.port, '/api/v1/view', { host })).status, 200, host);
  }
});

test('another site cannot read the API through a browser', async () => {
  await using it = await served();
  assert.equal((await ask(it.port, '/api/v1/view', { 'sec-fetch-site': 'cross-site' })).status, 403);
  assert.equal((await ask(it.port, '/', { 'sec-fetch-site': 'cross-site' })).status, 200);
});

test('only GET and HEAD are answered', async () => {
  await using it = await served();
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const reply = await ask(it.port, '/api/v1/view', {}, { method });
    assert.equal(reply.status, 405, method);
    assert.equal(reply.headers.allow, 'GET, HEAD');
  }
  const head = await ask(it.port, '/api/v1/view', {}, { method: 'HEAD' });
  assert.deepEqual([head.status, head.text], [200, '']);
  assert.equal((await ask(it.port, '/api/v1/stream', {}, { method: 'HEAD' })).status, 200);
});

test('a question is read from the query; what is wrong is named with field and value', async () => {
  await using it = await served();
  const good = await ask(it.port, '/api/v1/view?window=1m&segment=vxlan:10003&host=172.16.1.100');
  assert.deepEqual((JSON.parse(good.text) as View).question, {
    window: '1m',
    segment: 'vxlan:10003',
    host: '172.16.1.100',
  });
  for (const [query, field, value] of [
    ['window=2h', 'window', '2h'],
    ['segment=vxlan', 'segment', 'vxlan'],
    ['segment=vxlan:-1', 'segment', 'vxlan:-1'],
    ['pair=only-one', 'pair', 'only-one'],
    ['host=', 'host', ''],
    ['windw=5s', 'windw', '5s'],
    ['window=5s&window=1m', 'window', '5s, 1m'],
    ['__proto__=1', '__proto__', '1'],
  ] as const) {
    for (const path of ['/api/v1/view', '/api/v1/stream']) {
      const reply = await ask(it.port, `${path}?${query}`);
      assert.equal(reply.status, 400, query);
      const answer = JSON.parse(reply.text) as { error: string; field: string; value: string };
      assert.deepEqual([answer.field, answer.value], [field, value]);
      assert.ok(answer.error.includes(field) && answer.error.includes(value), answer.error);
    }
  }
  assert.equal((await ask(it.port, `/api/v1/view?host=${'x'.repeat(9000)}`)).status, 414);
  assert.equal((await ask(it.port, `/api/v1/view?host=${'x'.repeat(30_000)}`)).status, 431);
});

test('a wrong filter is refused with its place, and a good one is handed on as it was typed', async () => {
  await using it = await served();
  const view = (filter: string, path = '/api/v1/view') =>
    ask(it.port, `${path}?${new URLSearchParams({ filter })}`);
  const good = await view('tcp and "vni" 5001'.replaceAll('"', ''));
  assert.equal((JSON.parse(good.text) as View).question.filter, 'tcp and vni 5001');
  for (const path of ['/api/v1/view', '/api/v1/stream']) {
    const reply = await view('tcp and dprot = 80', path);
    assert.equal(reply.status, 400);
    assert.deepEqual(JSON.parse(reply.text), {
      error: 'filter "tcp and dprot = 80": column 9: unknown field "dprot"; did you mean "dport"?',
      field: 'filter',
      value: 'tcp and dprot = 80',
      column: 9,
      caret: '  tcp and dprot = 80\n          ^^^^^',
    });
  }
  const columnOf = async (filter: string): Promise<unknown> => {
    const reply = await view(filter);
    assert.equal(reply.status, 400, filter);
    return (JSON.parse(reply.text) as { column: unknown }).column;
  };
  assert.equal(await columnOf('('.repeat(2000)), 66);
  assert.equal(await columnOf(`tcp${' or tcp'.repeat(400)}`), 2001);
  assert.equal(await columnOf('"'.repeat(2000)), 1);
  assert.equal(await columnOf(`tcp${' or tcp'.repeat(32)}`), 1);
  // The longest that is good, each character written as three.
  assert.equal((await view(`any${'\t'.repeat(1997)}`)).status, 200);
  const hosts = Array.from({ length: 160 }, (_, i) => `10.0.${i}.100`);
  assert.equal((await view(`host in [${hosts.join(',')}]`)).status, 200);
  assert.equal((await view('!'.repeat(60) + '"ü"'.repeat(400))).status, 400);
});

test('the status is served as it is', async () => {
  await using it = await served();
  assert.deepEqual(JSON.parse((await ask(it.port, '/api/v1/status')).text), STATUS);
});

test('a stream gives the view at once and after every epoch, numbered by it', async () => {
  await using it = await served();
  const response = await fetch(`${it.server.url}api/v1/stream?window=1m`);
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const turning = setInterval(() => it.source.turn(), 10);
  const text = await readUntil(response, (read) => read.split('\n\n').length > 3).finally(() =>
    clearInterval(turning),
  );
  const [first = ''] = text.split('\n\n');
  const [id, event, line = ''] = first.split('\n');
  assert.deepEqual([id, event], ['id: 1', 'event: view']);
  assert.equal((JSON.parse(line.replace('data: ', '')) as View).question.window, '1m');
  const ids = [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));
  assert.deepEqual(
    ids,
    [...ids].sort((x, y) => x - y),
  );
});

test('a stream without news sends a heartbeat', async () => {
  await using it = await served({ limits: { heartbeatMs: 20 } });
  const response = await fetch(`${it.server.url}api/v1/stream`);
  await readUntil(response, (text) => text.includes('\n: still here\n'));
});

test('many streams of one question compute it once per epoch', async () => {
  await using it = await served();
  const streams = await Promise.all(Array.from({ length: 20 }, () => fetch(`${it.server.url}api/v1/stream`)));
  await Promise.all(streams.map((response) => readUntil(response, (text) => text.includes('id: 1'))));
  assert.equal(it.source.asked, 1);
});

test('of 300 streams 256 are served, of one address half of them, and closed ones make room again', async () => {
  await using it = await served();
  const calls: ClientRequest[] = [];
  const open = async (from: string): Promise<number> => {
    const call = request({ port: it.port, path: '/api/v1/stream', localAddress: from, agent: false });
    calls.push(call);
    call.on('error', () => undefined).end();
    const [{ statusCode }] = (await once(call, 'response')) as [IncomingMessage];
    return statusCode ?? 0;
  };
  const openFrom = async (from: string, count: number): Promise<Record<string, number>> => {
    const statuses = await Promise.all(Array.from({ length: count }, () => open(from)));
    return Object.fromEntries(
      [...Map.groupBy(statuses, String)].map(([status, each]) => [status, each.length]),
    );
  };
  assert.deepEqual(await openFrom('127.0.0.1', 150), { 200: 128, 503: 22 });
  assert.deepEqual(await openFrom('127.0.0.2', 120), { 200: 120 });
  assert.deepEqual(await openFrom('127.0.0.3', 30), { 200: 8, 503: 22 });
  assert.equal((await ask(it.port, '/api/v1/view')).status, 200, 'the page itself still answers');
  for (const call of calls) call.destroy();
  await until(async () => (await open('127.0.0.4')) === 200, 'there is room again');
  for (const call of calls) call.destroy();
});

test('a client that does not read costs one answer, skips the epochs it missed, and is then put off', async () => {
  await using it = await served({ limits: { heartbeatMs: 20, stalledMs: 300 } });
  it.source.ballast = 4_000_000;
  const socket: Socket = connect(it.port, '127.0.0.1');
  let closed = false;
  socket.on('close', () => {
    closed = true;
  });
  socket.on('error', () => {});
  socket.write('GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
  socket.pause();
  await until(() => it.source.asked > 0, 'the stream began');
  for (let i = 0; i < 60; i++) {
    it.source.turn();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(it.source.asked < 10, `${it.source.asked} answers were made for a client that takes none`);
  await until(() => it.logged.some((line) => line.includes('took nothing')), 'the server has let it go');
  socket.resume();
  await until(() => closed, 'the client knows');
});

test('closing the server ends its streams regularly and frees the port', async () => {
  const it = await served();
  const response = await fetch(`${it.server.url}api/v1/stream`);
  const reading = response.text();
  await until(() => it.source.asked > 0, 'the stream began');
  await it.server.close();
  assert.match(await reading, /^id: 1\n/);
  assert.equal(it.source.listeners.size, 0);
  await using again = await served({ listen: { host: '127.0.0.1', port: it.port } });
  assert.equal(again.port, it.port);
});

test('a port in use gives one error with the remedy', async () => {
  await using it = await served();
  await assert.rejects(
    () => served({ listen: { host: '127.0.0.1', port: it.port } }),
    (error: unknown) =>
      error instanceof ServeError &&
      error.code === 'address-in-use' &&
      error.message.includes('--listen') &&
      error.message.includes(`127.0.0.1:${it.port}`),
  );
  await assert.rejects(
    () => served({ listen: { host: '192.0.2.1', port: 0 } }),
    (error: unknown) => error instanceof ServeError && error.code === 'address-not-here',
  );
});

test('without the token nothing is shown, and the page says what to do', async () => {
  await using it = await served({ auth: { kind: 'token', token: TOKEN } });
  for (const path of [
    '/',
    '/assets/index-AbCd1234.js',
    '/api/v1/view',
    '/api/v1/stream',
    '/api/v1/status',
    '/?token=wrong',
  ]) {
    const reply = await ask(it.port, path);
    assert.equal(reply.status, 401, path);
    assert.equal(reply.headers['set-cookie'], undefined);
    assert.match(reply.headers['www-authenticate'] ?? '', /^Bearer/);
  }
  assert.match((await ask(it.port, '/')).text, /\/\?token=/);
  assert.equal((await ask(it.port, '/api/v1/view', { authorization: `Bearer ${TOKEN}x` })).status, 401);
  assert.equal((await ask(it.port, '/api/v1/view', { authorization: `Basic ${TOKEN}` })).status, 401);
  assert.equal(
    (await ask(it.port, `/api/v1/view?token=${TOKEN}`)).status,
    401,
    'only the page takes it from the address',
  );
  assert.equal(it.source.asked, 0);
  assert.equal((await ask(it.port, '/api/v1/view', { authorization: `Bearer ${TOKEN}` })).status, 200);
});

test('the token in the address becomes a cookie and leaves the address', async () => {
  await using it = await served({ auth: { kind: 'token', token: TOKEN } });
  const reply = await ask(it.port, `/?token=${TOKEN}&host=172.16.1.100`);
  assert.equal(reply.status, 303);
  assert.equal(reply.headers.location, '/?host=172.16.1.100');
  const [cookie = ''] = reply.headers['set-cookie'] ?? [];
  assert.match(cookie, /HttpOnly/);
  assert.match(cookie, /SameSite=Strict/);
  assert.ok(!cookie.includes(TOKEN));
  const [pair = ''] = cookie.split(';');
  assert.equal((await ask(it.port, '/', { cookie: pair })).status, 200);
  assert.equal((await ask(it.port, '/api/v1/view', { cookie: pair })).status, 200);
  assert.equal((await ask(it.port, '/api/v1/view', { cookie: `${pair}x` })).status, 401);
  assert.ok(!it.logged.join().includes(TOKEN));
});

test('metrics come in the form that the scraper prefers, behind the same door as all else', async () => {
  await using it = await served({ auth: { kind: 'token', token: TOKEN } });
  const authorization = `Bearer ${TOKEN}`;
  const prometheus = 'text/plain; version=0.0.4; charset=utf-8';
  const open = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
  for (const [accept, type] of [
    [undefined, prometheus],
    ['*/*', prometheus],
    ['application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1', open],
    ['application/openmetrics-text;q=0.2,text/plain;q=0.9', prometheus],
    ['application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily', prometheus],
  ] as const) {
    const reply = await ask(it.port, '/metrics', { authorization, ...(accept && { accept }) });
    assert.deepEqual([reply.status, reply.headers['content-type']], [200, type], accept);
    assert.match(reply.text, /^tunnelscope_epochs_total 1$/m);
    assert.equal(reply.text.endsWith('# EOF\n'), type === open);
  }
  const refused = await ask(it.port, '/metrics');
  assert.deepEqual([refused.status, refused.headers['content-type']], [401, 'application/json']);
  const foreign = { authorization, 'sec-fetch-site': 'cross-site' };
  assert.equal((await ask(it.port, '/metrics', foreign)).status, 403);
  assert.equal((await ask(it.port, '/metrics', { authorization, host: 'evil.example' })).status, 421);
});

test('a source that fails gives a 500 without its inside, and the log has it', async () => {
  await using it = await served();
  it.source.view = () => {
    throw new Error('inside');
  };
  const reply = await ask(it.port, '/api/v1/view');
  assert.equal(reply.status, 500);
  assert.ok(!reply.text.includes('inside'));
  assert.match(it.logged.join(), /inside/);
});

test('a page that was never built is explained', async () => {
  await using it = await served({ pageDirectory: join(directory, 'nowhere') });
  const reply = await ask(it.port, '/');
  assert.equal(reply.status, 503);
  assert.match(reply.text, /node tools\/page\.ts/);
  assert.equal((await ask(it.port, '/api/v1/view')).status, 200);
});
