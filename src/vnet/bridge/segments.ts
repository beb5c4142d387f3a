/** Ports, peers, flooding and static entries brought to what is wanted, in an order in which no frame falls between. */
import { Origin, PlaceKind } from '../gen/bridge.ts';
import type { PinnedObject } from '../pinned.ts';
import { formatTunnelEnd, parseTunnelEnd } from './address.ts';
import type { TunnelEnd } from './configuration.ts';
import type { Entries, StaticEntry } from './entries.ts';
import type { Link } from './links.ts';
import type { PlannedSegment } from './plan.ts';
import { deliveryOf, type PlannedPort } from './ports.ts';
import type { PlaceRow, Tables } from './tables.ts';

/** A port that is, or was until its interface went. */
export interface ActivePort extends PlannedPort {
  readonly number: number;
  readonly ifindex: number;
  readonly isPresent: boolean;
}

/** All segments of a bridge. */
export class Segments {
  readonly #pinned: PinnedObject;
  readonly #tables: Tables;
  readonly #entries: Entries;
  #ports: ActivePort[] = [];
  #lost: ActivePort[] = [];
  /** Numbers of configured peers and groups. */
  #peers: ReadonlySet<number> = new Set();

  constructor(pinned: PinnedObject, tables: Tables, entries: Entries) {
    this.#pinned = pinned;
    this.#tables = tables;
    this.#entries = entries;
  }

  /** As they are now. */
  get ports(): readonly ActivePort[] {
    return this.#ports;
  }

  /** Peers that a former process was asked for. */
  requested(family: 4 | 6): { readonly vni: number; readonly end: TunnelEnd }[] {
    return this.#tables.peers().flatMap(({ kind, origin, vni, address }) => {
      const end = parseTunnelEnd(formatTunnelEnd(address, family));
      return kind === PlaceKind.PEER && origin === Origin.REQUESTED && end ? [{ vni, end }] : [];
    });
  }

  /** @throws BpfError, VnetError */
  apply(plan: readonly PlannedSegment[], links: ReadonlyMap<string, Link>): void {
    const peers = this.#peersFor(plan);
    const ports = this.#portsFor(plan, links);
    for (const { vni, mtu, layout } of plan) {
      const isFlooded = layout === 'replicate';
      const far = peers.wanted.filter((each) => each.vni === vni && each.isFlooded);
      this.#tables.setSegment(vni, {
        mtu,
        ports: isFlooded ? ports.active.filter((each) => each.vni === vni).map(({ number }) => number) : [],
        peers: isFlooded ? far.map(({ number }) => number) : [],
      });
    }
    this.#pairUp(ports.active, peers.wanted);
    for (const vni of this.#tables.segments().keys())
      if (!plan.some((each) => each.vni === vni)) this.#tables.removeSegment(vni);
    for (const [watched, number] of ports.stale) this.#tables.removePort(watched, number);
    for (const row of peers.stale) this.#tables.removePeer(row);
    for (const port of this.#ports)
      if (!ports.active.some((each) => each.ifindex === port.ifindex))
        this.#pinned.detach({ ifindex: port.ifindex, direction: directionOf(port) });
    this.#ports = ports.active;
    this.#peers = new Set(peers.wanted.map(({ number }) => number));
    this.#entries.setStatic(this.#staticsFor(plan, peers.wanted));
    for (const port of this.#ports)
      if (port.isPresent)
        this.#pinned.attach({
          program: port.kind === 'direct' ? 'ts_port' : 'ts_bridge_port',
          ifindex: port.ifindex,
          direction: directionOf(port),
        });
  }

  /** Whether the interface of a port has gone. What is for it is counted as such from now on. */
  hasLost(): boolean {
    this.#ports = this.#ports.map((port) => {
      if (!port.isPresent || this.#pinned.isAttached({ ifindex: port.ifindex, direction: directionOf(port) }))
        return port;
      const gone = { ...port, isPresent: false };
      const row = this.#tables.place(port.number);
      if (row) this.#tables.change({ ...row, ifindex: 0 });
      this.#lost.push(gone);
      return gone;
    });
    return this.#ports.some(({ isPresent }) => !isPresent);
  }

  /** Whether one that had gone is there again. */
  isBack(links: ReadonlyMap<string, Link>): boolean {
    return this.#ports.some(({ isPresent, kind, name, bridge }) =>
      isPresent ? false : kind === 'direct' ? links.has(name) : links.has(bridge!),
    );
  }

  /** Whether a port that we made is out of its Linux bridge, which is there: it was made anew. */
  isAstray(links: ReadonlyMap<string, Link>): boolean {
    return this.#ports.some(
      ({ kind, name, bridge }) =>
        kind !== 'direct' && links.has(bridge!) && links.get(name)?.master !== bridge,
    );
  }

  /** Those that went since the last time. */
  takeLost(): ActivePort[] {
    const lost = this.#lost;
    this.#lost = [];
    return lost;
  }

  /** Takes away entries that have aged or whose place has gone, and peers that nobody speaks of. */
  clear(ageingNs: bigint): void {
    const now = process.hrtime.bigint();
    const met = this.#tables.peers().filter(({ number }) => !this.#peers.has(number));
    const known = new Set([
      ...this.#peers,
      ...met.map(({ number }) => number),
      ...this.#ports.map(({ number }) => number),
    ]);
    this.#entries.remove(
      ({ place, isStatic, seenNs }) => !known.has(place) || (!isStatic && now - seenNs > ageingNs),
    );
    for (const row of met)
      if (now - this.#tables.traffic(row.number).seenNs > ageingNs) this.#tables.removePeer(row);
  }

  #peersFor(plan: readonly PlannedSegment[]): {
    readonly wanted: {
      readonly vni: number;
      readonly text: string;
      readonly number: number;
      readonly isFlooded: boolean;
    }[];
    readonly stale: PlaceRow[];
  } {
    const mtus = new Map(plan.map(({ vni, mtu }) => [vni, mtu]));
    const former = new Map(this.#tables.peers().map((row) => [keyOf(row.vni, row.address), row]));
    const wanted = plan.flatMap(({ vni, group, peers, statics }) => [
      ...(group
        ? [{ vni, end: group, kind: PlaceKind.GROUP, origin: Origin.CONFIGURED, isFlooded: true }]
        : []),
      ...peers.map(({ end, isRequested }) => ({
        vni,
        end,
        kind: PlaceKind.PEER,
        origin: isRequested ? Origin.REQUESTED : Origin.CONFIGURED,
        isFlooded: true,
      })),
      ...statics.flatMap(({ peer }) =>
        peer && !peers.some(({ end }) => end.text === peer.text)
          ? [{ vni, end: peer, kind: PlaceKind.PEER, origin: Origin.CONFIGURED, isFlooded: false }]
          : [],
      ),
    ]);
    const numbered = wanted.flatMap(({ vni, end, kind, origin, isFlooded }) => {
      const key = keyOf(vni, end.words);
      const row = former.get(key);
      former.delete(key);
      const mtu = mtus.get(vni)!;
      if (row) this.#tables.change({ ...row, origin, mtu });
      const number = row?.number ?? this.#tables.addPeer({ vni, kind, origin, mtu, address: end.words });
      return number === undefined ? [] : [{ vni, text: end.text, number, isFlooded }];
    });
    const vnis = new Set(plan.filter(({ group }) => group !== undefined).map(({ vni }) => vni));
    const stale = [...former.values()].filter(
      ({ kind, origin, vni }) => !(kind === PlaceKind.PEER && origin === Origin.MET && vnis.has(vni)),
    );
    for (const row of former.values())
      if (!stale.includes(row)) this.#tables.change({ ...row, mtu: mtus.get(row.vni)! });
    return { wanted: numbered, stale };
  }

  #portsFor(
    plan: readonly PlannedSegment[],
    links: ReadonlyMap<string, Link>,
  ): { readonly active: ActivePort[]; readonly stale: [number, number][] } {
    const former = this.#tables.ports();
    const active: ActivePort[] = [];
    for (const port of plan.flatMap(({ ports }) => ports)) {
      const link = links.get(port.name);
      if (link === undefined) {
        // It has gone, and may come again: its counts and entries wait.
        const before = this.#ports.find((each) => each.name === port.name && each.vni === port.vni);
        if (before) {
          former.delete(before.ifindex);
          active.push({ ...before, isPresent: false });
        }
        continue;
      }
      const row = former.get(link.ifindex);
      const place = {
        vni: port.vni,
        ifindex: link.ifindex,
        mtu: port.mtu,
        delivery: deliveryOf(port, link),
        partner: row?.partner ?? 0,
      };
      const isSame = row?.vni === port.vni;
      if (isSame) former.delete(link.ifindex);
      const number = isSame ? row.number : this.#tables.addPort(link.ifindex, place);
      if (number === undefined) continue;
      if (isSame) this.#tables.change({ ...row, ...place });
      active.push({ ...port, number, ifindex: link.ifindex, isPresent: true });
    }
    const taken = new Set(active.map(({ number }) => number));
    const stale = [...former].flatMap(([watched, { number }]): [number, number][] =>
      taken.has(number) ? [] : [[watched, number]],
    );
    return { active, stale };
  }

  /** Where each peer has a port of its own, the two know one another; elsewhere nobody does. */
  #pairUp(
    ports: readonly ActivePort[],
    peers: readonly { readonly vni: number; readonly text: string; readonly number: number }[],
  ): void {
    const partners = new Map<number, number>();
    for (const { vni, peer, number } of ports) {
      const other = peers.find((each) => each.vni === vni && each.text === peer?.text);
      if (other === undefined) continue;
      partners.set(number, other.number);
      partners.set(other.number, number);
    }
    for (const { number } of [...ports, ...peers]) {
      const row = this.#tables.place(number);
      const partner = partners.get(number) ?? 0;
      if (row) this.#tables.change({ ...row, partner });
    }
  }

  #staticsFor(
    plan: readonly PlannedSegment[],
    peers: readonly { readonly vni: number; readonly text: string; readonly number: number }[],
  ): StaticEntry[] {
    return plan.flatMap(({ vni, statics }) =>
      statics.flatMap(({ mac, peer, port }): StaticEntry[] => {
        const place =
          peer !== undefined
            ? peers.find((each) => each.vni === vni && each.text === peer.text)
            : this.#ports.find((each) => each.vni === vni && (each.name === port || each.bridge === port));
        return place ? [{ vni, mac, place: place.number }] : [];
      }),
    );
  }
}

function directionOf({ kind }: PlannedPort): 'ingress' | 'egress' {
  return kind === 'direct' ? 'ingress' : 'egress';
}

function keyOf(vni: number, address: Uint32Array): string {
  return `${vni} ${address.join(' ')}`;
}
