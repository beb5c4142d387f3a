/** Programs that are not at an interface: at a tracepoint of the kernel, or walking over what the kernel has. */
import { readSync } from 'node:fs';
import { kernelError } from './error.ts';
import { bpf, libc } from './libbpf.ts';
import type { BpfProgram } from './program.ts';
import { track } from './resources.ts';

const BPF_RAW_TRACEPOINT_OPEN = 17;
const BPF_LINK_CREATE = 28;
const BPF_ITER_CREATE = 33;
const BPF_TRACE_ITER = 28;
const EAGAIN = 'EAGAIN';

/** What is attached until it is disposed, or its process ends. */
export type TracingAttachment = Disposable;

/**
 * Attaches a program to the tracepoint that its section names (`tp_btf/…`, Linux 5.5). It runs for all of the machine, in
 * every namespace. @throws BpfError `BPF_LINK` or `BPF_PERMISSION`.
 */
export function attachTracing(program: BpfProgram): TracingAttachment {
  const attr = new DataView(new ArrayBuffer(64));
  attr.setUint32(8, program.fd, true);
  const fd = bpf(BPF_RAW_TRACEPOINT_OPEN, new Uint8Array(attr.buffer));
  if (fd < 0)
    throw kernelError('BPF_LINK', fd, { action: `attach the program ${program.name} to its tracepoint` });
  return closing(fd, `tracepoint link of ${program.name}`);
}

/** A program that the kernel runs for each thing of a kind (`iter/tcp`, `iter/bpf_map`, …; Linux 5.8), as often as asked. */
export class BpfIterator implements Disposable {
  readonly #name: string;
  readonly #fd: number;
  readonly #link: Disposable;

  private constructor(name: string, fd: number) {
    this.#name = name;
    this.#fd = fd;
    this.#link = closing(fd, `iterator link of ${name}`);
  }

  /** @throws BpfError `BPF_LINK` or `BPF_PERMISSION`. */
  static open(program: BpfProgram): BpfIterator {
    const attr = new DataView(new ArrayBuffer(64));
    attr.setUint32(0, program.fd, true);
    attr.setUint32(8, BPF_TRACE_ITER, true);
    const fd = bpf(BPF_LINK_CREATE, new Uint8Array(attr.buffer));
    if (fd < 0) {
      throw kernelError('BPF_LINK', fd, {
        action: `make an iterator of the program ${program.name}`,
        minimumKernel: fd === -22 ? '5.8' : undefined,
      });
    }
    return new BpfIterator(program.name, fd);
  }

  /**
   * One walk, from the first thing to the last. What belongs to a network namespace (sockets) is of the calling thread's.
   *
   * @param buffer what the program writes (bpf_seq_write) is read into this, piece by piece; the kernel gives up to 32 kB at
   *   a time, cut anywhere
   * @param visit sees each piece, lent until it returns
   * @throws BpfError `BPF_LINK`.
   */
  walk(buffer: Uint8Array, visit: (piece: Uint8Array) => void): void {
    const attr = new DataView(new ArrayBuffer(64));
    attr.setUint32(0, this.#fd, true);
    const fd = bpf(BPF_ITER_CREATE, new Uint8Array(attr.buffer));
    if (fd < 0) throw kernelError('BPF_LINK', fd, { action: `begin a walk of the program ${this.#name}` });
    using _walk = closing(fd, `walk of ${this.#name}`);
    for (let length = readPiece(fd, buffer); length > 0; length = readPiece(fd, buffer))
      visit(buffer.subarray(0, length));
  }

  [Symbol.dispose](): void {
    this.#link[Symbol.dispose]();
  }
}

/** After a million things of which the program wrote nothing the kernel asks to be called again. */
function readPiece(fd: number, buffer: Uint8Array): number {
  for (;;) {
    try {
      return readSync(fd, buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== EAGAIN) throw error;
    }
  }
}

function closing(fd: number, what: string): Disposable {
  const untrack = track(`${what} (fd ${fd})`);
  return {
    [Symbol.dispose](): void {
      if (untrack()) libc().close(fd);
    },
  };
}
