/**
 * A gateway between clients behind a switch and workers, in namespaces, as an operator has it: the command runs it, files
 * say what it does. All workers have one address, and all clients.
 *
 *     c1 eth0 ── p1 ┐                                    ┌ veth1 ── eth0 w1
 *     c2 eth0 ── p2 ┼ switch, tags  trunk ── eth0  gateway ┼ veth2 ── eth0 w2
 *     c3 eth0 ── p3 ┘                                    └ veth3 ── eth0 w3
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Workshop } from '../bench/build.ts';
import { ask, placeOf } from '../src/daemon/index.ts';
import type { VirtualGateway } from '../src/query/index.ts';
import { VNET } from '../src/vnet/index.ts';
import { until } from './until.ts';

export const GATEWAY = 'tsgw-gw';
export const SWITCH = 'tsgw-sw';
const COUNT = 3;
export const client = (i: number): string => `tsgw-c${i}`;
export const worker = (i: number): string => `tsgw-w${i}`;
export const clientMac = (i: number): string => `02:00:00:00:00:0${i}`;
export const workerMac = (i: number): string => `02:00:00:00:01:0${i}`;
export const CLIENT_ADDRESS = '172.16.1.100';
export const WORKER_ADDRESS = '172.16.1.5';
/** Of the instance; pins of all instances of the machine lie in one directory. */
export const NAME = 'tsgw-test';
export const PINS = `/sys/fs/bpf/tunnelscope/vnet/${NAME}`;

const NAMESPACES = [GATEWAY, SWITCH, ...[1, 2, 3].flatMap((i) => [client(i), worker(i)])];
const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const SWITCH_PROGRAM = fileURLToPath(new URL('vlan-switch.ts', import.meta.url));

/** A tag as the switch puts it on. */
export interface SwitchTag {
  readonly vid: number;
  readonly pcp: number;
  readonly dei: boolean;
  readonly protocol: number;
}

export const tag = (vid: number, more: Partial<SwitchTag> = {}): SwitchTag => ({
  vid,
  pcp: 0,
  dei: false,
  protocol: 0x8100,
  ...more,
});

/** A frame on the trunk, as tshark reads it. */
export interface TrunkFrame {
  readonly source: string;
  readonly destination: string;
  readonly tags: readonly SwitchTag[];
  readonly octets: number;
  readonly protocols: string;
}

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export function inside(namespace: string, ...words: string[]): string {
  return ip('netns', 'exec', namespace, ...words);
}

function removeNamespaces(): void {
  const there = ip('netns', 'list');
  for (const name of NAMESPACES) if (new RegExp(`^${name}\\b`, 'm').test(there)) ip('netns', 'del', name);
}

function makePair([name, device]: readonly [string, string], [other, port]: readonly [string, string]): void {
  ip('-n', name, 'link', 'add', device, 'type', 'veth', 'peer', 'name', port, 'netns', other);
  // It does not ask again after some seconds whether a neighbour is there still: such a frame would miss a capture's end.
  inside(name, 'sysctl', '-qw', `net.ipv4.neigh.${device}.delay_first_probe_time=3600`);
  ip('-n', name, 'link', 'set', device, 'up');
  ip('-n', other, 'link', 'set', port, 'up');
}

/** Namespaces, a switch and a place for files; dispose it to end all. */
export class GatewayScene implements AsyncDisposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'tsgw-'));
  readonly config: string = join(this.directory, 'gateway.yaml');
  readonly #workshop = new Workshop();
  readonly #children = new Set<ChildProcess>();
  #switch: ChildProcess | undefined;
  #answers: AsyncIterator<string> | undefined;
  #running: ChildProcess | undefined;

  /** Makes the namespaces; the switch puts no tags on yet. */
  static async open(): Promise<GatewayScene> {
    const scene = new GatewayScene();
    removeNamespaces();
    for (const name of NAMESPACES) {
      ip('netns', 'add', name);
      const ipv6 = ['all', 'default'].map((each) => `net.ipv6.conf.${each}.disable_ipv6=1`);
      inside(name, 'sysctl', '-qw', ...ipv6);
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    makePair([GATEWAY, 'eth0'], [SWITCH, 'trunk']);
    for (let i = 1; i <= COUNT; i++) {
      makePair([client(i), 'eth0'], [SWITCH, `p${i}`]);
      ip('-n', client(i), 'link', 'set', 'eth0', 'address', clientMac(i));
      ip('-n', client(i), 'addr', 'add', `${CLIENT_ADDRESS}/24`, 'dev', 'eth0');
      scene.makeWorker(i);
    }
    await scene.#startSwitch();
    return scene;
  }

  makeWorker(i: number): void {
    makePair([worker(i), 'eth0'], [GATEWAY, `veth${i}`]);
    ip('-n', worker(i), 'link', 'set', 'eth0', 'address', workerMac(i));
    ip('-n', worker(i), 'addr', 'add', `${WORKER_ADDRESS}/24`, 'dev', 'eth0');
  }

  /** Has the frames of a client carry these tags from now on, and those with them reach it. */
  async setTags(i: number, ...tags: SwitchTag[]): Promise<void> {
    this.#switch!.stdin!.write(`${JSON.stringify({ place: i - 1, port: `p${i}`, tags })}\n`);
    assert.equal((await this.#answers!.next()).value, 'set');
  }

  /** Starts a process that ends with the scene. */
  spawn(command: string, words: readonly string[], options: { quiet?: boolean } = {}): ChildProcess {
    const child = spawn(command, words, {
      stdio: ['pipe', 'pipe', options.quiet ? 'pipe' : 'inherit'],
      env: this.environment,
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, RUNTIME_DIRECTORY: join(this.directory, 'run') };
  }

  /** Writes the gateway's file. */
  write(config: object): void {
    writeFileSync(this.config, JSON.stringify({ trunk: 'eth0', ...config }, undefined, 2));
  }

  /** Runs a command line to its end. */
  async run(...words: string[]): Promise<Ended> {
    const child = this.spawn(process.execPath, [CLI, 'vnet', ...words], { quiet: true });
    const closed = once(child, 'close') as Promise<[number | null]>;
    const [out, err, [code]] = await Promise.all([text(child.stdout!), text(child.stderr!), closed]);
    return { code, out, err };
  }

  /** Starts the gateway by its file; resolves when it forwards. @returns its process, and lines as it says them, complaints too */
  async start(...words: string[]): Promise<ChildProcess & { said: string[] }> {
    const run = ['vnet', 'gateway', 'run', '--config', this.config, '--name', NAME, '--netns', GATEWAY];
    const child = this.spawn(process.execPath, [CLI, ...run, ...words], { quiet: true });
    this.#running = child;
    const said: string[] = [];
    for (const input of [child.stdout!, child.stderr!])
      createInterface({ input }).on('line', (line) => said.push(line));
    await until(
      () => said.includes(`"${NAME}" forwards`) || child.exitCode !== null,
      'the gateway forwards',
      30_000,
    );
    assert.equal(child.exitCode, null, said.join('\n'));
    return Object.assign(child, { said });
  }

  /** Ends the gateway, if one runs, in order, and looks that nothing is left of it. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running && running.exitCode === null && running.signalCode === null) {
      const ended = once(running, 'exit');
      running.kill('SIGTERM');
      assert.deepEqual(await ended, [0, null]);
    } else await this.run('stop', NAME);
    assert.ok(!existsSync(PINS), 'nothing is pinned');
  }

  /** All that the gateway knows, over its control socket. */
  async show(): Promise<VirtualGateway> {
    process.env.RUNTIME_DIRECTORY = this.environment.RUNTIME_DIRECTORY;
    const answer = await ask(VNET, placeOf(NAME, 'vnet'), 'show');
    assert.equal(answer.kind, 'gateway');
    return answer as VirtualGateway;
  }

  /** Captures the trunk until `read` is asked, which gives all frames. */
  async capture(): Promise<{ count(): number; read(): Promise<TrunkFrame[]> }> {
    const file = join(this.directory, 'trunk.pcap');
    rmSync(file, { force: true });
    const words = ['netns', 'exec', SWITCH, 'tcpdump', '-i', 'trunk', '-U', '--immediate-mode', '-w', file];
    const child = this.spawn('ip', words, { quiet: true });
    let said = '';
    child.stderr!.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until(() => said.includes('listening on'), 'tcpdump listens');
    return {
      count: () => readFrames(file).length,
      read: async () => {
        const ended = once(child, 'exit');
        child.kill('SIGINT');
        await ended;
        return readFrames(file);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [...this.#children].map(async (child) => {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }),
    );
    // What a killed gateway leaves is for "vnet stop" to take away.
    await this.run('stop', NAME);
    for (const child of this.#children) child.kill('SIGKILL');
    removeNamespaces();
    this.#workshop[Symbol.dispose]();
    rmSync(this.directory, { recursive: true });
  }

  async #startSwitch(): Promise<void> {
    const object = this.#workshop.object('test/vlan-switch.bpf.c');
    this.#switch = this.spawn(process.execPath, [SWITCH_PROGRAM, SWITCH, object, 'trunk']);
    this.#answers = createInterface({ input: this.#switch.stdout! })[Symbol.asyncIterator]();
    assert.equal((await this.#answers.next()).value, 'ready');
  }
}

/** Pings the worker's address from a client, or with `from` and `to` from elsewhere. @returns how many were answered */
export function ping(
  from: string,
  { to = WORKER_ADDRESS, count = 2, device = 'eth0' }: { to?: string; count?: number; device?: string } = {},
): number {
  // A question that was in vain would be asked again in a second only.
  inside(from, 'ip', 'neigh', 'flush', 'dev', device);
  const words = ['ping', '-q', '-c', String(count), '-i', '0.05', '-W', '0.5', to];
  let out: string;
  try {
    out = inside(from, ...words);
  } catch (error) {
    out = String((error as { stdout?: string }).stdout);
  }
  return Number(/(\d+) received/.exec(out)?.[1] ?? Number.NaN);
}

const SERVER = `require('node:http').createServer((_, response) => response.end(process.argv[1])).listen(80, () => console.log('listens'))`;

/** Has a worker answer every request with its own name, until the scene ends. */
export async function serve(scene: GatewayScene, i: number): Promise<void> {
  const child = scene.spawn('ip', ['netns', 'exec', worker(i), process.execPath, '-e', SERVER, worker(i)]);
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
  assert.equal(line, 'listens');
}

const REQUESTS = `
  const { get } = require('node:http');
  const ask = () => new Promise((resolve, reject) => {
    get({ host: process.argv[1], agent: false, timeout: 5000 }, (answer) => {
      let body = '';
      answer.on('data', (chunk) => { body += chunk; });
      answer.on('end', () => resolve([answer.statusCode, body]));
    }).on('error', reject).on('timeout', function () { this.destroy(new Error('timeout')); });
  });
  (async () => {
    const answers = [];
    for (let i = 0; i < Number(process.argv[2]); i++) answers.push(await ask());
    console.log(JSON.stringify(answers));
  })();`;

/** Asks a client's worker so many times, each over a connection of its own. @returns status and body of each answer */
export async function request(scene: GatewayScene, i: number, count: number): Promise<[number, string][]> {
  const words = ['netns', 'exec', client(i), process.execPath, '-e', REQUESTS, WORKER_ADDRESS, String(count)];
  const child = scene.spawn('ip', words);
  const closed = once(child, 'close');
  const out = await text(child.stdout!);
  await closed;
  return JSON.parse(out) as [number, string][];
}

/** Sums of a gateway's outcomes by where the frames came from; those for either side are left out. */
export function seen({ outcomes }: VirtualGateway): Record<'trunk' | 'workers', number> {
  const workers = new Set([
    'to-client',
    'flooded',
    'no-vlan',
    'tagged-by-worker',
    'unknown-worker',
    'trunk-absent',
  ]);
  const sums = { trunk: 0, workers: 0 };
  for (const { name, packets } of outcomes) sums[workers.has(name) ? 'workers' : 'trunk'] += packets;
  return sums;
}

/** Packets of an outcome. */
export function outcome({ outcomes }: VirtualGateway, name: string): number {
  const found = outcomes.find((each) => each.name === name);
  assert.ok(found, `there is an outcome ${name}`);
  return found.packets;
}

const FIELDS = [
  'eth.src',
  'eth.dst',
  'vlan.id',
  'vlan.priority',
  'vlan.dei',
  'frame.len',
  'frame.protocols',
  'eth.type',
  'vlan.etype',
  'ieee8021ad.id',
  'ieee8021ad.priority',
  'ieee8021ad.dei',
];

function readFrames(file: string): TrunkFrame[] {
  const words = ['-n', '-r', file, '-T', 'fields', ...FIELDS.flatMap((field) => ['-e', field])];
  const options = { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] } as const;
  const out = execFileSync('tshark', words, options as { encoding: 'utf8' });
  return out.split('\n').slice(0, -1).map(frameOf);
}

function frameOf(line: string): TrunkFrame {
  const [
    source,
    destination,
    vids,
    priorities,
    deis,
    octets,
    protocols,
    type,
    ,
    serviceIds,
    servicePriorities,
    serviceDeis,
  ] = line.split('\t') as string[];
  const tags = (protocol: number, ids = '', pcps = '', marks = ''): SwitchTag[] =>
    ids === ''
      ? []
      : ids.split(',').map((id, i) => ({
          vid: Number(id),
          pcp: Number(pcps.split(',')[i]),
          dei: ['1', 'True'].includes(marks.split(',')[i]!),
          protocol,
        }));
  const service = tags(0x88a8, serviceIds, servicePriorities, serviceDeis);
  const customer = tags(0x8100, vids, priorities, deis);
  return {
    source: source!,
    destination: destination!,
    tags:
      Number(type) === 0x8100 && service.length > 0 ? [...customer, ...service] : [...service, ...customer],
    octets: Number(octets),
    protocols: protocols!,
  };
}
