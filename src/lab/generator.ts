/**
 * The traffic of one namespace: a program of its own, run inside it, told by lines on stdin and counting on stdout
 * (duty.ts has both languages). It ends when its stdin ends, so it cannot outlive the one who started it.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Duty, Order, Report, Worker } from './duty.ts';
import { bulkReceiver, bulkSender, requestReceiver, requestSender } from './tcp.ts';
import { udpReceiver, udpSender } from './udp.ts';

const REPORT_EVERY_MS = 1000;

const workers = new Map<number, Worker>();
const stopping = new AbortController();
const dropsBefore = receiveDrops();

async function obey(order: Order): Promise<void> {
  if (order.order === 'open') {
    for (const duty of order.duties) workers.set(duty.id, await open(duty));
    say({ report: 'ready' });
  } else if (order.order === 'start') {
    setInterval(() => say(counted('counted')), REPORT_EVERY_MS);
    await Promise.all([...workers.values()].map((worker) => worker.run(stopping.signal)));
    say(counted('counted'));
    say({ report: 'done' });
  } else if (order.order === 'count') {
    say(counted('counted'));
  } else if (order.order === 'stop') {
    stopping.abort();
  } else {
    for (const worker of workers.values()) worker.close();
    process.stdout.write(`${JSON.stringify(counted('finished'))}\n`, () => process.exit(0));
  }
}

function open(duty: Duty): Worker | Promise<Worker> {
  const { stream, role } = duty;
  if (stream.kind === 'udp') return role === 'send' ? udpSender(duty, stream) : udpReceiver(duty);
  if (stream.kind === 'bulk') return role === 'send' ? bulkSender(duty, stream) : bulkReceiver(duty, stream);
  return role === 'send' ? requestSender(duty, stream) : requestReceiver(duty, stream);
}

function counted(report: 'counted' | 'finished'): Report {
  return {
    report,
    tallies: [...workers].map(([id, { tally }]) => [id, tally] as const),
    drops: receiveDrops() - dropsBefore,
  };
}

/** Datagrams this namespace threw away for want of buffer, so far (UDP-MIB, RcvbufErrors of Linux). */
function receiveDrops(): number {
  const rows = readFileSync('/proc/self/net/snmp', 'utf8')
    .split('\n')
    .filter((row) => row.startsWith('Udp:'))
    .map((row) => row.split(' '));
  const drops4 = rows[1]?.[rows[0]?.indexOf('RcvbufErrors') ?? -1];
  let drops6: string | undefined;
  try {
    drops6 = /^Udp6RcvbufErrors\s+(\d+)/m.exec(readFileSync('/proc/self/net/snmp6', 'utf8'))?.[1];
  } catch {
    // a kernel without IPv6
  }
  return Number(drops4 ?? 0) + Number(drops6 ?? 0);
}

function say(report: Report): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  process.stdout.write(`${JSON.stringify({ report: 'failed', message } satisfies Report)}\n`, () =>
    process.exit(1),
  );
}

process.on('SIGTERM', () => stopping.abort());
process.stdout.on('error', () => process.exit(1));
createInterface({ input: process.stdin })
  // Written by the same module on the other side of the pipe.
  .on('line', (line) => obey(JSON.parse(line) as Order).catch(fail))
  .on('close', () => process.exit(0));
