/* The host's own connections over the API: a real agent in a namespace, real connections, against what ss says. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hasBtf } from '../src/bpf/index.ts';
import { ServedAgent } from './served-agent.ts';
import { buildPair, PATIENCE_MS, removePair, ssOf, TcpEnd } from './socket-scene.ts';
import { until } from './until.ts';

const PAIR = ['tsviews-a', 'tsviews-b'] as const;
const [NEAR, FAR] = PAIR;
const skip = hasBtf() ? false : 'this kernel has no BTF of its own';

before(() => buildPair(PAIR));
after(() => removePair(PAIR));

test('connections are told as ss has them, with rates from the second reading on', { skip }, async () => {
  await using server = new TcpEnd(FAR);
  await using client = new TcpEnd(NEAR);
  const port = await server.listen('10.79.0.2');
  const connection = await client.connect('10.79.0.2', port);
  const quiet = await client.connect('10.79.0.2', port);
  await client.write(connection.number, 300_000);
  await until(() => ssOf(NEAR, connection.port).ackedOctets >= 300_000, 'all is acknowledged', PATIENCE_MS);
  await using agent = await ServedAgent.start(NEAR);
  const first = await agent.connections();
  assert.equal(first.rateSeconds, null);
  assert.equal(first.count, 2);
  const [busy] = first.connections;
  const ss = ssOf(NEAR, connection.port);
  assert.deepEqual(
    [busy!.local, busy!.localPort, busy!.remote, busy!.remotePort, busy!.state, busy!.sendRate],
    ['10.79.0.1', connection.port, '10.79.0.2', port, 'established', null],
  );
  assert.equal(busy!.sentOctets, ss.sentOctets);
  assert.equal(busy!.retransmits, ss.retransmits);
  assert.equal(busy!.cwnd, ss.cwnd);
  assert.equal(Math.round(busy!.srttMs! * 1000), ss.srttUs);
  await client.write(connection.number, 500_000);
  await until(() => ssOf(NEAR, connection.port).ackedOctets >= 800_000, 'more is acknowledged', PATIENCE_MS);
  let second = first;
  await until(async () => {
    second = await agent.connections();
    return second.atMs > first.atMs;
  }, 'the kernel is read anew');
  const again = second.connections.find(({ localPort }) => localPort === connection.port)!;
  const sent = again.sentOctets - busy!.sentOctets;
  assert.ok(sent >= 500_000);
  assert.ok(Math.abs(again.sendRate! * second.rateSeconds! - sent) < 1);
  assert.equal(second.connections.find(({ localPort }) => localPort === quiet.port)!.sendRate, 0);
});

test('a filter and a limit leave fewer, and say how many there are', { skip }, async () => {
  await using server = new TcpEnd(FAR);
  await using client = new TcpEnd(NEAR);
  const port = await server.listen('fd79::2');
  const connections = [await client.connect('fd79::2', port), await client.connect('fd79::2', port)];
  await using agent = await ServedAgent.start(NEAR);
  const one = await agent.connections('limit=1');
  assert.deepEqual([one.count, one.connections.length], [2, 1]);
  const chosen = await agent.connections(`filter=dport+${connections[1]!.port}+and+ipv6`);
  assert.deepEqual(
    chosen.connections.map(({ localPort, remotePort }) => [localPort, remotePort]),
    [[connections[1]!.port, port]],
  );
  const none = await agent.connections('filter=ipv4');
  assert.equal(none.count, 0);
  await client.close(connections[0]!.number, 'reset');
  await until(
    async () => (await agent.connections('filter=ipv6')).connections.some(({ state }) => state === 'closed'),
    'one that closed is told once more',
  );
});
