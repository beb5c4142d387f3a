/** Hosts on one fabric, each with a distributed bridge and tenants, in network namespaces. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ask, placeOf } from '../src/daemon/index.ts';
import type { VirtualBridge } from '../src/query/index.ts';
import { VNET } from '../src/vnet/index.ts';
import { until } from './until.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const PINS = '/sys/fs/bpf/tunnelscope/vnet';

/** Runs `ip`; what it says of a failure is in the error. */
export function ip(...words: readonly string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Runs a command in a namespace. @returns its output; throws unless it ends with 0 */
export function within(namespace: string, ...words: readonly string[]): string {
  return ip('netns', 'exec', namespace, ...words);
}

/** How the scene is built. */
export interface SceneOptions {
  /** First letters of the names of all its namespaces. */
  readonly prefix: string;
  readonly hosts: number;
  readonly vnis: readonly number[];
  /** Of the underlay. Default 4. */
  readonly family?: 4 | 6;
  /** How tenants get into their segment: through a Linux bridge, or straight. */
  readonly ports: 'bridge' | 'direct';
  /** Of the tenants. Default: what fits into a tunnel over 1500. */
  readonly mtu?: number;
}

/** A bridge that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly name: string;
  /** Lines that it has printed so far. */
  readonly lines: readonly string[];
}

/** A configuration without what the scene knows itself. */
export interface Settings {
  readonly mode?: 'mesh' | 'multicast';
  /** Lines of YAML for the top level. */
  readonly more?: string;
  /** Keys of YAML for each segment, in flow style. */
  readonly segment?: string;
  readonly peers?: readonly number[];
  /** Other ones than those of the scene. */
  readonly vnis?: readonly number[];
}

/** The scene, until it is disposed. */
export class Scene implements AsyncDisposable {
  readonly options: SceneOptions;
  readonly directory: string;
  readonly #running = new Map<number, Running>();
  readonly #errors = new Map<number, string>();

  private constructor(options: SceneOptions) {
    this.options = options;
    this.directory = mkdtempSync(join(tmpdir(), `${options.prefix}-`));
  }

  static build(options: SceneOptions): Scene {
    const scene = new Scene(options);
    const fabric = `${options.prefix}f`;
    ip('netns', 'add', fabric);
    ip('-n', fabric, 'link', 'add', 'br-fabric', 'type', 'bridge', 'mcast_snooping', '0');
    ip('-n', fabric, 'link', 'set', 'br-fabric', 'up');
    for (let host = 0; host < options.hosts; host++) scene.#buildHost(host, fabric);
    return scene;
  }

  host(host: number): string {
    return `${this.options.prefix}h${host}`;
  }

  /** A tenant's namespace: of a host, in one of the segments. */
  tenant(host: number, segment = 0): string {
    return `${this.options.prefix}t${host}s${segment}`;
  }

  /** Of a host on the underlay. */
  address(host: number): string {
    return this.options.family === 6 ? `fd00:16::${100 + host}` : `172.16.1.${100 + host}`;
  }

  /** Of a tenant: the same in all segments. */
  tenantAddress(host: number): string {
    return `10.9.0.${host + 1}`;
  }

  /** Of a tenant, by which it is known to be on that host. */
  mac(host: number, segment = 0): string {
    return `02:00:00:00:0${segment}:0${host}`;
  }

  name(host: number): string {
    return `${this.options.prefix}-${host}`;
  }

  /** The port's interface on a host. */
  device(segment = 0): string {
    return `t${segment}`;
  }

  configuration(host: number, settings: Settings = {}): string {
    const { ports, hosts } = this.options;
    const { mode = 'mesh', more = '', segment = '', peers, vnis = this.options.vnis } = settings;
    const others = peers ?? Array.from({ length: hosts }, (_, each) => each).filter((each) => each !== host);
    const path = join(this.directory, `bridge-${host}.yaml`);
    const group = this.options.family === 6 ? 'ff15::' : '239.1.1.';
    const lines = [
      `mode: ${mode}`,
      `underlay: { device: eth0, address: "${this.address(host)}" }`,
      ...(mode === 'mesh' ? [`peers: [${others.map((each) => `"${this.address(each)}"`).join(', ')}]`] : []),
      'segments:',
      ...vnis.map((vni, i) => {
        const place = ports === 'bridge' ? `bridge: br${i}` : `ports: [${this.device(i)}]`;
        const groups = mode === 'multicast' ? `, group: "${group}${i + 1}"` : '';
        return `  - { vni: ${vni}, ${place}${groups}${segment === '' ? '' : `, ${segment}`} }`;
      }),
      more,
    ];
    writeFileSync(path, `${lines.join('\n')}\n`);
    return path;
  }

  /** Starts the bridge of a host, and waits until it forwards. */
  start(host: number, settings: Settings = {}): Promise<Running> {
    return this.startWith(host, this.configuration(host, settings));
  }

  /** As {@link start}, with a file. */
  async startWith(host: number, config: string): Promise<Running> {
    const name = this.name(host);
    const child = spawn(
      process.execPath,
      [CLI, 'vnet', 'bridge', 'run', '--config', config, '--name', name, '--netns', this.host(host)],
      { env: this.environment, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const lines: string[] = [];
    this.#errors.set(host, '');
    child.stdout.setEncoding('utf8').on('data', (text: string) => lines.push(...text.trimEnd().split('\n')));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors.set(host, this.errors(host) + text);
    });
    const running = { child, name, lines };
    this.#running.set(host, running);
    await until(
      () => {
        assert.equal(child.exitCode, null, `the bridge of host ${host} ended: ${this.errors(host)}`);
        return lines.some((line) => line.endsWith('forwards'));
      },
      `the bridge of host ${host} forwards`,
      60_000,
    );
    return running;
  }

  /** What the last bridge of a host printed to its standard error. */
  errors(host: number): string {
    return this.#errors.get(host) ?? '';
  }

  async startAll(settings: Settings = {}): Promise<void> {
    await Promise.all(Array.from({ length: this.options.hosts }, (_, host) => this.start(host, settings)));
  }

  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, RUNTIME_DIRECTORY: this.directory };
  }

  /** Runs the command line, and gives what it printed. */
  cli(...words: readonly string[]): {
    readonly status: number | null;
    readonly out: string;
    readonly err: string;
  } {
    return this.vnet('bridge', ...words);
  }

  /** The same for all network functions. */
  vnet(...words: readonly string[]): {
    readonly status: number | null;
    readonly out: string;
    readonly err: string;
  } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'vnet', ...words], {
      env: this.environment,
      encoding: 'utf8',
    });
    return { status, out: stdout, err: stderr };
  }

  /** Asks the bridge of a host for all that it knows, without a process of its own. */
  async show(host: number): Promise<VirtualBridge> {
    const name = this.name(host);
    const socket = join(this.directory, 'vnet', `${name}.sock`);
    const answer = await ask(VNET, { ...placeOf(name, 'vnet'), socket }, 'show');
    assert.equal(answer.kind, 'bridge');
    return answer as VirtualBridge;
  }

  /** Packets of an outcome on a host. */
  async outcome(host: number, name: string): Promise<number> {
    const line = (await this.show(host)).outcomes.find((each) => each.name === name);
    assert.ok(line, `there is an outcome ${name}`);
    return line.packets;
  }

  /** Ends the bridge of a host with a signal, and waits for that. */
  async end(host: number, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const running = this.#running.get(host);
    if (running === undefined) return;
    this.#running.delete(host);
    if (running.child.exitCode !== null || running.child.signalCode !== null) return;
    const ended = once(running.child, 'exit');
    running.child.kill(signal);
    await ended;
  }

  /** Whether so many pings from one tenant to another are all answered. */
  pings(from: number, to: number, { segment = 0, count = 2 } = {}): boolean {
    const { status } = spawnSync('ip', [
      ...['netns', 'exec', this.tenant(from, segment), 'ping', '-q', '-n', '-c', String(count), '-i', '0.02'],
      ...['-W', '1', this.tenantAddress(to)],
    ]);
    return status === 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const hosts = [...this.#running.keys()];
    await Promise.all(hosts.map((host) => this.end(host)));
    for (const name of readdirSync('/run/netns'))
      if (name.startsWith(this.options.prefix)) ip('netns', 'del', name);
    rmSync(this.directory, { recursive: true, force: true });
    const pinned = existsSync(PINS) ? readdirSync(PINS) : [];
    assert.deepEqual(
      pinned.filter((name) => name.startsWith(`${this.options.prefix}-`)),
      [],
      'nothing is pinned',
    );
  }

  #buildHost(host: number, fabric: string): void {
    const name = this.host(host);
    const { family = 4, vnis, ports, mtu = family === 6 ? 1430 : 1450 } = this.options;
    ip('netns', 'add', name);
    // Nothing but what a test sends: no router solicitations and the like.
    within(name, 'sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
    ip('-n', name, 'link', 'set', 'lo', 'up');
    ip('-n', name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `h${host}`, 'netns', fabric);
    ip('-n', fabric, 'link', 'set', `h${host}`, 'master', 'br-fabric', 'up');
    if (family === 6) within(name, 'sysctl', '-qw', 'net.ipv6.conf.eth0.disable_ipv6=0');
    const bits = family === 6 ? ['/64', 'nodad'] : ['/24'];
    ip('-n', name, 'addr', 'add', `${this.address(host)}${bits[0]}`, 'dev', 'eth0', ...bits.slice(1));
    ip('-n', name, 'link', 'set', 'eth0', 'up');
    for (const [segment] of vnis.entries()) {
      const tenant = this.tenant(host, segment);
      const device = this.device(segment);
      ip('netns', 'add', tenant);
      within(
        tenant,
        'sysctl',
        '-qw',
        'net.ipv6.conf.all.disable_ipv6=1',
        'net.ipv6.conf.default.disable_ipv6=1',
      );
      ip(
        ...['-n', name, 'link', 'add', device, 'mtu', String(mtu), 'type', 'veth', 'peer', 'name', 'eth0'],
        ...['mtu', String(mtu), 'address', this.mac(host, segment), 'netns', tenant],
      );
      ip('-n', tenant, 'addr', 'add', `${this.tenantAddress(host)}/24`, 'dev', 'eth0');
      ip('-n', tenant, 'link', 'set', 'eth0', 'up');
      ip('-n', name, 'link', 'set', device, 'addrgenmode', 'none', 'up');
      if (ports === 'direct') continue;
      const bridge = `br${segment}`;
      ip('-n', name, 'link', 'add', bridge, 'type', 'bridge', 'mcast_snooping', '0');
      ip('-n', name, 'link', 'set', bridge, 'addrgenmode', 'none', 'up');
      ip('-n', name, 'link', 'set', device, 'master', bridge);
    }
  }
}
