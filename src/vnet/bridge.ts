/** The distributed bridge: Ethernet segments over many hosts, forwarded in BPF. Kernel side: `bpf/vnet/bridge.bpf.c`. */
import { fileURLToPath } from 'node:url';
import type { VirtualBridge } from '../query/index.ts';
import { formatTunnelEnd, parseTunnelEnd } from './bridge/address.ts';
import type { BridgeConfiguration } from './bridge/configuration.ts';
import { Entries } from './bridge/entries.ts';
import { aliasOf, attempt, type Link, readLinks } from './bridge/links.ts';
import { Membership } from './bridge/membership.ts';
import { Notices } from './bridge/notices.ts';
import { setConstants, tunnelDevice } from './bridge/opening.ts';
import { type PlannedSegment, planSegments } from './bridge/plan.ts';
import { demandPorts, ensurePair, isolate, type PlannedPort } from './bridge/ports.ts';
import { applyRequest } from './bridge/request.ts';
import { type ActivePort, Segments } from './bridge/segments.ts';
import { showBridge } from './bridge/show.ts';
import { TABLES, Tables } from './bridge/tables.ts';
import { tellOccasion } from './bridge/telling.ts';
import { joinGroup, leaveGroup, type TunnelSide, tunnelSide } from './bridge/tunnel.ts';
import type { NetworkFunction, Tellings } from './function.ts';
import { Entry, EntryKey, Neighbour, NeighbourKey, PlaceKind } from './gen/bridge.ts';
import { PinnedObject } from './pinned.ts';

const OBJECT = fileURLToPath(new URL('../../bpf/vnet/bridge.bpf.o', import.meta.url));

/** What outlives the process. */
const KEPT = {
  ...TABLES,
  entries: { key: EntryKey, value: Entry },
  neighbours: { key: NeighbourKey, value: Neighbour },
  ledger: {},
  notices: {},
};

/** Seconds between looks for what has aged or lost its place. */
const CLEARING_TICKS = 5;

/** What a bridge is opened with. */
export interface BridgeOptions {
  readonly name: string;
  readonly tellings: Tellings;
  /** Reads the configuration; called again for a reload. */
  readonly read: () => BridgeConfiguration;
}

/** A distributed bridge in the kernel. Disposing leaves it there, forwarding. */
export class Bridge implements NetworkFunction {
  readonly #options: BridgeOptions;
  readonly #pinned: PinnedObject;
  readonly #side: TunnelSide;
  readonly #entries: Entries;
  readonly #tables: Tables;
  readonly #notices: Notices;
  readonly #membership: Membership;
  readonly #segments: Segments;
  #configuration: BridgeConfiguration;
  #plan: readonly PlannedSegment[] = [];
  #ticks = 0;

  private constructor(
    options: BridgeOptions,
    {
      pinned,
      side,
      configuration,
      membership,
    }: {
      readonly pinned: PinnedObject;
      readonly side: TunnelSide;
      readonly configuration: BridgeConfiguration;
      readonly membership: Membership;
    },
  ) {
    const isFresh = pinned.adopted.length < Object.keys(KEPT).length;
    this.#options = options;
    this.#pinned = pinned;
    this.#side = side;
    this.#configuration = configuration;
    this.#membership = membership;
    this.#entries = new Entries(pinned.map('entries'));
    this.#tables = new Tables(pinned, isFresh);
    if (isFresh) this.#entries.remove(() => true);
    this.#notices = new Notices(pinned.map('notices'), pinned.map('tellings'));
    this.#segments = new Segments(pinned, this.#tables, this.#entries);
  }

  /**
   * Has a bridge be as its configuration says, taking over what a former process of this name left, without a frame lost.
   *
   * @throws ConfigFileError, VnetError, BpfError
   */
  static open(options: BridgeOptions): Bridge {
    const configuration = options.read();
    const membership = new Membership(configuration);
    const links = readLinks();
    const side = tunnelSide(configuration, links);
    const plan = planSegments(configuration, membership, { own: side.own, fits: side.mtu });
    demandPorts(portsOf(plan), links, options.name);
    using stack = new DisposableStack();
    const undo = new DisposableStack();
    stack.defer(() => undo.dispose());
    const device = tunnelDevice(configuration, { side, links, instance: options.name, undo });
    const pinned = PinnedObject.open({
      name: options.name,
      object: OBJECT,
      kept: KEPT,
      configure: (object) => setConstants(object, configuration, { side, device }),
    });
    const bridge = new Bridge(options, { pinned, side, configuration, membership });
    if (pinned.adopted.length === 0) undo.defer(() => bridge.remove());
    else undo.use(bridge);
    bridge.#keepRequests();
    bridge.#apply();
    if (device) pinned.attach({ program: 'ts_tunnel', ifindex: device.ifindex, direction: 'ingress' });
    pinned.settle();
    undo.move();
    return bridge;
  }

  show(): VirtualBridge {
    return showBridge({
      name: this.#options.name,
      tellings: this.#options.tellings,
      configuration: this.#configuration,
      plan: this.#plan,
      side: this.#side,
      pinned: this.#pinned,
      tables: this.#tables,
      entries: this.#entries,
      notices: this.#notices,
      ports: this.#segments.ports,
    });
  }

  change(words: unknown): readonly string[] {
    const lines = applyRequest(words, {
      membership: this.#membership,
      mode: this.#configuration.mode,
      vnis: this.#configuration.segments.map(({ vni }) => vni),
      own: this.#side.own,
    });
    if (lines.length > 0) this.#apply();
    return lines;
  }

  reload(): readonly string[] {
    const configuration = this.#options.read();
    const later = (
      ['mode', 'underlay', 'tunnel', 'capacity', 'ageing', 'moves', 'answerNeighbours'] as const
    ).filter((key) => JSON.stringify(configuration[key]) !== JSON.stringify(this.#configuration[key]));
    const before = this.#configuration;
    const isOther = JSON.stringify(configuration) !== JSON.stringify(before);
    const next = { ...configuration, ...Object.fromEntries(later.map((key) => [key, before[key]])) };
    const plan = planSegments(next, new Membership(next), { own: this.#side.own, fits: this.#side.mtu });
    demandPorts(portsOf(plan), readLinks(), this.#options.name);
    this.#membership.configure(next);
    this.#configuration = next;
    this.#apply();
    return [
      ...(isOther ? ['segments, peers and static entries are as the configuration has them now'] : []),
      ...later.map((key) => `${key}: in force after a new start`),
    ];
  }

  tick(): void {
    this.#notices.drain((occasion) =>
      tellOccasion(occasion, this.#options.tellings, (place) => this.#named(place)),
    );
    this.#lookAtPeersFile();
    if (this.#segments.hasLost() && this.#segments.isBack(readLinks())) this.#apply();
    for (const port of this.#segments.takeLost())
      this.#options.tellings.add('port-gone', `${port.name}, a port of VNI ${port.vni}, has gone`);
    if (++this.#ticks % CLEARING_TICKS !== 0) return;
    this.#clear();
    this.#returnPorts();
  }

  remove(): void {
    const { name } = this.#options;
    const groups = this.#groups();
    this.#notices[Symbol.dispose]();
    this.#pinned.remove();
    this.#leave(groups);
    // The other end of a pair goes with the first.
    for (const { name: link, alias } of readLinks().values())
      if (alias === aliasOf(name)) attempt('ip', 'link', 'del', link);
  }

  [Symbol.dispose](): void {
    this.#notices[Symbol.dispose]();
    this.#pinned[Symbol.dispose]();
  }

  /** Brings interfaces and tables to what is wanted now. */
  #apply(): void {
    const { name } = this.#options;
    const former = this.#groups();
    const links = readLinks();
    this.#plan = planSegments(this.#configuration, this.#membership, {
      own: this.#side.own,
      fits: this.#side.mtu,
    });
    const made = portsOf(this.#plan).filter(({ kind }) => kind !== 'direct');
    for (const port of made) if (links.has(port.bridge!)) ensurePair(port, links, name);
    isolate(made);
    const now = made.length > 0 ? readLinks() : links;
    this.#segments.apply(this.#plan, now);
    this.#removePairs(now, new Set(made.map((port) => port.name)));
    const groups = this.#groups();
    const device = this.#side.device ?? '';
    for (const [text, vni] of groups)
      joinGroup(parseTunnelEnd(text)!, { vni, device, instance: name, links: now });
    for (const text of groups.keys()) former.delete(text);
    this.#leave(former);
  }

  /** Pairs that this instance made, and no longer needs. */
  #removePairs(links: ReadonlyMap<string, Link>, needed: ReadonlySet<string>): void {
    for (const { name, alias, kind } of links.values())
      if (
        alias === aliasOf(this.#options.name) &&
        kind === 'veth' &&
        /^ts(b|.*p)/.test(name) &&
        !needed.has(name)
      )
        attempt('ip', 'link', 'del', name);
  }

  /** Groups that this host listens to, as the kernel's tables have them, with the least VNI that uses each. */
  #groups(): Map<string, number> {
    const groups = new Map<string, number>();
    for (const { kind, address, vni } of this.#tables.peers()) {
      if (kind !== PlaceKind.GROUP) continue;
      const text = formatTunnelEnd(address, this.#side.own.family);
      groups.set(text, Math.min(vni, groups.get(text) ?? vni));
    }
    return groups;
  }

  #leave(groups: ReadonlyMap<string, number>): void {
    for (const [text, vni] of groups) leaveGroup(text, { vni, device: this.#side.device ?? '' });
  }

  #keepRequests(): void {
    for (const { vni, end } of this.#segments.requested(this.#side.own.family))
      this.#membership.keep(vni, end);
  }

  #lookAtPeersFile(): void {
    try {
      if (!this.#membership.readAgain()) return;
      this.#apply();
      this.#options.tellings.add('peers-file', `${this.#configuration.peersFile} was read again`);
    } catch (error) {
      this.#options.tellings.add('peers-file', `the peers stay as they were: ${(error as Error).message}`);
    }
  }

  /** Deleting a Linux bridge leaves its ports, and nothing tells of another one of its name. */
  #returnPorts(): void {
    if (this.#segments.ports.every(({ kind }) => kind === 'direct')) return;
    if (!this.#segments.isAstray(readLinks())) return;
    this.#apply();
    this.#options.tellings.add('port-back', 'ports are in their Linux bridge again');
  }

  #clear(): void {
    this.#segments.clear(BigInt(this.#configuration.ageing) * 1_000_000n);
    this.#tables.recycle();
  }

  /** A place in words. */
  #named(number: number): string {
    const port: ActivePort | undefined = this.#segments.ports.find((each) => each.number === number);
    if (port) return `port ${port.name}`;
    const place = this.#tables.place(number);
    return place ? `peer ${formatTunnelEnd(place.address, this.#side.own.family)}` : 'a place that has gone';
  }
}

function portsOf(plan: readonly PlannedSegment[]): PlannedPort[] {
  return plan.flatMap(({ ports }) => ports);
}
