/**
 * What is measured is what was injected: datagrams with numbers, echoes and iperf3 over a cable that loses and repeats,
 * over IPv4 and IPv6, plain and in VXLAN, whole and in super-packets; beside what was sent and what a capture at the same
 * point says. Delay and jitter are injected in test/measure-netem.test.ts.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Workshop } from '../bench/build.ts';
import type { FlowBatch } from '../src/flow/index.ts';
import { attempts } from './attempts.ts';
import { ADDRESSES, buildLink, MIDDLE, RECEIVER, removeLink, SENDER, setOffloads } from './far-side-link.ts';
import { type IperfSum, iperf, lacksIperf3 } from './iperf.ts';
import {
  assertArrivals,
  assertJitter,
  assertSequence,
  assertWithin,
  MEASURE_NUMBERS,
  type MeasuredFlow,
  received,
} from './measured-arrivals.ts';
import { meterDuring } from './metering.ts';
import {
  type Arrival,
  ArrivalCapture,
  arrivalsOf,
  interarrivalJitter,
  iperfArrivals,
  type Numbered,
  NumberSender,
  PORTS,
  RTP_SOURCE,
  receiveInOrder,
  type Send,
} from './numbered-traffic.ts';
import { hasTshark } from './tshark.ts';
import { tsharkJitter } from './tshark-rtp.ts';

const UDP = 17;
const directory = mkdtempSync(join(tmpdir(), 'measure-live-'));
const workshop = new Workshop();
let spoiler: string;

let sender: NumberSender;

before(() => {
  buildLink();
  receiveInOrder();
  sender = new NumberSender();
  spoiler = workshop.object('test/spoil.bpf.c');
  // Who is whose neighbour is known from now on.
  for (const address of ADDRESSES) inside(SENDER, 'ping', '-c', '1', '-W', '5', address);
});
after(async () => {
  await sender[Symbol.asyncDispose]();
  removeLink();
  workshop[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

function inside(namespace: string, ...words: string[]): string {
  return execFileSync('ip', ['netns', 'exec', namespace, ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The cable between the hosts loses one larger packet in sixteen, and may repeat another; until disposed. */
function spoil(section: 'spoils' | 'loses' = 'spoils'): Disposable {
  const tc = (...words: string[]): string => inside(MIDDLE, 'tc', ...words);
  tc('qdisc', 'replace', 'dev', 'm1', 'clsact');
  tc(
    'filter',
    'replace',
    'dev',
    'm1',
    'egress',
    'bpf',
    'direct-action',
    'object-file',
    spoiler,
    'section',
    section,
  );
  return { [Symbol.dispose]: () => void tc('qdisc', 'del', 'dev', 'm1', 'clsact') };
}

/** Meters and captures at the receiver's interface while something is sent. */
async function receiving(
  action: (epochs: (count: number) => Promise<void>) => Promise<unknown>,
): Promise<{ readonly batches: readonly FlowBatch[]; readonly path: string }> {
  const path = join(directory, 'received.pcap');
  const capture = await ArrivalCapture.start(path);
  const options = { namespace: RECEIVER, intervalMs: 300, measure: MEASURE_NUMBERS };
  const { batches } = await meterDuring(options, async (epochs) => {
    await action(epochs);
    await capture.end();
  });
  return { batches, path };
}

/** The same of numbers to one address. */
async function numbersReceived(
  what: Numbered,
): Promise<{ readonly flow: MeasuredFlow; readonly arrivals: readonly Arrival[]; readonly path: string }> {
  const { batches, path } = await receiving(() => sender.send(what));
  const { address, form } = what;
  return {
    flow: received(batches, { protocol: UDP, address, port: PORTS[form] }),
    arrivals: arrivalsOf(path, form),
    path,
  };
}

/** The numbers of each way have their own thousands. */
const SPAN = 100_000;

/** The same over all ways, one after the other. @param sends of the way whose numbers begin there */
async function numbersReceivedOverAll(
  sends: (begin: number) => Send[],
): Promise<readonly { readonly flow: MeasuredFlow; readonly arrivals: readonly Arrival[] }[]> {
  const { batches, path } = await receiving(async () => {
    for (const [i, { address }] of WAYS.entries())
      await sender.send({ address, form: 'pattern', octets: OCTETS, sends: sends(SPAN * i) });
  });
  const arrivals = Map.groupBy(arrivalsOf(path, 'pattern'), ({ number }) => Math.floor(number / SPAN));
  return WAYS.map(({ address }, i) => ({
    flow: received(batches, { protocol: UDP, address, port: PORTS.pattern }),
    arrivals: arrivals.get(i) ?? [],
  }));
}

const OCTETS = 600;
/** Ethernet, IP and UDP; of tunnels once more, and the VXLAN header. */
const IPV4_HEADERS = 14 + 20 + 8;
const IPV6_HEADERS = 14 + 40 + 8;
const WAYS = [
  { name: 'IPv4', headers: IPV4_HEADERS, depth: 0 },
  { name: 'IPv6', headers: IPV6_HEADERS, depth: 0 },
  { name: 'IPv4 in VXLAN over IPv4', headers: IPV4_HEADERS + 8 + IPV4_HEADERS, depth: 1 },
  { name: 'IPv6 in VXLAN over IPv4', headers: IPV6_HEADERS + 8 + IPV4_HEADERS, depth: 1 },
  { name: 'IPv4 in VXLAN over IPv6', headers: IPV4_HEADERS + 8 + IPV6_HEADERS, depth: 1 },
  { name: 'IPv6 in VXLAN over IPv6', headers: IPV6_HEADERS + 8 + IPV6_HEADERS, depth: 1 },
].map((way, i) => ({ ...way, address: ADDRESSES[i]! }));

/** What went over a way, exactly. */
function assertOctets(flow: MeasuredFlow, packets: number, { headers, depth }: (typeof WAYS)[number]): void {
  assert.deepEqual([...flow.tunnelDepths], [depth]);
  assert.deepEqual(
    [flow.packets, flow.octets, flow.payloadOctets],
    [packets, packets * (OCTETS + headers), packets * OCTETS],
  );
}

test('over a cable that loses and repeats, what is lost and repeated is counted, over each way', async (t) => {
  using _spoilt = spoil();
  const count = 600;
  const all = await numbersReceivedOverAll((begin) =>
    Array.from({ length: count }, (_, i) => ({ gapMs: 1, numbers: [begin + i] })),
  );
  for (const [i, { flow, arrivals }] of all.entries()) {
    const { sequence } = flow;
    t.diagnostic(`${WAYS[i]!.name}: ${sequence.lost} lost, ${sequence.duplicates} twice of ${count}`);
    assertSequence(sequence, arrivals);
    assert.ok(sequence.lost > 0 && sequence.duplicates > 0, 'the cable did nothing');
    const came = new Set(arrivals.map(({ number }) => number - SPAN * i));
    const ends = Math.min(...came) + (count - 1 - Math.max(...came));
    assert.equal(count - came.size, sequence.lost + ends, 'what was sent and did not come');
    assertOctets(flow, arrivals.length, WAYS[i]!);
  }
});

/** Whether the devices take and give super-packets. */
function setSegmentation(segmentation: boolean): void {
  const offloads = { segmentation, gro: segmentation };
  for (const device of ['eth0', 'vx4', 'vx6'])
    for (const name of [SENDER, RECEIVER]) setOffloads(name, device, offloads);
  for (const device of ['m0', 'm1']) setOffloads(MIDDLE, device, offloads);
}

for (const segmentation of [true, false]) {
  const state = segmentation ? 'on' : 'off';
  test(`with segmentation offload ${state} each datagram has its number and its octets, over each way`, async (t) => {
    setSegmentation(segmentation);
    const [together, bursts] = [20, 30];
    // One number in ten was never sent, and one in ten is sent twice; each burst is turned in its middle.
    const burstOf = (first: number): number[] => {
      const numbers = Array.from({ length: together }, (_, i) => first + i)
        .filter((number) => number % 10 !== 7)
        .flatMap((number) => (number % 10 === 3 ? [number, number] : [number]));
      return [...numbers.slice(0, 4), ...numbers.slice(10), ...numbers.slice(4, 10)];
    };
    const sends = (begin: number): Send[] =>
      Array.from({ length: bursts }, (_, i) => ({ gapMs: 2, numbers: burstOf(begin + together * i) }));
    try {
      const all = await numbersReceivedOverAll(sends);
      for (const [i, { flow, arrivals }] of all.entries()) {
        const sent = sends(SPAN * i).flatMap(({ numbers }) => numbers);
        assert.deepEqual(
          arrivals.map(({ number }) => number),
          sent,
        );
        const supers = arrivals.filter((arrival) => arrival.together > 1).length;
        t.diagnostic(`${WAYS[i]!.name}: ${supers} of ${arrivals.length} came in super-packets`);
        assert.equal(supers > 0, segmentation);
        assertSequence(flow.sequence, arrivals);
        assert.deepEqual([flow.sequence.lost, flow.sequence.duplicates], [2 * bursts, 2 * bursts]);
        assert.ok(flow.sequence.reordered > bursts);
        assertOctets(flow, sent.length, WAYS[i]!);
      }
    } finally {
      setSegmentation(true);
    }
  });
}

/** Datagrams that say they were sent evenly and were not: as if the network had delayed them. */
function uneven(count: number, gapMs: number): Send[] {
  return Array.from({ length: count }, (_, i) => ({
    gapMs: gapMs * (i % 2 === 0 ? 0.7 : 1.3),
    numbers: [i],
    saidMs: gapMs * i,
  }));
}

for (const [gapMs, way] of [
  [10, 0],
  [20, 2],
  [50, 1],
  [100, 5],
] as const) {
  const { name, address } = WAYS[way]!;
  test(`mean and deviation of gaps of ${gapMs} ms over ${name} are those of a capture (D3.5)`, async (t) => {
    const sends = uneven(Math.max(20, 1500 / gapMs), gapMs);
    await attempts(async () => {
      const { flow, arrivals } = await numbersReceived({ address, form: 'iperf3', octets: OCTETS, sends });
      assert.equal(arrivals.length, sends.length);
      t.diagnostic(assertArrivals(flow.arrivals, arrivals));
      t.diagnostic(assertJitter(flow.sequence, arrivals));
      const less = flow.arrivals.meanMs(gapMs)!;
      assert.ok(Math.abs(flow.arrivals.meanMs()! - gapMs - less) < 1e-9, 'the known spacing is subtracted');
    });
  });
}

test('the jitter of RTP is what tshark says of a capture', {
  skip: hasTshark() ? false : 'there is no tshark',
}, async (t) => {
  const { address } = WAYS[0]!;
  await attempts(async () => {
    const { flow, path } = await numbersReceived({
      address,
      form: 'rtp',
      octets: 172,
      sends: uneven(75, 20),
    });
    const { mean, most } = tsharkJitter(path, PORTS.rtp, RTP_SOURCE);
    const { meanJitterMs, mostJitterMs } = flow.sequence;
    t.diagnostic(
      `mean ${meanJitterMs?.toFixed(3)} ms (${mean}), most ${mostJitterMs?.toFixed(3)} ms (${most})`,
    );
    assertWithin(meanJitterMs, mean, 0.01, 'mean jitter');
    assertWithin(mostJitterMs, most, 0.01, 'largest jitter');
  });
});

for (const way of [WAYS[0]!, WAYS[3]!]) {
  test(`echoes over ${way.name} are 98 octets and 56 of payload each, and none is lost (D2.5)`, async () => {
    const count = 40;
    const isWide = way.address.includes(':');
    const echoes = (): string =>
      inside(SENDER, 'ping', '-q', '-c', String(count), '-i', '0.02', '-s', '56', way.address);
    const { batches } = await receiving(async () => assert.match(echoes(), / 0% packet loss/));
    // Neighbours ask each other by ICMPv6 too.
    const to = { address: way.address, ...(isWide ? { protocol: 58, type: 128 } : { protocol: 1, type: 8 }) };
    const { sequence, ...flow } = received(batches, to);
    const octets = way.headers - 8 + 8 + 56;
    assert.deepEqual([flow.packets, flow.octets, flow.payloadOctets], [count, count * octets, count * 56]);
    if (way === WAYS[0]) assert.equal(octets, 98);
    assert.deepEqual(
      [sequence.received, sequence.expected, sequence.lost, sequence.steps, sequence.last],
      [count, count, 0, 0, count],
    );
  });
}

test('of iperf3 is lost what its server says', {
  skip: lacksIperf3(),
}, async (t) => {
  using _spoilt = spoil('loses');
  for (const { name, address, headers } of [WAYS[0]!, WAYS[5]!]) {
    let said: IperfSum | undefined;
    const { batches, path } = await receiving(async () => {
      said = await iperf(address, { packets: 1500, octets: OCTETS });
    });
    const { sequence } = received(batches, { protocol: UDP, address, port: PORTS.iperf3 });
    const arrivals = iperfArrivals(path, headers, OCTETS);
    // It begins with a greeting of four octets.
    assertSequence(sequence, arrivals, 1);
    t.diagnostic(`${name}: ${sequence.lost} lost of ${sequence.expected}; iperf3: ${JSON.stringify(said)}`);
    // Nothing delays here: what remains are microseconds from one look at a clock to another.
    const jitterMs = interarrivalJitter(arrivals).mean;
    assert.ok(Math.abs(sequence.meanJitterMs! - jitterMs) < 0.1, `${sequence.meanJitterMs} ${jitterMs}`);
    // The server stops reading a little before the last packets came; it knows that the first number is 1.
    const numbers = arrivals.map(({ number }) => number);
    const unread = Math.max(...numbers) - said!.packets;
    assert.ok(unread >= 0 && unread < 100, `${unread} packets came, of which iperf3 says nothing`);
    const unsaid = sequence.lost + Math.min(...numbers) - 1 - said!.lost_packets;
    assert.ok(unsaid >= 0 && unsaid <= unread, `${sequence.lost} lost, iperf3 says ${said!.lost_packets}`);
  }
});
