/**
 * Installs the Debian packages that the tests need and this machine lacks; names them where it may not install.
 * Running the monitor needs only the first two of them. Mounts the BPF file system where it is not.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fetchPrometheus, prometheusProgram } from './prometheus.ts';
import { lackingPackages } from './vm/machine.ts';

/** Package → a file that shows it is there. */
const PACKAGES: Readonly<Record<string, string>> = {
  libbpf1: '/usr/lib/x86_64-linux-gnu/libbpf.so.1',
  iproute2: '/usr/sbin/ip',
  'iputils-ping': '/usr/bin/ping',
  'clang-19': '/usr/bin/clang-19',
  'lld-19': '/usr/bin/wasm-ld-19',
  'libbpf-dev': '/usr/include/bpf/bpf_helpers.h',
  'linux-libc-dev': '/usr/include/linux/bpf.h',
  bpftool: '/usr/sbin/bpftool',
  chromium: '/usr/bin/chromium',
  'fonts-dejavu-core': '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf',
  tshark: '/usr/bin/tshark',
  tcpdump: '/usr/bin/tcpdump',
  curl: '/usr/bin/curl',
  jq: '/usr/bin/jq',
  ethtool: '/usr/sbin/ethtool',
  'wireguard-tools': '/usr/bin/wg',
  iperf3: '/usr/bin/iperf3',
  nftables: '/usr/sbin/nft',
  'dnsmasq-base': '/usr/sbin/dnsmasq',
  udhcpc: '/sbin/udhcpc',
  tmux: '/usr/bin/tmux',
};

const lacking = Object.entries(PACKAGES)
  .filter(([, path]) => !existsSync(path.replace('x86_64', process.arch === 'arm64' ? 'aarch64' : 'x86_64')))
  .map(([name]) => name);
// For test/vm.test.ts, where it will run.
if (process.arch === 'x64' && (process.env.CI || process.env.VM_TEST)) lacking.push(...lackingPackages());
if (lacking.length > 0) {
  const line = `apt-get install -y --no-install-recommends ${lacking.join(' ')}`;
  if (process.getuid?.() !== 0) {
    console.error(`The tests need packages that are not here. As root: ${line}`);
    process.exit(1);
  }
  console.log(`Installing ${lacking.join(', ')} …`);
  const shell = `export DEBIAN_FRONTEND=noninteractive; apt-get update -q && ${line}`;
  const { status } = spawnSync('sh', ['-c', shell], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) {
    console.error(`Installing failed. By hand: ${line}`);
    process.exit(1);
  }
}
if (prometheusProgram('prometheus') === undefined || prometheusProgram('promtool') === undefined) {
  console.log('Fetching prometheus …');
  try {
    fetchPrometheus();
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}
if (process.getuid?.() !== 0) {
  console.error('The tests load BPF programs and make network namespaces: run them as root.');
  process.exit(1);
}
// Pins live in a BPF file system; systemd mounts it, a bare machine may not have it.
if (!readFileSync('/proc/self/mounts', 'utf8').includes(' /sys/fs/bpf bpf ')) {
  const { status } = spawnSync('mount', ['-t', 'bpf', 'bpf', '/sys/fs/bpf'], { stdio: 'inherit' });
  if (status !== 0) {
    console.error('Mounting the BPF file system failed. By hand: mount -t bpf bpf /sys/fs/bpf');
    process.exit(1);
  }
}
