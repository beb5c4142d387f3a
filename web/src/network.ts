/** What a virtual network is as a graph: hosts as cards, peers between them as links of one strand per segment. */
import type {
  VirtualBridge,
  VirtualGateway,
  VirtualNetwork,
  VirtualNetworks,
  VirtualRate,
  VirtualRelay,
} from '../../src/query/index.ts';
import { compareSegments } from './segments.ts';

/** A host with what runs on it; `peer`: known only by its address; `group`: no host, but all that listen to multicast groups. */
export interface Card {
  readonly id: string;
  readonly kind: 'host' | 'peer' | 'group';
  readonly title: string;
  /** What its address is called, where that says more than the title. */
  readonly called?: string;
  /** Addresses of its tunnel ends, or what it is. */
  readonly sub: string;
  /** Names of the functions on it. */
  readonly functions: readonly string[];
  readonly lines: readonly CardLine[];
}

/** A line on a card. */
export interface CardLine {
  readonly id: string;
  readonly kind: 'segment' | 'head' | 'client' | 'cable';
  /** Of a segment, e.g. `vxlan:10000`; absent where there is none. */
  readonly segment?: string;
  readonly left: string;
  /** Said below it where there is room: the MAC of a client. */
  readonly leftMore?: string;
  readonly right: string;
  /** Octets per second, both ways; absent where nobody knows. */
  readonly octetRate?: number | undefined;
  /** The VLANs of a client, outermost first: by them its flows are found. */
  readonly vids?: readonly number[];
}

/** What goes between two hosts in one segment; the first is the one whose id stands first in the link's. */
export interface Strand {
  readonly segment: string;
  /** Both tunnel ends' addresses; of a group its own. */
  readonly addresses: readonly [string, string];
  readonly there: Way;
  readonly back: Way;
}

/** One direction. */
export interface Way {
  readonly packets: number;
  readonly octets: number;
  readonly rate: VirtualRate | undefined;
}

/** Two hosts that are peers. */
export interface Link {
  /** Both cards' ids, joined by `~`. */
  readonly id: string;
  readonly a: string;
  readonly b: string;
  readonly strands: readonly Strand[];
}

/** The whole. Order follows from names and addresses alone: it does not change with the traffic. */
export interface NetworkGraph {
  readonly cards: readonly Card[];
  readonly links: readonly Link[];
}

/** Id of the card that all multicast groups are. */
const GROUPS = 'groups';

/** Addresses sort by their numbers, not their digits. */
const collator = new Intl.Collator('en', { numeric: true });

/** The graph of an answer. */
export function networkGraph({ functions }: Pick<VirtualNetworks, 'functions'>): NetworkGraph {
  const hosts = new Map<string, VirtualNetwork[]>();
  for (const each of [...functions].sort((x, y) => collator.compare(x.name, y.name))) {
    const id = hostOf(each);
    hosts.set(id, [...(hosts.get(id) ?? []), each]);
  }
  const owners = ownersOf(functions);
  const cards = [...hosts].map(([id, on]) => hostCard(id, on));
  const links = linksOf(functions, owners);
  const known = new Set(hosts.keys());
  for (const { a, b, strands } of links) {
    for (const [i, id] of [a, b].entries()) {
      if (known.has(id) || id === GROUPS) continue;
      known.add(id);
      cards.push(peerCard(id, strands[0]!.addresses[i]!));
    }
  }
  const groups = links
    .filter(({ a, b }) => a === GROUPS || b === GROUPS)
    .flatMap(({ a, strands }) => strands.map(({ addresses }) => addresses[a === GROUPS ? 0 : 1]!));
  if (groups.length > 0) cards.push(groupsCard([...new Set(groups)].sort(collator.compare)));
  const rank = (card: Card): string => card.sub || card.title;
  cards.sort((x, y) => collator.compare(rank(x), rank(y)) || collator.compare(x.id, y.id));
  return { cards, links };
}

/** A host is a machine, or a network namespace of one. */
export function hostOf({ hostname, namespace }: Pick<VirtualNetwork, 'hostname' | 'namespace'>): string {
  return namespace === '' ? hostname : `${hostname}/${namespace}`;
}

/** The host of each tunnel end that a function here describes. */
export function ownersOf(functions: readonly VirtualNetwork[]): Map<string, string> {
  return new Map(
    functions
      .filter((each) => each.kind === 'bridge')
      .filter(({ tunnel }) => tunnel.address !== '')
      .map((bridge) => [bridge.tunnel.address, hostOf(bridge)] as const),
  );
}

/** Id of the card that an address belongs to. */
export function cardOf(owners: ReadonlyMap<string, string>, address: string): string {
  return owners.get(address) ?? (isGroup(address) ? GROUPS : `peer:${address}`);
}

/** The id that a segment of a bridge has on all views. */
export function segmentOf({ tunnel }: Pick<VirtualBridge, 'tunnel'>, vni: number): string {
  return `${tunnel.kind}:${vni}`;
}

/** Every segment of every bridge, in order. */
export function segmentsOf(functions: readonly VirtualNetwork[]): string[] {
  const ids = functions.flatMap((each) =>
    each.kind === 'bridge' ? each.segments.map(({ vni }) => segmentOf(each, vni)) : [],
  );
  return [...new Set(ids)].sort(compareSegments);
}

function isGroup(address: string): boolean {
  return /^(22[4-9]|23\d)\.|^ff[0-9a-f]{2}:/i.test(address);
}

function hostCard(id: string, on: readonly VirtualNetwork[]): Card {
  const { hostname, namespace } = on[0]!;
  const addresses = on.flatMap((each) => (each.kind === 'bridge' ? [each.tunnel.address] : []));
  return {
    id,
    kind: 'host',
    title: namespace === '' ? hostname : namespace,
    sub: [...new Set(addresses.filter(Boolean))].join(', '),
    functions: on.map(({ name }) => name),
    lines: on.flatMap(linesOf),
  };
}

function peerCard(id: string, address: string): Card {
  return { id, kind: 'peer', title: address, sub: 'peer elsewhere', functions: [], lines: [] };
}

function groupsCard(groups: readonly string[]): Card {
  const title = groups.length === 1 ? 'multicast group' : 'multicast groups';
  return { id: GROUPS, kind: 'group', title, sub: groups.join(', '), functions: [], lines: [] };
}

function linesOf(network: VirtualNetwork): CardLine[] {
  switch (network.kind) {
    case 'bridge':
      return bridgeLines(network);
    case 'gateway':
      return gatewayLines(network);
    case 'relay':
      return relayLines(network);
  }
}

function bridgeLines(bridge: VirtualBridge): CardLine[] {
  return bridge.segments.map(({ vni }) => {
    const ports = bridge.ports.filter((port) => port.vni === vni);
    const macs = bridge.entries.filter((entry) => entry.vni === vni && entry.port !== null).length;
    const names = ports.map(({ bridge: linux, name }) => linux ?? name);
    return {
      id: `${bridge.name} ${vni}`,
      kind: 'segment',
      segment: segmentOf(bridge, vni),
      left: [...new Set(names)].join(', ') || 'no port',
      right: `${macs} MAC${macs === 1 ? '' : 's'}`,
    };
  });
}

function gatewayLines({ name, trunk, clients }: VirtualGateway): CardLine[] {
  const head: CardLine = { id: name, kind: 'head', left: `trunk ${trunk}`, right: 'workers' };
  return [
    head,
    ...clients.map(
      (client): CardLine => ({
        id: `${name} ${client.mac}`,
        kind: 'client',
        left: tagWords(client.tags),
        leftMore: client.mac,
        right: client.worker,
        octetRate: bothWays(client.rates?.received, client.rates?.sent),
        vids: vidsOf(client.tags),
      }),
    ),
  ];
}

/** The VLANs of tags; none while none was learned. */
export function vidsOf(tags: VirtualGateway['clients'][number]['tags']): number[] {
  return tags?.map(({ vid }) => vid) ?? [];
}

/** `VLAN 5`, of two tags `VLAN 5.100`. */
export function tagWords(tags: VirtualGateway['clients'][number]['tags']): string {
  return tags === null ? 'no VLAN yet' : `VLAN ${tags.map(({ vid }) => vid).join('.')}`;
}

/** A line per cable: its ways back are in that of the way there. */
function relayLines({ name, cables }: VirtualRelay): CardLine[] {
  const there = cables.filter(({ from, to }, at) => {
    const back = cables.findIndex((each) => each.from === to && each.to === from);
    return back < 0 || at <= back;
  });
  return there.map((cable): CardLine => {
    const back = cables.find((each) => each.from === cable.to && each.to === cable.from);
    return {
      id: `${name} ${cable.from}`,
      kind: 'cable',
      left: cable.from,
      right: cable.to,
      octetRate: back ? bothWays(cable.rate, back.rate) : cable.rate?.octetRate,
    };
  });
}

function bothWays(x: VirtualRate | undefined, y: VirtualRate | undefined): number | undefined {
  return x && y ? x.octetRate + y.octetRate : undefined;
}

/** Octets per second both ways; absent when neither is known. */
export function strandRate({ there, back }: Strand): number | undefined {
  if (!there.rate && !back.rate) return undefined;
  return (there.rate?.octetRate ?? 0) + (back.rate?.octetRate ?? 0);
}

/** Of all segments together. */
export function linkRate({ strands }: Pick<Link, 'strands'>): number | undefined {
  const rates = strands.map(strandRate).filter((rate) => rate !== undefined);
  return rates.length === 0 ? undefined : rates.reduce((sum, rate) => sum + rate, 0);
}

const NOTHING: Way = { packets: 0, octets: 0, rate: undefined };

interface Begun {
  readonly a: string;
  readonly b: string;
  readonly strands: Map<string, { readonly addresses: [string, string]; there?: Way; back?: Way }>;
}

/** A way is what its sender says of it; where the sender says nothing, what the receiver says. */
function linksOf(functions: readonly VirtualNetwork[], owners: ReadonlyMap<string, string>): Link[] {
  const links = new Map<string, Begun>();
  for (const bridge of functions) {
    if (bridge.kind !== 'bridge') continue;
    const own = hostOf(bridge);
    for (const peer of bridge.peers) {
      const other = cardOf(owners, peer.address);
      if (other === own) continue;
      const isFirst = collator.compare(own, other) < 0;
      const [a, b] = isFirst ? [own, other] : [other, own];
      const ends: [string, string] = isFirst
        ? [bridge.tunnel.address, peer.address]
        : [peer.address, bridge.tunnel.address];
      const link: Begun = links.get(`${a}~${b}`) ?? { a, b, strands: new Map() };
      links.set(`${a}~${b}`, link);
      const segment = segmentOf(bridge, peer.vni);
      const strand = link.strands.get(segment) ?? { addresses: ends };
      link.strands.set(segment, strand);
      const sent = { ...peer.sent, rate: peer.rates?.sent };
      const received = { ...peer.received, rate: peer.rates?.received };
      if (isFirst) {
        strand.there = sent;
        strand.back ??= received;
      } else {
        strand.back = sent;
        strand.there ??= received;
      }
    }
  }
  return [...links]
    .map(([id, { strands, ...link }]) => ({
      id,
      ...link,
      strands: [...strands]
        .map(([segment, { addresses, there = NOTHING, back = NOTHING }]) => ({
          segment,
          addresses,
          there,
          back,
        }))
        .sort((x, y) => compareSegments(x.segment, y.segment)),
    }))
    .sort((x, y) => collator.compare(x.id, y.id));
}
