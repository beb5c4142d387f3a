/** Questions about the past over HTTP: what is asked, how it is answered, and what they may cost. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, test } from 'node:test';
import { until } from '../../test/until.ts';
import { batchOf } from '../flow/batch.fixture.ts';
import { LiveView } from '../live/index.ts';
import { PastAuditSchema, ResultTableSchema } from '../query/index.ts';
import { HeldHistory, TABLE } from './history.fixture.ts';
import { ask, post, type Reply, removePage, served } from './server.fixture.ts';

after(removePage);

const TOP = { ask: 'top', by: ['src'], fromMs: 0, toMs: 1 };
const PATH = '/api/v1/query';

test('a question is asked by an address or by a body, and answered as JSON or CSV', async () => {
  const history = new HeldHistory();
  await using it = await served({ history });
  const text = 'series 7 src, proto from 2023-11-14T22:13:20Z to 2023-11-14T22:14:20Z step 5s where tcp';
  const line = `${PATH}?${new URLSearchParams({ q: text })}`;
  const got = ask(it.port, line);
  await until(() => history.held.length === 1, 'it is asked');
  const question = {
    ask: 'series',
    by: ['src', 'proto'],
    fromMs: 1_700_000_000_000,
    toMs: 1_700_000_060_000,
    limit: 7,
    stepMs: 5000,
    filter: 'proto = tcp',
    quantity: 'octets',
  };
  assert.deepEqual(history.held[0]!.question, question);
  history.release(TABLE);
  const json = await got;
  assert.deepEqual([json.status, json.headers['content-type']], [200, 'application/json']);
  assert.deepEqual(ResultTableSchema.parse(JSON.parse(json.text)), TABLE);
  const sent = post(it.port, PATH, question);
  await until(() => history.held.length === 1, 'it is asked');
  assert.deepEqual(history.held[0]!.question, question);
  history.release(TABLE);
  assert.equal((await sent).text, json.text);
  const asCsv = ask(it.port, line, { accept: 'text/csv' });
  await until(() => history.held.length === 1, 'it is asked');
  history.release(TABLE);
  const csv = await asCsv;
  assert.equal(csv.headers['content-type'], 'text/csv; charset=utf-8; header=present');
  assert.equal(
    csv.text,
    'src,note,octets\r\n10.0.0.1,plain,3\r\nfe80::1,"with ""quotes"", commas\nand lines",2.5\r\n,,0\r\n',
  );
  assert.equal(
    csv.headers['tunnelscope-covered'],
    '2023-11-14T22:13:20.000Z/2023-11-14T22:14:20.000Z; level=minute',
  );
  assert.equal(csv.headers['tunnelscope-cut'], '?1');
});

test('times of an address are of the agent, or of the zone that is said', async () => {
  const history = new HeldHistory();
  await using it = await served({ history });
  const spanOf = async (query: Record<string, string>): Promise<readonly number[]> => {
    const reply = ask(it.port, `${PATH}?${new URLSearchParams(query)}`);
    await until(() => history.held.length === 1, 'it is asked');
    const { fromMs, toMs } = history.held[0]!.question;
    history.release(TABLE);
    await reply;
    return [fromMs, toMs];
  };
  const [from = 0, to = 0] = await spanOf({ q: 'top src' });
  assert.ok(to - from === 3_600_000 && Math.abs(Date.now() - to) < 60_000);
  const q = 'top src from 2026-06-01T10:00 to 2026-06-01T11:00';
  const inUtc = await spanOf({ q, timeZone: 'UTC' });
  assert.deepEqual(inUtc, [Date.UTC(2026, 5, 1, 10), Date.UTC(2026, 5, 1, 11)]);
  const inTokyo = await spanOf({ q, timeZone: 'Asia/Tokyo' });
  assert.equal(inUtc[0]! - inTokyo[0]!, 9 * 3_600_000);
});

test('a wrong question is refused with field and value before the history is asked', async () => {
  const history = new HeldHistory();
  await using it = await served({ history });
  for (const [query, field, words] of [
    [{ q: 'top srcx' }, 'q', /did you mean "src"/],
    [{ q: 'top src last' }, 'q', /column 13/],
    [{ q: 'flows where dprot 80' }, 'q', /"dprot"; did you mean "dport"/],
    [{ q: '' }, 'q', /is empty/],
    [{ q: 'flows', timeZone: 'Mars/Olympus' }, 'timeZone', /is no time zone/],
    [{ q: 'flows', timeZone: 'europe/BERLIN' }, 'timeZone', /is no time zone/],
    [{ q: 'flows', colour: 'red' }, 'colour', /is no field; there are q, timeZone/],
    [{}, 'q', /./],
  ] as const) {
    const reply = await ask(it.port, `${PATH}?${new URLSearchParams(query)}`);
    const problem = JSON.parse(reply.text) as { readonly field: string; readonly error: string };
    assert.deepEqual([reply.status, problem.field], [400, field], JSON.stringify(query));
    assert.match(problem.error, words);
  }
  for (const [body, field] of [
    [{ ...TOP, by: [] }, 'by'],
    [{ ...TOP, by: ['src', 'nope'] }, 'by[1]'],
    [{ ...TOP, ask: 'all' }, 'ask'],
    [{ ...TOP, fromMs: 1.5 }, 'fromMs'],
    [{ ...TOP, filter: 'tcp and' }, 'filter'],
    [{ ...TOP, extra: 1 }, 'extra'],
    [[TOP], 'the question'],
    [null, 'the question'],
  ] as const) {
    const reply = await post(it.port, PATH, body);
    const problem = JSON.parse(reply.text) as { readonly field: string; readonly error: string };
    assert.deepEqual([reply.status, problem.field], [400, field], JSON.stringify(body));
  }
  const wrong = JSON.parse((await post(it.port, PATH, { ...TOP, filter: 'tcp and dprot 1' })).text);
  assert.deepEqual([wrong.column, wrong.caret.split('\n').length], [9, 2]);
  for (const [body, headers, status] of [
    ['{"ask":', {}, 400],
    ['', {}, 400],
    ['{}', { 'content-type': 'text/plain' }, 415],
    ['{}', { 'content-type': 'application/jsonp' }, 415],
    [`{"ask":"${'x'.repeat(70_000)}"}`, {}, 413],
    ['['.repeat(60_000), {}, 400],
  ] as const)
    assert.equal((await post(it.port, PATH, body, headers)).status, status, body.slice(0, 20));
  assert.equal(history.asked, 0);
});

test('without a history the answer says so, to a good question and to a wrong one', async () => {
  await using it = await served({ live: new LiveView() });
  const reply = await ask(it.port, `${PATH}?q=top+src`);
  assert.equal(reply.status, 404);
  assert.match(reply.text, /keeps no history/);
  assert.equal((await post(it.port, PATH, TOP)).status, 404);
});

test('the audit of a time is asked for in words or by its two ends, and of what is wrong it is said what', async () => {
  const history = new HeldHistory();
  await using it = await served({ history });
  const audit = async (words: Record<string, string>): Promise<Reply> =>
    ask(it.port, `/api/v1/audit/past?${new URLSearchParams(words)}`);
  const byEnds = await audit({ fromMs: '1700000000000', toMs: '1700000060000' });
  assert.equal(byEnds.status, 200);
  assert.deepEqual(PastAuditSchema.parse(JSON.parse(byEnds.text)).covered, {
    fromMs: 1_700_000_000_000,
    toMs: 1_700_000_060_000,
    level: 'raw',
  });
  await audit({ q: 'from 2023-11-14T22:13 to 2023-11-14T22:14', timeZone: 'UTC' });
  await audit({ q: 'last 24h' });
  await audit({});
  const [, inWords, day, hour] = history.audited;
  assert.deepEqual(inWords, { fromMs: Date.UTC(2023, 10, 14, 22, 13), toMs: Date.UTC(2023, 10, 14, 22, 14) });
  assert.equal(day!.toMs - day!.fromMs, 24 * 3_600_000);
  assert.equal(hour!.toMs - hour!.fromMs, 3_600_000);
  for (const [words, field, says] of [
    [{ q: 'last 24h where tcp' }, 'q', /"where" says nothing here/],
    [{ q: 'live' }, 'q', /"live"/],
    [{ q: 'last 24h', fromMs: '1', toMs: '2' }, 'q', /only one can/],
    [{ fromMs: '1' }, 'toMs', /is missing/],
    [{ toMs: '1' }, 'fromMs', /is missing/],
    [{ fromMs: '2', toMs: '2' }, 'toMs', /is not after fromMs/],
    [{ fromMs: '-1', toMs: '2' }, 'fromMs', /whole number/],
    [{ last: '24h' }, 'last', /is no field/],
  ] as const) {
    const reply = await audit(words);
    const problem = JSON.parse(reply.text) as { readonly field: string; readonly error: string };
    assert.deepEqual([reply.status, problem.field], [400, field], reply.text);
    assert.match(problem.error, says);
  }
  assert.equal(history.audited.length, 4);
  await using without = await served();
  const none = await ask(without.port, '/api/v1/audit/past?q=last+24h');
  assert.equal(none.status, 404);
  assert.match(none.text, /keeps no history/);
});

test('questions about now are answered with a history and without, by an address and by a body', async () => {
  const live = new LiveView();
  live.write(
    batchOf([
      { tunnel: ['172.16.1.1', '172.16.1.2', 7], between: ['10.0.0.1', '10.0.0.2'], octets: 150, packets: 2 },
      { between: ['172.16.1.1', '172.16.1.2'], octets: 50, packets: 1 },
    ]),
  );
  for (const history of [undefined, new HeldHistory()]) {
    await using it = await served({ live, history });
    const q = 'top 1 segment by packets live 1m where not arp';
    const got = await ask(it.port, `${PATH}?${new URLSearchParams({ q })}`);
    const table = ResultTableSchema.parse(JSON.parse(got.text));
    assert.deepEqual(
      { ...table, tookMs: 0 },
      {
        columns: [
          { name: 'segment', kind: 'text' },
          { name: 'octets', kind: 'octets' },
          { name: 'packets', kind: 'packets' },
        ],
        rows: [['vxlan:7', 150, 2]],
        total: { octets: 200, packets: 3 },
        isCut: true,
        count: 2,
        covered: { fromMs: 1000, toMs: 2000, level: 'live' },
        gaps: [],
        ledger: [],
        tookMs: 0,
      },
    );
    const body = {
      ask: 'top',
      by: ['segment'],
      window: '1m',
      limit: 1,
      quantity: 'packets',
      filter: 'not arp',
    };
    const sent = await post(it.port, PATH, body);
    assert.deepEqual(JSON.parse(sent.text).rows, table.rows);
    const csv = await ask(it.port, `${PATH}?${new URLSearchParams({ q })}`, { accept: 'text/csv' });
    assert.equal(csv.text, 'segment,octets,packets\r\nvxlan:7,150,2\r\n');
    assert.match(String(csv.headers['tunnelscope-covered']), /level=live$/);
    assert.equal(history?.asked ?? 0, 0);
    for (const [wrong, field, words] of [
      [{ ...body, by: ['iface'] }, 'by[0]', /one observation point.*ask the past/],
      [{ ...body, by: ['nope'] }, 'by[0]', /nope/],
      [{ ...body, window: '1h' }, 'window', /1m/],
      [{ ...body, points: 'every' }, 'points', /does not belong here/],
      [{ ...body, filter: 'iface = eth0' }, 'filter', /one observation point/],
      [{ ...body, ask: 'compare' }, 'ask', /two spans of the past/],
    ] as const) {
      const reply = await post(it.port, PATH, wrong);
      const problem = JSON.parse(reply.text) as { readonly field: string; readonly error: string };
      assert.deepEqual([reply.status, problem.field], [400, field], reply.text);
      assert.match(problem.error, words);
    }
  }
  await using captures = await served();
  assert.equal((await post(captures.port, PATH, { ask: 'top', by: ['src'], window: 'all' })).status, 404);
});

test('two questions are answered at a time and four wait; one more is told to come back', async () => {
  const history = new HeldHistory();
  await using it = await served({ history });
  const refused: Reply[] = [];
  const replies = Array.from({ length: 20 }, async () => {
    const reply = await post(it.port, PATH, TOP);
    if (reply.status === 503) refused.push(reply);
    return reply.status;
  });
  await until(() => refused.length === 14, 'all but six are refused');
  assert.ok(refused.every(({ headers }) => Number(headers['retry-after']) >= 1));
  assert.equal(history.asked, 2);
  assert.equal((await ask(it.port, '/api/v1/view')).status, 200, 'the live view goes on');
  for (let i = 0; i < 6; i++) {
    await until(() => history.held.length > 0, 'the next one is asked');
    assert.ok(history.held.length <= 2);
    history.release(TABLE);
  }
  assert.equal((await Promise.all(replies)).filter((status) => status === 200).length, 6);
});

test('who goes away ends its question, also one that waits, and makes room', async () => {
  const history = new HeldHistory();
  await using it = await served({ history });
  const calls = Array.from({ length: 3 }, () => {
    const call = request({
      port: it.port,
      path: PATH,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      agent: false,
    });
    call.on('error', () => undefined).end(JSON.stringify(TOP));
    return call;
  });
  await until(() => history.held.length === 2, 'two are asked');
  for (const call of calls) call.destroy();
  await until(() => history.left >= 2 && history.held.length === 0, 'they are ended');
  const reply = post(it.port, PATH, TOP);
  await until(() => history.held.length > 0, 'there is room');
  history.release(TABLE);
  assert.equal((await reply).status, 200);
  assert.deepEqual(it.logged, []);
});

test('what takes too long ends with words, and its place is taken until the history lets go of it', async () => {
  const history = new HeldHistory();
  await using it = await served({ history, limits: { questionMs: 100, questions: 1, questionsWaiting: 1 } });
  const reply = await post(it.port, PATH, TOP);
  assert.equal(reply.status, 504);
  assert.match(reply.text, /took longer than 0\.1 s.*shorter time/);
  history.isStubborn = true;
  assert.equal((await post(it.port, PATH, TOP)).status, 504);
  assert.equal(history.held.length, 1);
  assert.equal((await post(it.port, PATH, TOP)).status, 504, 'it waited for the place in vain');
  assert.equal(history.asked, 2);
  history.isStubborn = false;
  history.release(TABLE);
  const next = post(it.port, PATH, TOP);
  await until(() => history.held.length === 1, 'the place is free');
  history.release(TABLE);
  assert.equal((await next).status, 200);
});

test('what the history says of itself is told; what it never meant to say is in the log alone', async () => {
  const history = new HeldHistory();
  await using it = await served({ history });
  const failing = async (error: unknown): Promise<Reply> => {
    const reply = post(it.port, PATH, TOP);
    await until(() => history.held.length === 1, 'it is asked');
    history.held.shift()!.fail(error);
    return reply;
  };
  const known = Object.assign(new Error('the file is locked'), { code: 'STORE_LOCKED', remedy: 'stop it' });
  const reply = await failing(known);
  assert.equal(reply.status, 503);
  assert.deepEqual(JSON.parse(reply.text), {
    error: 'the file is locked',
    code: 'STORE_LOCKED',
    remedy: 'stop it',
  });
  for (const [code, status] of [
    ['STORE_TIMEOUT', 504],
    ['STORE_TOO_COARSE', 422],
  ] as const)
    assert.equal((await failing(Object.assign(new Error('words'), { code }))).status, status);
  const secret = await failing(new Error('inside'));
  assert.equal(secret.status, 500);
  assert.ok(!secret.text.includes('inside'));
  assert.match(it.logged.join(), /inside/);
});
