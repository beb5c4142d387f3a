/**
 * What the audit must hold against: two namespaces joined by VXLAN, TCP connections that come and go inside the tunnel and
 * beside it, a flow table that overflows once, an interface that comes and goes. Used by the test, which looks at some
 * packets, and by the benchmark `audit`, which looks at millions and keeps the record.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { LiveView } from '../src/live/index.ts';
import { MeterThread } from '../src/meter/index.ts';
import type { Audit, AuditPoint } from '../src/query/index.ts';
import { until } from './until.ts';

/** Names of the two namespaces. */
export const SENDER = 'tsaudit-a';
/** The other one. */
export const RECEIVER = 'tsaudit-b';
/** Addresses of the receiver inside the tunnel. */
export const OVERLAY = { 4: '10.78.0.2', 6: 'fd78::2' } as const;
/** Its addresses outside of it. */
export const UNDERLAY = { 4: '10.77.0.2', 6: 'fd77::2' } as const;

const PREFIX = { 4: 24, 6: 64 } as const;
const INTERVAL_MS = 200;
/** Epochs after the traffic: what was under way has come, and what differs is persistent. */
const QUIET_EPOCHS = 6;
/** Flows of narrow keys that the table holds: enough for those that the caches before it have no place for, but for a burst. */
const FLOW_CAPACITY = 256;
/** Datagrams of as many flows, sent at once. */
const BURST = 40_000;
/** A window that no queue on the way overflows with: what they drop would widen the bounds. */
const RECEIVE_BUFFER = '4096 65536 131072';

/** Runs `ip`; gives its output. */
export function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8' });
}

/** Runs a command in a namespace; gives its output. */
export function inside(name: string, ...words: string[]): string {
  return ip('netns', 'exec', name, ...words);
}

/** Removes the namespaces, also those that a crash left. */
export function removeScene(): void {
  for (const name of [SENDER, RECEIVER])
    if (new RegExp(`^${name}\\b`, 'm').test(ip('netns', 'list'))) ip('netns', 'del', name);
}

/** Makes the namespaces: veth, VXLAN over one family, on the receiver's side with a bridge. */
export function buildScene(underlay: 4 | 6): void {
  removeScene();
  for (const name of [SENDER, RECEIVER]) {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  inside(RECEIVER, 'sh', '-c', `echo "${RECEIVE_BUFFER}" > /proc/sys/net/ipv4/tcp_rmem`);
  ip('-n', SENDER, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', RECEIVER);
  const at = (address: string, host: number): string => address.replace(/2$/, String(host));
  for (const [name, here, there] of [
    [SENDER, 1, 2],
    [RECEIVER, 2, 1],
  ] as const) {
    addAddress(name, 'eth0', at(UNDERLAY[4], here), 4);
    addAddress(name, 'eth0', at(UNDERLAY[6], here), 6);
    ip('-n', name, 'link', 'set', 'eth0', 'up');
    const ends = ['local', at(UNDERLAY[underlay], here), 'remote', at(UNDERLAY[underlay], there)];
    const tunnel = ['type', 'vxlan', 'id', '5', 'dstport', '4789', 'dev', 'eth0', ...ends];
    ip('-n', name, 'link', 'add', 'vx', ...tunnel);
    ip('-n', name, 'link', 'set', 'vx', 'up');
  }
  ip('-n', RECEIVER, 'link', 'add', 'name', 'br0', 'type', 'bridge');
  ip('-n', RECEIVER, 'link', 'set', 'vx', 'master', 'br0');
  ip('-n', RECEIVER, 'link', 'set', 'br0', 'up');
  for (const [name, device, here] of [
    [SENDER, 'vx', 1],
    [RECEIVER, 'br0', 2],
  ] as const) {
    for (const family of [4, 6] as const) addAddress(name, device, at(OVERLAY[family], here), family);
  }
}

function addAddress(namespace: string, device: string, address: string, family: 4 | 6): void {
  const words = ['addr', 'add', `${address}/${PREFIX[family]}`, 'dev', device];
  ip('-n', namespace, ...words, ...(family === 6 ? ['nodad'] : []));
}

/** Which offloads the devices have. */
export interface Offloads {
  /** TSO and GSO. */
  readonly segmentation: 'on' | 'off';
  readonly gro: 'on' | 'off';
}

/** Sets the offloads of all devices of the scene. */
export function setOffloads({ segmentation, gro }: Offloads): void {
  for (const name of [SENDER, RECEIVER]) {
    inside(name, 'ethtool', '-K', 'eth0', 'tso', segmentation, 'gso', segmentation, 'gro', gro);
    inside(name, 'ethtool', '-K', 'vx', 'tso', segmentation, 'gso', segmentation);
  }
}

/** A meter of all interfaces of a namespace, with its audit. */
export class AuditedNamespace {
  /** What was told as unexplained. */
  readonly told: AuditPoint[] = [];
  /** Epochs in which the flow table overflowed. */
  readonly overflowed: number[] = [];
  readonly #live = new LiveView({ unexplained: (point) => this.told.push(point) });
  readonly #stopping = new AbortController();
  readonly #meter: MeterThread;
  readonly #running: Promise<void>;

  private constructor(meter: MeterThread) {
    this.#meter = meter;
    this.#running = this.#run();
  }

  static async open(namespace: string): Promise<AuditedNamespace> {
    const place = { interfaces: ['*'], hook: 'auto', namespace } as const;
    return new AuditedNamespace(
      await MeterThread.open({ ...place, intervalMs: INTERVAL_MS, flowCapacity: FLOW_CAPACITY }),
    );
  }

  audit(): Audit {
    return this.#live.audit();
  }

  /** One observation point. @throws when it is not there */
  point(interfaceName: string, direction: AuditPoint['direction']): AuditPoint {
    const fits = (each: AuditPoint): boolean =>
      each.interfaceName === interfaceName && each.direction === direction;
    return this.audit().points.find(fits) ?? assert.fail(`${interfaceName} ${direction} is not metered`);
  }

  /** Waits for so many more epochs. */
  async epochs(count: number): Promise<void> {
    const wanted = this.audit().epoch + count;
    await until(() => this.audit().epoch >= wanted, `${count} more epochs`);
  }

  /** Detaches; the audit stays as it was. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#meter[Symbol.asyncDispose]();
  }

  async #run(): Promise<void> {
    for await (const batch of this.#meter.batches({ signal: this.#stopping.signal })) {
      this.#live.write(batch);
      if (this.audit().points.some(({ interval }) => interval.overflow.packets > 0))
        this.overflowed.push(batch.epoch);
    }
  }
}

const SINK = `require('net').createServer((s) => s.resume()).listen(5999, '::', () => console.log('ready'))`;
/** One connection after the other, to each address in turn, until standard input ends; then says how many. */
const SOURCE = `
const addresses = process.argv.slice(1);
const piece = Buffer.alloc(1 << 20);
let ending = false, made = 0;
process.stdin.on('end', () => { ending = true; }).resume();
const next = () => {
  if (ending) { console.log(made); process.exit(0); }
  const s = require('net').connect(5999, addresses[made++ % addresses.length]);
  let left = 4;
  const more = () => { while (left > 0) { left--; if (!s.write(piece)) return; } s.end(); };
  s.on('drain', more).on('connect', more).on('close', next);
};
next();`;
/** A datagram to each of so many ports; a wait after each few lets the queues on the way empty. */
const SPRAY = `
const [address, count] = process.argv.slice(1);
const s = require('dgram').createSocket('udp4');
let sent = 0;
const more = () => {
  for (let i = 0; i < 50 && sent < count; i++) s.send('x', 10000 + sent++, address);
  if (sent < count) setTimeout(more, 1); else s.close();
};
more();`;

function run(namespace: string, script: string, ...words: string[]) {
  return spawn('ip', ['netns', 'exec', namespace, process.execPath, '-e', script, ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

/** What one run of the scene came to. */
export interface SceneResult {
  /** Of the sender and the receiver, as of the last epoch. */
  readonly meters: readonly [AuditedNamespace, AuditedNamespace];
  /** TCP connections made, one after the other. */
  readonly connections: number;
  /** What the devices say they dropped meanwhile; each widens the bounds. */
  readonly dropped: number;
}

/** All combinations of the offloads: as devices come, and with one or the other off. */
export const OFFLOADS: readonly Offloads[] = [
  { segmentation: 'on', gro: 'on' },
  { segmentation: 'off', gro: 'off' },
  { segmentation: 'on', gro: 'off' },
  { segmentation: 'off', gro: 'on' },
];

/** Sends at least so many packets (as on the wire) while an interface comes and goes and the table overflows. */
export async function playScene(offloads: Offloads, leastPackets: number): Promise<SceneResult> {
  setOffloads(offloads);
  const droppedBefore = droppedByDevices();
  const meters = [await AuditedNamespace.open(SENDER), await AuditedNamespace.open(RECEIVER)] as const;
  const [sender] = meters;
  const sink = run(RECEIVER, SINK);
  try {
    await once(sink.stdout, 'data', { signal: AbortSignal.timeout(10_000) });
    const source = run(SENDER, SOURCE, OVERLAY[4], OVERLAY[6], UNDERLAY[4], UNDERLAY[6]);
    const said = text(source.stdout);
    await sender.epochs(2);
    await comeAndGo(sender);
    const [code] = await once(run(SENDER, SPRAY, OVERLAY[4], String(BURST)), 'exit');
    assert.equal(code, 0);
    const sent = (): number => sender.point('eth0', 'egress').sinceStart.expected.most.packets;
    const longMs = 60_000 + leastPackets / 10;
    await until(() => sent() >= leastPackets, `${leastPackets} packets are sent`, longMs);
    source.stdin.end();
    const connections = Number(await said);
    await Promise.all(meters.map((meter) => meter.epochs(QUIET_EPOCHS)));
    return { meters, connections, dropped: droppedByDevices() - droppedBefore };
  } finally {
    sink.kill();
    await once(sink, 'exit');
    for (const meter of meters) await meter.stop();
  }
}

/** A pair of devices appears in the sender, is metered, and goes. */
async function comeAndGo(sender: AuditedNamespace): Promise<void> {
  const isHere = (): boolean =>
    sender.audit().points.some(({ interfaceName, present }) => interfaceName === 'extra0' && present);
  ip('-n', SENDER, 'link', 'add', 'extra0', 'type', 'veth', 'peer', 'name', 'extra1');
  for (const name of ['extra0', 'extra1']) ip('-n', SENDER, 'link', 'set', name, 'up');
  await until(isHere, 'it is metered');
  await sender.epochs(2);
  ip('-n', SENDER, 'link', 'del', 'extra0');
  await until(() => !isHere(), 'it is gone');
}

interface LinkStatistics {
  readonly stats64: Readonly<Record<'rx' | 'tx', { readonly dropped: number }>>;
}

function droppedByDevices(): number {
  return [SENDER, RECEIVER]
    .flatMap((name): LinkStatistics[] => JSON.parse(ip('-n', name, '-j', '-s', 'link', 'show')))
    .reduce((sum, { stats64: { rx, tx } }) => sum + rx.dropped + tx.dropped, 0);
}
