/** The one error of this library, made for a person who has to act on it: what was tried, what was found, what to do. */
import { constants } from 'node:os';
import { type Capability, capabilities, kernelRelease } from './kernel.ts';

/** Stable names of what can go wrong; the README lists cause and remedy of each. */
export type BpfErrorCode =
  | 'BPF_MISSING_LIBRARY'
  | 'BPF_PERMISSION'
  | 'BPF_OBJECT'
  | 'BPF_LOAD'
  | 'BPF_MAP'
  | 'BPF_LINK'
  | 'BPF_LAYOUT'
  | 'BPF_RUN'
  | 'BPF_NAMESPACE';

/** What an error is made of. `action` is an infinitive phrase; `state` what was found; `remedy` what would help. */
export type BpfErrorParts = {
  action: string;
  state?: string | undefined;
  remedy?: string | undefined;
  errno?: number | undefined;
  minimumKernel?: string | undefined;
  fullVerifierLog?: string | undefined;
  cause?: unknown;
};

/** A failure of the kernel, of libbpf, or of a check against the kernel's state. */
export class BpfError extends Error {
  override readonly name = 'BpfError';
  readonly code: BpfErrorCode;
  readonly action: string;
  readonly remedy: string | undefined;
  /** Positive errno, 0 when the failure is not one of the kernel's. */
  readonly errno: number;
  /** `EPERM` and the like; empty when `errno` is 0. */
  readonly errnoName: string;
  /** The first kernel that has the missing feature, when that is what is missing. */
  readonly minimumKernel: string | undefined;
  /** The end of the verifier's log, where the reason stands, with "(n lines omitted)" before it. */
  readonly verifierLog: string | undefined;
  readonly fullVerifierLog: string | undefined;

  constructor(code: BpfErrorCode, parts: BpfErrorParts) {
    const errno = parts.errno ?? 0;
    const found = parts.state ?? (errno === 0 ? 'it failed' : errnoText(errno));
    const needsKernel =
      parts.minimumKernel && `it needs Linux ${parts.minimumKernel} or later, this is ${kernelRelease()}`;
    const wanted = [needsKernel, parts.remedy].filter(Boolean).join('; ');
    const message = `cannot ${parts.action}: ${found}${wanted && `; ${wanted}`}`;
    super(message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.code = code;
    this.action = parts.action;
    this.remedy = parts.remedy;
    this.errno = errno;
    this.errnoName = errno === 0 ? '' : errnoName(errno);
    this.minimumKernel = parts.minimumKernel;
    this.fullVerifierLog = parts.fullVerifierLog;
    this.verifierLog =
      parts.fullVerifierLog === undefined ? undefined : cutVerifierLog(parts.fullVerifierLog);
  }
}

/** Numbers beyond C's <errno.h>: one of the kernel's own, and libbpf's (enum libbpf_errno). */
const BEYOND_ERRNO_H: Readonly<Record<number, string>> = {
  524: 'ENOTSUPP',
  4000: 'LIBBPF_LIBELF',
  4001: 'LIBBPF_FORMAT',
  4002: 'LIBBPF_KVERSION',
  4003: 'LIBBPF_ENDIAN',
  4004: 'LIBBPF_INTERNAL',
  4005: 'LIBBPF_RELOC',
  4006: 'LIBBPF_LOAD',
  4007: 'LIBBPF_VERIFY',
};

/** `EPERM` for 1, and so on; `errno 4711` for a number without a name. */
export function errnoName(errno: number): string {
  const known = Object.entries(constants.errno).find(
    ([name, value]) => value === errno && name !== 'EWOULDBLOCK',
  );
  return known?.[0] ?? BEYOND_ERRNO_H[errno] ?? `errno ${errno}`;
}

const PLAIN_WORDS: Readonly<Record<string, string>> = {
  EPERM: 'not permitted',
  ENOENT: 'there is none',
  E2BIG: 'too big, or the map is full',
  EAGAIN: 'the kernel asks to try again',
  ENOMEM: 'out of memory',
  EACCES: 'access refused',
  EBUSY: 'in use by something else',
  EEXIST: 'it exists already',
  ENODEV: 'no such interface',
  EINVAL: 'the kernel does not accept it',
  ENOSPC: 'no space left',
  EOPNOTSUPP: 'not supported',
  ENOTSUPP: 'not supported',
};

/** `EPERM (not permitted)`: the name for searching, the words for reading. */
export function errnoText(errno: number): string {
  const name = errnoName(errno);
  const words = PLAIN_WORDS[name];
  return words === undefined ? name : `${name} (${words})`;
}

/**
 * Makes the error for a kernel call that returned `-errno`. When the kernel refuses for want of a capability, the code is
 * `BPF_PERMISSION` whatever was being done, and the message names what is missing.
 */
export function kernelError(
  code: BpfErrorCode,
  negativeErrno: number,
  parts: Omit<BpfErrorParts, 'errno'>,
): BpfError {
  const errno = Math.abs(negativeErrno);
  const name = errnoName(errno);
  const verifierSpoke = parts.fullVerifierLog !== undefined;
  if ((name !== 'EPERM' && name !== 'EACCES') || verifierSpoke)
    return new BpfError(code, { ...parts, errno });
  const missing = missingCapabilities();
  if (missing.length === 0) {
    const remedy =
      parts.remedy ??
      'this process has the capabilities, so look for a seccomp profile, kernel lockdown, or a user namespace in between';
    return new BpfError(code, { ...parts, errno, remedy });
  }
  return new BpfError('BPF_PERMISSION', {
    ...parts,
    errno,
    state: `${errnoText(errno)}, this process lacks ${missing.join(', ')}`,
    remedy:
      'run it as root, or give it these capabilities (e.g. setcap, AmbientCapabilities= of systemd, or --cap-add of the container)',
  });
}

/** The capabilities that BPF networking programs need and the calling thread lacks; CAP_SYS_ADMIN stands for two of them. */
function missingCapabilities(): readonly Capability[] {
  const held = capabilities();
  const wanted: readonly Capability[] = held.has('CAP_SYS_ADMIN')
    ? ['CAP_NET_ADMIN']
    : ['CAP_BPF', 'CAP_NET_ADMIN', 'CAP_PERFMON'];
  return wanted.filter((capability) => !held.has(capability));
}

const KEPT_LINES = 6;

/**
 * Keeps the lines of a verifier log that matter: the last ones before its statistics, for the verifier stops at the first
 * violation and says there what it is.
 */
export function cutVerifierLog(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '' && !STATISTICS.test(line));
  const omitted = Math.max(0, lines.length - KEPT_LINES);
  const kept = lines.slice(omitted);
  return omitted === 0 ? kept.join('\n') : [`(${omitted} lines omitted)`, ...kept].join('\n');
}

/** Lines the verifier adds after the reason, e.g. `processed 12 insns (limit 1000000) max_states_per_insn 0`. */
const STATISTICS = /^(processed \d+ insns|verification time|stack depth|max_states)/;
