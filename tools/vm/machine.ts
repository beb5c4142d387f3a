/**
 * A virtual machine that runs one command of this host under another kernel: the host's root is read-only below a tmpfs
 * overlay, so the command finds all that is installed here, may write anywhere, and the host never sees it.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type ArchiveFile, cpio } from './cpio.ts';
import type { Kernel } from './kernels.ts';

/** What to run. */
export interface Errand {
  readonly kernel: Kernel;
  /** Working directory of the command; of what is below /tmp only this is seen. */
  readonly tree: string;
  /** A line of shell. It finds a device for its results as $RESULTS. */
  readonly command: string;
  readonly timeoutMs: number;
  /** Where the command's output goes as it comes. */
  readonly output: NodeJS.WritableStream;
}

/** What came of it. `status` is missing when the guest did not live to say it: then `console` says why. */
export interface Outcome {
  readonly status: number | undefined;
  readonly timedOut: boolean;
  readonly errors: string;
  readonly results: string;
  readonly console: string;
}

const BUSYBOX = '/usr/bin/busybox';
/** Program or file → Debian package that brings it. */
const NEEDED: Readonly<Record<string, string>> = {
  '/usr/bin/qemu-system-x86_64': 'qemu-system-x86',
  [BUSYBOX]: 'busybox-static',
  '/usr/sbin/depmod': 'kmod',
  '/usr/bin/xz': 'xz-utils',
  '/usr/bin/zstd': 'zstd',
  '/usr/bin/setpriv': 'util-linux',
  '/usr/share/keyrings/debian-archive-keyring.gpg': 'debian-archive-keyring',
};
/** Debian 12 has it in qemu-system-common, later ones in a package of its own. */
const VIRTIOFSD = ['/usr/libexec/virtiofsd', '/usr/lib/qemu/virtiofsd'];
const MODULES = ['virtio_pci', 'virtiofs', 'virtio_console', 'overlay'];
const MEMORY = '3072M';
const CPUS = 2;

/** Debian packages that the machine needs and this host lacks. */
export function lackingPackages(): string[] {
  const lacking = Object.entries(NEEDED).filter(
    ([path]) => !existsSync(path) || (path === BUSYBOX && !isStatic(path)),
  );
  const daemon = VIRTIOFSD.some((path) => existsSync(path)) ? [] : ['qemu-system-common'];
  return [...lacking.map(([, name]) => name), ...daemon];
}

/** Where the guest begins there is no loader of libraries; a package of the same name has a busybox that wants one. */
function isStatic(path: string): boolean {
  return !readFileSync(path).subarray(0, 4096).includes('/ld-linux');
}

/** A device for KVM is not enough: where the CPU has no virtualisation it may be of a kind that boots only special kernels. */
export function hasKvm(): boolean {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return /^flags\s*:.*\b(vmx|svm)\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return false;
  }
}

/** Boots the machine, runs the command, and ends with nothing left behind. Rejects when `signal` aborts. */
export async function runErrand(errand: Errand, signal: AbortSignal): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-vm-'));
  const file = (name: string): string => join(directory, name);
  const children: ChildProcess[] = [];
  try {
    writeFileSync(file('initrd'), initialFiles(errand));
    const socket = file('root.sock');
    children.push(await shareRoot(socket));
    signal.throwIfAborted();
    const machine = spawn('setpriv', qemu(errand.kernel, socket, file), {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    children.push(machine);
    machine.stdout!.pipe(errand.output, { end: false });
    let complaint = '';
    machine.stderr!.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    const deadline = AbortSignal.timeout(errand.timeoutMs);
    const either = AbortSignal.any([deadline, signal]);
    const kill = (): void => void machine.kill('SIGKILL');
    either.addEventListener('abort', kill);
    await once(machine, 'close');
    either.removeEventListener('abort', kill);
    signal.throwIfAborted();
    const text = (name: string): string => (existsSync(file(name)) ? readFileSync(file(name), 'utf8') : '');
    const status = text('status').trim();
    return {
      status: status === '' ? undefined : Number(status),
      timedOut: deadline.aborted,
      errors: text('err'),
      results: text('results'),
      console: complaint + text('console').replaceAll('\r', ''),
    };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  }
}

/** The first file system: busybox, the modules to reach the host's root, and the command. */
function initialFiles({ kernel, tree, command }: Errand): Uint8Array {
  const modules = modulesFor(kernel);
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const settings = {
    release: kernel.release,
    modules: join(kernel.directory, 'lib/modules', kernel.release),
    tree,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${quoted(value)}\n`);
  const text = (path: string, content: string): ArchiveFile => ({ path, bytes: Buffer.from(content) });
  return cpio([
    { path: 'bin/busybox', bytes: readFileSync(BUSYBOX), executable: true },
    { path: 'init', bytes: readFileSync(join(import.meta.dirname, 'init')), executable: true },
    ...modules,
    text('modules/order', modules.map(({ path }) => `${basename(path)}\n`).join('')),
    text('vm/settings', lines.join('')),
    text('vm/command', `cd ${quoted(tree)} && ${command}\n`),
  ]);
}

/** The modules and what they need, in the order to load them. */
function modulesFor({ directory, release }: Kernel): ArchiveFile[] {
  const paths = MODULES.flatMap((name) => {
    const words = ['--dirname', directory, '--set-version', release, '--show-depends', name];
    // Unknown modules are built into the kernel; if not, the guest says what it cannot mount.
    const { stdout } = spawnSync('modprobe', words, { encoding: 'utf8' });
    return stdout.split('\n').flatMap((line) => /^insmod (\S+)/.exec(line)?.[1] ?? []);
  });
  return [...new Set(paths)].map((path) => {
    const packer = { '.xz': 'xz', '.zst': 'zstd' }[/\.(xz|zst)$/.exec(path)?.[0] ?? ''];
    const bytes = packer ? execFileSync(packer, ['-dcq', path], { maxBuffer: 64 << 20 }) : readFileSync(path);
    return { path: `modules/${basename(path).replace(/\.(xz|zst)$/, '')}`, bytes };
  });
}

/** Ends with us, however we end. */
const MORTAL = ['--pdeathsig', 'KILL'];

/**
 * Serves the host's root read-only. virtiofsd of Debian 12 cannot do that by itself: it gets a read-only view of all
 * that is mounted, in a mount namespace of its own.
 */
async function shareRoot(socket: string): Promise<ChildProcess> {
  const daemon = VIRTIOFSD.find((path) => existsSync(path))!;
  const isRust = daemon.includes('libexec');
  const words = isRust
    ? ['--shared-dir', '/mnt', '--cache', 'always', '--sandbox', 'chroot']
    : ['-f', '-o', 'source=/mnt', '-o', 'cache=always', '-o', 'sandbox=chroot', '-o', 'log_level=err'];
  const shell = `mount --rbind / /mnt
    findmnt -nrRo TARGET /mnt | while read -r each; do mount -o remount,bind,ro "$each" 2>/dev/null; done
    exec "$@"`;
  const unshare = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', shell, 'sh'];
  const parent = join(socket, '..');
  const watching = new AbortController();
  const made = new Promise<void>((resolve) => {
    watch(parent, { signal: watching.signal }, () => existsSync(socket) && resolve());
  });
  const child = spawn('setpriv', [...MORTAL, ...unshare, daemon, `--socket-path=${socket}`, ...words], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // At the end of the machine it complains of that: only what it says before the beginning is told.
  let complaint = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const ended = once(child, 'close').then(() =>
    Promise.reject(new Error(`virtiofsd ended at once: ${complaint}`)),
  );
  ended.catch(() => undefined);
  try {
    await Promise.race([made, ended]);
  } finally {
    watching.abort();
  }
  return child;
}

function qemu(kernel: Kernel, socket: string, file: (name: string) => string): string[] {
  const accelerator = hasKvm()
    ? ['-accel', 'kvm', '-cpu', 'host']
    : ['-accel', 'tcg,thread=multi', '-cpu', 'max,la57=off,pku=off'];
  const port = (name: string, to: string): string[] => [
    ...['-chardev', `${to},id=${name}`],
    ...['-device', `virtserialport,chardev=${name},name=${name}`],
  ];
  // The TSC is not to be trusted: on a busy host its rate is measured wrongly, and minutes pass in seconds.
  const parameters =
    'console=ttyS0,115200 quiet loglevel=4 panic=-1 mitigations=off nokaslr random.trust_cpu=on no_timer_check i8042.nokbd i8042.noaux';
  return [
    ...MORTAL,
    'qemu-system-x86_64',
    ...['-M', 'q35,vmport=off,memory-backend=memory', '-smp', String(CPUS), '-m', MEMORY],
    ...['-object', `memory-backend-memfd,id=memory,size=${MEMORY},share=on`],
    ...accelerator,
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-serial', `file:${file('console')}`],
    ...['-device', 'virtio-serial-pci', '-device', 'virtio-rng-pci'],
    ...['-chardev', `socket,id=root,path=${socket}`, '-device', 'vhost-user-fs-pci,chardev=root,tag=host'],
    ...port('out', 'stdio,signal=off'),
    ...['err', 'results', 'status'].flatMap((name) => port(name, `file,path=${file(name)}`)),
    ...['-kernel', join(kernel.directory, 'vmlinuz'), '-initrd', file('initrd'), '-append', parameters],
  ];
}
