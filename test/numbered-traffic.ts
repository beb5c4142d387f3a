/** Datagrams that say their number, and when they were sent: sent between namespaces, and captured where they are metered. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ADDRESSES, LAST_PORT, RECEIVER, SENDER } from './far-side-link.ts';
import { IPERF_PORT } from './iperf.ts';
import { until } from './until.ts';

/** System D's pattern (D4.5); the number follows it. */
export const PATTERN = 0xe7a5c318;
/**
 * Before the pattern stands what the form wants: one word of anything, so that the pattern has to be looked for; seconds,
 * microseconds and the number; or a header of RTP with payload type 0, a clock of 8 kHz and the source `RTP_SOURCE`.
 */
export const PORTS = { pattern: 7300, iperf3: IPERF_PORT, rtp: 5004 } as const;
export type NumberForm = keyof typeof PORTS;
export const RTP_SOURCE = 0x5eed;

/** What is sent at a time: after a pause, numbers that leave together, in one super-packet where they are several. */
export interface Send {
  readonly gapMs: number;
  readonly numbers: readonly number[];
  /** When they say they were sent, from the beginning; else when they were. As if the network had delayed them. */
  readonly saidMs?: number;
}

const SOURCE = `
const datagrams = require('dgram');
const segment = (socket, octets) => {
  const setsockopt = require('koffi').load('libc.so.6').func('int setsockopt(int, int, int, void *, uint32_t)');
  const size = Buffer.alloc(4);
  size.writeInt32LE(octets);
  if (setsockopt(socket._handle.fd, 17, 103, size, 4) !== 0) throw new Error('no UDP_SEGMENT');
};
const send = async ({ address, port, form, octets, sends }) => {
  const socket = datagrams.createSocket(address.includes(':') ? 'udp6' : 'udp4');
  await new Promise((done) => socket.bind(0, done));
  if (sends.some(({ numbers }) => numbers.length > 1)) segment(socket, octets);
  const began = process.hrtime.bigint();
  const datagram = (number, saidMs) => {
    const words = [];
    const ns = saidMs === undefined ? process.hrtime.bigint() : began + BigInt(Math.round(1e6 * saidMs));
    if (form === 'pattern') words.push(0xa5300f10);
    if (form === 'iperf3') words.push(Number(ns / 1000000000n), Number(ns % 1000000000n / 1000n), number);
    if (form === 'rtp') words.push(0x80000000 + (number & 0xffff), Number((ns - began) / 125000n), ${RTP_SOURCE});
    const payload = Buffer.alloc(octets);
    [...words, ${PATTERN}, number].forEach((word, i) => payload.writeUInt32BE(word >>> 0, 4 * i));
    return payload;
  };
  let due = performance.now();
  for (const { gapMs, numbers, saidMs } of sends) {
    due += gapMs;
    const early = due - performance.now();
    if (early > 0) await new Promise((done) => setTimeout(done, early));
    const payload = Buffer.concat(numbers.map((number) => datagram(number, saidMs)));
    await new Promise((done, fail) => socket.send(payload, port, address, (error) => error ? fail(error) : done()));
  }
  socket.close();
};
require('readline').createInterface({ input: process.stdin }).on('line', (line) =>
  send(JSON.parse(line)).then(() => console.log('sent'), (error) => console.log(error.message)));`;

/** Numbers to an address. */
export interface Numbered {
  readonly address: string;
  readonly form: NumberForm;
  /** Of payload, of each datagram. */
  readonly octets: number;
  readonly sends: readonly Send[];
}

/** Sends numbers from the sender of the link, each time from another port. */
export class NumberSender implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #answers: Interface;

  constructor() {
    // There its own dependencies are found.
    const cwd = fileURLToPath(new URL('..', import.meta.url));
    const words = ['netns', 'exec', SENDER, process.execPath, '--no-deprecation', '-e', SOURCE];
    this.#child = spawn('ip', words, { stdio: ['pipe', 'pipe', 'inherit'], cwd });
    this.#answers = createInterface({ input: this.#child.stdout! });
  }

  /** Settles when all are sent. */
  async send(what: Numbered): Promise<void> {
    this.#child.stdin!.write(`${JSON.stringify({ ...what, port: PORTS[what.form] })}\n`);
    const [answer] = await once(this.#answers, 'line', { signal: AbortSignal.timeout(120_000) });
    assert.equal(answer, 'sent');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.stdin!.end();
    await exit;
  }
}

/** A datagram as the capture has it. */
export interface Arrival {
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
  readonly number: number;
  /** When it says it was sent: nanoseconds of the sender's clock, where its form says so. */
  readonly sentNs: number | undefined;
  /** Of the frame it came in, and how many came in it. */
  readonly frameOctets: number;
  readonly together: number;
}

/** tcpdump where the receiver is metered. */
export class ArrivalCapture {
  readonly path: string;
  readonly #child: ChildProcess;
  #said = '';

  private constructor(path: string, way: string) {
    this.path = path;
    const precise = ['--time-stamp-precision=nano', '-U', '-B', '16384'];
    const words = ['tcpdump', '-i', 'eth0', '-n', '-Q', way, '-Z', 'root', ...precise, '-w', path];
    this.#child = spawn('ip', ['netns', 'exec', RECEIVER, ...words], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
  }

  /** By default of what it receives. */
  static async start(path: string, way: 'in' | 'inout' = 'in'): Promise<ArrivalCapture> {
    const capture = new ArrivalCapture(path, way);
    await until(() => capture.#said.includes('listening on'), 'tcpdump captures');
    return capture;
  }

  /** Ends when a datagram sent now is written: what came before it is as well. Fails when a packet was lost. */
  async end(): Promise<void> {
    let count = 0;
    await until(() => {
      sendLast(`last ${count++}`);
      return readFileSync(this.path).includes('last ');
    }, 'the last packet is written');
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await ended;
    assert.match(this.#said, /^0 packets dropped by kernel/m, 'tcpdump dropped nothing');
  }
}

/** A datagram to the port where nobody listens, outside of tunnels. Short: no cable of a test touches it. */
function sendLast(text: string): void {
  const send = `echo "${text}" > /dev/udp/${ADDRESSES[0]}/${LAST_PORT}`;
  execFileSync('ip', ['netns', 'exec', SENDER, 'bash', '-c', send]);
}

/**
 * All that the receiver receives is taken in by one CPU. By several, two packets may be captured in one order and metered
 * in the other: both are right, but not equal.
 */
export function receiveInOrder(): void {
  const write = 'echo 1 > /sys/class/net/eth0/queues/rx-0/rps_cpus';
  execFileSync('ip', ['netns', 'exec', RECEIVER, 'sh', '-c', write]);
}

const PCAP_HEADER = 24;
const RECORD_HEADER = 16;

/** The frames of a little-endian pcap file with nanoseconds. */
export function framesOf(path: string): { readonly timeNs: bigint; readonly octets: Buffer }[] {
  const file = readFileSync(path);
  assert.equal(file.readUInt32LE(0), 0xa1b23c4d, 'a pcap file with nanoseconds');
  const frames: { readonly timeNs: bigint; readonly octets: Buffer }[] = [];
  for (let at = PCAP_HEADER; at + RECORD_HEADER <= file.length; ) {
    const captured = file.readUInt32LE(at + 8);
    const timeNs = BigInt(file.readUInt32LE(at)) * 1_000_000_000n + BigInt(file.readUInt32LE(at + 4));
    at += RECORD_HEADER;
    frames.push({ timeNs, octets: file.subarray(at, at + captured) });
    at += captured;
  }
  return frames;
}

/** All numbered datagrams of a capture in the order in which they came, whatever they are wrapped in. */
export function arrivalsOf(path: string, form: NumberForm): Arrival[] {
  const pattern = Buffer.alloc(4);
  pattern.writeUInt32BE(PATTERN);
  return framesOf(path).flatMap(({ timeNs, octets }) => {
    const places: number[] = [];
    for (let at = octets.indexOf(pattern); at >= 0; at = octets.indexOf(pattern, at + 4)) places.push(at);
    return places.map((at) => ({
      timeNs,
      number: octets.readUInt32BE(at + 4),
      sentNs: sentNs(octets, at, form),
      frameOctets: octets.length,
      together: places.length,
    }));
  });
}

/** iperf3's own datagrams of so many octets in a capture, none of them in super-packets. @param headers octets before them */
export function iperfArrivals(path: string, headers: number, length: number): Arrival[] {
  return framesOf(path)
    .filter(
      ({ octets }) => octets.length === headers + length && octets.readUInt16BE(headers - 6) === IPERF_PORT,
    )
    .map(({ timeNs, octets }) => ({
      timeNs,
      number: octets.readUInt32BE(headers + 8),
      sentNs: octets.readUInt32BE(headers) * 1e9 + octets.readUInt32BE(headers + 4) * 1e3,
      frameOctets: octets.length,
      together: 1,
    }));
}

/** @param at where the pattern stands */
function sentNs(octets: Buffer, at: number, form: NumberForm): number | undefined {
  if (form === 'iperf3') return octets.readUInt32BE(at - 12) * 1e9 + octets.readUInt32BE(at - 8) * 1e3;
  return form === 'rtp' ? octets.readUInt32BE(at - 8) * 125_000 : undefined;
}

/** Values of a series: mean and sample deviation. */
export function meanAndDeviation(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/** Inter-arrival times, milliseconds. */
export function gapsMs(arrivals: readonly Arrival[]): number[] {
  return arrivals.slice(1).map(({ timeNs }, i) => Number(timeNs - arrivals[i]!.timeNs) / 1e6);
}

/** RFC 3550 A.8 over datagrams that say when they were sent: the mean of all its values and the last, milliseconds. */
export function interarrivalJitter(arrivals: readonly Arrival[]): { mean: number; last: number } {
  let jitter = 0;
  let sum = 0;
  for (const [i, { timeNs, sentNs }] of arrivals.slice(1).entries()) {
    const before = arrivals[i]!;
    const difference = Number(timeNs - before.timeNs) - (sentNs! - before.sentNs!);
    jitter += (Math.abs(difference) - jitter) / 16;
    sum += jitter;
  }
  return { mean: sum / (arrivals.length - 1) / 1e6, last: jitter / 1e6 };
}
