/* Sequence numbers in packets: wherever they stand, in pages of a packet or in super-packets; and the jitter beside them. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { Workshop } from '../bench/build.ts';
import { kernelAtLeast } from '../src/bpf/index.ts';
import { packet, writePcap } from '../src/wire/index.ts';
import { lacksIperf3 } from './iperf.ts';
import { KernelWay, MODULE_SHARED, ModuleWay, type Settings, words } from './sequence-way.ts';
import { tsharkJitter } from './tshark-rtp.ts';
import { until } from './until.ts';

const SENDER = 'tsseq';
const RECEIVER = 'tsseq-b';
const PATTERN = 0xe7a5c318;
const PORT = 5004;

const workshop = new Workshop();
const OBJECT = workshop.object('test/sequence.bpf.c');
const MODULE = workshop.module('test/sequence.wasm.c', MODULE_SHARED);
const udp = packet().eth().ipv4().udp({ sourcePort: 40_001, destinationPort: PORT });

function ip(...parts: string[]): string {
  return execFileSync('ip', parts, { encoding: 'utf8' });
}

function removeAll(): void {
  if (new RegExp(`^${SENDER}\\b`, 'm').test(ip('netns', 'list'))) ip('netns', 'del', SENDER);
}

before(() => {
  removeAll();
  ip('netns', 'add', SENDER);
  ip('link', 'add', RECEIVER, 'mtu', '9000', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', SENDER);
  ip('link', 'set', RECEIVER, 'up');
  ip('-n', SENDER, 'link', 'set', 'eth0', 'mtu', '9000', 'up');
  ip('-n', SENDER, 'address', 'add', '198.18.7.1/24', 'dev', 'eth0');
  const [{ address }] = JSON.parse(ip('-j', 'link', 'show', RECEIVER)) as [{ address: string }];
  ip('-n', SENDER, 'neighbour', 'add', '198.18.7.2', 'lladdr', address, 'dev', 'eth0');
});
after(() => {
  removeAll();
  workshop[Symbol.dispose]();
});

function ifindex(): number {
  const [{ ifindex }] = JSON.parse(ip('-j', 'link', 'show', RECEIVER)) as [{ ifindex: number }];
  return ifindex;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Octets none of which begins the pattern's way, but many its first octet. */
function filler(octets: number): Uint8Array {
  return Uint8Array.from({ length: octets }, (_, i) => (i % 5 === 0 ? 0xe7 : i % 256 === 0xa5 ? 0 : i));
}

test('the number stands behind the pattern, as older monitors have it', () => {
  using way = new KernelWay(OBJECT, { udp: 'pattern', pattern: PATTERN, offset: 4 });
  way.run(udp.payload(words(0xa530_0f10, PATTERN, 35, 1)).build());
  way.run(udp.payload(words(0xa530_0f10, PATTERN, 36, 1)).build());
  way.run(udp.payload(words(0xa530_0f10, PATTERN, 40, 1)).build());
  const { received, expected, unique, bigSteps, noSequence } = way.account();
  assert.deepEqual(
    { received, expected, unique, bigSteps, noSequence },
    {
      received: 3,
      expected: 6,
      unique: 3,
      bigSteps: 1,
      noSequence: 0,
    },
  );
});

test('a pattern is found at every place, across the pieces in which it is searched', () => {
  using way = new KernelWay(OBJECT, { udp: 'pattern', pattern: PATTERN, offset: 4 });
  let number = 0;
  for (let place = 0; place < 1200; place++) {
    if (place > 40 && place < 480) continue;
    way.run(udp.payload(joined(filler(place), words(PATTERN, number++))).build());
  }
  const { received, unique, expected, noSequence, bigSteps } = way.account();
  assert.deepEqual([received, unique, expected, noSequence, bigSteps], [number, number, number, 0, 0]);
});

test('without a pattern, or where the number ends beyond the packet, there is no sequence', () => {
  using way = new KernelWay(OBJECT, { udp: 'pattern', pattern: PATTERN, offset: 4 });
  for (const payload of [
    new Uint8Array(0),
    new Uint8Array(3),
    words(1, 2, 3),
    filler(1300),
    words(1, PATTERN),
    joined(words(1, PATTERN), Uint8Array.of(0, 0, 1)),
    words(PATTERN).subarray(0, 3),
  ])
    way.run(udp.payload(payload).build());
  const { received, noSequence, expected, reverseSteps } = way.account();
  assert.deepEqual([received, noSequence, expected, reverseSteps], [0, 7, 0, 0]);
  using offset = new KernelWay(OBJECT, { udp: 'offset', offset: 8 });
  offset.run(udp.payload(words(0, 0, 7)).build());
  offset.run(udp.payload(words(0, 0, 7).subarray(0, 11)).build());
  assert.deepEqual([offset.account().received, offset.account().noSequence], [1, 1]);
  using far = new KernelWay(OBJECT, { udp: 'offset', offset: 0xffff_ffff });
  far.run(udp.payload(words(0, 0, 7)).build());
  assert.deepEqual([far.account().received, far.account().noSequence], [0, 1]);
});

test('what is switched off, or of other ports, is not looked at', () => {
  using way = new KernelWay(OBJECT, { udp: 'rtp', ports: [5000, 5010], evenOnly: true });
  const rtp = words(0x8000_0001, 0, 0xabcd);
  way.run(udp.payload(rtp).build());
  const odd = packet().eth().ipv4();
  way.run(odd.udp({ sourcePort: 41_001, destinationPort: 5005 }).payload(rtp).build());
  way.run(odd.udp({ sourcePort: 41_000, destinationPort: 5012 }).payload(rtp).build());
  way.run(odd.icmp().payload(rtp).build());
  assert.deepEqual([way.account().received, way.account().noSequence], [1, 0]);
});

test('RTP, iperf3 and echoes have their numbers where they have them', () => {
  using rtp = new KernelWay(OBJECT, { udp: 'rtp' });
  for (const number of [65_534, 65_535, 0, 2])
    rtp.run(udp.payload(words((0x8000_0000 | number) >>> 0, 160 * number, 0xabcd)).build());
  // A report (RTCP) on the same ports, and what is no RTP.
  rtp.run(udp.payload(words(0x80c8_0006, 1, 2, 3)).build());
  rtp.run(udp.payload(words(0x4000_0006, 1, 2, 3)).build());
  const account = rtp.account();
  assert.deepEqual([account.received, account.expected, account.noSequence], [4, 5, 2]);
  assert.deepEqual([account.reverseSteps, account.smallSteps], [0, 1]);
  for (const [udpForm, number] of [
    ['iperf3', (n: number) => words(1, 2, n, 0)],
    ['iperf3Wide', (n: number) => words(1, 2, 0, n)],
  ] as const) {
    using way = new KernelWay(OBJECT, { udp: udpForm });
    for (const n of [1, 2, 4]) way.run(udp.payload(number(n)).build());
    assert.deepEqual([way.account().received, way.account().expected], [3, 4]);
  }
  using echo = new KernelWay(OBJECT, { icmp: 'echo' });
  const ends = [packet().eth().ipv4(), packet().eth().ipv6()] as const;
  for (const sequence of [65_535, 0, 1]) echo.run(ends[0].icmp({ sequence }).payload(8).build());
  for (const sequence of [2, 3]) echo.run(ends[1].icmpv6({ sequence }).build());
  echo.run(ends[0].icmp({ type: 3, code: 1 }).payload(28).build());
  assert.deepEqual([echo.account().received, echo.account().expected, echo.account().noSequence], [5, 5, 0]);
  using behind = new KernelWay(OBJECT, { icmp: 'offset', offset: 4 });
  for (const n of [8, 9]) behind.run(ends[0].icmp().payload(words(0, n)).build());
  assert.deepEqual([behind.account().received, behind.account().expected], [2, 2]);
});

test('a pattern may begin at octet 4,996 at the latest, also in pages of the packet', async () => {
  using way = new KernelWay(OBJECT, { udp: 'pattern', pattern: PATTERN, offset: 4 });
  using _attached = way.attach(ifindex());
  const scatter = workshop.program('test/scatter.c');
  const places = [0, 3, 505, 509, 512, 3000, 4994, 4995, 4996, 4997, 5200];
  const frames = places.map((place, i) => {
    const payload = joined(filler(place), words(PATTERN, i), new Uint8Array(6000 - place));
    return udp.payload(payload).build();
  });
  const input = joined(
    ...frames.flatMap((frame) => [new Uint8Array(new Uint32Array([frame.length, 64]).buffer), frame]),
  );
  execFileSync('ip', ['netns', 'exec', SENDER, scatter, 'eth0'], { input });
  await until(() => {
    const { received, noSequence } = way.account();
    return received + noSequence >= places.length;
  }, 'all packets are noted');
  const { received, expected, unique, noSequence } = way.account();
  assert.deepEqual([received, expected, unique, noSequence], [9, 9, 9, 2]);
  assert.equal(way.seen().scattered, places.length);
});

test('every datagram of a real super-packet has its number', async (t) => {
  const segmented = workshop.program('test/segmented.c');
  for (const [form, octets, count] of [
    ['offset', 1000, 60],
    ['pattern', 900, 64],
    ['iperf3', 12, 64],
  ] as const) {
    using way = new KernelWay(OBJECT, { udp: form, pattern: PATTERN, offset: form === 'pattern' ? 4 : 0 });
    using _attached = way.attach(ifindex());
    const numbers = Array.from({ length: count }, (_, i) => (i === 10 ? 9 : i === 20 ? 21 : i));
    const input = joined(
      ...numbers.map((number, i) => {
        if (form === 'iperf3') return words(1, 2, number);
        const place = form === 'pattern' ? 7 * i : 0;
        const head = form === 'pattern' ? words(PATTERN, number) : words(number);
        return joined(new Uint8Array(place), head, new Uint8Array(octets - place - head.length));
      }),
    );
    execFileSync('ip', ['netns', 'exec', SENDER, segmented, '198.18.7.2', String(PORT), String(octets)], {
      input,
    });
    await until(() => way.account().received >= count, 'all datagrams are noted');
    const { received, expected, unique, duplicates, noSequence } = way.account();
    assert.deepEqual([received, expected, unique, duplicates, noSequence], [count, count, count - 2, 2, 0]);
    if (kernelAtLeast('6.1')) assert.equal(way.seen().supers, 1);
    t.diagnostic(`${form}: ${way.seen().supers} super-packet`);
  }
});

/** What tshark says of the only RTP stream. */
function jitterOf(frames: readonly { octets: Uint8Array; timeNs: bigint }[]): { mean: number; most: number } {
  const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-rtp-'));
  try {
    const path = join(directory, 'rtp.pcap');
    writeFileSync(path, writePcap(frames, { nanoseconds: true }));
    return tsharkJitter(path, PORT, 0xabcd);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('the jitter of RTP is the one tshark says', (t) => {
  using way = new KernelWay(OBJECT, { udp: 'rtp' });
  const frames = Array.from({ length: 200 }, (_, i) => ({
    octets: udp.payload(joined(words((0x8000_0000 | i) >>> 0, 160 * i, 0xabcd), new Uint8Array(160))).build(),
    timeNs: BigInt(1_000_000_000 + 20_000_000 * i + ((i * 7919) % 4001) * 1000),
  }));
  for (const { octets, timeNs } of frames) way.run(octets, { timeNs: Number(timeNs) });
  const { samples, sumNs, mostNs } = way.jitter();
  const theirs = jitterOf(frames);
  t.diagnostic(
    `mean ${sumNs / samples / 1e6} ms (tshark: ${theirs.mean}), most ${mostNs / 1e6} (${theirs.most})`,
  );
  assert.equal(samples, 199);
  assert.ok(Math.abs(mostNs / 1e6 - theirs.most) < 0.002, `${mostNs} ${theirs.most}`);
  assert.ok(Math.abs(sumNs / samples / 1e6 - theirs.mean) < 0.01, `${sumNs / samples} ${theirs.mean}`);
});

test('the jitter of iperf3 is by seconds and microseconds, and a new sender begins without', () => {
  using way = new KernelWay(OBJECT, { udp: 'iperf3' });
  let jitter = 0;
  let before: number | undefined;
  let most = 0;
  for (let i = 0; i < 300; i++) {
    // Across a second of the sender.
    const sentUs = 999_000 + 1000 * i;
    const arrivalUs = 5_000_000 + 1000 * i + ((i * 31) % 700);
    const payload = words(7 + Math.floor(sentUs / 1e6), sentUs % 1e6, i + 1);
    way.run(udp.payload(payload).build(), { timeNs: 1000 * arrivalUs });
    const transit = arrivalUs - sentUs;
    if (before !== undefined) jitter += (Math.abs(transit - before) - jitter) / 16;
    before = transit;
    most = Math.max(most, jitter);
  }
  assert.ok(Math.abs(way.jitter().mostNs / 1000 - most) < 0.1, `${way.jitter().mostNs} ns, ${most} µs`);
  // Another beginning: its clock has nothing to do with the first one's.
  const sofar = way.jitter();
  for (const n of [4_000_000_000, 4_000_000_001])
    way.run(udp.payload(words(3_000_000, 0, n)).build(), { timeNs: 9_000_000_000 });
  assert.equal(way.account().restarts, 1);
  assert.deepEqual(way.jitter(), sofar);
  way.run(udp.payload(words(3_000_000, 1600, 4_000_000_002)).build(), { timeNs: 9_000_000_000 });
  assert.equal(way.jitter().sumNs - sofar.sumNs, 100_000);
});

test('iperf3 has lost what its server says', { skip: lacksIperf3() }, async (t) => {
  const packets = 3000;
  ip('address', 'add', '198.18.7.2/24', 'dev', RECEIVER);
  using way = new KernelWay(OBJECT, { udp: 'iperf3', ports: [5201, 5201], dropEvery: 23 });
  using _attached = way.attach(ifindex());
  const server = spawn('iperf3', ['-s', '-1', '-J', '-B', '198.18.7.2'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = text(server.stdout);
  const listening = (): boolean =>
    execFileSync('ss', ['-Hltn', 'src', '198.18.7.2:5201'], { encoding: 'utf8' }) !== '';
  await until(listening, 'iperf3 listens');
  const client = ['iperf3', '-c', '198.18.7.2', '-u', '-b', '24M', '-l', '1000', '-k', String(packets)];
  execFileSync('ip', ['netns', 'exec', SENDER, ...client], { stdio: 'ignore' });
  const { sum } = (JSON.parse(await said) as { end: { sum: Record<string, number> } }).end;
  const { expected, unique, duplicates, late, strays, longestRun } = way.account();
  const { samples, sumNs } = way.jitter();
  t.diagnostic(`jitter: iperf3 ${sum.jitter_ms} ms at the end, ours ${sumNs / samples / 1e6} ms in the mean`);
  assert.ok(sum.lost_packets! > packets / 30, 'something was lost');
  // The server stops reading a little before the last packets came.
  const unread = expected - sum.packets!;
  assert.ok(unread >= 0 && unread < 100, `${unread} packets came, of which iperf3 says nothing`);
  const unsaid = expected - unique - sum.lost_packets!;
  assert.ok(unsaid >= 0 && unsaid <= unread, `${expected - unique} lost, iperf3 says ${sum.lost_packets}`);
  assert.deepEqual([duplicates, late, strays, longestRun, samples], [0, 0, 0, 1, unique - 1]);
});

test('captures give the same account as the kernel', () => {
  const rtp = (n: number): Uint8Array =>
    joined(words((0x8000_0000 | n) >>> 0, 90 * n, 5), new Uint8Array(20));
  const cases: readonly [Settings, readonly Uint8Array[]][] = [
    [{ udp: 'rtp' }, [1, 2, 4, 3, 9, 5000].map(rtp)],
    [{ udp: 'iperf3' }, [1, 2, 3, 3, 8].map((n) => words(4, 500 * n, n, 1))],
    [{ udp: 'offset', offset: 6 }, [joined(filler(6), words(1)), joined(filler(6), words(3)), filler(9)]],
    [
      { udp: 'pattern', pattern: PATTERN, offset: 12 },
      [0, 5, 511, 1300].map((place) => joined(filler(place), words(PATTERN, 0, 0, place, 0))),
    ],
  ];
  for (const [settings, payloads] of cases) {
    using way = new KernelWay(OBJECT, settings);
    const module = new ModuleWay(MODULE, settings);
    payloads.forEach((payload, i) => {
      const frame = udp.payload(payload).build();
      const timeNs = 1_000_000 * (i + 1);
      way.run(frame, { timeNs });
      module.run(frame, { timeNs });
    });
    // All of them once more as one super-packet, each cut to the same length.
    const octets = Math.min(...payloads.map(({ length }) => length));
    const whole = udp.payload(joined(...payloads.map((payload) => payload.subarray(0, octets)))).build();
    way.run(whole, { timeNs: 9_000_000, gsoSize: octets });
    module.run(whole, { timeNs: 9_000_000, gsoSize: octets });
    assert.deepEqual([module.account(), module.jitter()], [way.account(), way.jitter()]);
    assert.ok(way.account().received + way.account().noSequence === 2 * payloads.length);
  }
});

test('of a packet that a capture holds in part, a number that is cut off is none', () => {
  const module = new ModuleWay(MODULE, { udp: 'offset', offset: 96 });
  const frame = udp.payload(joined(filler(96), words(7), filler(100))).build();
  const end = 42 + 100;
  module.run(frame, { captured: end });
  module.run(frame, { captured: end - 1 });
  assert.deepEqual([module.account().received, module.account().noSequence], [1, 1]);
});
