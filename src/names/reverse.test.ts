/** Reverse DNS against real servers: dnsmasq, and one that answers whatever a test wants. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { until } from '../../test/until.ts';
import { formatAddress, parseAddress } from '../flow/index.ts';
import { type ReverseName, ReverseNames } from './reverse.ts';

const PORT = 54_531;

function ask(reverse: ReverseNames, text: string): ReverseName {
  const octets = parseAddress(text)!;
  return reverse.ask(formatAddress(octets), octets);
}

/** A name server that answers each question with what `answer` makes of it; nothing where that is undefined. */
async function nameServer(
  answer: (name: string, question: Buffer) => Buffer | undefined,
): Promise<AsyncDisposable & { readonly address: string; readonly asked: string[] }> {
  const socket: Socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (question, { port, address }) => {
    const labels: string[] = [];
    for (let at = 12; question[at] !== 0; at += question[at]! + 1)
      labels.push(question.toString('latin1', at + 1, at + 1 + question[at]!));
    asked.push(labels.join('.'));
    const reply = answer(labels.join('.'), question);
    if (reply) socket.send(reply, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** RFC 1035 section 4.1: the question again, and a PTR for each name. */
function pointers(question: Buffer, names: readonly string[], status = 0): Buffer {
  const end = question.indexOf(0, 12) + 5;
  const head = Buffer.from(question.subarray(0, end));
  head.writeUInt16BE(0x8180 | status, 2);
  head.writeUInt16BE(names.length, 6);
  head.writeUInt16BE(0, 8);
  head.writeUInt16BE(0, 10);
  const records = names.map((name) => {
    const labels = name.split('.').map((label) => Buffer.from(label, 'latin1'));
    const rdata = Buffer.concat([
      ...labels.flatMap((label) => [Buffer.from([label.length]), label]),
      Buffer.from([0]),
    ]);
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(12, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(60, 6);
    record.writeUInt16BE(rdata.length, 10);
    return Buffer.concat([record, rdata]);
  });
  return Buffer.concat([head, ...records]);
}

test('names of dnsmasq are unknown when asked for first, and known at a later time', async () => {
  const child = spawn(
    'dnsmasq',
    [
      ...['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--pid-file='],
      ...['--listen-address=127.0.0.1', '--bind-interfaces', `--port=${PORT}`, '--local=/arpa/'],
      ...['--host-record=web1.example,10.7.0.1', '--host-record=six.example,2001:db8::7'],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  try {
    let nowMs = 0;
    const limits = { timeoutMs: 500 };
    using reverse = new ReverseNames({ servers: [`127.0.0.1:${PORT}`], limits, clock: () => nowMs });
    assert.deepEqual(ask(reverse, '10.7.0.1'), { name: undefined, isPending: true });
    // Where dnsmasq does not listen yet, that is remembered for a while.
    const known = (text: string, name: string | undefined) => (): boolean => {
      const found = ask(reverse, text);
      if (!found.isPending && found.name !== name) nowMs += 300_000;
      return !found.isPending && found.name === name;
    };
    await until(known('10.7.0.1', 'web1.example'), 'its name is known');
    await until(known('2001:db8::7', 'six.example'), 'that of an IPv6 address as well');
    await until(known('10.7.0.2', undefined), 'it is known that there is none');
  } finally {
    child.kill();
    await once(child, 'exit');
  }
});

test('a name that is old is told while it is asked for anew, and goes when there is none any more', async () => {
  let names = ['b.example', 'a.example'];
  await using server = await nameServer((_, question) =>
    pointers(question, names, names.length === 0 ? 3 : 0),
  );
  let nowMs = 0;
  using reverse = new ReverseNames({ servers: [server.address], clock: () => nowMs });
  const isNow = (name: string | undefined) => (): boolean => {
    nowMs += 100;
    const found = ask(reverse, '10.0.0.1');
    return found.name === name && !found.isPending;
  };
  await until(isNow('a.example'), 'the first by the alphabet, in whatever order they come');
  assert.equal(server.asked.length, 1, 'asked for once');
  names = ['c.example'];
  nowMs += 3_600_000;
  assert.deepEqual(ask(reverse, '10.0.0.1'), { name: 'a.example', isPending: false });
  await until(isNow('c.example'), 'it has another one');
  names = [];
  nowMs += 3_600_000;
  await until(isNow(undefined), 'it has none');
});

test('a hostile name is made fit, or is none', async () => {
  const given: Record<string, string> = {
    '1.0.0.10.in-addr.arpa': 'fine.example',
    '2.0.0.10.in-addr.arpa': '<script>alert(1)</script>',
    '3.0.0.10.in-addr.arpa': 'a\x1b[2Jb\x00c\x07',
    '4.0.0.10.in-addr.arpa': '\xe2\x80\xaegnp.exe',
    '5.0.0.10.in-addr.arpa': Array<string>(4).fill('x'.repeat(60)).join('.'),
  };
  await using server = await nameServer((name, question) => pointers(question, [given[name]!]));
  using reverse = new ReverseNames({ servers: [server.address] });
  const addresses = [1, 2, 3, 4, 5].map((i) => `10.0.0.${i}`);
  await until(() => addresses.every((text) => !ask(reverse, text).isPending), 'all are answered');
  for (const text of addresses) {
    const { name } = ask(reverse, text);
    assert.match(name ?? '', /^[^\p{C}<>"`]*$/u);
    assert.ok((name ?? '').length <= 253);
  }
  assert.equal(ask(reverse, addresses[0]!).name, 'fine.example');
});

test('servers that say nothing are told once, hold nobody up, and are heard again', async () => {
  let isSilent = true;
  await using server = await nameServer((_, question) =>
    isSilent ? undefined : pointers(question, ['back.example']),
  );
  let nowMs = 0;
  const told: string[] = [];
  using reverse = new ReverseNames({
    servers: [server.address],
    limits: { timeoutMs: 50, underWay: 4 },
    clock: () => nowMs,
    problem: ({ message }) => told.push(message),
    recovered: () => told.push('recovered'),
  });
  const addresses = Array.from({ length: 10 }, (_, i) => `10.0.0.${i + 1}`);
  const began = performance.now();
  for (const text of addresses) assert.ok(ask(reverse, text).isPending);
  assert.ok(performance.now() - began < 1000, 'asking waits for nobody');
  await until(() => addresses.every((text) => !ask(reverse, text).isPending), 'they are given up', 30_000);
  assert.deepEqual(told, [
    'no DNS server answers what addresses are called (ETIMEOUT); they have no names of DNS',
  ]);
  isSilent = false;
  nowMs += 300_000;
  await until(() => ask(reverse, addresses[0]!).name === 'back.example', 'it has a name');
  assert.equal(told.at(-1), 'recovered');
});

test('what is asked, what waits and what is kept is bounded', async () => {
  await using server = await nameServer((_, question) => pointers(question, ['x.example']));
  let nowMs = 0;
  const limits = { kept: 20, waiting: 50, perSecond: 10, underWay: 4 };
  using reverse = new ReverseNames({ servers: [server.address], limits, clock: () => nowMs });
  const text = (i: number): string => `10.1.${i >> 8}.${i & 255}`;
  for (let i = 1; i <= 1000; i++) ask(reverse, text(i));
  // The clock stands still: the allowance of a second, and no more.
  await until(() => server.asked.length === 10, 'ten are asked for');
  for (let second = 0; second < 10; second++) {
    nowMs += 1000;
    const before = server.asked.length;
    await until(() => server.asked.length >= Math.min(50, before + 10), 'ten more each second');
    assert.ok(server.asked.length <= before + 10, `${server.asked.length} after ${before}`);
  }
  // 50 waited; 4 of them were begun at once and made room for as many more.
  assert.ok(server.asked.length <= 54, `${server.asked.length}`);
  await until(() => reverse.size === 20, 'so many are remembered');
});
