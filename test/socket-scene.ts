/** Namespaces whose TCP sockets are looked at: pairs joined by a veth, processes in them, and what ss says. */
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { isScaled } from './scale.ts';

/** Under emulation everything takes its time. */
export const PATIENCE_MS = isScaled ? 120_000 : 20_000;

/** Runs `ip`; gives its output. */
export function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8' });
}

/** Makes two namespaces with the addresses 10.79.0.1, fd79::1 and 10.79.0.2, fd79::2, also after a killed run. */
export function buildPair(names: readonly [string, string]): void {
  removePair(names);
  for (const name of names) {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
    // Every kernel has it, and it keeps a slow-start threshold: some (BBR) do not.
    ip('netns', 'exec', name, 'sysctl', '-qw', 'net.ipv4.tcp_congestion_control=reno');
  }
  ip('-n', names[0], 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', names[1]);
  for (const [index, name] of names.entries()) {
    ip('-n', name, 'address', 'add', `10.79.0.${index + 1}/24`, 'dev', 'eth0');
    ip('-n', name, 'address', 'add', `fd79::${index + 1}/64`, 'dev', 'eth0', 'nodad');
    ip('-n', name, 'link', 'set', 'eth0', 'up');
  }
}

/** Removes them. */
export function removePair(names: readonly [string, string]): void {
  const there = ip('netns', 'list');
  for (const name of names) if (new RegExp(`^${name}\\b`, 'm').test(there)) ip('netns', 'del', name);
}

/** The inode of a named namespace. */
export function inodeOf(name: string): number {
  return statSync(`/run/netns/${name}`).ino;
}

/** A process with sockets in a namespace; see tcp-end.ts. */
export class TcpEnd implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: Interface;

  constructor(namespace: string) {
    const script = fileURLToPath(new URL('tcp-end.ts', import.meta.url));
    this.#process = spawn('ip', ['netns', 'exec', namespace, process.execPath, script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface(this.#process.stdout);
  }

  /** @returns its port */
  async listen(address: string): Promise<number> {
    const [port] = await this.#tell(`listen ${address}`);
    return port!;
  }

  async connect(address: string, port: number): Promise<{ readonly number: number; readonly port: number }> {
    const [number, local] = await this.#tell(`connect ${address} ${port}`);
    return { number: number!, port: local! };
  }

  async write(number: number, octets: number): Promise<void> {
    await this.#tell(`write ${number} ${octets}`);
  }

  /** Closes in order, or with a reset. */
  async close(number: number, how: 'end' | 'reset'): Promise<void> {
    await this.#tell(`${how} ${number}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.stdin.end();
    await ended;
  }

  async #tell(line: string): Promise<number[]> {
    const answered = once(this.#lines, 'line', { signal: AbortSignal.timeout(PATIENCE_MS) });
    this.#process.stdin.write(`${line}\n`);
    const [answer] = (await answered) as [string];
    assert.match(answer, /^(listening|connected|written|closed)/);
    return answer.split(' ').slice(1).map(Number);
  }
}

/** What ss says of one connection; absent where it says nothing. */
export interface SsLine {
  readonly srttUs: number;
  readonly rttvarUs: number;
  readonly minRttUs: number;
  readonly cwnd: number;
  readonly ssthresh: number | undefined;
  readonly mss: number;
  readonly retransmits: number;
  readonly unacked: number;
  readonly sentOctets: number;
  readonly ackedOctets: number;
  readonly retransmittedOctets: number;
  readonly segmentsOut: number;
  readonly segmentsIn: number;
}

/** `ss -tinH` of the connection with this own port. */
export function ssOf(namespace: string, localPort: number): SsLine {
  const words = ['netns', 'exec', namespace, 'ss', '-tinH', 'sport', '=', `:${localPort}`];
  const text = ip(...words);
  const [, srtt, rttvar] = /\brtt:([\d.]+)\/([\d.]+)/.exec(text)!;
  const number = (name: string): number | undefined => {
    const [, found] = new RegExp(`\\b${name}:(?:\\d+/)?([\\d.]+)`).exec(text) ?? [];
    return found === undefined ? undefined : Number(found);
  };
  const us = (ms: string | number | undefined): number => Math.round(Number(ms) * 1000);
  return {
    srttUs: us(srtt),
    rttvarUs: us(rttvar),
    minRttUs: us(number('minrtt')),
    cwnd: number('cwnd')!,
    ssthresh: number('ssthresh'),
    mss: number('mss')!,
    retransmits: number('retrans') ?? 0,
    unacked: number('unacked') ?? 0,
    sentOctets: number('bytes_sent') ?? 0,
    ackedOctets: number('bytes_acked') ?? 0,
    retransmittedOctets: number('bytes_retrans') ?? 0,
    segmentsOut: number('segs_out') ?? 0,
    segmentsIn: number('segs_in') ?? 0,
  };
}
