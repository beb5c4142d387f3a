/** Clients that are slow, or want too much at a time: each is put off, and the others notice nothing. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { until } from '../../test/until.ts';
import { HeldHistory } from './history.fixture.ts';
import { ask, removePage, served } from './server.fixture.ts';

after(removePage);

/** A connection that keeps what comes, and knows when it is over. */
interface Line extends Disposable {
  readonly socket: Socket;
  readonly got: () => string;
  readonly isOver: () => boolean;
}

function line(port: number, { from = '127.0.0.1', isReading = true } = {}): Line {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  let text = '';
  let isOver = false;
  socket.setEncoding('latin1');
  if (isReading) socket.on('data', (piece) => (text += piece));
  else socket.pause();
  socket.on('error', () => undefined);
  socket.on('close', () => (isOver = true));
  return { socket, got: () => text, isOver: () => isOver, [Symbol.dispose]: () => socket.destroy() };
}

/** Sends a byte now and then, as long as the other side takes it. */
function drip(socket: Socket): Disposable {
  const timer = setInterval(() => socket.writable && socket.write('x'), 20);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Whether another connection from the same address is taken. */
function isServed(port: number): Promise<boolean> {
  return ask(port, '/api/v1/status').then(
    ({ status }) => status === 200,
    () => false,
  );
}

test('a head that does not come to an end is answered with 408, and its connection closed', async () => {
  await using it = await served({ limits: { headMs: 300 } });
  for (const beginning of ['', 'GET /api/v1/view HTTP/1.1\r\nHost: localhost\r\nX: ']) {
    using slow = line(it.port);
    slow.socket.write(beginning);
    using _dripping = beginning === '' ? undefined : drip(slow.socket);
    await until(slow.isOver, 'it is put off');
    if (beginning !== '') assert.match(slow.got(), /^HTTP\/1.1 408 /);
  }
});

test('a body that does not come to an end is answered with 408, and nothing is done or logged', async () => {
  const history = new HeldHistory();
  await using it = await served({ history, limits: { headMs: 200, requestMs: 400 } });
  for (const length of ['Content-Length: 60000', 'Transfer-Encoding: chunked']) {
    using slow = line(it.port);
    slow.socket.write(
      `POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${length}\r\n\r\n`,
    );
    await until(slow.isOver, 'it is put off');
    assert.match(slow.got(), /^HTTP\/1.1 408 /);
  }
  {
    using hasty = line(it.port);
    hasty.socket.write(
      'POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    );
  }
  assert.equal((await ask(it.port, '/api/v1/view')).status, 200);
  assert.deepEqual([history.asked, it.logged], [0, []]);
});

test('a body without end is answered with 413 as soon as it is too much', async () => {
  await using it = await served({ history: new HeldHistory() });
  using endless = line(it.port);
  endless.socket.write(
    'POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  const chunk = `1000\r\n${' '.repeat(4096)}\r\n`;
  const sending = setInterval(() => endless.socket.writable && endless.socket.write(chunk), 1);
  await until(() => /^HTTP\/1.1 413 /.test(endless.got()), 'it is refused').finally(() =>
    clearInterval(sending),
  );
  assert.match(endless.got(), /Connection: close/i);
  assert.ok(endless.socket.bytesWritten < 1_000_000);
});

test('who takes no answer is put off when nothing moves, and others are served meanwhile', async () => {
  await using it = await served({ limits: { idleMs: 500, connectionsPerAddress: 1 } });
  it.source.ballast = 8_000_000;
  using deaf = line(it.port, { isReading: false });
  deaf.socket.write('GET /api/v1/view HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until(() => it.source.asked > 0, 'it is asked');
  it.source.ballast = 0;
  it.source.turn();
  assert.equal((await ask(it.port, '/api/v1/view', {}, { from: '127.0.0.2' })).status, 200);
  await assert.rejects(ask(it.port, '/api/v1/view'), 'its address has no other connection yet');
  await until(() => isServed(it.port), 'it is put off');
});

test('who asks many times before it takes an answer is cut off', async () => {
  await using it = await served();
  it.source.ballast = 100_000;
  using greedy = line(it.port, { isReading: false });
  for (let i = 0; i < 5000; i++)
    greedy.socket.write(
      `GET /api/v1/view?host=10.0.${i >> 8}.${i & 255} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    );
  await until(() => it.source.asked > 0, 'some are answered');
  greedy.socket.resume();
  await until(greedy.isOver, 'it is cut off');
  assert.ok(it.source.asked <= 8, `${it.source.asked} answers were made for a client that takes none`);
});

test('an address that leaves much untaken gets no more, until it took it; others do', async () => {
  await using it = await served({ limits: { untakenPerAddress: 20_000_000, requestsUnderWay: 1 } });
  it.source.ballast = 8_000_000;
  const lines = Array.from({ length: 8 }, () => line(it.port, { isReading: false }));
  let statuses: number[] = [];
  for (const [i, { socket }] of lines.entries()) {
    socket.write(`GET /api/v1/view?host=10.0.0.${i} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    const reply = await ask(it.port, '/api/v1/status');
    statuses = [...statuses, reply.status];
  }
  await until(async () => (await ask(it.port, '/api/v1/status')).status === 503, 'there is too much');
  assert.ok(it.source.asked < 8, `${it.source.asked} answers of 8 MB, ${statuses}`);
  assert.equal((await ask(it.port, '/api/v1/status', {}, { from: '127.0.0.2' })).status, 200);
  for (const { socket } of lines) socket.resume();
  await until(() => isServed(it.port), 'it is taken');
  for (const each of lines) each[Symbol.dispose]();
});

test('one address has half of the connections, and leaves the others to others', async () => {
  await using it = await served({ limits: { connections: 20, connectionsPerAddress: 10 } });
  const lines = Array.from({ length: 15 }, () => line(it.port));
  await until(() => lines.filter(({ isOver }) => isOver()).length === 5, 'five too many are closed');
  assert.equal((await ask(it.port, '/api/v1/view', {}, { from: '127.0.0.2' })).status, 200);
  for (const each of lines) each[Symbol.dispose]();
  await until(() => isServed(it.port), 'there is room again');
});
