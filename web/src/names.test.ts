import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_NAMED, type Name, type NamesAnswer } from '../../src/query/index.ts';
import type { Arc } from './layout/fold.ts';
import { addressWithName, calledAddress, cutName, lettersOf, nameTitle } from './name-words.ts';
import { AHEAD_MS, HOLDS_MS, KEPT, KnownNames, type Naming } from './names.ts';
import { arcCalled, arcFullName, arcWords } from './words.ts';

interface Asked {
  readonly addresses: readonly string[];
  readonly segments: readonly string[];
}

/** An agent, a clock, and what is to be done later, all in the hands of the test. */
function surroundings(answer: (asked: Asked) => Partial<NamesAnswer> | Response) {
  const asked: Asked[] = [];
  const planned: { readonly atMs: number; readonly work: () => void }[] = [];
  let nowMs = 0;
  const names = new KnownNames({
    nowMs: () => nowMs,
    later: (work, ms) => {
      const one = { atMs: nowMs + ms, work };
      planned.push(one);
      return () => void planned.splice(planned.indexOf(one), 1);
    },
    fetch: async (path, init) => {
      assert.equal(path, 'api/v1/names');
      const question = JSON.parse(String(init?.body)) as Asked;
      asked.push(question);
      const told = answer(question);
      if (told instanceof Response) return told;
      return Response.json({ addresses: {}, segments: {}, pending: [], ...told });
    },
  });
  /** Lets time go by, and answers come. */
  const pass = async (ms: number): Promise<void> => {
    const untilMs = nowMs + ms;
    for (;;) {
      const [next] = planned.toSorted((x, y) => x.atMs - y.atMs);
      if (!next || next.atMs > untilMs) break;
      planned.splice(planned.indexOf(next), 1);
      nowMs = Math.max(nowMs, next.atMs);
      next.work();
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      await new Promise(setImmediate);
    }
    nowMs = untilMs;
  };
  return { names, asked, pass };
}

const NOTHING = { octets: 0, packets: 0 };
const label = (name: string): Name => ({ name, from: 'labels' });

test('what comes on screen together is asked for in one question, and known addresses not again', async () => {
  const { names, asked, pass } = surroundings(() => ({
    addresses: { '10.0.0.1': label('web 1') },
    segments: { 'vxlan:5001': label('tenant red') },
  }));
  let changes = 0;
  names.subscribe(() => changes++);
  names.want('addresses', ['10.0.0.1']);
  names.want('addresses', ['10.0.0.2', '10.0.0.1']);
  names.want('segments', ['vxlan:5001']);
  assert.equal(asked.length, 0, 'not at once');
  await pass(1000);
  assert.deepEqual(asked, [{ addresses: ['10.0.0.1', '10.0.0.2'], segments: ['vxlan:5001'] }]);
  assert.deepEqual(names.nameOf('addresses', '10.0.0.1'), label('web 1'));
  assert.equal(names.nameOf('addresses', '10.0.0.2'), undefined);
  assert.equal(names.nameOf('segments', 'vxlan:5001')?.name, 'tenant red');
  assert.deepEqual([changes, names.hasAddresses()], [1, true]);

  names.want('addresses', ['10.0.0.1', '10.0.0.2']);
  await pass(1000);
  assert.equal(asked.length, 1, 'that there is none is known, too');
  names.want('addresses', ['10.0.0.3', '10.0.0.1']);
  await pass(1000);
  assert.deepEqual(asked[1], { addresses: ['10.0.0.3'], segments: [] });
  assert.equal(changes, 1, 'no name came');
});

test('what went away before it was asked for is not asked for, and what stays is asked for again later', async () => {
  const { names, asked, pass } = surroundings(() => ({ addresses: { a1: label('x') } }));
  const release = names.want('addresses', ['10.9.9.9']);
  release();
  names.want('addresses', ['10.0.0.1']);
  await pass(HOLDS_MS / 2);
  const gone = names.want('addresses', ['10.0.0.2']);
  await pass(100);
  gone();
  await pass(2 * HOLDS_MS);
  assert.deepEqual(
    asked.map(({ addresses }) => addresses),
    [['10.0.0.1'], ['10.0.0.2'], ['10.0.0.1'], ['10.0.0.1']],
  );
});

test('names that came one after the other are renewed together', async () => {
  const { names, asked, pass } = surroundings(() => ({}));
  names.want('addresses', ['10.0.0.1']);
  await pass(AHEAD_MS / 2);
  names.want('addresses', ['10.0.0.2']);
  await pass(HOLDS_MS - AHEAD_MS / 2);
  assert.deepEqual(
    asked.map(({ addresses }) => addresses),
    [['10.0.0.1'], ['10.0.0.2']],
  );
  await pass(1000);
  assert.deepEqual(asked[2]?.addresses, ['10.0.0.1', '10.0.0.2']);
  await pass(HOLDS_MS - 1000);
  assert.equal(asked.length, 3);
});

test('a name that may come is asked for again soon, then less often, until it comes', async () => {
  let pending = ['10.0.0.1', '10.0.0.2'];
  const { names, asked, pass } = surroundings(() => ({
    pending,
    addresses: pending.includes('10.0.0.1') ? {} : { '10.0.0.1': { name: 'far.example', from: 'dns' } },
  }));
  names.want('addresses', ['10.0.0.1', '10.0.0.2']);
  await pass(500);
  assert.equal(asked.length, 1);
  await pass(1000);
  assert.equal(asked.length, 2, 'a second later');
  await pass(1000);
  assert.equal(asked.length, 2, 'then not before two');
  await pass(1000);
  assert.equal(asked.length, 3);
  pending = ['10.0.0.2'];
  await pass(5000);
  assert.equal(names.nameOf('addresses', '10.0.0.1')?.name, 'far.example');
  const before = asked.length;
  await pass(9000);
  assert.deepEqual(asked.slice(before), [{ addresses: ['10.0.0.2'], segments: [] }]);
});

test('a question holds no more than the agent takes, and what is kept has a bound', async () => {
  const { names, asked, pass } = surroundings(() => ({}));
  const many = (net: number, count: number): string[] =>
    Array.from({ length: count }, (_, i) => `10.${net}.${i >> 8}.${i & 255}`);
  const release = names.want('addresses', many(1, 2500));
  await pass(1000);
  assert.deepEqual(
    asked.map(({ addresses }) => addresses.length),
    [MAX_NAMED, MAX_NAMED, 500],
  );
  release();
  for (const net of [2, 3, 4]) {
    const gone = names.want('addresses', many(net, 2500));
    await pass(1000);
    gone();
  }
  names.want('addresses', ['10.9.9.9']);
  await pass(1000);
  assert.ok(names.size <= KEPT + 1, `${names.size} are kept`);
  const before = asked.length;
  names.want('addresses', many(4, 2500));
  await pass(1000);
  assert.equal(asked.length, before, 'the newest are among them');
});

test('only what can have a name is asked for', async () => {
  const { names, asked, pass } = surroundings(() => ({}));
  names.want('addresses', ['(others)', 'no address', 'f'.repeat(60).concat(':0000'), '02:00:00:00:00:0a']);
  names.want('segments', ['all', 'vxlan:5001', 'none', 'vxlan:5001 or 1']);
  await pass(1000);
  assert.deepEqual(asked, [{ addresses: ['02:00:00:00:00:0a'], segments: ['vxlan:5001', 'none'] }]);
});

test('an agent that gives no answer is let be for a while, and what was known stays', async () => {
  let refusal: Response | undefined;
  const { names, asked, pass } = surroundings(() => refusal ?? { addresses: { '10.0.0.1': label('web 1') } });
  names.want('addresses', ['10.0.0.1']);
  await pass(1000);
  refusal = new Response('{}', { status: 429, headers: { 'Retry-After': '3' } });
  names.want('addresses', ['10.0.0.2']);
  await pass(1000);
  assert.equal(asked.length, 2);
  names.want('addresses', ['10.0.0.3']);
  await pass(1500);
  assert.equal(asked.length, 2, 'not before it said');
  assert.equal(names.nameOf('addresses', '10.0.0.1')?.name, 'web 1');
  refusal = new Response('{}', { status: 404 });
  await pass(10_000);
  assert.equal(asked.length, 3);
  await pass(30_000);
  assert.equal(asked.length, 3, 'an agent that knows no names is hardly asked');
  refusal = undefined;
  await pass(2 * HOLDS_MS);
  assert.ok(asked.slice(3).some(({ addresses }) => addresses.includes('10.0.0.3')));
});

test('an answer that is none, or names what nobody asked for, changes nothing', async () => {
  const answers: (Partial<NamesAnswer> | Response)[] = [
    Response.json({ addresses: { '10.0.0.1': { name: 7 } } }),
    { addresses: { '10.0.0.7': label('other') } },
  ];
  const { names, pass } = surroundings(() => answers.shift() ?? {});
  names.want('addresses', ['10.0.0.1', 'constructor.']);
  await pass(1000);
  await pass(1000);
  assert.equal(names.nameOf('addresses', '10.0.0.1'), undefined);
  assert.equal(names.nameOf('addresses', '10.0.0.7'), undefined);
  assert.equal(names.nameOf('addresses', 'constructor.'), undefined);
});

test('a name stands for its address where it is its own, and both can be read', () => {
  const naming: Naming = {
    address: (address) =>
      address === '10.0.0.1'
        ? label('web 1')
        : address === '10.0.5.7'
          ? { name: 'office', from: 'labels', network: '10.0.5.0/24' }
          : undefined,
    segment: () => undefined,
  };
  const both = (of: typeof calledAddress): string[] =>
    ['10.0.0.1', '10.0.5.7', '10.0.0.9'].map((address) => of(address, naming));
  assert.deepEqual(both(calledAddress), ['web 1', '10.0.5.7', '10.0.0.9']);
  assert.deepEqual(both(addressWithName), ['web 1 (10.0.0.1)', 'office (10.0.5.7)', '10.0.0.9']);
  assert.equal(nameTitle(naming.address('10.0.0.1')!, '10.0.0.1'), 'web 1: 10.0.0.1, from your labels');
  assert.equal(
    nameTitle(naming.address('10.0.5.7')!, '10.0.5.7'),
    'office: 10.0.5.7 in 10.0.5.0/24, from your labels',
  );
});

test('a long name is cut within its room, also where letters are wide or pairs', () => {
  assert.equal(cutName('web 1', 9), 'web 1');
  assert.equal(cutName('web frontend 12', 9), 'web fron…');
  assert.equal(cutName('サーバー室の機械', 9), 'サーバー…');
  assert.equal(cutName('😀😀😀😀😀', 5), '😀😀…');
  for (const name of ['a'.repeat(253), '機'.repeat(253), '😀'.repeat(60)])
    assert.ok(lettersOf(cutName(name, 16)) <= 16);
});

test('tenants that share an address share its name, and are told apart by their segment', () => {
  const naming: Naming = {
    address: (address) => (address === '10.0.0.1' ? label('web 1') : undefined),
    segment: (id) => (id === 'vxlan:1' ? label('tenant red') : undefined),
  };
  const arc = (segment: string, address = '10.0.0.1'): Arc => ({
    id: `${segment}/${address}`,
    node: { id: `${segment}/${address}`, address, segment, sent: NOTHING, received: NOTHING },
    count: 1,
    hasMore: false,
    sent: 5,
    received: 0,
  });
  const names = [arc('vxlan:1'), arc('vxlan:2'), arc('vxlan:1', '10.0.0.2')];
  assert.deepEqual(
    names.map((each) => arcCalled(each, naming)),
    ['web 1', 'web 1', '10.0.0.2'],
  );
  assert.deepEqual(
    names.map((each) => arcFullName(each, naming)),
    ['web 1 (tenant red)', 'web 1 (VNI 2)', '10.0.0.2 (tenant red)'],
  );
  const about = { total: 10, units: 'octets', windowSeconds: 1, action: undefined, naming } as const;
  assert.equal(
    arcWords(arc('vxlan:1'), 'web 1 tenant red, 50 %', about),
    'web 1 tenant red, 50 %, 10.0.0.1: sent 5 B, 50 % of all, received 0 B.',
  );
});
