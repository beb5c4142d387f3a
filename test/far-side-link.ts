/**
 * A link in the middle where all offloads can be off, so that every packet on it is one packet, dumpcap on it, and traffic
 * of all kinds over it.
 *
 *     sender  eth0 ── m0  middle (bridge)  m1 ── eth0  receiver
 *                                          └ dumpcap
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FlowBatch } from '../src/flow/index.ts';
import { CaptureSource } from '../src/replay/index.ts';
import { scaled } from './scale.ts';
import { until } from './until.ts';

/** Who sends. */
export const SENDER = 'tsfar-a';
/** Between them. */
export const MIDDLE = 'tsfar-m';
/** Who receives. */
export const RECEIVER = 'tsfar-b';
const NAMESPACES = [SENDER, MIDDLE, RECEIVER] as const;
const MEGABYTES = Math.ceil(scaled(4, 1));
/** Of the receiver, outside and in either tunnel; they end with its digit. */
export const ADDRESSES = ['10.87.0.2', 'fd87::2', '10.88.0.2', 'fd88::2', '10.89.0.2', 'fd89::2'] as const;
const DEVICES = ['eth0', 'vx4', 'vx6'] as const;
const SNAP_LENGTH = 256;
/** Where nobody listens: what goes there ends a capture. */
export const LAST_PORT = 9;

function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8' });
}

function inside(name: string, ...words: string[]): string {
  return ip('netns', 'exec', name, ...words);
}

/** Removes the namespaces, also those that a crash left. */
export function removeLink(): void {
  for (const name of NAMESPACES)
    if (new RegExp(`^${name}\\b`, 'm').test(ip('netns', 'list'))) ip('netns', 'del', name);
}

/** The same address with another host's digit. */
export const at = (address: string, host: number): string => address.replace(/2$/, String(host));

/** Makes the three namespaces, and tunnels over IPv4 and over IPv6 between the ends. */
export function buildLink(): void {
  removeLink();
  for (const name of NAMESPACES) ip('netns', 'add', name);
  ip('-n', MIDDLE, 'link', 'add', 'br0', 'type', 'bridge');
  ip('-n', MIDDLE, 'link', 'set', 'br0', 'up');
  for (const [name, host] of [
    [SENDER, 1],
    [RECEIVER, 2],
  ] as const) {
    const port = `m${host - 1}`;
    ip('-n', name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', port, 'netns', MIDDLE);
    ip('-n', MIDDLE, 'link', 'set', port, 'master', 'br0', 'up');
    addAddresses(name, host, 0);
    for (const [i, underlay] of ADDRESSES.slice(0, 2).entries()) {
      const ends = ['local', at(underlay, host), 'remote', at(underlay, 3 - host)];
      const tunnel = ['type', 'vxlan', 'id', String(40 + i), 'dstport', '4789', 'dev', 'eth0', ...ends];
      ip('-n', name, 'link', 'add', DEVICES[1 + i]!, ...tunnel);
      addAddresses(name, host, 1 + i);
    }
  }
}

function addAddresses(namespace: string, host: number, device: number): void {
  const name = DEVICES[device]!;
  const [narrow, wide] = ADDRESSES.slice(2 * device, 2 * device + 2) as [string, string];
  ip('-n', namespace, 'addr', 'add', `${at(narrow, host)}/24`, 'dev', name);
  ip('-n', namespace, 'addr', 'add', `${at(wide, host)}/64`, 'dev', name, 'nodad');
  ip('-n', namespace, 'link', 'set', name, 'up');
}

/** What a device does to several packets at once. */
export interface Offloads {
  /** It takes super-packets: TSO, GSO, and that of UDP. */
  readonly segmentation: boolean;
  /** It joins what it receives: GRO, and that of UDP. */
  readonly gro: boolean;
  /** It takes tags beside the packet. */
  readonly vlan?: boolean;
}

/** Sets all offloads of a device. */
export function setOffloads(
  namespace: string,
  device: string,
  { segmentation, gro, vlan = true }: Offloads,
): void {
  const word = (on: boolean): string => (on ? 'on' : 'off');
  const features = {
    tso: segmentation,
    gso: segmentation,
    'tx-udp-segmentation': segmentation,
    gro,
    'rx-udp-gro-forwarding': gro,
    txvlan: vlan,
  };
  const words = Object.entries(features).flatMap(([name, on]) => [name, word(on)]);
  inside(namespace, 'ethtool', '-K', device, ...words);
}

/** dumpcap on the link in the middle. */
export class FarCapture {
  readonly path: string;
  readonly #child: ChildProcess;
  #said = '';

  private constructor(path: string) {
    this.path = path;
    const words = ['-q', '-i', 'm1', '-w', this.path, '-s', String(SNAP_LENGTH), '-B', '64'];
    this.#child = spawn('ip', ['netns', 'exec', MIDDLE, 'dumpcap', ...words], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
  }

  static async start(path: string): Promise<FarCapture> {
    const capture = new FarCapture(path);
    await until(() => capture.#said.includes('File:'), 'dumpcap captures');
    return capture;
  }

  /** Waits until the datagrams sent last have been written, and ends. Fails when a packet was lost. */
  async end(): Promise<void> {
    await until(async () => {
      inside(SENDER, process.execPath, '-e', LAST, ADDRESSES[0]);
      return (await readFlows(this.path)).some(({ columns, length }) =>
        columns.destinationPort.subarray(0, length).includes(LAST_PORT),
      );
    }, 'the last packets are written');
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await ended;
    assert.match(this.#said, /: \d+\/0 \(pcap:0\/dumpcap:0\//, 'dumpcap dropped nothing');
  }
}

/** A datagram to the port that nobody listens at. */
const LAST = `const s = require('dgram').createSocket('udp4'); s.send('last', ${LAST_PORT}, process.argv[1], () => s.close());`;

/** The flows of a capture, as its reader says them. */
export async function readFlows(path: string): Promise<FlowBatch[]> {
  const source = new CaptureSource({ paths: [path], windowMs: undefined });
  const batches: FlowBatch[] = [];
  for await (const batch of source.batches({ signal: AbortSignal.timeout(20_000) })) batches.push(batch);
  return batches;
}

/** Receives TCP on 5999 and UDP on 5998. */
const SINK = `
require('dgram').createSocket('udp6').bind(5998);
require('net').createServer((s) => s.resume()).listen(5999, '::', () => console.log('ready'));`;
/**
 * To each address TCP in bulk, single datagrams, and datagrams cut out of one (UDP_SEGMENT, linux/udp.h), with a shorter
 * last one.
 */
const SOURCE = `
const koffi = require('koffi');
const setsockopt = koffi.load('libc.so.6').func('int setsockopt(int, int, int, void *, uint32_t)');
const [megabytes, ...addresses] = process.argv.slice(1);
const tcp = (address) => new Promise((done) => {
  const s = require('net').connect(5999, address);
  s.on('close', done).end(Buffer.alloc(megabytes << 20));
});
const datagrams = async (address) => {
  const s = require('dgram').createSocket(address.includes(':') ? 'udp6' : 'udp4');
  await new Promise((done) => s.bind(0, done));
  const send = (octets) => new Promise((done) => s.send(Buffer.alloc(octets), 5998, address, done));
  for (let i = 0; i < 50; i++) await send(1 + 17 * i);
  const size = Buffer.alloc(4);
  size.writeInt32LE(1200);
  if (setsockopt(s._handle.fd, 17, 103, size, 4) !== 0) throw new Error('no UDP_SEGMENT');
  for (let i = 0; i < 50; i++) await send(1200 * 8 + 24 * i);
  s.close();
};
(async () => { for (const address of addresses) { await tcp(address); await datagrams(address); } })();`;

/** All kinds of traffic from the sender to the receiver. */
export async function sendAll(): Promise<void> {
  const sink = spawn('ip', ['netns', 'exec', RECEIVER, process.execPath, '-e', SINK], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(sink.stdout, 'data', { signal: AbortSignal.timeout(10_000) });
    const node = [process.execPath, '--no-deprecation'];
    const words = ['netns', 'exec', SENDER, ...node, '-e', SOURCE, String(MEGABYTES), ...ADDRESSES];
    // There its own dependencies are found.
    const cwd = fileURLToPath(new URL('..', import.meta.url));
    const source = spawn('ip', words, { stdio: 'inherit', cwd });
    const [code] = await once(source, 'exit', { signal: AbortSignal.timeout(60_000) });
    assert.equal(code, 0);
  } finally {
    sink.kill();
    await once(sink, 'exit');
  }
}
