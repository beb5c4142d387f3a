/** `tunnelscope doctor`: what this machine must have, fact by fact, found before anything is touched. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import {
  BpfError,
  BpfObject,
  capabilities,
  hasBtf,
  hasTcx,
  kernelAtLeast,
  kernelRelease,
} from './bpf/index.ts';
import { METER_OBJECT } from './meter/index.ts';

/** One fact. `ok` false with `needed` true keeps the meter from starting. */
export interface Fact {
  readonly name: string;
  readonly ok: boolean;
  readonly needed: boolean;
  /** What was found. */
  readonly found: string;
  /** What to do about it; empty when nothing is to be done. */
  readonly remedy: string;
}

/** Oldest kernel with what the programs use: batch operations (5.6), bounded loops (5.3), array-of-maps flips (4.20). */
const MINIMUM_KERNEL = '5.10';

/** Oldest kernel whose TCP sockets a program can walk over. */
const SOCKETS_KERNEL = '5.9';

/** Examines this machine and process. Changes nothing; takes a few milliseconds. */
export function examine(): Fact[] {
  return [kernel(), libbpf(), iproute2(), btf(), sockets(), ...privileges(), tcx(), bpffs()];
}

/** Facts that keep the meter from starting. */
export function missing(facts: readonly Fact[]): Fact[] {
  return facts.filter((fact) => fact.needed && !fact.ok);
}

/** One line per fact: a mark, the name, what was found, and the remedy. */
export function formatFacts(facts: readonly Fact[]): string {
  const width = Math.max(...facts.map((fact) => fact.name.length));
  return facts
    .map((fact) => {
      const mark = fact.ok ? 'ok     ' : fact.needed ? 'MISSING' : 'note   ';
      const remedy = fact.remedy === '' ? '' : ` -> ${fact.remedy}`;
      return `${mark} ${fact.name.padEnd(width)}  ${fact.found}${remedy}`;
    })
    .join('\n');
}

function fact(name: string, needed: boolean, ok: boolean, found: string, remedy: string): Fact {
  return { name, needed, ok, found, remedy: ok ? '' : remedy };
}

function kernel(): Fact {
  const ok = process.platform === 'linux' && kernelAtLeast(MINIMUM_KERNEL);
  return fact(
    'kernel',
    true,
    ok,
    `${process.platform} ${kernelRelease()}`,
    `boot Linux ${MINIMUM_KERNEL} or later`,
  );
}

function libbpf(): Fact {
  try {
    BpfObject.openFile(METER_OBJECT)[Symbol.dispose]();
    return fact('libbpf.so.1', true, true, 'found, and it opens the meter object', '');
  } catch (error) {
    const absent = error instanceof BpfError && error.code === 'BPF_MISSING_LIBRARY';
    return fact(
      'libbpf.so.1',
      true,
      false,
      (error as Error).message,
      absent ? 'apt-get install libbpf1' : 'reinstall tunnelscope',
    );
  }
}

function iproute2(): Fact {
  try {
    const version = execFileSync('ip', ['-V'], { encoding: 'utf8' }).trim();
    return fact('iproute2', true, true, version, '');
  } catch {
    return fact('iproute2', true, false, 'the command "ip" is not there', 'apt-get install iproute2');
  }
}

function btf(): Fact {
  return fact(
    'BTF',
    false,
    hasBtf(),
    hasBtf()
      ? '/sys/kernel/btf/vmlinux'
      : 'no /sys/kernel/btf/vmlinux; the meter needs none, programs that read kernel structures do',
    'boot a kernel built with CONFIG_DEBUG_INFO_BTF',
  );
}

function sockets(): Fact {
  const ok = hasBtf() && kernelAtLeast(SOCKETS_KERNEL);
  return fact(
    'sockets',
    false,
    ok,
    ok
      ? 'the kernel shows its TCP sockets (measure --show socket)'
      : 'the kernel does not show its TCP sockets: "measure --show socket" fails, all else works',
    `boot Linux ${SOCKETS_KERNEL} or later, built with CONFIG_DEBUG_INFO_BTF`,
  );
}

function privileges(): Fact[] {
  const held = capabilities();
  const remedy = 'run as root, or give the process CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON';
  return (['CAP_BPF', 'CAP_NET_ADMIN', 'CAP_PERFMON'] as const).map((name) => {
    // Before Linux 5.8 CAP_SYS_ADMIN stood for CAP_BPF and CAP_PERFMON, and it still includes them.
    const ok = held.has(name) || (name !== 'CAP_NET_ADMIN' && held.has('CAP_SYS_ADMIN'));
    return fact(name, true, ok, ok ? 'held' : 'not held', remedy);
  });
}

function tcx(): Fact {
  const has = hasTcx();
  if (has) return fact('tcx', false, true, 'this kernel has it', '');
  if (has === undefined)
    return fact('tcx', false, false, 'not tried: it takes CAP_BPF and CAP_NET_ADMIN', 'run as root');
  const why = kernelAtLeast('6.6') ? 'built without CONFIG_NET_XGRESS' : 'older than Linux 6.6';
  return fact('tcx', false, false, `${why}: clsact filters are used instead`, 'nothing, or another kernel');
}

function bpffs(): Fact {
  let mounted = false;
  try {
    mounted = readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .some((line) => line.split(' ')[2] === 'bpf');
  } catch {
    // No /proc: said as not mounted.
  }
  return fact(
    'bpffs',
    false,
    mounted,
    mounted ? 'mounted' : 'not mounted; nothing is pinned yet, so metering works',
    'mount -t bpf bpf /sys/fs/bpf',
  );
}
