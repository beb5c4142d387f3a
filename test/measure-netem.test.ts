/**
 * What netem does to real packets is what is measured: loss, duplicates, reordering and its extent exactly, jitter and
 * round trips as a capture at the same point has them. Where the kernel has netem: natively, or in a guest (tools/vm).
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import type { FlowBatch } from '../src/flow/index.ts';
import { TcpSums } from '../src/measure/index.ts';
import { MeterThread } from '../src/meter/index.ts';
import { attempts } from './attempts.ts';
import { isLacking } from './devices/rig.ts';
import { ADDRESSES, at, buildLink, RECEIVER, removeLink, SENDER } from './far-side-link.ts';
import {
  assertArrivals,
  assertJitter,
  assertSequence,
  assertWithin,
  MEASURE_NUMBERS,
  received,
} from './measured-arrivals.ts';
import { assertConserved } from './metering.ts';
import { inside, keepNeighbours, Netem, stampLate } from './netem-cable.ts';
import {
  ArrivalCapture,
  arrivalsOf,
  type NumberForm,
  NumberSender,
  PORTS,
  RTP_SOURCE,
  receiveInOrder,
} from './numbered-traffic.ts';
import { isScaled, scaled } from './scale.ts';
import { hasTshark } from './tshark.ts';
import { tsharkJitter } from './tshark-rtp.ts';
import { until } from './until.ts';

const UDP = 17;
const TCP = 6;
const OCTETS = 300;
const INTERVAL_MS = 500;
const [PLAIN, , , WIDE_IN_TUNNEL] = ADDRESSES;
const directory = mkdtempSync(join(tmpdir(), 'measure-netem-'));

let sender: NumberSender;
let meter: MeterThread;
let collecting: Promise<void>;
const stopping = new AbortController();
const batches: FlowBatch[] = [];

before(async () => {
  buildLink();
  receiveInOrder();
  sender = new NumberSender();
  for (const address of ADDRESSES) inside(SENDER, 'ping', '-q', '-c', '1', '-W', '9', address);
  for (const namespace of [SENDER, RECEIVER]) keepNeighbours(namespace);
  if (isScaled) stampLate();
  // One for all tests: to load it takes many seconds under emulation.
  meter = await MeterThread.open({
    interfaces: ['eth0'],
    intervalMs: INTERVAL_MS,
    flowCapacity: 4096,
    hook: 'auto',
    namespace: RECEIVER,
    measure: { ...MEASURE_NUMBERS, capacity: 256 },
  });
  collecting = (async () => {
    for await (const batch of meter.batches({ signal: stopping.signal })) batches.push(batch);
  })();
});
after(async () => {
  stopping.abort();
  await collecting;
  await meter[Symbol.asyncDispose]();
  await sender[Symbol.asyncDispose]();
  removeLink();
  rmSync(directory, { recursive: true });
});

/** Compares, or skips the test where the kernel has no netem. Times are of two clocks: again where the machine paused. */
async function withNetem(t: TestContext, action: () => Promise<void>): Promise<void> {
  try {
    await attempts(action);
  } catch (error) {
    if (!isLacking(error)) throw error;
    t.skip('this kernel has no netem');
  }
}

/** What is metered at the receiver while something happens: the epoch of its end and the one after it are waited for. */
async function metered(action: () => Promise<unknown>): Promise<readonly FlowBatch[]> {
  const first = batches.length;
  await action();
  const wanted = batches.length + 2;
  await until(() => batches.length >= wanted, 'two more epochs');
  const taken = batches.slice(first, wanted);
  for (const batch of taken) assertConserved(batch);
  return taken;
}

/** Sends numbers over the cable while the receiver is metered and captured. */
async function carried(
  netem: readonly string[],
  { address, form, count, gapMs }: { address: string; form: NumberForm; count: number; gapMs: number },
): Promise<{ batches: readonly FlowBatch[]; path: string; drops: number }> {
  const cable = new Netem('m1', ...netem);
  using laid = new DisposableStack();
  laid.use(cable);
  const path = join(directory, 'received.pcap');
  const capture = await ArrivalCapture.start(path);
  const sends = Array.from({ length: count }, (_, i) => ({ gapMs, numbers: [i] }));
  let drops = 0;
  const taken = await metered(async () => {
    await sender.send({ address, form, octets: OCTETS, sends });
    drops = await cable.settled();
    // The last packet is neither lost nor overtaken.
    laid.dispose();
    await capture.end();
  });
  return { batches: taken, path, drops };
}

/** What netem is told, and what comes of it: which of lost, repeated and reordered there must be. */
const CASES = [
  { netem: ['loss', '0.1%'], count: 5000, gapMs: 1, shows: [] },
  { netem: ['loss', '1%'], count: scaled(2000, 800), gapMs: 1, shows: ['lost'] },
  { netem: ['loss', '10%'], count: scaled(1000, 300), gapMs: 2, shows: ['lost'] },
  { netem: ['duplicate', '10%'], count: scaled(1000, 300), gapMs: 2, shows: ['duplicates'] },
  {
    netem: ['delay', '20ms', 'reorder', '25%', '50%'],
    count: scaled(1000, 300),
    gapMs: 4,
    shows: ['reordered'],
  },
  {
    netem: ['delay', '20ms', '6ms', 'loss', '2%', 'duplicate', '2%'],
    count: scaled(1000, 400),
    gapMs: 4,
    shows: ['lost', 'duplicates', 'reordered'],
  },
] as const;

for (const { netem, count, gapMs, shows } of CASES) {
  for (const address of [PLAIN, WIDE_IN_TUNNEL!]) {
    const where = address === PLAIN ? '' : ', IPv6 in VXLAN';
    test(`netem: ${netem.join(' ')}${where}: numbers are lost, repeated and reordered as the capture says`, async (t) => {
      await withNetem(t, async () => {
        const { batches, path, drops } = await carried(netem, { address, form: 'pattern', count, gapMs });
        const { sequence, packets } = received(batches, { protocol: UDP, address, port: PORTS.pattern });
        const arrivals = arrivalsOf(path, 'pattern');
        const { lost, duplicates, reordered, mostExtent } = sequence;
        t.diagnostic(
          `of ${count}: ${lost} lost (netem dropped ${drops}), ${duplicates} twice, ${reordered} late by up to ${mostExtent}`,
        );
        assertSequence(sequence, arrivals);
        assert.equal(packets, arrivals.length);
        for (const name of shows) assert.ok(sequence[name] > 0, `${name}: netem did nothing`);
        const came = new Set(arrivals.map(({ number }) => number));
        const ends = Math.min(...came) + (count - 1 - Math.max(...came));
        assert.equal(count - came.size, lost + ends, 'what was sent and did not come');
        assert.ok(lost + ends <= drops, 'netem knows of each');
      });
    });
  }
}

/** Delays and how much they vary, milliseconds, and how far apart the packets are sent. */
const JITTERS = [
  { delayMs: 20, jitterMs: 1, gapMs: 5, address: PLAIN },
  { delayMs: 50, jitterMs: 10, gapMs: 10, address: WIDE_IN_TUNNEL! },
  { delayMs: 100, jitterMs: 50, gapMs: 10, address: PLAIN },
] as const;

for (const { delayMs, jitterMs, gapMs, address } of JITTERS) {
  test(`netem: delay ${delayMs}ms ${jitterMs}ms: gaps and RFC 3550 jitter are those of the capture`, async (t) => {
    await withNetem(t, async () => {
      const netem = ['delay', `${delayMs}ms`, `${jitterMs}ms`];
      const count = scaled(600, 200);
      const { batches, path } = await carried(netem, { address, form: 'iperf3', count, gapMs });
      const { sequence, arrivals: sums } = received(batches, { protocol: UDP, address, port: PORTS.iperf3 });
      const arrivals = arrivalsOf(path, 'iperf3');
      assertSequence(sequence, arrivals);
      t.diagnostic(`${sequence.reordered} of ${count} late by up to ${sequence.mostExtent}`);
      t.diagnostic(assertArrivals(sums, arrivals));
      t.diagnostic(assertJitter(sequence, arrivals));
    });
  });
}

const withoutTshark = hasTshark() ? false : 'there is no tshark';

test('netem: delay 30ms 8ms: the jitter of RTP is what tshark says of the capture', {
  skip: withoutTshark,
}, async (t) => {
  await withNetem(t, async () => {
    const what = { address: PLAIN, form: 'rtp', count: scaled(200, 100), gapMs: 40 } as const;
    const { batches, path } = await carried(['delay', '30ms', '8ms'], what);
    const { sequence } = received(batches, { protocol: UDP, address: PLAIN, port: PORTS.rtp });
    const { mean, most } = tsharkJitter(path, PORTS.rtp, RTP_SOURCE);
    const { meanJitterMs, mostJitterMs } = sequence;
    t.diagnostic(
      `mean ${meanJitterMs?.toFixed(3)} ms (${mean}), most ${mostJitterMs?.toFixed(3)} ms (${most})`,
    );
    assertWithin(meanJitterMs, mean, 0.01, 'mean jitter');
    assertWithin(mostJitterMs, most, 0.01, 'largest jitter');
  });
});

const TCP_PORT = 5001;
const QUESTIONS = 8;
/** So long that what the machine itself takes is little, also under emulation. */
const ONE_WAY_MS = 250;
/** Answers each question at once, and says when it listens. */
const ANSWER = `
require('net').createServer((s) => s.setNoDelay().on('data', () => s.write('!')).on('end', () => s.end()))
  .listen(${TCP_PORT}, '::', () => console.log('ready'));`;
const ASK = `
const s = require('net').connect(${TCP_PORT}, process.argv[1]);
let left = ${QUESTIONS};
const ask = () => (left-- > 0 ? s.write('?') : s.end());
s.setNoDelay().on('connect', ask).on('data', ask);`;

/** The receiver asks the sender over TCP, which answers. */
async function converse(address: string): Promise<void> {
  const server = spawn('ip', ['netns', 'exec', SENDER, process.execPath, '-e', ANSWER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(server, 'exit');
  try {
    await once(server.stdout, 'data', { signal: AbortSignal.timeout(60_000) });
    inside(RECEIVER, process.execPath, '-e', ASK, at(address, 1));
  } finally {
    server.kill();
    await exit;
  }
}

/** Round trips from who asks to who answers in a capture, as tshark says them, milliseconds. */
function tsharkRoundTrips(path: string): {
  readonly handshake: number;
  readonly roundTrips: readonly number[];
} {
  const ask = (filter: string, field: string): number[] => {
    const words = ['-r', path, '-Y', `tcp.srcport == ${TCP_PORT} && ${filter}`, '-T', 'fields', '-e', field];
    const text = execFileSync('tshark', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => 1000 * Number(line));
  };
  const roundTrips = ask('tcp.analysis.ack_rtt', 'tcp.analysis.ack_rtt');
  return { handshake: roundTrips[0]!, roundTrips };
}

for (const address of [PLAIN, WIDE_IN_TUNNEL!]) {
  const where = address === PLAIN ? 'IPv4' : 'IPv6 in VXLAN';
  test(`netem: delay ${ONE_WAY_MS}ms each way: handshake and round trips are twice that, and what tshark says, ${where}`, {
    skip: withoutTshark,
  }, async (t) => {
    await withNetem(t, async () => {
      using _there = new Netem('m1', 'delay', `${ONE_WAY_MS}ms`);
      using _back = new Netem('m0', 'delay', `${ONE_WAY_MS}ms`);
      const path = join(directory, 'tcp.pcap');
      const capture = await ArrivalCapture.start(path, 'inout');
      const taken = await metered(async () => {
        await converse(address);
        await capture.end();
      });
      const sums = new TcpSums();
      for (const { measurements } of taken)
        for (let row = 0; row < measurements!.length; row++)
          if (measurements!.flows.protocol[row] === TCP && measurements!.flows.direction[row] === 1)
            sums.add(measurements!.tcp!, row);
      const { handshake, roundTrips } = tsharkRoundTrips(path);
      const mean = roundTrips.reduce((sum, each) => sum + each, 0) / roundTrips.length;
      t.diagnostic(
        `handshake ${sums.handshakeMs?.toFixed(2)} ms (${handshake.toFixed(2)}), ` +
          `${sums.counts.roundTrips} round trips of ${sums.roundTripMs?.toFixed(2)} ms (${roundTrips.length} of ${mean.toFixed(2)})`,
      );
      assertWithin(sums.handshakeMs, handshake, 0.05, 'handshake, by tshark');
      assertWithin(sums.handshakeMs, 2 * ONE_WAY_MS, 0.05, 'handshake, by what was injected');
      assertWithin(sums.roundTripMs, mean, 0.05, 'round trip, by tshark');
      assertWithin(sums.leastRoundTripMs, 2 * ONE_WAY_MS, 0.05, 'shortest round trip, by what was injected');
      assert.ok(sums.counts.roundTrips >= QUESTIONS, `${sums.counts.roundTrips} samples`);
    });
  });
}
