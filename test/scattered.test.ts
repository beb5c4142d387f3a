/*
 * Packets whose headers do not lie in their linear part give the same records: every combination of headers as a long frame,
 * cut between linear part and pages at a random place, over a veth. The module that reads captures is the reference.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Workshop } from '../bench/build.ts';
import { noTcx } from '../src/bpf/testdata/probe.ts';
import { type DecodedRecord, decodeRecord, type LedgerLine } from '../src/flow/index.ts';
import { ReplayMeter } from '../src/replay/index.ts';
import { combinations } from './combinations.ts';
import { meterDuring } from './metering.ts';
import { randomBits } from './mutation.ts';

const SENDER = 'tsscat-a';
const RECEIVER = 'tsscat-b';
/** More than a page with all its headroom, which is where packets begin to be scattered. */
const FRAME_OCTETS = 4600;
const ETHERNET_OCTETS = 14;
/** Beyond this place no combination has headers. */
const LINEAR_OCTETS = 400;
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 32);

function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8' });
}

function removeAll(): void {
  for (const name of [SENDER, RECEIVER])
    if (new RegExp(`^${name}\\b`, 'm').test(ip('netns', 'list'))) ip('netns', 'del', name);
}

before(() => {
  removeAll();
  for (const name of [SENDER, RECEIVER]) {
    ip('netns', 'add', name);
    ip('netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
  }
  ip('-n', SENDER, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', RECEIVER);
  for (const name of [SENDER, RECEIVER]) ip('-n', name, 'link', 'set', 'eth0', 'mtu', '9000', 'up');
});
after(removeAll);

/** Long frames of all combinations: what stands behind their packets is no part of them. */
function longFrames(): Uint8Array[] {
  return combinations().map(({ packet }) => {
    const frame = new Uint8Array(FRAME_OCTETS);
    frame.set(packet.build());
    return frame;
  });
}

/** Counts at one end until told to stop. */
class Look {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<[Buffer]>;

  constructor(object: string, namespace: string, direction: 'ingress' | 'egress') {
    const script = fileURLToPath(new URL('linearity.ts', import.meta.url));
    this.#child = spawn(process.execPath, [script, object, namespace, 'eth0', direction], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = on(this.#child.stdout!, 'data', { close: ['end'] }) as unknown as AsyncIterator<[Buffer]>;
  }

  async attached(): Promise<void> {
    assert.equal(await this.#text(), 'attached\n');
  }

  async stop(): Promise<{ packets: number; scattered: number; shortest: number }> {
    this.#child.stdin!.end();
    const seen = JSON.parse(await this.#text()) as { packets: number; scattered: number; shortest: number };
    await once(this.#child, 'exit');
    return seen;
  }

  async #text(): Promise<string> {
    const { value } = await this.#lines.next();
    return String(value?.[0] ?? '');
  }
}

/** Sends frames, each with so many octets of it linear. */
async function send(program: string, frames: readonly Uint8Array[], linear: () => number): Promise<void> {
  const child = spawn('ip', ['netns', 'exec', SENDER, program, 'eth0'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let sent = '';
  child.stdout.on('data', (text) => {
    sent += text;
  });
  const parts = frames.flatMap((frame) => [
    new Uint8Array(new Uint32Array([frame.length, linear()]).buffer),
    frame,
  ]);
  child.stdin.end(Buffer.concat(parts));
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  assert.equal(Number(sent), frames.length);
}

/** What the reference says of frames. */
function reference(frames: readonly Uint8Array[]): string[] {
  const module = new ReplayMeter();
  module.interfaceBase = 1;
  const offsets = Uint32Array.from(frames, (_, i) => i * FRAME_OCTETS);
  const lengths = new Uint32Array(frames.length).fill(FRAME_OCTETS);
  for (let first = 0; first < frames.length; first += 4096) {
    const part = frames.slice(first, first + 4096);
    module.load({
      octets: Buffer.concat(part),
      count: part.length,
      before: 0,
      offsets: offsets.subarray(0, part.length),
      capturedLengths: lengths.subarray(0, part.length),
      originalLengths: lengths.subarray(0, part.length),
      seconds: new Float64Array(part.length),
      nanoseconds: new Uint32Array(part.length),
      interfaces: new Uint16Array(part.length),
      linkTypes: new Uint16Array(part.length).fill(1),
    });
    assert.equal(module.run(0, part.length), part.length);
  }
  const { columns, length, ledger } = module.drain();
  return linesOf(
    Array.from({ length }, (_, row) => decodeRecord(columns, row)),
    ledger,
  );
}

/** Records and ledger of an end as lines that can be compared: without where and when. */
function linesOf(records: readonly DecodedRecord[], ledger: readonly LedgerLine[]): string[] {
  const sums = new Map<string, { packets: number; octets: number; payloadOctets: number }>();
  for (const record of records) {
    const { ifindex, direction, firstMs, lastMs, packets, octets, payloadOctets, ...rest } = record;
    // Two epochs, or two CPUs, may each have a part of a flow.
    const { wirePackets, wireOctets, ...key } = rest;
    const name = JSON.stringify(key);
    const sum = sums.get(name) ?? { packets: 0, octets: 0, payloadOctets: 0 };
    sum.packets += Number(packets);
    sum.octets += Number(octets);
    sum.payloadOctets += Number(payloadOctets);
    sums.set(name, sum);
  }
  for (const { reason, level, packets, octets } of ledger) {
    const name = `${reason} at level ${level}`;
    const sum = sums.get(name) ?? { packets: 0, octets: 0, payloadOctets: 0 };
    sum.packets += Number(packets);
    sum.octets += Number(octets);
    sums.set(name, sum);
  }
  return [...sums].map(([key, sum]) => `${key} ${JSON.stringify(sum)}`).sort();
}

test(`headers that lie in pages are read as those in the linear part (SEED=${seed})`, {
  skip: noTcx,
}, async (t) => {
  const frames = longFrames();
  const random = randomBits(seed);
  using workshop = new Workshop();
  const scatter = workshop.program('test/scatter.c');
  const object = workshop.object('test/linearity.bpf.c');
  // At ingress the kernel has taken the outermost tag out of the frame.
  const untagged = frames.filter((frame) => ![0x8100, 0x88a8].includes((frame[12]! << 8) | frame[13]!));
  for (const { namespace, direction, given } of [
    { namespace: SENDER, direction: 'egress', given: frames },
    { namespace: RECEIVER, direction: 'ingress', given: untagged },
  ] as const) {
    const look = new Look(object, namespace, direction);
    await look.attached();
    const { records, ledger } = await meterDuring({ namespace }, async (epochs) => {
      await send(scatter, given, () => ETHERNET_OCTETS + (random() % LINEAR_OCTETS));
      await epochs(1);
    });
    const { packets, scattered, shortest } = await look.stop();
    assert.equal(packets, given.length);
    assert.ok(scattered > 0.9 * given.length, `${scattered} of ${given.length} were scattered`);
    // The kernel itself makes some of it linear; the headers of a tunnel are longer.
    assert.ok(shortest < 60, `${shortest} octets is the shortest linear part`);
    assert.deepEqual(linesOf(records, ledger), reference(given));
    t.diagnostic(
      `${direction}: ${scattered} of ${packets} frames scattered, from ${shortest} linear octets on`,
    );
  }
});
