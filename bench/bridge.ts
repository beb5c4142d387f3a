/** The distributed bridge against the kernel's own VXLAN device and bridge, between the same two hosts. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Benchmark, type BenchmarkOptions, type Figure, median, pairwise } from './figure.ts';
import { ip, Namespaces } from './namespaces.ts';

const run = promisify(execFile);
const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const PORT = '5201';
/** Clock ticks of /proc/stat per second: USER_HZ. */
const TICKS = 100;

/** By what a tenant of one host reaches one of the other; the number is its VNI and its subnet. */
const WAYS = { kernel: 1, bridge: 2, direct: 3 } as const;
type Way = keyof typeof WAYS;
const WORDS: Readonly<Record<Way, string>> = {
  kernel: 'the kernel’s vxlan and Linux bridge',
  bridge: 'BPF bridge, tenant behind a Linux bridge',
  direct: 'BPF bridge, tenant at it',
};
const OFFLOADS = ['tso', 'gso', 'gro'] as const;

/** One second of TCP: what came, and the processor time of the whole machine that it took. */
interface Round {
  readonly gigabits: number;
  /** Seconds of one processor per gigabit. */
  readonly cost: number;
}

export const bridge: Benchmark = {
  name: 'bridge',
  method:
    'iperf3, one TCP connection between tenants of two hosts, which are namespaces with a veth pair between them; sender on CPU 0, ' +
    'receiver on CPU 1. All ways stand at the same time; rounds of one second in rotating order. Segmentation offload on and off at ' +
    'the tenants’ and the hosts’ interfaces. “figure” is the best round, “ratio” that to the best of the kernel’s own way: load of others takes throughput ' +
    'away and never adds any. Cost is processor time of the whole machine per gigabit that came, where less is better.',
  async run({ quick, progress }: BenchmarkOptions): Promise<readonly Figure[]> {
    const rounds = quick ? 4 : 20;
    await using scene = await Scene.build();
    const figures: Figure[] = [];
    for (const offload of ['on', 'off'] as const) {
      scene.setOffload(offload);
      const results: Record<Way, Round[]> = { kernel: [], bridge: [], direct: [] };
      const ways = Object.keys(WAYS) as Way[];
      for (const way of ways) await scene.carry(way);
      for (let round = 0; round < rounds; round++) {
        progress(`offload ${offload}, round ${round + 1} of ${rounds}`);
        for (let i = 0; i < ways.length; i++) {
          const way = ways[(i + round) % ways.length]!;
          results[way].push(await scene.carry(way));
        }
      }
      for (const way of ways) figures.push(...describe(way, offload, results));
    }
    return figures;
  },
};

function describe(
  way: Way,
  offload: 'on' | 'off',
  results: Readonly<Record<Way, readonly Round[]>>,
): readonly Figure[] {
  const gigabits = results[way].map((round) => round.gigabits);
  const costs = results[way].map((round) => round.cost);
  const base = results.kernel.map((round) => round.gigabits);
  const baseCosts = results.kernel.map((round) => round.cost);
  const name = `${WORDS[way]}, offload ${offload}`;
  const most = Math.max(...gigabits);
  const least = Math.min(...costs);
  const isOurs = way !== 'kernel';
  const paired = median(pairwise(gigabits, base, (value, kernel) => value / kernel));
  const pairedCost = median(pairwise(costs, baseCosts, (value, kernel) => value / kernel));
  return [
    {
      name,
      unit: 'Gbit/s',
      figure: most,
      median: median(gigabits),
      rounds: gigabits.length,
      ...(isOurs && {
        floor: Math.max(...base),
        ratio: most / Math.max(...base),
        target: { of: 'ratio' as const, atLeast: 1 },
        note: `median over rounds of this / the kernel’s: ${paired.toFixed(2)}`,
      }),
    },
    {
      name: `${name}: cost`,
      unit: 's/Gbit',
      figure: least,
      median: median(costs),
      rounds: costs.length,
      ...(isOurs && {
        floor: Math.min(...baseCosts),
        ratio: least / Math.min(...baseCosts),
        note: `median over rounds of this / the kernel’s: ${pairedCost.toFixed(2)}`,
      }),
    },
  ];
}

/** Two hosts with a tenant for each way, until disposed. */
class Scene implements AsyncDisposable {
  readonly #namespaces = new Namespaces();
  readonly #directory = mkdtempSync(join(tmpdir(), 'tsbench-bridge-'));
  readonly #children: ChildProcess[] = [];
  readonly #hosts: string[] = [];
  readonly #tenants: Record<Way, string>[] = [];

  static async build(): Promise<Scene> {
    const scene = new Scene();
    try {
      scene.#lay();
      for (const i of [0, 1] as const) await scene.#startBridge(i);
      for (const way of Object.keys(WAYS) as Way[]) scene.#listen(way);
      for (const way of Object.keys(WAYS) as Way[]) await scene.#reach(way);
      return scene;
    } catch (error) {
      await scene[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Segmentation and aggregation at every interface that has them. */
  setOffload(state: 'on' | 'off'): void {
    const words = OFFLOADS.flatMap((feature) => [feature, state]);
    const everywhere = [...this.#hosts, ...this.#tenants.flatMap((each) => Object.values(each))];
    for (const namespace of everywhere) {
      const links = JSON.parse(ip('-n', namespace, '-j', 'link', 'show')) as { ifname: string }[];
      for (const { ifname } of links)
        if (ifname !== 'lo')
          // Not every device has each of them; what it has is set.
          try {
            execFileSync('ip', ['netns', 'exec', namespace, 'ethtool', '-K', ifname, ...words], {
              stdio: 'ignore',
            });
          } catch {}
    }
  }

  /** A second of TCP by that way. */
  async carry(way: Way): Promise<Round> {
    const words = ['iperf3', '-c', addressOf(way, 1), '-p', PORT, '-A', '0,1', '-J', '-t', '1'];
    const before = busySeconds();
    const { stdout } = await run('ip', ['netns', 'exec', this.#tenants[0]![way], ...words], {
      timeout: 15_000,
    });
    const seconds = busySeconds() - before;
    const { bytes } = (JSON.parse(stdout) as { end: { sum_received: { bytes: number; seconds: number } } })
      .end.sum_received;
    const gigabits = (bytes * 8) / 1e9;
    return { gigabits, cost: seconds / gigabits };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    }
    this.#namespaces[Symbol.dispose]();
    rmSync(this.#directory, { recursive: true });
  }

  #lay(): void {
    this.#hosts.push(this.#namespaces.add('host0'), this.#namespaces.add('host1'));
    const [first, second] = this.#hosts as [string, string];
    ip('-n', first, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', second);
    for (const [i, host] of this.#hosts.entries()) {
      ip('-n', host, 'address', 'add', `192.0.2.${1 + i}/24`, 'dev', 'eth0');
      ip('-n', host, 'link', 'set', 'eth0', 'up');
      const tenants = {} as Record<Way, string>;
      for (const way of Object.keys(WAYS) as Way[]) {
        const tenant = this.#namespaces.add(`${way}${i}`);
        tenants[way] = tenant;
        const port = `t${WAYS[way]}`;
        ip(
          '-n',
          tenant,
          'link',
          'add',
          'eth0',
          'mtu',
          '1450',
          'type',
          'veth',
          'peer',
          'name',
          port,
          'netns',
          host,
        );
        ip('-n', host, 'link', 'set', port, 'mtu', '1450', 'up');
        ip('-n', tenant, 'address', 'add', `${addressOf(way, i)}/24`, 'dev', 'eth0');
        ip('-n', tenant, 'link', 'set', 'eth0', 'up');
        if (way === 'direct') continue;
        const name = `br${WAYS[way]}`;
        ip('-n', host, 'link', 'add', name, 'mtu', '1450', 'type', 'bridge', 'mcast_snooping', '0');
        ip('-n', host, 'link', 'set', port, 'master', name);
        ip('-n', host, 'link', 'set', name, 'up');
      }
      this.#tenants.push(tenants);
      // A port of its own: that of the BPF bridge's device is the usual one.
      const ends = ['local', `192.0.2.${1 + i}`, 'remote', `192.0.2.${2 - i}`, 'dev', 'eth0'];
      ip(
        '-n',
        host,
        'link',
        'add',
        'vx1',
        'mtu',
        '1450',
        'type',
        'vxlan',
        'id',
        '1',
        'dstport',
        '4790',
        ...ends,
      );
      ip('-n', host, 'link', 'set', 'vx1', 'master', 'br1', 'up');
    }
  }

  async #startBridge(i: 0 | 1): Promise<void> {
    const path = join(this.#directory, `bridge-${i}.yaml`);
    const lines = [
      'mode: mesh',
      `underlay: { device: eth0, address: 192.0.2.${1 + i} }`,
      `peers: [192.0.2.${2 - i}]`,
      'segments:',
      '  - { vni: 2, bridge: br2 }',
      '  - { vni: 3, ports: [t3] }',
    ];
    writeFileSync(path, `${lines.join('\n')}\n`);
    const words = ['vnet', 'bridge', 'run', '--config', path, '--name', `tsbench-${process.pid}-${i}`];
    const child = spawn(process.execPath, [CLI, ...words, '--netns', this.#hosts[i]!], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#children.push(child);
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: false }))
      if (String(chunk).includes('forwards')) {
        child.stdout.resume();
        return;
      }
    throw new Error('bridge: it ended before it forwarded');
  }

  #listen(way: Way): void {
    const words = ['netns', 'exec', this.#tenants[1]![way], 'iperf3', '-s', '-p', PORT];
    this.#children.push(spawn('ip', words, { stdio: 'ignore' }));
  }

  /** Resolves when the other end answers and listens. */
  async #reach(way: Way): Promise<void> {
    const [near, far] = [this.#tenants[0]![way], this.#tenants[1]![way]];
    ip('netns', 'exec', near, 'ping', '-q', '-c', '1', '-W', '5', addressOf(way, 1));
    const words = ['netns', 'exec', far, 'ss', '-Hltn', `sport = :${PORT}`];
    for (const deadline = performance.now() + 5000; performance.now() < deadline; )
      if ((await run('ip', words)).stdout !== '') return;
    throw new Error('bridge: iperf3 does not listen');
  }
}

function addressOf(way: Way, host: number): string {
  return `198.51.${100 + WAYS[way]}.${1 + host}`;
}

/** Processor time that the machine has spent on anything since it started, seconds. */
function busySeconds(): number {
  const [, ...ticks] = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.trim().split(/\s+/);
  const [user, nice, system, , , irq, softirq] = ticks.map(Number);
  return (user! + nice! + system! + irq! + softirq!) / TICKS;
}
