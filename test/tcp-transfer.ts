/** A TCP transfer between two namespaces, captured at both ends. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { until } from './until.ts';

const SENDER = 'tstcp-a';
const RECEIVER = 'tstcp-b';
const ROUTER = 'tstcp-r';
const NAMESPACES = [SENDER, ROUTER, RECEIVER] as const;
const PORT = 5001;
/** What cannot be over by then hangs. */
const DEADLINE_MS = 30_000;

function run(...words: string[]): string {
  return execFileSync(words[0]!, words.slice(1), { encoding: 'utf8' });
}

/** Receives, answers each `?` with a `!`, and says when it listens. */
const RECEIVE = `
  require('node:net').createServer((s) => s.on('data', (d) => d.includes('?') && s.write('!')).on('end', () => s.end()))
    .listen(${PORT}, () => console.log('ready'))`;
/** Sends so many octets and ends; or asks so often, each time when the answer to the last question is there. */
const SEND = `
  const [octets, questions] = process.argv.slice(1).map(Number);
  const s = require('node:net').connect(${PORT}, '10.77.1.2');
  let left = questions;
  const ask = () => (left-- > 0 ? s.write('?') : s.end(Buffer.alloc(octets)));
  s.setNoDelay().on('connect', ask).on('data', ask).on('close', () => console.log('done'));`;

/** What is sent, and what the cable does. */
export interface Transfer {
  readonly octets: number;
  /** Questions with an answer each, before the octets. */
  readonly questions?: number;
  /** A compiled test/loss.bpf.c: the router loses packets of both ways. Default: it loses none. */
  readonly loss?: string;
}

/** Two namespaces with a router between them; nothing is segmented or joined on the way. */
export class Cable implements Disposable {
  constructor() {
    this[Symbol.dispose]();
    for (const name of NAMESPACES) {
      run('ip', 'netns', 'add', name);
      run('ip', 'netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
    }
    run('ip', 'netns', 'exec', ROUTER, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    for (const [i, name] of [SENDER, RECEIVER].entries()) {
      const far = `eth${i}`;
      run('ip', '-n', name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', far, 'netns', ROUTER);
      run('ip', '-n', ROUTER, 'address', 'add', `10.77.${i}.1/24`, 'dev', far);
      run('ip', '-n', name, 'address', 'add', `10.77.${i}.2/24`, 'dev', 'eth0');
      for (const [namespace, device] of [[ROUTER, far] as const, [name, 'eth0'] as const]) {
        run('ip', '-n', namespace, 'link', 'set', device, 'up');
        const off = ['tso', 'gso', 'gro'].flatMap((what) => [what, 'off']);
        run('ip', 'netns', 'exec', namespace, 'ethtool', '-K', device, ...off);
      }
      run('ip', '-n', name, 'route', 'add', 'default', 'via', `10.77.${i}.1`);
    }
  }

  /** Captures a transfer at both ends, into `directory`. @returns the captures' paths */
  async carry(transfer: Transfer, directory: string): Promise<{ sender: string; receiver: string }> {
    if (transfer.loss) this.#spoil(transfer.loss);
    const paths = { sender: join(directory, 'sender.pcap'), receiver: join(directory, 'receiver.pcap') };
    const captures = [await capture(SENDER, paths.sender), await capture(RECEIVER, paths.receiver)];
    const receiver = await started(RECEIVER, /ready/, process.execPath, '-e', RECEIVE);
    const numbers = [transfer.octets, transfer.questions ?? 0].map(String);
    const sender = await started(SENDER, /done/, process.execPath, '-e', SEND, ...numbers);
    await ended(sender);
    // What a capture has not read yet when it ends is lost.
    for (const path of Object.values(paths)) await until(() => hasEnd(path), `${path} holds the end`, 15_000);
    await ended(receiver, 'SIGKILL');
    // They write out what they have when they are asked to end.
    for (const child of captures) await ended(child, 'SIGINT');
    return paths;
  }

  #spoil(object: string): void {
    const tc = ['ip', 'netns', 'exec', ROUTER, 'tc'];
    for (const device of ['eth0', 'eth1']) {
      run(...tc, 'qdisc', 'replace', 'dev', device, 'clsact');
      const program = ['bpf', 'direct-action', 'object-file', object, 'section', 'tc'];
      run(...tc, 'filter', 'replace', 'dev', device, 'ingress', ...program);
    }
  }

  [Symbol.dispose](): void {
    for (const name of NAMESPACES)
      if (new RegExp(`^${name}\\b`, 'm').test(run('ip', 'netns', 'list'))) run('ip', 'netns', 'del', name);
  }
}

/** Whether a capture of Ethernet and IPv4 without options has a FIN of either way, and an answer to the last of them. */
function hasEnd(path: string): boolean {
  const octets = readFileSync(path);
  const finished = new Set<number>();
  let answered = false;
  for (let at = 24; at + 16 <= octets.length; at += 16 + octets.readUInt32LE(at + 8)) {
    const tcp = at + 16 + 34;
    if (tcp + 20 > octets.length) break;
    const port = octets.readUInt16BE(tcp);
    if (finished.size === 2) answered = true;
    if (octets[tcp + 13]! & 1) finished.add(port);
  }
  return answered;
}

async function capture(namespace: string, path: string): Promise<ChildProcess> {
  const options = ['-q', '-P', '-s', '128', '-B', '64', '-i', 'eth0', '-f', 'tcp', '-w', path];
  return started(namespace, /^File:/, 'dumpcap', ...options);
}

/** Starts a program in a namespace and waits for a line. */
async function started(namespace: string, line: RegExp, ...words: string[]): Promise<ChildProcess> {
  const child = spawn('ip', ['netns', 'exec', namespace, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  const deadline = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
  const said: string[] = [];
  const found = await Promise.race(
    [child.stdout!, child.stderr!].map((stream) => lineOf(stream, line, said)),
  );
  clearTimeout(deadline);
  if (!found) throw new Error(`${words[0]} did not say ${line}: ${said.join(' | ')}`);
  return child;
}

async function lineOf(stream: Readable, line: RegExp, said: string[]): Promise<boolean> {
  return new Promise((resolve) => {
    createInterface(stream)
      .on('line', (text) => {
        said.push(text);
        if (line.test(text)) resolve(true);
      })
      .on('close', () => stream.destroyed && resolve(false));
  });
}

async function ended(child: ChildProcess, signal?: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  if (signal) child.kill(signal);
  await exit;
}
