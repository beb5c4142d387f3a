/** From the uniflows to the answer of one question: select, then add up nodes, links, flows and the leader. */
import { KeyTable } from '../flow/index.ts';
import {
  type Count,
  type Filtered,
  type FlowRow,
  type Leader,
  parseViewFilter,
  printFilter,
  type Segment,
  type View,
  type ViewLink,
  type ViewNode,
  type ViewQuestion,
} from '../query/index.ts';
import type { Counters } from './counters.ts';
import type { FittingUniflows, UniflowTest } from './fitting.ts';
import { Uniflow } from './uniflow.ts';
import type { UniflowTable } from './uniflows.ts';

/** Rows a flows-level answer holds at most. */
const MAX_FLOWS = 500;
/** Node for everyone beyond the largest nodes of an answer. */
const OTHERS = '(others)';

/** The part of a view that depends on the uniflows. */
export type Answer = Pick<
  View,
  'level' | 'total' | 'segments' | 'nodes' | 'links' | 'flows' | 'leader' | 'filter'
>;

interface Selection {
  readonly table: UniflowTable;
  readonly counters: Counters;
  /** Uniflows that match, and the tally that counts for each. */
  readonly uniflows: Uint32Array;
  readonly tallies: Uint32Array;
  readonly length: number;
  /** Of those that match and do not fit the filter: all, and those whose detail is lost. */
  readonly leftOut: Count;
  readonly unknown: Count;
}

/** Who sends and receives at the level of the answer. */
interface Ends {
  readonly source: Uint32Array;
  readonly destination: Uint32Array;
}

/** Answers from the table; `rateSeconds` is what the 5 s window really covers. */
export function answer(
  table: UniflowTable,
  question: ViewQuestion,
  options: {
    readonly rateSeconds: number;
    readonly maxNodes: number;
    readonly fitting: FittingUniflows;
  },
): Answer {
  const counters = table.counters[question.window];
  const place = placeOf(table, question);
  const filter = parseViewFilter(question.filter ?? '');
  const fits = options.fitting.testOf(table, filter);
  const segmentSums = new Float64Array(2 * table.segments.list.length);
  const selection = select(table, counters, { matches: place.matches, fits }, segmentSums);
  const total = totalOf(selection);
  const rateSums = question.window === '5s' ? segmentSums : sumSegments(table, table.counters['5s']);
  return {
    level: place.level,
    total,
    segments: segmentsOf(table, segmentSums, rateSums, options.rateSeconds),
    ...chordOf(selection, place.ends, options.maxNodes),
    flows: place.level === 'flows' ? flowsOf(selection) : [],
    leader: leaderOf(selection, total.octets),
    filter: filter.kind === 'any' ? null : filteredOf(printFilter(filter), selection, total),
  };
}

/** Which uniflows are at the place that a question names. */
interface Place {
  readonly level: View['level'];
  readonly ends: Ends;
  readonly matches: UniflowTest;
}

function placeOf(table: UniflowTable, question: ViewQuestion): Place {
  const hosts: Ends = { source: table.hostSource, destination: table.hostDestination };
  const clients: Ends = { source: table.clientSource, destination: table.clientDestination };
  const segment = question.segment === 'all' ? undefined : table.segments.find(question.segment);
  const host = question.host === undefined ? undefined : table.nodes.find(question.host);
  const [left, right] = question.pair?.split('~') ?? [];
  const isPair = left !== undefined && right !== undefined;
  const ends = isPair ? (left.includes('/') ? clients : hosts) : host === undefined ? hosts : clients;
  const a = isPair ? table.nodes.find(left) : -1;
  const b = isPair ? table.nodes.find(right) : -1;
  const matches = (u: number): boolean => {
    if (segment !== undefined && table.segment[u] !== segment) return false;
    if (host !== undefined && hosts.source[u] !== host && hosts.destination[u] !== host) return false;
    if (!isPair) return true;
    const source = ends.source[u]!;
    const destination = ends.destination[u]!;
    return (source === a && destination === b) || (source === b && destination === a);
  };
  return { level: isPair ? 'flows' : host === undefined ? 'hosts' : 'clients', ends, matches };
}

function select(
  table: UniflowTable,
  counters: Counters,
  { matches, fits }: { readonly matches: UniflowTest; readonly fits: UniflowTest },
  segmentSums: Float64Array,
): Selection {
  const uniflows = new Uint32Array(table.length);
  const tallies = new Uint32Array(table.length);
  const leftOut = { octets: 0, packets: 0 };
  const unknown = { octets: 0, packets: 0 };
  let length = 0;
  for (let u = 0; u < table.length; u++) {
    const tally = table.counted(u, counters);
    if (tally < 0) continue;
    addSegment(segmentSums, table.segment[u]!, counters, tally);
    if (!matches(u)) continue;
    if (!fits(u)) {
      addTally(leftOut, counters, tally);
      if (table.lacksDetail(u)) addTally(unknown, counters, tally);
      continue;
    }
    uniflows[length] = u;
    tallies[length++] = tally;
  }
  return { table, counters, uniflows, tallies, length, leftOut, unknown };
}

function filteredOf(text: string, { leftOut, unknown }: Selection, total: Count): Filtered {
  const all = total.octets + leftOut.octets;
  return { text, leftOut, unknown, share: all > 0 ? leftOut.octets / all : 0 };
}

function sumSegments(table: UniflowTable, counters: Counters): Float64Array {
  const sums = new Float64Array(2 * table.segments.list.length);
  for (let u = 0; u < table.length; u++) {
    const tally = table.counted(u, counters);
    if (tally >= 0) addSegment(sums, table.segment[u]!, counters, tally);
  }
  return sums;
}

function addSegment(sums: Float64Array, segment: number, counters: Counters, tally: number): void {
  sums[2 * segment]! += counters.octets(tally);
  sums[2 * segment + 1]! += counters.packets(tally);
}

function totalOf({ counters, tallies, length }: Selection): Count {
  const total = { octets: 0, packets: 0 };
  for (let i = 0; i < length; i++) addTally(total, counters, tallies[i]!);
  return total;
}

function addTally(sum: { octets: number; packets: number }, counters: Counters, tally: number): void {
  sum.octets += counters.octets(tally);
  sum.packets += counters.packets(tally);
}

/** All segments, by octets in the window, then by name, so that idle ones keep their place. */
function segmentsOf(
  table: UniflowTable,
  sums: Float64Array,
  rates: Float64Array,
  seconds: number,
): Segment[] {
  return table.segments.list
    .map((segment, i) => ({
      id: segment.id,
      kind: segment.id.split(':')[0]!,
      tunnelId: segment.tunnelKind === 0 ? null : segment.tunnelId,
      octets: sums[2 * i]!,
      packets: sums[2 * i + 1]!,
      octetRate: seconds > 0 ? rates[2 * i]! / seconds : 0,
      packetRate: seconds > 0 ? rates[2 * i + 1]! / seconds : 0,
      lastSeenMs: segment.lastSeenMs,
    }))
    .sort((a, b) => b.octets - a.octets || byText(a.id, b.id));
}

/** Octets and packets sent, octets and packets received, four numbers per node of the table. */
function sumNodes({ table, counters, uniflows, tallies, length }: Selection, ends: Ends): Float64Array {
  const sums = new Float64Array(4 * table.nodes.keys.length);
  for (let i = 0; i < length; i++) {
    const octets = counters.octets(tallies[i]!);
    const packets = counters.packets(tallies[i]!);
    const source = 4 * ends.source[uniflows[i]!]!;
    const destination = 4 * ends.destination[uniflows[i]!]!;
    sums[source]! += octets;
    sums[source + 1]! += packets;
    sums[destination + 2]! += octets;
    sums[destination + 3]! += packets;
  }
  return sums;
}

function chordOf(
  selection: Selection,
  ends: Ends,
  maxNodes: number,
): { nodes: ViewNode[]; links: ViewLink[] } {
  const { nodes: table } = selection.table;
  const sums = sumNodes(selection, ends);
  const weight = (node: number): number => sums[4 * node]! + sums[4 * node + 2]!;
  const present: number[] = [];
  for (let i = 0; i < sums.length; i += 4)
    if (sums[i + 1]! > 0 || sums[i + 3]! > 0 || weight(i / 4) > 0) present.push(i / 4);
  present.sort((a, b) => weight(b) - weight(a) || byText(table.id(a), table.id(b)));
  const shown = present.slice(0, maxNodes);
  const count = (node: number, at: number): Count => ({
    octets: sums[4 * node + at]!,
    packets: sums[4 * node + at + 1]!,
  });
  const nodes: ViewNode[] = shown.map((node) => ({
    id: table.id(node),
    address: table.text(node),
    segment: table.segment(node),
    sent: count(node, 0),
    received: count(node, 2),
  }));
  const rest = present.slice(maxNodes);
  if (rest.length > 0) {
    const sum = (at: number): Count =>
      rest.reduce((a, node) => plus(a, count(node, at)), { octets: 0, packets: 0 });
    nodes.push({ id: OTHERS, address: OTHERS, segment: null, sent: sum(0), received: sum(2) });
  }
  const position = new Uint32Array(table.keys.length).fill(shown.length);
  for (const [i, node] of shown.entries()) position[node] = i;
  return { nodes, links: linksOf(selection, ends, position) };
}

function linksOf(selection: Selection, ends: Ends, position: Uint32Array): ViewLink[] {
  const { table, counters, uniflows, tallies, length } = selection;
  const keys = new KeyTable(3);
  const octets: number[] = [];
  const packets: number[] = [];
  for (let i = 0; i < length; i++) {
    const u = uniflows[i]!;
    keys.probe[0] = position[ends.source[u]!]!;
    keys.probe[1] = position[ends.destination[u]!]!;
    keys.probe[2] = table.segment[u]!;
    const part = keys.intern();
    octets[part] = (octets[part] ?? 0) + counters.octets(tallies[i]!);
    packets[part] = (packets[part] ?? 0) + counters.packets(tallies[i]!);
  }
  const links = new Map<number, ViewLink>();
  for (let part = 0; part < keys.length; part++) {
    const [source, target, segment] = keys.words.subarray(3 * part, 3 * part + 3) as unknown as [
      number,
      number,
      number,
    ];
    const key = source * 2 ** 26 + target;
    const link = links.get(key) ?? { source, target, octets: 0, packets: 0, parts: [] };
    link.octets += octets[part]!;
    link.packets += packets[part]!;
    link.parts.push({
      segment: table.segments.list[segment]!.id,
      octets: octets[part]!,
      packets: packets[part]!,
    });
    links.set(key, link);
  }
  const sorted = [...links.values()].sort(
    (a, b) => b.octets - a.octets || a.source - b.source || a.target - b.target,
  );
  for (const link of sorted) link.parts.sort((a, b) => b.octets - a.octets || byText(a.segment, b.segment));
  return sorted;
}

function flowsOf({ table, counters, uniflows, tallies, length }: Selection): FlowRow[] {
  const octets = (i: number): number => counters.octets(tallies[i]!);
  return Array.from({ length }, (_, i) => i)
    .sort((a, b) => octets(b) - octets(a) || a - b)
    .slice(0, MAX_FLOWS)
    .map((i) => flowRow(new Uniflow(table, uniflows[i]!, tallies[i]!, counters)));
}

function flowRow(uniflow: Uniflow): FlowRow {
  return {
    segment: uniflow.segment,
    outerSource: uniflow.outerSource,
    outerDestination: uniflow.outerDestination,
    source: uniflow.source,
    destination: uniflow.destination,
    protocol: uniflow.protocolWord,
    sourcePort: uniflow.sourcePort,
    destinationPort: uniflow.destinationPort,
    note: uniflow.note,
    octets: Number(uniflow.wireOctets),
    packets: Number(uniflow.wirePackets),
    payloadOctets: Number(uniflow.payloadOctets),
    firstMs: uniflow.firstMs,
    lastMs: uniflow.lastMs,
  };
}

/** The client that sends most, with the peer it sends most to and the host it sits behind. */
function leaderOf(selection: Selection, total: number): Leader | null {
  const { table, counters, uniflows, tallies, length } = selection;
  const sums = sumNodes(selection, { source: table.clientSource, destination: table.clientDestination });
  let leader = -1;
  for (let node = 0; node < sums.length / 4; node++) {
    if (sums[4 * node]! === 0 || table.nodes.isSpecial(node)) continue;
    if (leader < 0 || sums[4 * node]! > sums[4 * leader]!) leader = node;
  }
  if (leader < 0) return null;
  const peers = new Map<number, number>();
  const hosts = new Map<number, number>();
  for (let i = 0; i < length; i++) {
    const u = uniflows[i]!;
    if (table.clientSource[u] !== leader) continue;
    const octets = counters.octets(tallies[i]!);
    addTo(peers, table.clientDestination[u]!, octets);
    addTo(hosts, table.hostSource[u]!, octets);
  }
  const address = table.nodes.text(leader);
  const host = table.nodes.text(largest(hosts));
  return {
    address,
    segment: table.nodes.segment(leader)!,
    host: host === address ? null : host,
    peer: table.nodes.text(largest(peers)),
    octets: sums[4 * leader]!,
    share: total > 0 ? sums[4 * leader]! / total : 0,
  };
}

function addTo(sums: Map<number, number>, key: number, octets: number): void {
  sums.set(key, (sums.get(key) ?? 0) + octets);
}

function largest(sums: Map<number, number>): number {
  let best = -1;
  for (const [key, sum] of sums) if (best < 0 || sum > sums.get(best)!) best = key;
  return best;
}

function plus(a: Count, b: Count): Count {
  return { octets: a.octets + b.octets, packets: a.packets + b.packets };
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
