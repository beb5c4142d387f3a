/** A program that the kernel holds. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { describeProgram, type ProgramDescription } from './describe.ts';
import { kernelError } from './error.ts';
import { bpf, libbpf, libc } from './libbpf.ts';
import { track } from './resources.ts';

/** Program types of linux/bpf.h that this library knows by name; any other number works as well. */
export const ProgramType = {
  SCHED_CLS: 3,
  SCHED_ACT: 4,
  XDP: 6,
  RAW_TRACEPOINT: 17,
  TRACING: 26,
  SYSCALL: 31,
} as const;

/** A loaded program of a `BpfObject`; it ends with the object, unless an attachment or a pin holds it. */
export class BpfProgram {
  /** Its full name in the object; the kernel's is cut at 15 characters. */
  readonly name: string;
  readonly id: number;
  readonly #fd: () => number;

  constructor(name: string, fd: () => number) {
    this.name = name;
    this.#fd = fd;
    this.id = describeProgram(fd()).id;
  }

  /** The descriptor. @throws TypeError after the object has been closed. */
  get fd(): number {
    return this.#fd();
  }

  /** What the kernel says now, run counts included (see `collectRunStatistics`). */
  describe(): ProgramDescription {
    return describeProgram(this.fd);
  }

  /** Pins the program under a path of a BPF file system, whose directory is made when missing. */
  pin(path: string): void {
    mkdirSync(dirname(path), { recursive: true });
    const result = libbpf().pin(this.fd, path);
    if (result < 0)
      throw kernelError('BPF_LOAD', result, { action: `pin the program ${this.name} as ${path}` });
  }
}

const BPF_ENABLE_STATS = 32;

/** Makes the kernel count runs and run time of all programs until disposed; it costs some 20 ns per run. Linux 5.8. */
export function collectRunStatistics(): Disposable {
  const fd = bpf(BPF_ENABLE_STATS, new Uint8Array(8));
  if (fd < 0)
    throw kernelError('BPF_RUN', fd, {
      action: 'switch run statistics on',
      remedy: 'it needs CAP_SYS_ADMIN: run as root, or do without',
      minimumKernel: fd === -22 ? '5.8' : undefined,
    });
  const untrack = track(`run statistics (fd ${fd})`);
  return {
    [Symbol.dispose](): void {
      if (untrack()) libc().close(fd);
    },
  };
}
