/** Running a program on a packet of one's own, without an interface (BPF_PROG_TEST_RUN). */
import { kernelError } from './error.ts';
import { libbpf, OptionStruct, runOnPool } from './libbpf.ts';
import type { BpfProgram } from './program.ts';

/** What the program gets to see. */
export type TestRunOptions = {
  /** The packet from its Ethernet header on; the kernel wants at least 14 octets. */
  readonly packet: Uint8Array;
  /** How often the program runs on it in a row (default 1); the packet is not reset in between. */
  readonly repeat?: number;
  /** The start of a `struct __sk_buff` (or `xdp_md`) with members that the kernel lets one set, e.g. mark, ifindex, gso_size. */
  readonly context?: Uint8Array;
  /** Room for the packet that the program leaves behind, in octets; without it no packet comes back. */
  readonly capacity?: number;
};

/** What the program returned, how long a run took on average, and the packet it left when `capacity` was given. */
export type TestRunResult = {
  readonly retval: number;
  readonly durationNs: number;
  readonly packet?: Uint8Array;
};

/** Runs a program and waits for it on this thread. @throws BpfError `BPF_RUN`, e.g. when the packet outgrew `capacity`. */
export function testRun(program: BpfProgram, options: TestRunOptions): TestRunResult {
  const attempt = prepare(options);
  return attempt.conclude(program, libbpf().testRun(program.fd, attempt.struct.bytes));
}

/** `testRun` on a thread of the pool: for many repetitions, or for two programs at a time. */
export async function testRunAsync(program: BpfProgram, options: TestRunOptions): Promise<TestRunResult> {
  const attempt = prepare(options);
  // The struct keeps the buffers whose addresses it holds, and `attempt` keeps the struct until the result is read.
  const result = await runOnPool(libbpf().testRun, [program.fd, attempt.struct.bytes]);
  return attempt.conclude(program, result);
}

function prepare(options: TestRunOptions): {
  struct: OptionStruct;
  conclude: (program: BpfProgram, result: number) => TestRunResult;
} {
  const { packet, context, capacity } = options;
  const left = capacity === undefined ? undefined : new Uint8Array(capacity);
  const struct = new OptionStruct('testRun', {
    data_in: packet,
    data_size_in: packet.byteLength,
    data_out: left,
    data_size_out: capacity,
    ctx_in: context,
    ctx_size_in: context?.byteLength,
    repeat: options.repeat ?? 1,
  });
  const conclude = (program: BpfProgram, result: number): TestRunResult => {
    if (result < 0) {
      throw kernelError('BPF_RUN', result, {
        action: `run the program ${program.name} on a packet of ${packet.byteLength} octets`,
        remedy: 'the packet needs an Ethernet header, and capacity for what the program makes of it',
      });
    }
    const numbers = { retval: struct.read('retval'), durationNs: struct.read('duration') };
    return left === undefined
      ? numbers
      : { ...numbers, packet: left.subarray(0, struct.read('data_size_out')) };
  };
  return { struct, conclude };
}
