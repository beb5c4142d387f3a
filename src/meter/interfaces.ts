/** Which interfaces to meter: what the system says of them, and the choice as a pure function. */
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { DEFAULT_PORTS, PORT_NAMES, type PortName, type TunnelPorts } from '../flow/index.ts';
import { MeterError } from './error.ts';

const run = promisify(execFile);

/** One network interface, as far as the choice depends on it. */
export interface NetworkInterface {
  readonly ifindex: number;
  readonly name: string;
  readonly up: boolean;
  /** `ether`, `loopback`, `none`, … : how its frames begin. */
  readonly linkType: string;
  /** A driver of a bus (pci, virtio, usb, …) stands behind it. */
  readonly hasDriver: boolean;
  readonly hasDefaultRoute: boolean;
  /** The interface it is a port of (bridge, bond), if any. */
  readonly master: string | undefined;
  /** The interface it is stacked on (VLAN, macvlan, vxlan), if any. */
  readonly lower: string | undefined;
  /** What device it is: rtnetlink's kind (`veth`, `vxlan`, `bridge`, …), `loopback`, `hardware`, or empty. */
  readonly kind?: string;
  /** The UDP port by which it sends and receives a tunnel, if it is one. */
  readonly tunnelPort?: TunnelPort | undefined;
  /** Its MTU, octets. */
  readonly mtu?: number | undefined;
}

/** A UDP port that this host uses for a tunnel. */
export interface TunnelPort {
  readonly name: PortName;
  readonly port: number;
}

/** An interface chosen for metering and why. */
export interface ChosenInterface {
  readonly ifindex: number;
  readonly name: string;
  /** Totals count here by default: each packet of the host passes one primary interface per direction. */
  readonly primary: boolean;
  /** Its packets begin with IP: there is no Ethernet header. */
  readonly isBare: boolean;
  /** In words, for the start message. */
  readonly reason: string;
  /** What device it is, as of {@link NetworkInterface}. */
  readonly kind: string;
  readonly mtu?: number | undefined;
}

/**
 * How the user chooses: names or globs (`*`, `?`). A pattern chooses; one that begins with `+` adds to the default
 * choice. Empty: the default choice.
 */
export type InterfacePatterns = readonly string[];

/** Link types, as `ip` names them, whose frames begin with an Ethernet header, and those that begin with IP. */
const ETHERNET_LINK_TYPES: ReadonlySet<string> = new Set(['ether', 'loopback']);
const BARE_LINK_TYPES: ReadonlySet<string> = new Set([
  'none',
  'rawip',
  'ppp',
  'ipip',
  'tunnel6',
  'sit',
  'gre',
  'gre6',
]);

/**
 * Chooses the interfaces to meter.
 *
 * By default those bound to a device driver, and those that carry a default route unless one of the former lies
 * below them (a bond, a bridge, a VLAN: its packets are counted there already).
 */
export function chooseInterfaces(
  all: readonly NetworkInterface[],
  patterns: InterfacePatterns,
): ChosenInterface[] {
  const chosen = new Map<string, ChosenInterface>();
  const primaries = new Map<string, string>();
  for (const each of all) if (each.hasDriver) primaries.set(each.name, 'has a device driver');
  for (const each of all) {
    if (each.hasDefaultRoute && !primaries.has(each.name) && !liesOn(each.name, primaries, all)) {
      primaries.set(each.name, 'carries the default route');
    }
  }
  const choosing = patterns.filter((pattern) => !pattern.startsWith('+'));
  const adding = patterns.filter((pattern) => pattern.startsWith('+')).map((pattern) => pattern.slice(1));
  for (const each of all) {
    const isBare = BARE_LINK_TYPES.has(each.linkType);
    if (!isBare && !ETHERNET_LINK_TYPES.has(each.linkType)) continue;
    const reason = primaries.get(each.name);
    const pattern = [...choosing, ...adding].find((candidate) => matchesGlob(candidate, each.name));
    if (pattern === undefined && (choosing.length > 0 || reason === undefined)) continue;
    chosen.set(each.name, {
      ifindex: each.ifindex,
      name: each.name,
      primary: reason !== undefined,
      isBare,
      reason: pattern === undefined ? reason! : `chosen by ${pattern}`,
      kind: each.kind ?? '',
      mtu: each.mtu,
    });
  }
  return [...chosen.values()];
}

/** Whether a primary interface is a port of `name` or under it, at any depth. */
function liesOn(
  name: string,
  primaries: ReadonlyMap<string, string>,
  all: readonly NetworkInterface[],
): boolean {
  const below = all.filter((each) => each.master === name).map((each) => each.name);
  const self = all.find((each) => each.name === name);
  if (self?.lower !== undefined && self.lower !== name) below.push(self.lower);
  return below.some((lower) => primaries.has(lower) || liesOn(lower, primaries, all));
}

/** The ports of the user's choice, or the usual ones, and those the host's own tunnels use. */
export function portsOf(all: readonly NetworkInterface[], chosen: Partial<TunnelPorts>): TunnelPorts {
  const base = { ...DEFAULT_PORTS, ...chosen };
  const own = (name: PortName): number[] =>
    all.flatMap(({ tunnelPort }) => (tunnelPort?.name === name ? [tunnelPort.port] : []));
  return Object.fromEntries(
    PORT_NAMES.map((name) => [name, [...new Set([...base[name], ...own(name)])]]),
  ) as unknown as TunnelPorts;
}

/** What device it is, by what `ip -d` says of it. */
function kindOf(link: Record<string, unknown>): string {
  const { info_kind: kind } = (link.linkinfo ?? {}) as Record<string, unknown>;
  if (typeof kind === 'string') return kind;
  if (link.link_type === 'loopback') return 'loopback';
  return link.parentbus === undefined ? '' : 'hardware';
}

/** What `ip -d` says of a tunnel's device. */
function tunnelPortOf(linkinfo: unknown): TunnelPort | undefined {
  const { info_kind: kind, info_data } = (linkinfo ?? {}) as Record<string, unknown>;
  const data = (info_data ?? {}) as Record<string, unknown>;
  const port = Number(data.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  if (kind === 'vxlan') return { name: data.gpe === true ? 'vxlan-gpe' : 'vxlan', port };
  if (kind === 'geneve') return { name: 'geneve', port };
  if (kind === 'bareudp' && String(data.ethertype).startsWith('mpls')) return { name: 'mpls', port };
  return undefined;
}

/** Whether `name` fits a glob of literal characters, `*` and `?`. */
export function matchesGlob(glob: string, name: string): boolean {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(name);
}

/** Reads all interfaces of the calling thread's network namespace. @throws MeterError when iproute2 fails. */
export async function readInterfaces(): Promise<NetworkInterface[]> {
  const [links, routes4, routes6] = await Promise.all([
    ipJson(['-d', '-j', 'link', 'show']),
    ipJson(['-j', '-4', 'route', 'show', 'default']),
    ipJson(['-j', '-6', 'route', 'show', 'default']),
  ]);
  const routed = new Set([...routes4, ...routes6].map((route) => route.dev));
  return links.map((link) => ({
    ifindex: Number(link.ifindex),
    name: String(link.ifname),
    up: Array.isArray(link.flags) && link.flags.includes('UP'),
    linkType: String(link.link_type),
    hasDriver: link.parentbus !== undefined,
    hasDefaultRoute: routed.has(link.ifname),
    master: optionalText(link.master),
    lower: optionalText(link.link),
    kind: kindOf(link),
    tunnelPort: tunnelPortOf(link.linkinfo),
    mtu: mtuOf(link.mtu),
  }));
}

/** Some devices have none, which is said as 0. */
function mtuOf(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}

function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

async function ipJson(words: readonly string[]): Promise<Record<string, unknown>[]> {
  try {
    const { stdout } = await run('ip', words, { maxBuffer: 64 * 1024 * 1024 });
    const answer: unknown = JSON.parse(stdout === '' ? '[]' : stdout);
    return Array.isArray(answer) ? answer.filter((each) => each !== null && typeof each === 'object') : [];
  } catch (cause) {
    throw new MeterError('METER_INTERFACES', `reading the interfaces with "ip ${words.join(' ')}" failed`, {
      cause,
      remedy: 'install iproute2 (apt-get install iproute2)',
    });
  }
}

/**
 * `ip monitor` that ends with us however we end, a kill or a terminated thread included: the shell waits for the end of
 * its input, which is ours to hold open. Ctrl-C reaches the shell too, and must not keep it from ending `ip`.
 */
const WATCH = 'trap : INT TERM HUP; ip monitor link route & read -r _; kill $!';

/**
 * Calls back when a link or a route changed in the calling thread's network namespace. Changes that come in a burst
 * are told once.
 */
export function watchInterfaces(changed: () => void): Disposable {
  const child = spawn('sh', ['-c', WATCH], { stdio: ['pipe', 'pipe', 'ignore'] });
  let timer: NodeJS.Timeout | undefined;
  child.stdout.on('data', () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      changed();
    }, 50);
  });
  child.on('error', () => undefined);
  child.unref();
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      child.stdin.destroy();
    },
  };
}
