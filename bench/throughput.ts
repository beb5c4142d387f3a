/** TCP over VXLAN between two namespaces with and without programs at the underlay interface. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { type Benchmark, type BenchmarkOptions, type Figure, median, pairwise } from './figure.ts';
import { interfaceNumber, ip, Namespaces } from './namespaces.ts';
import { MODES, type Mode } from './throughput-thread.ts';

const run = promisify(execFile);
const PORT = '5201';
const OFFLOADS = ['rx', 'tx', 'sg', 'tso', 'gso', 'gro'] as const;

export const throughput: Benchmark = {
  name: 'throughput',
  method:
    'iperf3, one TCP connection over VXLAN over a veth pair between two namespaces, all segmentation offload off, sender ' +
    'on CPU 0 and receiver on CPU 1. Programs at ingress and egress of the receiver’s underlay interface by tcx. Rounds of ' +
    'one second per mode in rotating order. “figure” is the best run and “ratio” that to the best run without a program: load of ' +
    'others takes throughput away and never adds any.',
  async run({ quick, progress }: BenchmarkOptions): Promise<readonly Figure[]> {
    const rounds = quick ? 6 : 24;
    using namespaces = new Namespaces();
    const [client, server] = build(namespaces);
    await using thread = new AttachingThread(server);
    const listener = spawn('ip', ['netns', 'exec', server, 'iperf3', '-s', '-p', PORT], { stdio: 'ignore' });
    const results = Object.fromEntries(MODES.map((mode) => [mode, [] as number[]])) as Record<Mode, number[]>;
    try {
      await listening(server);
      await bitsPerSecond(client);
      for (let round = 0; round < rounds; round++) {
        progress(`round ${round + 1} of ${rounds}`);
        for (let i = 0; i < MODES.length; i++) {
          const mode = MODES[(i + round) % MODES.length]!;
          await thread.attach(mode);
          results[mode].push(await bitsPerSecond(client));
        }
      }
    } finally {
      listener.kill();
    }
    return MODES.map((mode) => describe(mode, results));
  },
};

const WORDS: Readonly<Record<Mode, string>> = {
  none: 'no program',
  floor_empty: 'empty program',
  floor_parse: 'parser without account',
  meter: 'meter',
};

function describe(mode: Mode, results: Readonly<Record<Mode, number[]>>): Figure {
  const values = results[mode].map((bits) => bits / 1e9);
  const base = results.none.map((bits) => bits / 1e9);
  const figure = {
    name: WORDS[mode],
    unit: 'Gbit/s',
    figure: Math.max(...values),
    median: median(values),
    rounds: values.length,
  };
  if (mode === 'none') return figure;
  const paired = median(pairwise(values, base, (value, without) => value / without));
  return {
    ...figure,
    floor: Math.max(...base),
    ratio: Math.max(...values) / Math.max(...base),
    ...(mode === 'meter' && { target: { of: 'ratio' as const, atLeast: 0.92 } }),
    note: `median over rounds of mode / no program: ${paired.toFixed(2)}`,
  };
}

/** Client and server namespace, joined by a veth pair with VXLAN on it. */
function build(namespaces: Namespaces): [client: string, server: string] {
  const ends = [namespaces.add('client'), namespaces.add('server')] as const;
  ip('-n', ends[0], 'link', 'add', 'under', 'type', 'veth', 'peer', 'name', 'under', 'netns', ends[1]);
  ends.forEach((namespace, i) => {
    const [mine, other] = [`192.0.2.${1 + i}`, `192.0.2.${2 - i}`];
    ip('-n', namespace, 'address', 'add', `${mine}/24`, 'dev', 'under');
    ip('-n', namespace, 'link', 'set', 'under', 'up');
    const remote = ['id', '42', 'dstport', '4789', 'local', mine, 'remote', other, 'dev', 'under'];
    ip('-n', namespace, 'link', 'add', 'over', 'type', 'vxlan', ...remote);
    ip('-n', namespace, 'address', 'add', `198.51.100.${1 + i}/24`, 'dev', 'over');
    ip('-n', namespace, 'link', 'set', 'over', 'up');
    const off = OFFLOADS.flatMap((feature) => [feature, 'off']);
    for (const device of ['under', 'over']) {
      execFileSync('ip', ['netns', 'exec', namespace, 'ethtool', '-K', device, ...off], { stdio: 'ignore' });
    }
  });
  return [...ends];
}

/** Resolves when iperf3 accepts connections. */
async function listening(namespace: string): Promise<void> {
  const words = ['netns', 'exec', namespace, 'ss', '-Hltn', `sport = :${PORT}`];
  for (const deadline = performance.now() + 5000; performance.now() < deadline; ) {
    if ((await run('ip', words)).stdout !== '') return;
  }
  throw new Error('throughput: iperf3 does not listen');
}

async function bitsPerSecond(client: string): Promise<number> {
  const words = [
    'netns',
    'exec',
    client,
    'iperf3',
    '-c',
    '198.51.100.2',
    '-p',
    PORT,
    '-A',
    '0,1',
    '-J',
    '-t',
    '1',
  ];
  const { stdout } = await run('ip', words, { timeout: 11_000 });
  return (JSON.parse(stdout) as { end: { sum_received: { bits_per_second: number } } }).end.sum_received
    .bits_per_second;
}

/** The thread in the server's namespace that attaches programs. */
class AttachingThread implements AsyncDisposable {
  readonly #worker: Worker;

  constructor(namespace: string) {
    const workerData = { namespace: `/run/netns/${namespace}`, ifindex: interfaceNumber(namespace, 'under') };
    this.#worker = new Worker(new URL('./throughput-thread.ts', import.meta.url), { workerData });
  }

  /** Takes off what is attached and attaches what `mode` says. */
  async attach(mode: Mode): Promise<void> {
    this.#worker.postMessage(mode);
    await once(this.#worker, 'message');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#worker.postMessage('end');
    await once(this.#worker, 'exit');
  }
}
