/** One BPF program on two CPUs at once, by bench/pair.c. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { BpfProgram } from '../src/bpf/index.ts';
import type { Frame } from './frame.ts';

/** A round counts when both threads ran together, on their CPUs, for this share of it (see pair.c). */
const SHARE = 0.95;

/**
 * Runs the program on CPUs 0 and 1 at the same time. Gives ns per packet, the mean of both CPUs, of each round in which
 * they really ran at the same time.
 */
export async function runPair(
  program: BpfProgram,
  options: { readonly path: string; readonly frame: Frame; readonly rounds: number; readonly repeat: number },
): Promise<number[]> {
  const child = spawn(options.path, [String(options.rounds), String(options.repeat)], {
    stdio: ['pipe', 'pipe', 'inherit', program.fd],
    timeout: 60_000,
  });
  child.stdin!.end(options.frame.octets);
  const [output, [status]] = await Promise.all([text(child.stdout!), once(child, 'close')]);
  if (status !== 0) throw new Error(`pair: it ended with status ${status}`);
  return output
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number) as [number, number])
    .filter(([, share]) => share >= SHARE)
    .map(([ns]) => ns);
}
