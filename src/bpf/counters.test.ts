import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { after, before, test } from 'node:test';
import { CounterSocket, setNetworkNamespace } from './index.ts';

const NAMESPACE = `tscount${process.pid}`;
let ifindex = 0;

function run(command: string): string {
  const [program = '', ...parameters] = command.split(' ');
  return execFileSync(program, parameters, { encoding: 'utf8' });
}

before(() => {
  run(`ip netns add ${NAMESPACE}`);
  setNetworkNamespace(`/run/netns/${NAMESPACE}`);
  run('ip link add tscount0 type veth peer name tscount1');
  run('ip addr add 192.0.2.1/24 dev tscount0');
  run('ip link set tscount0 up');
  run('ip link set tscount1 up');
  run('ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev tscount0');
  [{ ifindex }] = JSON.parse(run('ip -j link show tscount0')) as [{ ifindex: number }];
});
after(() => run(`ip netns del ${NAMESPACE}`));

test('an interface without a queue has counters, and nothing waits or is dropped', () => {
  using counters = CounterSocket.open();
  assert.ok(counters.read(ifindex));
  const nothing = { waiting: 0, dropped: 0 };
  // Of "noqueue" not every kernel tells.
  assert.deepEqual(counters.readQueue(ifindex) ?? nothing, nothing);
});

test('what the queue before an interface drops is counted', async () => {
  run('tc qdisc add dev tscount0 root pfifo limit 0');
  using counters = CounterSocket.open();
  const before = counters.readQueue(ifindex);
  assert.ok(before, 'there is a queue');
  const socket = createSocket('udp4');
  for (let i = 0; i < 10; i++)
    await new Promise<void>((resolve) => socket.send('x', 9, '192.0.2.2', () => resolve()));
  socket.close();
  const later = counters.readQueue(ifindex)!;
  // The stack itself may send something at any time.
  assert.ok(later.dropped - before.dropped >= 10, `${later.dropped - before.dropped} dropped`);
  assert.equal(later.waiting, 0);
});

test('an interface that is not there has neither', () => {
  using counters = CounterSocket.open();
  assert.equal(counters.read(99_999), undefined);
  assert.equal(counters.readQueue(99_999), undefined);
});
