/** What this kernel and this process have: release, CPUs, BTF, capabilities. Read from /proc and /sys, never guessed. */
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { release } from 'node:os';

/** Bit numbers of linux/capability.h, in order. */
const CAPABILITIES = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
] as const;

/** The name of one Linux capability, as in capabilities(7). */
export type Capability = (typeof CAPABILITIES)[number];

/** The running kernel's release, e.g. `6.1.0-18-amd64`. */
export function kernelRelease(): string {
  return release();
}

/** Whether the running kernel is at least `major.minor`. For messages only: a feature is tried, never inferred from this. */
export function kernelAtLeast(version: string): boolean {
  const number = (text: string): number => {
    const [major = 0, minor = 0] = text.split('.').map((part) => Number.parseInt(part, 10));
    return major * 1000 + minor;
  };
  return number(kernelRelease()) >= number(version);
}

/** Whether the kernel carries its own BTF, which CO-RE programs need (/sys/kernel/btf/vmlinux). */
export function hasBtf(): boolean {
  return existsSync('/sys/kernel/btf/vmlinux');
}

let cpus: number | undefined;

/** How many CPUs are possible: how many values a per-CPU map holds per key. Constant while the kernel runs. */
export function possibleCpus(): number {
  cpus ??= countCpus(readFileSync('/sys/devices/system/cpu/possible', 'utf8'));
  return cpus;
}

/** Counts the CPUs of a kernel CPU list such as `0-3,8`: the highest number plus one, since values are stored by number. */
export function countCpus(list: string): number {
  const last = /(\d+)$/.exec(list.trim())?.[1];
  if (last === undefined) throw new RangeError(`cannot read the CPU list ${JSON.stringify(list)}`);
  return Number(last) + 1;
}

/** The effective capabilities of the calling thread. */
export function capabilities(): ReadonlySet<Capability> {
  const status = readFileSync('/proc/thread-self/status', 'utf8');
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return new Set(CAPABILITIES.filter((_, bit) => (mask >> BigInt(bit)) & 1n));
}

/** Which network namespace the calling thread is in, as a name that is equal for equal namespaces. */
export function networkNamespace(): string {
  return readlinkSync('/proc/thread-self/ns/net');
}
