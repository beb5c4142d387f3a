/** Inside a generator's thread, see generator.ts: the lab's senders and receivers, in its namespace. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { setNetworkNamespace } from '../../src/bpf/index.ts';
import type { Duty, Worker } from '../../src/lab/duty.ts';
import { bulkReceiver, bulkSender } from '../../src/lab/tcp.ts';
import { udpReceiver, udpSender } from '../../src/lab/udp.ts';
import type { Answer, Done, Order } from './generator.ts';

/** Receivers wait so long for what is under way. */
const PATIENCE_MS = 20_000;

const workers = new Map<Duty, Worker>();
let before = 0;

async function obey(order: Order): Promise<'ready' | Done> {
  if ('open' in order) {
    for (const duty of order.open) workers.set(duty, await opened(duty));
    before = retransmitted();
    return 'ready';
  }
  await Promise.all([...workers.values()].map((worker) => worker.run(new AbortController().signal)));
  const deadline = performance.now() + PATIENCE_MS;
  const isDone = (each: [Duty, Worker]): boolean => isReceived(each, order.run);
  while (![...workers].every(isDone) && performance.now() < deadline) await delay(10);
  const done = {
    tallies: new Map([...workers].map(([{ id }, { tally }]) => [id, tally])),
    retransmitted: retransmitted() - before,
  };
  for (const worker of workers.values()) worker.close();
  workers.clear();
  return done;
}

function opened(duty: Duty): Worker | Promise<Worker> {
  const { stream, role } = duty;
  if (stream.kind === 'udp') return role === 'send' ? udpSender(duty, stream) : udpReceiver(duty);
  if (stream.kind === 'bulk') return role === 'send' ? bulkSender(duty, stream) : bulkReceiver(duty, stream);
  throw new TypeError(`streams of kind ${stream.kind} are not made here`);
}

function isReceived([{ role, stream }, { tally }]: [Duty, Worker], wanted: number | undefined): boolean {
  if (role === 'send' || stream.kind === 'requests') return true;
  return stream.kind === 'bulk'
    ? tally.receivedMessages > 0
    : tally.receivedMessages >= (wanted ?? stream.count!);
}

/** Segments that TCP of this namespace has sent again (TCP-MIB, tcpRetransSegs). */
function retransmitted(): number {
  const [names, values] = readFileSync('/proc/thread-self/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.split(' '));
  return Number(values![names!.indexOf('RetransSegs')]);
}

setNetworkNamespace(`/run/netns/${workerData}`);
// All on one CPU: what two of them send may overtake, and a tunnel with sequence numbers drops what comes too late.
execFileSync('taskset', ['-cp', '0', basename(readlinkSync('/proc/thread-self'))]);
const port = parentPort!;
port.on('message', (order: Order) => {
  obey(order).then(
    (result) => port.postMessage({ result } satisfies Answer),
    (error: Error) => port.postMessage({ failure: error.message } satisfies Answer),
  );
});
