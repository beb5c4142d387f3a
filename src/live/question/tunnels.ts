/** Tunnels: what they carry, what that costs, how it spreads over outer source ports, and what it suffers. */
import { KeyTable, type LinkRoom, tunnelHeaderOctets, VLAN_TAG } from '../../flow/index.ts';
import {
  HEADROOM_COLUMNS,
  type HistoryQuantity,
  logarithmOf,
  RESENT_COLUMNS,
  SEQUENCE_COLUMNS,
  TUNNELS_COLUMNS,
  type TunnelSums,
  tunnelRow,
} from '../../query/index.ts';
import { type MeasuredTunnels, NOTHING_MEASURED, sufferedBy, tunnelKey } from '../measured-tunnels.ts';
import { KEY, type UniflowTable } from '../uniflows.ts';
import { type Cell, LIVE_READINGS } from './dimensions.ts';
import { type Groups, groupsOf, isKeyBefore, type LiveTable, readCells } from './groups.ts';
import { largest } from './largest.ts';
import { type Selection, totalOf } from './selection.ts';

const READINGS = [LIVE_READINGS.segment, LIVE_READINGS['outer.src'], LIVE_READINGS['outer.dst']] as const;
const TAGGED = 0x8000;

/** Sums per tunnel, by its number. */
interface TunnelTally {
  octets: number;
  packets: number;
  flows: number;
  headers: number;
  longest: number;
  fragments: number;
  ports: number;
  portOctets: number;
  portLogarithms: number;
  flowLogarithms: number;
  firstMs: number;
  lastMs: number;
  /** Of some flows nothing but octets and packets is known. */
  isFolded: boolean;
  /** Where the longest packet leaves the least room: that, and the MTU there; undefined where none is known. */
  room: { readonly mtu: number; readonly headroom: number } | undefined;
}

/** What is asked of tunnels, and what is known beside their uniflows. */
interface TunnelsAsked {
  readonly quantity: Extract<HistoryQuantity, 'octets' | 'packets' | 'flows'>;
  readonly limit: number;
  readonly measured: MeasuredTunnels;
  readonly links: ReadonlyMap<number, LinkRoom>;
  /** Everything in the window, whatever fits. */
  readonly whole: () => Selection;
}

/** The largest tunnels. */
export function tunnelsTable(selection: Selection, asked: TunnelsAsked): LiveTable {
  const { quantity, limit, measured, links } = asked;
  const tunnelled = onlyTunnelled(selection);
  const groups = groupsOf(tunnelled, READINGS);
  const tallies = talliesOf(tunnelled, groups, links);
  addPorts(tunnelled, groups, tallies);
  const suffered = sufferings(asked);
  const found = largest(tallies.length, limit, (a, b) => {
    const difference = tallies[a]![quantity] - tallies[b]![quantity];
    return difference !== 0 ? difference > 0 : isKeyBefore(groups.keys, a, b);
  });
  return {
    columns: [
      ...TUNNELS_COLUMNS,
      ...(links.size > 0 ? HEADROOM_COLUMNS : []),
      ...(measured.sequence ? SEQUENCE_COLUMNS : []),
      ...(measured.tcp ? RESENT_COLUMNS : []),
    ],
    rows: found.map((tunnel) => {
      const names = readCells(groups.keys, tunnel, READINGS);
      const { room } = tallies[tunnel]!;
      return [
        ...tunnelRow(sumsOf(tallies[tunnel]!, names)),
        ...(links.size > 0 ? [room?.mtu ?? null, room?.headroom ?? null] : []),
        ...suffered(names, tallies[tunnel]!.flows),
      ];
    }),
    total: totalOf(tunnelled),
    isCut: tallies.length > found.length,
  };
}

function onlyTunnelled({ table, counters, uniflows, tallies, length }: Selection): Selection {
  const { list } = table.segments;
  const chosen = { uniflows: new Uint32Array(length), tallies: new Uint32Array(length) };
  let count = 0;
  for (let i = 0; i < length; i++) {
    if (list[table.segment[uniflows[i]!]!]!.tunnelKind === 0) continue;
    chosen.uniflows[count] = uniflows[i]!;
    chosen.tallies[count++] = tallies[i]!;
  }
  return { table, counters, ...chosen, length: count };
}

/** Reads what tunnels suffered. Their flows are measured together: of a part of them nobody knows it. */
function sufferings({ measured, whole }: TunnelsAsked): (names: readonly Cell[], flows: number) => Cell[] {
  if (!measured.sequence && !measured.tcp) return () => [];
  const all = onlyTunnelled(whole());
  const { keys, groups } = groupsOf(all, READINGS);
  const counts = new Uint32Array(keys.length);
  for (let i = 0; i < all.length; i++) counts[groups[i]!]!++;
  const flowsOf = new Map<string, number>();
  for (const [tunnel, count] of counts.entries())
    flowsOf.set(keyOf(readCells(keys, tunnel, READINGS)), count);
  return (names, flows) => {
    const key = keyOf(names);
    const of = sufferedBy(flowsOf.get(key) === flows ? measured : NOTHING_MEASURED, key);
    return [...(measured.sequence ? of.sequence : []), ...(measured.tcp ? of.tcp : [])];
  };
}

function keyOf([segment, source, destination]: readonly Cell[]): string {
  return tunnelKey(String(segment), source as string | null, destination as string | null);
}

function talliesOf(
  selection: Selection,
  { keys, groups }: Groups,
  links: ReadonlyMap<number, LinkRoom>,
): TunnelTally[] {
  const { table, counters, uniflows, tallies, length } = selection;
  const tunnels = Array.from({ length: keys.length }, emptyTally);
  for (let i = 0; i < length; i++) {
    const tunnel = tunnels[groups[i]!]!;
    const uniflow = uniflows[i]!;
    const octets = counters.octets(tallies[i]!);
    const packets = counters.packets(tallies[i]!);
    const headers = headersOf(table, uniflow);
    const isFolded = table.isFolded(uniflow);
    tunnel.octets += octets;
    tunnel.packets += packets;
    tunnel.flows++;
    tunnel.headers += packets * headers;
    tunnel.flowLogarithms += logarithmOf(octets);
    tunnel.firstMs = Math.min(tunnel.firstMs, table.firstMs[uniflow]!);
    tunnel.lastMs = Math.max(tunnel.lastMs, table.lastMs[uniflow]!);
    if (isFolded) tunnel.isFolded = true;
    else {
      tunnel.longest = Math.max(tunnel.longest, table.details.longest[uniflow]! - headers);
      tunnel.room = lessRoom(tunnel.room, roomOf(table, uniflow, links));
      if (((table.keys.word(uniflow, KEY.form) >>> 16) & 0xff) !== 0) tunnel.fragments += packets;
    }
  }
  return tunnels;
}

type Room = TunnelTally['room'];

/** What the longest packet of a uniflow leaves of the MTU of the interface by which it leaves, or else comes. */
function roomOf(
  { keys, details }: UniflowTable,
  uniflow: number,
  links: ReadonlyMap<number, LinkRoom>,
): Room {
  const link = links.get(details.point[uniflow]! >>> 1);
  if (!link) return undefined;
  const tags = tagsOf(keys.word(uniflow, KEY.vlans));
  return {
    mtu: link.mtu,
    headroom: link.mtu + link.header + VLAN_TAG * tags - details.longest[uniflow]!,
  };
}

function lessRoom(a: Room, b: Room): Room {
  return a && (!b || a.headroom <= b.headroom) ? a : b;
}

/** VLAN tags of the outer frame. */
function tagsOf(vlans: number): number {
  return ((vlans >>> 16) & TAGGED ? 1 : 0) + (vlans & TAGGED ? 1 : 0);
}

/** Adds up octets by tunnel and outer source port, then over the ports of each tunnel. */
function addPorts(
  { table, counters, uniflows, tallies, length }: Selection,
  { groups }: Groups,
  tunnels: readonly TunnelTally[],
): void {
  const keys = new KeyTable(2);
  const sums = new Map<number, number>();
  for (let i = 0; i < length; i++) {
    const port = table.isFolded(uniflows[i]!) ? 0 : table.details.outerSourcePort[uniflows[i]!]!;
    if (port === 0) continue;
    keys.probe[0] = groups[i]!;
    keys.probe[1] = port;
    const at = keys.intern();
    sums.set(at, (sums.get(at) ?? 0) + counters.octets(tallies[i]!));
  }
  for (const [at, octets] of sums) {
    const tunnel = tunnels[keys.words[2 * at]!]!;
    tunnel.ports++;
    tunnel.portOctets += octets;
    tunnel.portLogarithms += logarithmOf(octets);
  }
}

function emptyTally(): TunnelTally {
  return {
    octets: 0,
    packets: 0,
    flows: 0,
    headers: 0,
    longest: 0,
    fragments: 0,
    ports: 0,
    portOctets: 0,
    portLogarithms: 0,
    flowLogarithms: 0,
    firstMs: Number.POSITIVE_INFINITY,
    lastMs: 0,
    isFolded: false,
    room: undefined,
  };
}

/** Octets of the outer headers of each packet of a uniflow. Of folded ones tags and ports are not known: at least so many. */
function headersOf(table: UniflowTable, uniflow: number): number {
  const { keys, details } = table;
  const layers = keys.word(uniflow, KEY.layers);
  const isFolded = table.isFolded(uniflow);
  const vlans = isFolded ? 0 : keys.word(uniflow, KEY.vlans);
  return tunnelHeaderOctets({
    tunnelKind: layers & 0xff,
    tunnelId: keys.word(uniflow, KEY.tunnelId),
    outerNetwork: (layers >>> 16) & 0xff,
    outerSourcePort: isFolded ? 0 : details.outerSourcePort[uniflow]!,
    tags: tagsOf(vlans),
  });
}

function sumsOf(tally: TunnelTally, [segment, outerSource, outerDestination]: readonly Cell[]): TunnelSums {
  const { isFolded } = tally;
  return {
    segment: String(segment),
    outerSource: outerSource as string | null,
    outerDestination: outerDestination as string | null,
    octets: tally.octets,
    packets: tally.packets,
    flows: isFolded ? null : tally.flows,
    headers: tally.headers,
    longest: isFolded ? null : tally.longest,
    fragments: tally.fragments,
    ports: isFolded ? null : tally.ports,
    overPorts: { octets: tally.portOctets, logarithms: tally.portLogarithms },
    overFlows: { octets: tally.octets, logarithms: tally.flowLogarithms },
    firstMs: Math.trunc(tally.firstMs),
    lastMs: Math.trunc(tally.lastMs),
  };
}
