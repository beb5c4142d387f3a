/** The gateway: ns per packet of its programs, and packets per second through it, against programs that only redirect. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';
import { BpfObject, testRun } from '../src/bpf/index.ts';
import { encodeClient, encodeSettings, encodeWorker, indexKey, macKey } from '../src/vnet/gateway-table.ts';
import { packet } from '../src/wire/index.ts';
import { Workshop } from './build.ts';
import { type Benchmark, type BenchmarkOptions, type Figure, median, minimum, pairwise } from './figure.ts';
import { MODES, type Mode, type ThreadWords } from './gateway-thread.ts';
import { interfaceNumber, ip, Namespaces } from './namespaces.ts';

const VID = 5;
const MANY = 4096;
const LOOPBACK = 1;
const PAYLOAD = 46;
const SETTINGS = { ageingMs: 3_600_000, moves: { limit: 5, periodMs: 10_000 } };
const WORKER_MAC = '02:00:00:00:01:01';

export const gateway: Benchmark = {
  name: 'gateway',
  method:
    'ns: BPF_PROG_TEST_RUN, interleaved rounds; “figure” is the difference of the minima to the floor’s, “median” the middle of the ' +
    'differences round by round, “floor” a program that only redirects, or that pushes, pops and redirects. Packets per second: ' +
    'small tagged frames, sent by one thread through trunk, program and a worker’s veth, received there; the whole way is ' +
    'in the figure. Best of all rounds; “floor” and “ratio” are of programs that only redirect.',
  async run(options) {
    using workshop = new Workshop();
    const object = workshop.object('bench/gateway.bpf.c');
    return [
      ...ownCost(object, 1, options),
      ...ownCost(object, MANY, options),
      ...(await throughput(object, workshop.program('bench/flood.c'), options)),
    ];
  },
};

/** `02:00:00:00:HH:LL` of a number. */
function clientMac(number: number): string {
  const octets = [number >> 8, number & 0xff].map((octet) => octet.toString(16).padStart(2, '0'));
  return `02:00:00:00:${octets.join(':')}`;
}

const PAIRS = [
  ['from the trunk', 'gateway_in', 'tag_in', 6],
  ['from a worker', 'gateway_out', 'tag_out', 0],
] as const;

function ownCost(path: string, clients: number, { quick, progress }: BenchmarkOptions): Figure[] {
  using object = BpfObject.openFile(path);
  object.setConstant('last_client', clients - 1);
  object.load();
  fill(object, clients);
  const rounds = quick ? 20 : 100;
  const figures: Figure[] = [];
  for (const [words, program, twin, offset] of PAIRS) {
    progress(`${words}, clients: ${clients}`);
    const octets = packet()
      .eth({ source: WORKER_MAC, destination: WORKER_MAC })
      .ipv4()
      .udp()
      .payload(PAYLOAD)
      .build();
    octets.set(macKey(clientMac(0)).subarray(0, 6), offset);
    const names = [program, twin, 'redirect_only'] as const;
    const runs: number[][] = names.map(() => []);
    for (let round = 0; round < rounds; round++)
      for (let i = 0; i < names.length; i++) {
        const which = (i + round) % names.length;
        const { durationNs } = testRun(object.program(names[which]!), { packet: octets, repeat: 50_000 });
        runs[which]!.push(durationNs);
      }
    const [own, tagging, redirecting] = runs as [number[], number[], number[]];
    const who = clients === 1 ? 'one client' : `${clients} clients in turn`;
    figures.push(
      difference(`${words}, ${who}: above redirect, tag and all`, own, redirecting, rounds),
      difference(`${words}, ${who}: above push, pop and redirect`, own, tagging, rounds),
    );
  }
  return figures;
}

function difference(
  name: string,
  values: readonly number[],
  floors: readonly number[],
  rounds: number,
): Figure {
  return {
    name,
    unit: 'ns',
    figure: minimum(values) - minimum(floors),
    median: median(pairwise(values, floors, (value, floor) => value - floor)),
    rounds,
    floor: minimum(floors),
  };
}

/** Clients of the loopback interface, all with their VLAN for what comes from the worker. */
function fill(object: BpfObject, clients: number): void {
  object.map('settings').update(indexKey(0), encodeSettings(SETTINGS));
  object.map('workers').update(indexKey(LOOPBACK), encodeWorker(LOOPBACK, []));
  for (let i = 0; i < clients; i++) {
    const row = {
      mac: clientMac(i),
      worker: 'lo',
      tags: [{ vid: VID, pcp: 0, dei: false, protocol: 0x8100 }],
      isFixed: false,
      allowed: undefined,
      isAdded: false,
      slot: i,
      workerIndex: LOOPBACK,
      trunkIndex: LOOPBACK,
    };
    object.map('clients').update(macKey(row.mac), encodeClient(row));
  }
}

/** What is sent from where to where. */
interface Way {
  readonly words: string;
  readonly from: readonly [namespace: string, device: string];
  readonly to: readonly [namespace: string, device: string];
  readonly frame: Uint8Array;
}

async function throughput(
  object: string,
  flood: string,
  { quick, progress }: BenchmarkOptions,
): Promise<Figure[]> {
  const rounds = quick ? 2 : 5;
  const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-bench-'));
  const config = join(directory, 'gateway.yaml');
  const mac = clientMac(1);
  writeFileSync(config, `trunk: trunk\nclients: [{ mac: "${mac}", worker: worker, default: ${VID} }]\n`);
  using namespaces = new Namespaces();
  const [outside, middle, inside] = ['outside', 'middle', 'inside'].map((name) => namespaces.add(name)) as [
    string,
    string,
    string,
  ];
  joinBy(outside, middle, 'trunk');
  joinBy(inside, middle, 'worker');
  const ways: Way[] = [
    {
      words: 'from the trunk',
      from: [outside, 'trunk'],
      to: [inside, 'worker'],
      frame: frameOf(mac, WORKER_MAC, true),
    },
    {
      words: 'from a worker',
      from: [inside, 'worker'],
      to: [outside, 'trunk'],
      frame: frameOf(WORKER_MAC, mac, false),
    },
  ];
  const words: ThreadWords = {
    namespace: `/run/netns/${middle}`,
    object,
    config,
    name: `bench-${process.pid}`,
    trunk: interfaceNumber(middle, 'trunk'),
    worker: interfaceNumber(middle, 'worker'),
  };
  const rates = ways.map(() => ({ redirect: [] as number[], gateway: [] as number[] }));
  const thread = new Worker(new URL('./gateway-thread.ts', import.meta.url), { workerData: words });
  try {
    for (let round = 0; round < rounds; round++) {
      progress(`packets per second, round ${round + 1} of ${rounds}`);
      for (let i = 0; i < MODES.length; i++) {
        const mode: Mode = MODES[(i + round) % MODES.length]!;
        thread.postMessage(mode);
        await once(thread, 'message');
        for (const [which, way] of ways.entries()) rates[which]![mode].push(await rateOf(flood, way));
      }
    }
  } finally {
    thread.postMessage('end');
    await once(thread, 'exit');
    rmSync(directory, { recursive: true });
  }
  return ways.map((way, i) => rateFigure(way.words, rates[i]!));
}

function rateFigure(words: string, { redirect, gateway: own }: Record<Mode, number[]>): Figure {
  return {
    name: `packets per second ${words}`,
    unit: '/s',
    figure: Math.max(...own),
    median: median(own),
    rounds: own.length,
    floor: Math.max(...redirect),
    ratio: median(pairwise(own, redirect, (value, floor) => value / floor)),
    note: 'ratio: median over rounds of gateway / redirect only',
  };
}

function frameOf(source: string, destination: string, tagged: boolean): Uint8Array {
  const eth = packet().eth({ source, destination });
  return (tagged ? eth.vlan(VID) : eth).ipv4().udp().payload(PAYLOAD).build();
}

/** A veth pair of one name in two namespaces. */
function joinBy(one: string, other: string, name: string): void {
  ip('-n', one, 'link', 'add', name, 'type', 'veth', 'peer', 'name', name, 'netns', other);
  for (const namespace of [one, other]) {
    ip('netns', 'exec', namespace, 'sysctl', '-qw', `net.ipv6.conf.${name}.disable_ipv6=1`);
    ip('-n', namespace, 'link', 'set', name, 'up');
  }
}

/** Sent per run, at once: more in a second than this machine sends. */
const FRAMES = 1_000_000;

async function rateOf(flood: string, { from, to, frame }: Way): Promise<number> {
  const before = received(to);
  const words = ['netns', 'exec', from[0], flood, from[1], '1', String(FRAMES), '1'];
  const begun = performance.now();
  const child = spawn('ip', words, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(frame);
  const ended = once(child, 'exit');
  await text(child.stdout);
  await ended;
  const seconds = (performance.now() - begun) / 1000;
  return (received(to) - before) / seconds;
}

function received([namespace, device]: readonly [string, string]): number {
  const [link] = JSON.parse(ip('-n', namespace, '-s', '-j', 'link', 'show', 'dev', device)) as [
    { stats64: { rx: { packets: number } } },
  ];
  return link.stats64.rx.packets;
}
