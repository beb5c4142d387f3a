/** The rows of the tables beside a virtual network: who is where, and what became of the packets. */
import type { VirtualBridge, VirtualGateway, VirtualNetwork, VirtualTraffic } from '../../src/query/index.ts';
import { cardOf, hostOf, ownersOf, segmentOf, tagWords, vidsOf } from './network.ts';

/** Where a MAC was learned. */
export interface LearnedMac {
  readonly id: string;
  readonly mac: string;
  /** `vxlan:10000`; null for a client of a gateway. */
  readonly segment: string | null;
  /** VLANs of a gateway's client, outermost first; empty where there is none. */
  readonly vids: readonly number[];
  /** The name of that: `VLAN 5`; empty for a bridge's. */
  readonly tag: string;
  /** The port or the worker, or the peer's address. */
  readonly place: string;
  /** The host of that, by its card's title or id. */
  readonly host: string;
  /** The tunnel end that says so, and the one behind which the MAC is; null where it is behind a port. */
  readonly own: string;
  readonly peer: string | null;
  readonly isStatic: boolean;
  readonly idleMs: number | null;
  readonly moves: number;
  /** Both ways, since it was learned. */
  readonly octets: number;
  /** Octets per second both ways; absent where nobody knows. */
  readonly octetRate: number | undefined;
}

/**
 * Of a host, all that it has learned; else each MAC where it lives: behind a port when some host here says so, or behind the peer
 * that was heard of last.
 */
export function learnedMacs(functions: readonly VirtualNetwork[], at: string | undefined): LearnedMac[] {
  const owners = ownersOf(functions);
  const here = functions.filter((each) => at === undefined || hostOf(each) === at);
  const all = here.flatMap((each) => {
    if (each.kind === 'bridge') return bridgeMacs(each, owners);
    return each.kind === 'gateway' ? gatewayMacs(each) : [];
  });
  return at === undefined ? homes(all) : all;
}

function homes(all: readonly LearnedMac[]): LearnedMac[] {
  const byMac = new Map<string, LearnedMac[]>();
  for (const each of all) {
    const key = `${each.segment ?? each.host} ${each.mac}`;
    byMac.set(key, [...(byMac.get(key) ?? []), each]);
  }
  return [...byMac.values()].flatMap((places) => {
    const behindPorts = places.filter(({ peer }) => peer === null);
    if (behindPorts.length > 0) return behindPorts;
    const age = ({ idleMs }: LearnedMac): number => idleMs ?? Number.POSITIVE_INFINITY;
    return [places.reduce((newest, each) => (age(each) < age(newest) ? each : newest))];
  });
}

function bridgeMacs(bridge: VirtualBridge, owners: ReadonlyMap<string, string>): LearnedMac[] {
  const own = hostOf(bridge);
  return bridge.entries.map((entry) => ({
    id: `${bridge.name} ${entry.vni} ${entry.mac}`,
    mac: entry.mac,
    segment: segmentOf(bridge, entry.vni),
    vids: [],
    tag: '',
    place: entry.port ?? entry.peer ?? '',
    host: entry.peer === null ? own : cardOf(owners, entry.peer),
    own: bridge.tunnel.address,
    peer: entry.peer,
    isStatic: entry.isStatic,
    idleMs: entry.idleMs,
    moves: entry.moves,
    octets: entry.received.octets + entry.sent.octets,
    octetRate: entry.rates && entry.rates.received.octetRate + entry.rates.sent.octetRate,
  }));
}

function gatewayMacs(gateway: VirtualGateway): LearnedMac[] {
  return gateway.clients.map((client) => ({
    id: `${gateway.name} ${client.mac}`,
    mac: client.mac,
    segment: null,
    vids: vidsOf(client.tags),
    tag: tagWords(client.tags),
    place: client.worker,
    host: hostOf(gateway),
    own: '',
    peer: null,
    isStatic: !client.isLearned,
    idleMs: client.idleMs,
    moves: client.moves,
    octets: client.received.octets + client.sent.octets,
    octetRate: client.rates && client.rates.received.octetRate + client.rates.sent.octetRate,
  }));
}

/** A port of a bridge. */
export interface PortRow {
  readonly id: string;
  readonly name: string;
  /** The Linux bridge that it is a port of, or what kind it is. */
  readonly of: string;
  readonly host: string;
  readonly segment: string;
  readonly present: boolean;
  readonly traffic: VirtualTraffic;
}

/** The ports of all bridges, or of those of a host. */
export function portRows(functions: readonly VirtualNetwork[], at: string | undefined): PortRow[] {
  return functions.flatMap((bridge) => {
    if (bridge.kind !== 'bridge' || (at !== undefined && hostOf(bridge) !== at)) return [];
    return bridge.ports.map((port) => ({
      id: `${bridge.name} ${port.vni} ${port.ifindex}`,
      name: port.name,
      of: port.bridge ?? port.kind,
      host: hostOf(bridge),
      segment: segmentOf(bridge, port.vni),
      present: port.present,
      traffic: port,
    }));
  });
}

/** What became of packets, by function. */
export interface OutcomeRow {
  readonly id: string;
  readonly function: string;
  readonly name: string;
  readonly isDrop: boolean;
  readonly packets: number;
  readonly octets: number;
}

/** Outcomes that were not nothing. */
export function outcomeRows(functions: readonly VirtualNetwork[], at: string | undefined): OutcomeRow[] {
  return functions
    .filter((each) => at === undefined || hostOf(each) === at)
    .flatMap((each) =>
      each.outcomes
        .filter(({ packets }) => packets > 0)
        .map((outcome) => ({ id: `${each.name} ${outcome.name}`, function: each.name, ...outcome })),
    );
}
