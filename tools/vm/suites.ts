/** Which test files run inside other kernels, and why the others do not. */

/** A file that runs in the guest, and what in it depends on the kernel. */
export interface Suite {
  readonly file: string;
  readonly why: string;
  /** Takes minutes under emulation: runs there only when named by --file. */
  readonly isSlow?: true;
  /** Each of its tests is a feature with a row of its own in docs/kernels.md. */
  readonly isListed?: true;
}

/** In the order they run: what says most comes first. */
export const SUITES: readonly Suite[] = [
  { file: 'test/load.test.ts', why: 'the verifier' },
  { file: 'test/doctor.test.ts', why: 'what doctor says of the kernel', isListed: true },
  { file: 'test/devices.test.ts', why: 'real devices: tunnels, tags, WireGuard', isListed: true },
  { file: 'test/netem.test.ts', why: 'a cable that loses, repeats, reorders', isListed: true },
  {
    file: 'test/measure-netem.test.ts',
    why: 'what is measured of such a cable, with delay and jitter',
    isListed: true,
  },
  { file: 'test/sequence.test.ts', why: 'the account of sequence numbers: the verifier, and under a lock' },
  { file: 'test/sequence-place.test.ts', why: 'sequence numbers in pages of a packet and in super-packets' },
  { file: 'test/tcp.test.ts', why: 'TCP: the verifier, and under a lock, against a model' },
  { file: 'test/connection-state.test.ts', why: 'connections and round trips, likewise' },
  { file: 'src/bpf/object.test.ts', why: 'loading, constants, test runs' },
  { file: 'src/bpf/map.test.ts', why: 'map operations, batches, maps of maps' },
  { file: 'src/bpf/ring.test.ts', why: 'ring buffer' },
  { file: 'src/bpf/tracing.test.ts', why: 'tracepoints and iterators' },
  { file: 'src/bpf/layout.test.ts', why: 'the BTF that the kernel gives back' },
  { file: 'src/bpf/link.test.ts', why: 'tcx and clsact' },
  { file: 'src/bpf/counters.test.ts', why: 'counters of interfaces and their queues' },
  { file: 'test/kernel-wire.test.ts', why: 'super-packets in the programs' },
  {
    file: 'test/kernel-lies.test.ts',
    why: 'lying headers in the programs (the same parser: little news)',
    isSlow: true,
  },
  { file: 'test/kernel-tunnels.test.ts', why: 'bare packets, pieces of packets, optional tunnels' },
  { file: 'test/scattered.test.ts', why: 'headers in pages of a packet', isSlow: true },
  { file: 'test/kernel-maps.test.ts', why: "the meter's maps, and epochs under load" },
  { file: 'test/kernel.test.ts', why: 'combinations of headers (under emulation every 37th)' },
  { file: 'test/kernel-random.test.ts', why: 'random packets (the same parser: little news)', isSlow: true },
  { file: 'test/vnet-gateway-frames.test.ts', why: 'the gateway: the verifier, tags within frames' },
  { file: 'test/vnet-gateway-devices.test.ts', why: 'the gateway before real VLAN devices', isSlow: true },
  {
    file: 'test/vnet-bridge-tunnels.test.ts',
    why: 'the distributed bridge over VXLAN and GRE',
    isSlow: true,
    isListed: true,
  },
  { file: 'test/interfaces.test.ts', why: 'interfaces that come and go' },
  { file: 'test/guest.test.ts', why: 'beside programs of others' },
  { file: 'test/sockets.test.ts', why: "the kernel's own TCP sockets, against ss", isSlow: true },
  { file: 'test/flip.test.ts', why: 'flips under a flood over veth' },
  { file: 'test/audit.test.ts', why: "the interfaces' own counters against the hooks", isSlow: true },
  { file: 'test/lab-gateway.test.ts', why: 'the gateway behind real 802.1Q devices', isSlow: true },
  { file: 'test/lab-truth.test.ts', why: 'the whole stack: VXLAN, bridges, offloads', isSlow: true },
];

/** Files or kinds of files that do not run there, and why. */
export const LEFT_OUT: readonly Suite[] = [
  { file: 'src/bpf/error.test.ts, src/{export,flow,live,serve,terminal,wire}', why: 'no kernel in them' },
  { file: 'src/meter/interfaces.test.ts', why: 'a pure function' },
  {
    file: 'src/lab',
    why: 'the namespaces are made by test/lab-truth.test.ts too; many processes, which are slow',
  },
  { file: 'test/cli.test.ts', why: 'dozens of processes, seconds each; what they do is in other suites' },
  {
    file: 'test/{corpus,read,tunnels,two-targets}.test.ts',
    why: 'captures, or the parser in two forms: no other news from another kernel',
  },
  { file: 'test/vm.test.ts', why: 'starts other kernels itself' },
  { file: 'test/demo.test.ts, web', why: 'a browser, minutes under emulation; no kernel in it' },
  { file: 'test/architecture.test.ts, tools', why: 'about the sources' },
];
