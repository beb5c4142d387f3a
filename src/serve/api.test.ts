/** The API as a whole: what is where, who may, how often; and that its description says so. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { z } from 'zod';
import type { AgentControl } from '../query/index.ts';
import { HeldHistory } from './history.fixture.ts';
import { FORMER_PATHS, OPERATIONS, PATHS } from './operations.ts';
import { ask, post, type Reply, removePage, served, TOKEN } from './server.fixture.ts';

after(removePage);

const ADMIN = 'another-token-that-is-long-enough';
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

/** Remembers what it was told; some rules cannot be had. */
class Control implements AgentControl {
  inForce = { rules: ['tcp'], file: null as string | null };
  metered = { intervalMs: 1000, interfaces: ['eth0'] };

  async rules() {
    return this.inForce;
  }

  async setRules(rules: readonly string[]) {
    if (rules.length > 2)
      throw Object.assign(new Error('too large together'), { code: 'METER_RULES', remedy: 'use fewer' });
    this.inForce = { ...this.inForce, rules: [...rules] };
    return this.inForce;
  }

  async metering() {
    return this.metered;
  }

  async change(change: { intervalMs?: number | undefined; interfaces?: string[] | undefined }) {
    const given = Object.entries(change).filter(([, value]) => value !== undefined);
    this.metered = { ...this.metered, ...Object.fromEntries(given) };
    return this.metered;
  }
}

/* ---- where things are ---- */

test('former places answer with the new one, and the question goes along', async () => {
  await using it = await served();
  assert.equal(FORMER_PATHS.size, 5);
  for (const [former, path] of FORMER_PATHS) {
    for (const method of ['GET', 'HEAD']) {
      const reply = await ask(it.port, `${former}?a=b%20c`, {}, { method });
      assert.deepEqual([reply.status, reply.headers.location], [308, `${path}?a=b%20c`]);
    }
    assert.equal((await ask(it.port, former, {}, { method: 'POST' })).status, 405);
  }
  const followed = await fetch(`${it.server.url}api/view?window=1m`);
  assert.deepEqual(
    [followed.status, ((await followed.json()) as { question: { window: string } }).question.window],
    [200, '1m'],
  );
  assert.equal(it.source.asked, 1);
});

test('each path says which methods it has, and others do not', async () => {
  await using it = await served();
  for (const [path, operations] of PATHS) {
    const offered = operations.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : ['POST']));
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'QUERY']) {
      if (offered.includes(method)) continue;
      const reply = await ask(it.port, path, {}, { method });
      assert.deepEqual([reply.status, reply.headers.allow], [405, offered.join(', ')], `${method} ${path}`);
    }
  }
  for (const path of [
    '/api',
    '/api/',
    '/api/v1',
    '/api/v1/',
    '/api/v1/view/',
    '/api/v2/view',
    '/api/v1/nothing',
  ])
    assert.equal((await ask(it.port, path)).status, 404, path);
});

/* ---- who may ---- */

test('changing things takes the admin token, also on loopback; reading takes either', async () => {
  const control = new Control();
  const change = { rules: ['icmp'] };
  for (const auth of [{ kind: 'none' }, { kind: 'token', token: TOKEN }] as const) {
    const isOpen = auth.kind === 'none';
    await using without = await served({ auth, control });
    const nobody = await post(without.port, '/api/v1/rules', change, bearer(isOpen ? ADMIN : TOKEN));
    assert.equal(nobody.status, 403);
    assert.match(nobody.text, /--admin-token-file/);
    await using it = await served({ auth, control, adminToken: ADMIN });
    const statusOf = async (reply: Promise<Reply>): Promise<number> => (await reply).status;
    for (const path of ['/api/v1/rules', '/api/v1/metering']) {
      assert.equal(await statusOf(ask(it.port, path)), isOpen ? 200 : 401);
      assert.equal(await statusOf(ask(it.port, path, bearer(ADMIN))), 200);
      assert.equal(await statusOf(post(it.port, path, change)), 401);
      assert.equal(await statusOf(post(it.port, path, change, bearer(`${ADMIN}x`))), 401);
      assert.equal(await statusOf(post(it.port, path, change, bearer(TOKEN))), isOpen ? 401 : 403);
    }
    assert.equal(await statusOf(ask(it.port, '/metrics', bearer(ADMIN))), 200);
    const done = await post(it.port, '/api/v1/rules', change, bearer(ADMIN));
    assert.deepEqual([done.status, JSON.parse(done.text)], [200, { rules: ['icmp'], file: null }]);
    control.inForce = { rules: ['tcp'], file: null };
  }
});

test('no cookie changes anything, and the admin token is none for the page', async () => {
  const control = new Control();
  await using it = await served({ auth: { kind: 'token', token: TOKEN }, adminToken: ADMIN, control });
  assert.equal((await ask(it.port, `/?token=${ADMIN}`)).status, 401);
  const [cookie = ''] = (await ask(it.port, `/?token=${TOKEN}`)).headers['set-cookie'] ?? [];
  const [pair = ''] = cookie.split(';');
  assert.equal((await ask(it.port, '/api/v1/rules', { cookie: pair })).status, 200);
  assert.equal((await post(it.port, '/api/v1/rules', { rules: [] }, { cookie: pair })).status, 401);
  assert.deepEqual(control.inForce.rules, ['tcp']);
});

test('another site cannot change or ask anything through a browser that knows the way', async () => {
  const control = new Control();
  const history = new HeldHistory();
  await using it = await served({ adminToken: ADMIN, control, history });
  const host = `127.0.0.1:${it.port}`;
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'http://evil.example' },
    { origin: 'http://127.0.0.1:1' },
    { origin: 'null' },
  ])
    for (const path of ['/api/v1/rules', '/api/v1/query'])
      assert.equal((await post(it.port, path, {}, { host, ...bearer(ADMIN), ...headers })).status, 403, path);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const headers = { ...bearer(ADMIN), 'content-type': type };
    assert.equal((await post(it.port, '/api/v1/rules', { rules: [] }, headers)).status, 415);
  }
  assert.deepEqual([control.inForce.rules, history.asked], [['tcp'], 0]);
  const own = { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin', ...bearer(ADMIN) };
  assert.equal((await post(it.port, '/api/v1/rules', { rules: [] }, own)).status, 200);
});

test('equal or short tokens keep the server from starting', async () => {
  const auth = { kind: 'token', token: TOKEN } as const;
  await assert.rejects(served({ auth, adminToken: TOKEN }), /must be another/);
  await assert.rejects(served({ auth, adminToken: 'short' }), /at least 16/);
});

/* ---- what is changed ---- */

test('wrong rules and settings are refused with their place, and nothing changed', async () => {
  const control = new Control();
  await using it = await served({ adminToken: ADMIN, control });
  for (const [path, body, status, field] of [
    ['rules', {}, 400, 'rules'],
    ['rules', { rules: 'tcp' }, 400, 'rules'],
    ['rules', { rules: ['tcp', 'dprot = 80'] }, 400, 'rules[1]'],
    ['rules', { rules: [7] }, 400, 'rules[0]'],
    ['rules', { rules: [], more: true }, 400, 'more'],
    ['rules', { rules: ['tcp', 'udp', 'icmp'] }, 422, undefined],
    ['metering', {}, 400, 'the question'],
    ['metering', { intervalMs: 99 }, 400, 'intervalMs'],
    ['metering', { intervalMs: '500ms' }, 400, 'intervalMs'],
    ['metering', { interfaces: ['eth0; rm'] }, 400, 'interfaces[0]'],
  ] as const) {
    const reply = await post(it.port, `/api/v1/${path}`, body, bearer(ADMIN));
    const problem = JSON.parse(reply.text) as { readonly field?: string; readonly error: string };
    assert.deepEqual([reply.status, problem.field], [status, field], JSON.stringify(body));
  }
  const placed = await post(it.port, '/api/v1/rules', { rules: ['tcp', 'dprot = 80'] }, bearer(ADMIN));
  assert.deepEqual(JSON.parse(placed.text).caret, '  dprot = 80\n  ^^^^^');
  assert.deepEqual([control.inForce.rules, control.metered.intervalMs], [['tcp'], 1000]);
  const changed = await post(it.port, '/api/v1/metering', { intervalMs: 250 }, bearer(ADMIN));
  assert.deepEqual(JSON.parse(changed.text), { intervalMs: 250, interfaces: ['eth0'] });
});

test('where captures are shown there is nothing to change', async () => {
  await using it = await served({ adminToken: ADMIN });
  for (const path of ['/api/v1/rules', '/api/v1/metering']) {
    assert.equal((await ask(it.port, path)).status, 404);
    const body = path.endsWith('rules') ? { rules: [] } : { intervalMs: 500 };
    assert.equal((await post(it.port, path, body, bearer(ADMIN))).status, 404);
  }
});

/* ---- how often ---- */

test('who asks too often is told when to come back; others, streams and the page are not touched', async () => {
  await using it = await served({
    limits: { requests: { perSecond: 0.01, burst: 5 }, streamStarts: { perSecond: 0.01, burst: 2 } },
  });
  const view = (from: string) => ask(it.port, '/api/v1/view', {}, { from });
  const statuses: number[] = [];
  for (let i = 0; i < 7; i++) statuses.push((await view('127.0.0.1')).status);
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429, 429]);
  const refused = await ask(it.port, '/metrics');
  assert.equal(refused.status, 429);
  assert.equal(refused.headers['retry-after'], '100');
  assert.match(refused.text, /Too many requests.*wait 100 s/);
  assert.equal((await view('127.0.0.2')).status, 200);
  for (let i = 0; i < 20; i++) assert.equal((await ask(it.port, '/')).status, 200);
  const open = async (): Promise<number> => {
    const gone = new AbortController();
    const { status } = await fetch(`${it.server.url}api/v1/stream`, { signal: gone.signal });
    gone.abort();
    return status;
  };
  assert.deepEqual([await open(), await open(), await open()], [200, 200, 429]);
});

test('a token has a bound of its own, wherever it is used; a wrong one costs as much as many requests', async () => {
  const auth = { kind: 'token', token: TOKEN } as const;
  await using it = await served({ auth, limits: { tokenRequests: { perSecond: 0.01, burst: 3 } } });
  const from = (address: string) => ask(it.port, '/api/v1/view', bearer(TOKEN), { from: address });
  const statuses: number[] = [];
  for (let i = 2; i < 7; i++) statuses.push((await from(`127.0.0.${i}`)).status);
  assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
  await using other = await served({ auth, limits: { requests: { perSecond: 0.01, burst: 100 } } });
  const guess = (path: string, given: Record<string, string>, from: string) =>
    ask(other.port, path, given, { from });
  for (const [i, [path, given]] of (
    [
      ['/?token=guess', {}],
      ['/api/v1/view', bearer('guess')],
      ['/api/v1/stream', bearer('guess')],
    ] as const
  ).entries()) {
    const statuses: number[] = [];
    for (let n = 0; n < 8; n++) statuses.push((await guess(path, given, `127.0.1.${i + 1}`)).status);
    const tried = statuses.indexOf(429);
    assert.ok(tried >= 4 && tried <= 5, `${path}: ${statuses}`);
    assert.deepEqual(new Set(statuses.slice(tried)), new Set([429]), path);
  }
  const good = await ask(other.port, '/api/v1/view', bearer(TOKEN), { from: '127.0.0.2' });
  assert.equal(good.status, 200);
});

/* ---- what the description says ---- */

const SchemaObject = z.looseObject({});
const Reference = z.strictObject({ $ref: z.string().startsWith('#/components/') });
const Content = z.record(z.string().regex(/^[a-z]+\/[a-z-]+$/), z.strictObject({ schema: SchemaObject }));
const ResponseObject = z.strictObject({ description: z.string().min(1), content: Content.optional() });
const OperationObject = z.strictObject({
  operationId: z.string().regex(/^[a-zA-Z]+$/),
  summary: z.string().min(1),
  description: z.string().min(1),
  security: z.array(z.record(z.string(), z.array(z.string()).max(0))).min(1),
  parameters: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        in: z.literal('query'),
        required: z.boolean(),
        description: z.string(),
        style: z.literal('form').optional(),
        explode: z.boolean().optional(),
        schema: SchemaObject,
      }),
    )
    .optional(),
  requestBody: z.strictObject({ required: z.literal(true), content: Content }).optional(),
  responses: z.record(z.string().regex(/^[1-5]\d\d$/), z.union([Reference, ResponseObject])),
});
/** OpenAPI 3.1, as far as this document may use it. */
const OpenApi = z.strictObject({
  openapi: z.string().regex(/^3\.1\.\d+$/),
  info: z.strictObject({
    title: z.string(),
    version: z.string(),
    description: z.string(),
    license: z.strictObject({ name: z.string(), identifier: z.string() }),
  }),
  servers: z.array(z.strictObject({ url: z.string() })),
  paths: z.record(
    z.string().startsWith('/api/v1/'),
    z.partialRecord(z.enum(['get', 'post']), OperationObject),
  ),
  components: z.strictObject({
    schemas: z.record(z.string().regex(/^[A-Za-z]+$/), SchemaObject),
    responses: z.record(z.string().regex(/^[A-Za-z0-9]+$/), ResponseObject),
    securitySchemes: z.record(
      z.string(),
      z.strictObject({ type: z.literal('http'), scheme: z.literal('bearer'), description: z.string() }),
    ),
  }),
});

test('the description is OpenAPI, its references lead somewhere, and its schemas are schemas', async () => {
  await using it = await served();
  const reply = await ask(it.port, '/api/v1/openapi.json');
  assert.equal(reply.status, 200);
  const document = OpenApi.parse(JSON.parse(reply.text));
  const references = [...reply.text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, path]) => path!);
  assert.ok(references.length > 50);
  for (const reference of references) {
    const [, components, kind, name] = reference.split('/') as [string, 'components', 'schemas', string];
    assert.ok(document[components][kind][name], reference);
  }
  const used = new Set(references.map((reference) => reference.split('/').at(-1)));
  for (const kind of ['schemas', 'responses'] as const)
    for (const name of Object.keys(document.components[kind])) assert.ok(used.has(name), `${name} is used`);
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  assert.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length);
  for (const schema of Object.values(document.components.schemas)) z.fromJSONSchema(schema as never);
  for (const { parameters = [], security } of operations) {
    for (const { schema } of parameters) z.fromJSONSchema(schema as never);
    for (const scheme of security.flatMap((each) => Object.keys(each)))
      assert.ok(document.components.securitySchemes[scheme], scheme);
  }
});

test('what is described is there, and all that is there is described', async () => {
  await using it = await served({ adminToken: ADMIN, control: new Control(), history: new HeldHistory() });
  const document = OpenApi.parse(JSON.parse((await ask(it.port, '/api/v1/openapi.json')).text));
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => `${operationId}: ${method} ${path}`),
  );
  const table = Object.entries(OPERATIONS).map(([name, { method, path }]) => `${name}: ${method} ${path}`);
  assert.deepEqual(described.toSorted(), table.toSorted());
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(methods)) {
      // A field that nobody knows: refused where the route is, not found where it is not.
      const reply = await ask(
        it.port,
        `${path}?no-such-field=1`,
        { 'content-type': 'application/json', ...bearer(ADMIN) },
        { method: method.toUpperCase(), body: method === 'post' ? '{}' : '' },
      );
      assert.equal(reply.status, 400, `${method} ${path}`);
      assert.match(reply.text, /no-such-field/);
      const names = (operation.parameters ?? []).map(({ name }) => name);
      for (const name of names) assert.ok(reply.text.includes(name), name);
    }
});

test('a refusal is what the description says of refusals', async () => {
  await using it = await served({ adminToken: ADMIN });
  const document = OpenApi.parse(JSON.parse((await ask(it.port, '/api/v1/openapi.json')).text));
  const problem = z.fromJSONSchema({
    ...document.components.schemas.Problem,
    additionalProperties: false,
  } as never);
  const replies = await Promise.all([
    ask(it.port, '/api/v1/view?window=2h'),
    ask(it.port, '/api/v1/view', { host: 'evil.example' }),
    ask(it.port, '/api/v1/view', {}, { method: 'PUT' }),
    ask(it.port, '/api/v1/nothing'),
    ask(it.port, '/api/v1/query'),
    ask(it.port, `/api/v1/view?host=${'x'.repeat(9000)}`),
    post(it.port, '/api/v1/rules', {}),
    post(it.port, '/api/v1/query', '{'),
    post(it.port, '/api/v1/query', '{}', { 'content-type': 'text/plain' }),
  ]);
  const described = Object.keys(document.components.responses).map((name) =>
    Number(name.replace('Failure', '')),
  );
  for (const { status, text, headers } of replies) {
    assert.ok(described.includes(status), String(status));
    assert.equal(headers['content-type'], 'application/json');
    problem.parse(JSON.parse(text));
  }
});
