/** Attaching traffic-control programs to an interface: tcx where the kernel has it, clsact where it does not. */
import { dirname } from 'node:path';
import { attachClsact } from './clsact.ts';
import { describeLink, programName } from './describe.ts';
import { errnoName, kernelError } from './error.ts';
import { kernelAtLeast } from './kernel.ts';
import { addressOf, bpf, libbpf, libc } from './libbpf.ts';
import { makeDirectories } from './pin-path.ts';
import type { BpfProgram } from './program.ts';
import { track } from './resources.ts';

export type TcDirection = 'ingress' | 'egress';

/** What to attach where. Interface numbers are those of the calling thread's network namespace. */
export type TcOptions = {
  readonly program: BpfProgram;
  readonly ifindex: number;
  readonly direction: TcDirection;
  /** `auto` (the default): tcx, or clsact on a kernel without tcx (before 6.6). */
  readonly mode?: 'auto' | 'tcx' | 'clsact';
  /** tcx: before (`first`) or after (`last`, the default) the programs that are already there. */
  readonly position?: 'first' | 'last';
  /** clsact: the filter's number; with `priority` it is the place that is ours, also after a crash. Default 1. */
  readonly handle?: number;
  /** clsact: the filter's priority, lower runs first. Default 1. */
  readonly priority?: number;
};

/** A program at an interface, until disposed. */
export type TcAttachment = Disposable & {
  readonly kind: 'tcx' | 'clsact';
  readonly ifindex: number;
  readonly direction: TcDirection;
  /** Asks the kernel whether our program is still there: others may have removed it, or the interface may be gone. */
  isAttached(): boolean;
  /** tcx: pins the link, so that the program stays attached when this process ends. @throws TypeError for clsact. */
  pin(path: string): void;
  /** Puts another program in the place of ours in one step: each packet meets the one or the other. @throws BpfError `BPF_LINK`. */
  replace(program: BpfProgram): void;
  /** Takes our program off, and nothing else. Once it is off, nothing happens. */
  detach(): void;
};

const BPF_LINK_CREATE = 28;
const BPF_LINK_UPDATE = 29;
const BPF_PROG_QUERY = 16;
const BPF_LINK_DETACH = 34;
const BPF_F_BEFORE = 1 << 3;
const ATTACH_TYPE = { ingress: 46, egress: 47 } as const;
const EINVAL = -22;

/**
 * Attaches a program (type SCHED_CLS) to an interface. Programs of others stay where they are.
 * @throws BpfError `BPF_LINK` or `BPF_PERMISSION`.
 */
export function attachTc(options: TcOptions): TcAttachment {
  const mode = options.mode ?? 'auto';
  if (!Number.isInteger(options.ifindex) || options.ifindex < 1)
    throw new RangeError(`${options.ifindex} is not an interface number`);
  if (mode === 'clsact') return attachClsact(options);
  const { program, ifindex, direction } = options;
  const fd = createTcxLink(options);
  if (fd >= 0) return new TcxAttachment(fd, { ifindex, direction, program: program.name });
  const unsupported = fd === EINVAL && hasTcx() === false;
  if (unsupported && mode === 'auto') return attachClsact(options);
  throw kernelError('BPF_LINK', fd, {
    action: `attach the program ${program.name} to ${direction} of interface ${ifindex} by tcx`,
    minimumKernel: unsupported && !kernelAtLeast('6.6') ? '6.6' : undefined,
    remedy: unsupported
      ? 'use mode auto or clsact (tcx needs CONFIG_NET_XGRESS)'
      : errnoName(-fd) === 'ENODEV'
        ? 'the number must be that of an interface in the network namespace of this thread'
        : undefined,
  });
}

/** Opens a pinned tcx link, e.g. that of a former process. @throws BpfError `BPF_LINK`. */
export function openPinnedTc(path: string, place: { direction: TcDirection }): TcAttachment {
  const fd = libbpf().openPin(path);
  if (fd < 0) throw kernelError('BPF_LINK', fd, { action: `open the pinned link ${path}` });
  return new TcxAttachment(fd, {
    ifindex: describeLink(fd).ifindex,
    direction: place.direction,
    program: path,
  });
}

/** Most programs that `tcxPrograms` lists; the kernel allows 64 at a hook. */
const MAX_TCX_PROGRAMS = 64;

/** The programs at an interface's tcx hook in the order they run, whoever attached them. @throws BpfError `BPF_LINK`. */
export function tcxPrograms(place: {
  readonly ifindex: number;
  readonly direction: TcDirection;
}): readonly { readonly id: number; readonly name: string }[] {
  const ids = new Uint32Array(MAX_TCX_PROGRAMS);
  const attr = new DataView(new ArrayBuffer(64));
  attr.setUint32(0, place.ifindex, true);
  attr.setUint32(4, ATTACH_TYPE[place.direction], true);
  attr.setBigUint64(16, addressOf(new Uint8Array(ids.buffer)), true);
  attr.setUint32(24, ids.length, true);
  const result = bpf(BPF_PROG_QUERY, new Uint8Array(attr.buffer));
  if (result < 0) {
    throw kernelError('BPF_LINK', result, {
      action: `list the programs at ${place.direction} of interface ${place.ifindex}`,
      minimumKernel: kernelAtLeast('6.6') ? undefined : '6.6',
    });
  }
  return [...ids.subarray(0, attr.getUint32(24, true))].map((id) => ({ id, name: programName(id) ?? '' }));
}

/** The loopback interface's number in every network namespace. */
const LOOPBACK = 1;

/**
 * Whether the kernel has tcx (Linux 6.6, with CONFIG_NET_XGRESS), found by asking what is at the loopback's; undefined
 * where this process may not ask.
 */
export function hasTcx(): boolean | undefined {
  const attr = new DataView(new ArrayBuffer(64));
  attr.setUint32(0, LOOPBACK, true);
  attr.setUint32(4, ATTACH_TYPE.ingress, true);
  const result = bpf(BPF_PROG_QUERY, new Uint8Array(attr.buffer));
  return result === EINVAL ? false : result < 0 ? undefined : true;
}

function createTcxLink(options: TcOptions): number {
  const attr = new DataView(new ArrayBuffer(64));
  attr.setUint32(0, options.program.fd, true);
  attr.setUint32(4, options.ifindex, true);
  attr.setUint32(8, ATTACH_TYPE[options.direction], true);
  attr.setUint32(12, options.position === 'first' ? BPF_F_BEFORE : 0, true);
  return bpf(BPF_LINK_CREATE, new Uint8Array(attr.buffer));
}

class TcxAttachment implements TcAttachment {
  readonly kind = 'tcx';
  readonly ifindex: number;
  readonly direction: TcDirection;
  readonly #name: string;
  readonly #untrack: () => boolean;
  #fd: number;

  constructor(fd: number, place: { ifindex: number; direction: TcDirection; program: string }) {
    this.#fd = fd;
    this.ifindex = place.ifindex;
    this.direction = place.direction;
    this.#name = `tcx link of ${place.program} at ${place.direction} of interface ${place.ifindex}`;
    this.#untrack = track(`${this.#name} (fd ${fd})`);
  }

  isAttached(): boolean {
    return this.#fd >= 0 && describeLink(this.#fd).ifindex !== 0;
  }

  pin(path: string): void {
    if (this.#fd < 0) throw new TypeError(`the ${this.#name} is detached`);
    makeDirectories(dirname(path));
    const result = libbpf().pin(this.#fd, path);
    if (result < 0) throw kernelError('BPF_LINK', result, { action: `pin the ${this.#name} as ${path}` });
  }

  replace(program: BpfProgram): void {
    if (this.#fd < 0) throw new TypeError(`the ${this.#name} is detached`);
    const attr = new DataView(new ArrayBuffer(64));
    attr.setUint32(0, this.#fd, true);
    attr.setUint32(4, program.fd, true);
    const result = bpf(BPF_LINK_UPDATE, new Uint8Array(attr.buffer));
    if (result < 0)
      throw kernelError('BPF_LINK', result, { action: `replace the ${this.#name} by ${program.name}` });
  }

  detach(): void {
    if (this.#fd < 0) return;
    const attr = new Uint8Array(64);
    new DataView(attr.buffer).setUint32(0, this.#fd, true);
    // Also a pinned link lets go of the interface now; closing alone would leave it there.
    bpf(BPF_LINK_DETACH, attr);
    this.#close();
  }

  /** Closes the link: it ends, unless it is pinned. */
  [Symbol.dispose](): void {
    if (this.#fd >= 0) this.#close();
  }

  #close(): void {
    libc().close(this.#fd);
    this.#fd = -1;
    this.#untrack();
  }
}
