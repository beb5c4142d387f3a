/** What the running agent costs: CPU and resident memory with many active flows. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Workshop } from './build.ts';
import { type Benchmark, type BenchmarkOptions, type Figure, median, minimum } from './figure.ts';
import { vxlanFrame } from './frame.ts';
import { ip, Namespaces } from './namespaces.ts';

const COMMAND: string = fileURLToPath(new URL('../tunnelscope', import.meta.url));
/** Ticks of /proc/<pid>/stat per second (USER_HZ, the same on all machines we build for). */
const TICKS = 100;
const SLICE_SECONDS = 5;

export const agent: Benchmark = {
  name: 'agent',
  method:
    '`tunnelscope monitor` with 1 s epochs on a veth in a namespace of its own, VXLAN frames of N inner flows (16 outer ' +
    'sources, 8 segments, 4 096 inner hosts), each at least once a second. User and system time of the process in slices of ' +
    '5 s, in percent of one core: figure is the least slice, median the middle one. Resident memory (VmRSS) is the most at the end of a slice. “With a viewer”: one client ' +
    'of the page’s event stream at the same time. With `--history` memory is the most it ever was (VmHWM): a transaction is short.',
  async run(options) {
    using workshop = new Workshop();
    const flood = workshop.program('bench/flood.c');
    return [
      ...(await measure(flood, 10_000, options)),
      ...(await measure(flood, 100_000, options)),
      ...(await measureWithHistory(flood, options)),
    ];
  },
};

/** A veth in a namespace of its own. */
function addCable(namespaces: Namespaces): string {
  const namespace = namespaces.add('agent');
  ip('-n', namespace, 'link', 'add', 'tsb0', 'type', 'veth', 'peer', 'name', 'tsb1');
  for (const name of ['tsb0', 'tsb1']) ip('-n', namespace, 'link', 'set', name, 'up');
  return namespace;
}

/** Sends frames of so many flows for a time, each flow once a second and some more. */
function sendFlows(
  flood: string,
  namespace: string,
  { flows, seconds }: { readonly flows: number; readonly seconds: number },
): { readonly sender: Child; readonly rate: number } {
  const rate = Math.ceil(1.25 * flows);
  const words = ['netns', 'exec', namespace, flood, 'tsb1', String(flows), String(rate), String(seconds)];
  const sender = new Child(spawn('ip', words, { stdio: ['pipe', 'ignore', 'inherit'] }));
  sender.child.stdin!.end(vxlanFrame(4, 4).octets);
  return { sender, rate };
}

/** Memory and CPU of an agent that keeps what it meters. */
async function measureWithHistory(flood: string, { quick, progress }: BenchmarkOptions): Promise<Figure[]> {
  const flows = 100_000;
  // Over the bound of some minutes, so that rows are joined too.
  const seconds = quick ? 30 : 150;
  using namespaces = new Namespaces();
  const namespace = addCable(namespaces);
  const directory = mkdtempSync(join(process.env.TMPDIR ?? '/var/tmp', 'tsbench-agent-'));
  try {
    await using running = await Agent.start(namespace, ['--history', directory]);
    const { sender } = sendFlows(flood, namespace, { flows, seconds });
    await using _ = sender;
    progress(`${flows} flows with a history, ${seconds} s`);
    const percents = await running.cpuPercent(seconds / SLICE_SECONDS - 2);
    const { history } = (await (await fetch(`${running.url}api/v1/status`)).json()) as {
      history: { storedUpToMs: number; dropped: { epochs: number } };
    };
    const behindS = (Date.now() - history.storedUpToMs) / 1000;
    if (history.dropped.epochs > 0) throw new Error(`agent: ${history.dropped.epochs} epochs were dropped`);
    return [
      {
        name: '100 k flows with history: resident memory',
        unit: 'MB',
        figure: running.peakOctets() / 1e6,
        target: { of: 'figure', atMost: 350 },
        note: `after ${seconds} s; at the end of a slice at most ${(running.residentOctets / 1e6).toFixed(0)} MB; the store was ${behindS.toFixed(0)} s behind`,
      },
      { name: '100 k flows with history: CPU', unit: '%', ...best(percents) },
    ];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function measure(
  flood: string,
  flows: number,
  { quick, progress }: BenchmarkOptions,
): Promise<Figure[]> {
  // The view's minute must be full before memory has its size.
  const warmupSeconds = quick ? 8 : 70;
  const slices = quick ? 2 : 4;
  using namespaces = new Namespaces();
  const namespace = addCable(namespaces);
  await using running = await Agent.start(namespace);
  const seconds = warmupSeconds + (2 * slices + 2) * SLICE_SECONDS;
  const { sender, rate } = sendFlows(flood, namespace, { flows, seconds });
  await using _ = sender;
  progress(`${flows} flows, ${rate} packets/s, ${seconds} s`);
  await delay(warmupSeconds * 1000);
  const alone = await running.cpuPercent(slices);
  const { flows: seen } = (await (await fetch(`${running.url}api/v1/status`)).json()) as { flows: number };
  const stopping = new AbortController();
  const watching = watch(running.url, stopping.signal);
  const watched = await running.cpuPercent(slices);
  const octets = running.residentOctets;
  const peak = running.peakOctets();
  const bare = bareNodeOctets();
  stopping.abort();
  const answers = await watching;
  const metered = await packetRate(running.url);
  if (seen < flows) throw new Error(`agent: ${seen} of ${flows} flows in the view`);
  const size = `${flows / 1000} k flows`;
  return [
    {
      name: `${size}: CPU`,
      unit: '%',
      ...best(alone),
      ...(flows === 10_000 && { target: { of: 'figure' as const, atMost: 5 } }),
    },
    {
      name: `${size}: CPU with a viewer`,
      unit: '%',
      ...best(watched),
      note: `${answers} answers, ${seen} uniflows, ${Math.round(metered)} of ${rate} packets/s metered in the last 20 epochs`,
    },
    {
      name: `${size}: resident memory`,
      unit: 'MB',
      figure: octets / 1e6,
      floor: bare / 1e6,
      ratio: octets / bare,
      ...(flows === 100_000 && { target: { of: 'figure' as const, atMost: 150 } }),
      note: `most at the end of a slice, after ${seconds} s; peak (VmHWM) ${(peak / 1e6).toFixed(0)} MB; the floor is a bare Node`,
    },
  ];
}

/** Mean of what the view counted per second over its last 20 epochs. */
async function packetRate(url: string): Promise<number> {
  const view = (await (await fetch(`${url}api/v1/view`)).json()) as { history: { packetRate: number }[] };
  const last = view.history.slice(-20);
  return last.reduce((sum, entry) => sum + entry.packetRate, 0) / last.length;
}

/** Resident memory of a Node that does nothing. */
function bareNodeOctets(): number {
  const script = 'process.stdout.write(fs.readFileSync("/proc/self/status"))';
  return kilobytes(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }), 'VmRSS');
}

/** A line of /proc/<pid>/status, in octets. */
function kilobytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)![1]) * 1024;
}

function best(slices: readonly number[]): Pick<Figure, 'figure' | 'median' | 'rounds'> {
  return { figure: minimum(slices), median: median(slices), rounds: slices.length };
}

/** Reads the event stream as a page would; gives the number of answers. */
async function watch(url: string, signal: AbortSignal): Promise<number> {
  let answers = 0;
  try {
    const response = await fetch(`${url}api/v1/stream`, { signal });
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
      answers += part.split('\nevent: ').length - 1 + Number(part.startsWith('event: '));
    }
  } catch (failure) {
    if (!signal.aborted) throw failure;
  }
  return answers;
}

/** A process that is stopped at the latest when it is disposed. */
class Child implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.child = child;
    this.#closed = once(child, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    const ended = await Promise.race([this.#closed.then(() => true), delay(10_000, false, { ref: false })]);
    if (!ended) this.child.kill('SIGKILL');
  }
}

/** A running `tunnelscope monitor`. */
class Agent implements AsyncDisposable {
  readonly url: string;
  /** The most it had resident at the end of any slice. */
  residentOctets = 0;
  readonly #child: Child;

  private constructor(child: Child, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** Resolves when it meters. */
  static async start(namespace: string, more: readonly string[] = []): Promise<Agent> {
    const words = ['monitor', '--netns', namespace, '--iface', 'tsb0', '--listen', '127.0.0.1:0', ...more];
    const child = spawn(COMMAND, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    const owner = new Child(child);
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^Page and API: (\S+)/.exec(line)?.[1];
      if (url !== undefined) {
        child.stdout.resume();
        return new Agent(owner, url.endsWith('/') ? url : `${url}/`);
      }
    }
    await owner[Symbol.asyncDispose]();
    throw new Error('agent: it ended before it was ready');
  }

  /** CPU time per slice in percent of one core. */
  async cpuPercent(slices: number): Promise<number[]> {
    const percents: number[] = [];
    for (let i = 0; i < slices; i++) {
      const began = performance.now();
      const before = this.#ticks();
      await delay(SLICE_SECONDS * 1000);
      const seconds = (performance.now() - began) / 1000;
      this.residentOctets = Math.max(this.residentOctets, kilobytes(this.#status(), 'VmRSS'));
      percents.push((100 * (this.#ticks() - before)) / TICKS / seconds);
    }
    return percents;
  }

  /** Most memory it ever had resident. */
  peakOctets(): number {
    return kilobytes(this.#status(), 'VmHWM');
  }

  #status(): string {
    return readFileSync(`/proc/${this.#child.child.pid}/status`, 'utf8');
  }

  #ticks(): number {
    const stat = readFileSync(`/proc/${this.#child.child.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}
