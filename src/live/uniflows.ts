/**
 * The uniflows the live view knows, as columns.
 *
 * **Counting once.** A packet crosses several observation points of one host (veth, bridge, NIC), and each reports it.
 * Identity is therefore the uniflow: the record's key without its observation point. Per uniflow up to four *tallies*
 * stand beside each other, by kind of point: primary or not, ingress or egress; a tally adds up all points of its
 * kind. What counts in a window is one tally:
 *
 * - of the primary ones if any of them saw the uniflow in the window, because a primary point is where packets enter
 *   or leave the host, while the others see the same packets again, or see traffic that never leaves (then they count);
 * - of ingress and egress the one with more octets: forwarded traffic passes both, so adding would count it twice,
 *   while points of one direction (two uplinks) see different packets, so those are added.
 *
 * Layers differ on purpose: a packet is a tunnelled uniflow at the NIC and a plain one at the tunnel's own device.
 * Who meters both sees both; the default attachment (primary interfaces only) does not.
 */
import {
  columnWords,
  type FlowBatch,
  type FlowColumns,
  grownCapacity,
  KeyTable,
  NETWORK,
  REMARK,
} from '../flow/index.ts';
import type { RecordTest } from '../query/index.ts';
import { Counters } from './counters.ts';
import { grown, UniflowDetails } from './details.ts';
import { HOST_SCOPE, NodeTable, type Segments, SPECIAL } from './nodes.ts';

/**
 * Words of a key and where they stand. An address is two words and, far from them, the two before those, which are zero
 * in an IPv4 address; all in memory order.
 */
export const KEY = {
  width: 28,
  /** From here on words are zero in most keys. */
  near: 13,
  ports: 0,
  source: 1,
  destination: 3,
  outerSource: 5,
  outerDestination: 7,
  tunnelId: 9,
  /** tunnelKind, tunnelDepth, outerNetwork, network: one octet each, lowest first. */
  layers: 10,
  /** protocol, cast, fragment, remark: one octet each, lowest first. */
  form: 11,
  /** ICMP type and code in the high half, ethertype in the low. */
  icmpEthertype: 12,
  sourceNetwork: 13,
  destinationNetwork: 15,
  outerSourceNetwork: 17,
  outerDestinationNetwork: 19,
  /** tunnel2Kind, tunnel3Kind, tunnel4Kind, markKind: one octet each, lowest first. */
  kinds: 21,
  /** The identifiers of the second, third and fourth tunnel. */
  innerTunnels: 22,
  markId: 25,
  vlans: 26,
  innerVlans: 27,
} as const;

/** Bit of the remark octet for a row that holds the totals of many folded uniflows; no record carries it. */
export const FOLDED = 0x80;

/** The windows a tally is summed over. */
export interface TallyCounters {
  /** The epoch being taken in; zero between writes. */
  readonly epoch: Counters;
  readonly '5s': Counters;
  readonly '1m': Counters;
  readonly all: Counters;
}

/** Uniflows and their tallies. Columns are public to this folder: they are read in tight loops. */
export class UniflowTable {
  readonly segments: Segments;
  readonly nodes: NodeTable;
  readonly keys: KeyTable;
  segment: Uint32Array<ArrayBuffer>;
  /** Nodes of the hosts level, then of the clients level. */
  hostSource: Uint32Array<ArrayBuffer>;
  hostDestination: Uint32Array<ArrayBuffer>;
  clientSource: Uint32Array<ArrayBuffer>;
  clientDestination: Uint32Array<ArrayBuffer>;
  firstMs: Float64Array<ArrayBuffer>;
  lastMs: Float64Array<ArrayBuffer>;
  readonly details: UniflowDetails;
  /** Four per uniflow: tally + 1, or 0: primary ingress, primary egress, other ingress, other egress. */
  tallies: Uint32Array<ArrayBuffer>;

  tallyCount = 0;
  uniflowOf: Uint32Array<ArrayBuffer>;
  /** Number of the write that touched the tally last. */
  seenIn: Uint32Array<ArrayBuffer>;
  readonly counters: TallyCounters;
  /** Rows that hold folded uniflows. */
  foldedRows = 0;

  constructor(segments: Segments, capacity = 1024) {
    this.segments = segments;
    this.nodes = new NodeTable(segments, capacity);
    this.keys = new KeyTable(KEY.width, capacity, KEY.near);
    this.segment = new Uint32Array(capacity);
    this.hostSource = new Uint32Array(capacity);
    this.hostDestination = new Uint32Array(capacity);
    this.clientSource = new Uint32Array(capacity);
    this.clientDestination = new Uint32Array(capacity);
    this.firstMs = new Float64Array(capacity);
    this.lastMs = new Float64Array(capacity);
    this.details = new UniflowDetails(capacity);
    this.tallies = new Uint32Array(4 * capacity);
    this.uniflowOf = new Uint32Array(capacity);
    this.seenIn = new Uint32Array(capacity);
    this.counters = {
      epoch: new Counters(capacity),
      '5s': new Counters(capacity),
      '1m': new Counters(capacity),
      all: new Counters(capacity),
    };
  }

  /** Number of uniflows. */
  get length(): number {
    return this.keys.length;
  }

  /** The tally of a uniflow at a kind of point (0…3), made when missing. */
  tally(uniflow: number, point: number): number {
    const at = 4 * uniflow + point;
    const known = this.tallies[at]!;
    if (known !== 0) return known - 1;
    const tally = this.tallyCount++;
    if (tally === this.uniflowOf.length) this.#growTallies();
    this.uniflowOf[tally] = uniflow;
    this.tallies[at] = tally + 1;
    return tally;
  }

  /** The tally that counts for a uniflow in a window, or −1 when it saw nothing there; the rule stands above. */
  counted(uniflow: number, counters: Counters): number {
    const primary = this.#larger(4 * uniflow, counters);
    if (primary >= 0) return primary;
    return this.#larger(4 * uniflow + 2, counters);
  }

  #larger(at: number, counters: Counters): number {
    const ingress = this.tallies[at]! - 1;
    const egress = this.tallies[at + 1]! - 1;
    const hasIngress = ingress >= 0 && counters.any(ingress);
    if (egress < 0 || !counters.any(egress)) return hasIngress ? ingress : -1;
    if (!hasIngress) return egress;
    const difference = counters.octets(egress) - counters.octets(ingress);
    if (difference !== 0) return difference > 0 ? egress : ingress;
    return counters.packets(egress) > counters.packets(ingress) ? egress : ingress;
  }

  /** Whether the row holds folded uniflows. */
  isFolded(uniflow: number): boolean {
    return this.keys.word(uniflow, KEY.form) >>> 24 === FOLDED;
  }

  /** Whether the row stands for many uniflows: folded, or in a full flow cache. */
  lacksDetail(uniflow: number): boolean {
    return ((this.keys.word(uniflow, KEY.form) >>> 24) & (FOLDED | REMARK.overflow)) !== 0;
  }

  /** Whether a primary point saw the uniflow. */
  sawPrimary(uniflow: number): boolean {
    return this.tallies[4 * uniflow] !== 0 || this.tallies[4 * uniflow + 1] !== 0;
  }

  /** Number of the last write that touched any tally of the uniflow. */
  lastWrite(uniflow: number): number {
    let write = 0;
    for (let at = 4 * uniflow; at < 4 * uniflow + 4; at++) {
      const tally = this.tallies[at]! - 1;
      if (tally >= 0) write = Math.max(write, this.seenIn[tally]!);
    }
    return write;
  }

  /** Makes room in the columns for a uniflow the key table just numbered. */
  reserve(): void {
    const { capacity } = this.keys;
    if (this.segment.length >= capacity) return;
    this.segment = grown(this.segment, new Uint32Array(capacity));
    this.hostSource = grown(this.hostSource, new Uint32Array(capacity));
    this.hostDestination = grown(this.hostDestination, new Uint32Array(capacity));
    this.clientSource = grown(this.clientSource, new Uint32Array(capacity));
    this.clientDestination = grown(this.clientDestination, new Uint32Array(capacity));
    this.firstMs = grown(this.firstMs, new Float64Array(capacity));
    this.lastMs = grown(this.lastMs, new Float64Array(capacity));
    this.tallies = grown(this.tallies, new Uint32Array(4 * capacity));
    this.details.resize(capacity);
  }

  #growTallies(): void {
    const capacity = grownCapacity(this.uniflowOf.length);
    this.uniflowOf = grown(this.uniflowOf, new Uint32Array(capacity));
    this.seenIn = grown(this.seenIn, new Uint32Array(capacity));
    for (const counters of Object.values(this.counters) as Counters[]) counters.resize(capacity);
  }
}

/** How a batch is taken in. */
export interface Intake {
  /** Kind of point (0…3) by `2 * ifindex + direction`, −1 to leave its records out; what it lacks is not primary. */
  readonly pointOf: ReadonlyMap<number, number>;
  /** Which records. */
  readonly accepts: RecordTest;
  /** Number of this write. */
  readonly write: number;
}

/**
 * Adds a batch's records to the epoch counters, which must be zero before.
 *
 * @returns the tallies touched, each once, rising
 */
export function takeIn(
  table: UniflowTable,
  batch: FlowBatch,
  { pointOf, accepts, write }: Intake,
): Uint32Array {
  const { columns } = batch;
  const octets = columnWords(columns.wireOctets);
  const packets = columnWords(columns.wirePackets);
  const payload = columnWords(columns.payloadOctets);
  const readKey = keyReader(batch, table.keys.probe);
  const initialise = initialiser(table, batch);
  const add = adder(table, columns);
  const { epoch } = table.counters;
  let count = 0;
  for (let row = 0; row < batch.length; row++) {
    const direction = columns.direction[row]!;
    const point = pointOf.get(2 * columns.ifindex[row]! + direction) ?? 2 + direction;
    if (point < 0 || !accepts(columns, row)) continue;
    readKey(row);
    const known = table.keys.length;
    const uniflow = table.keys.intern();
    if (uniflow === known) initialise(uniflow, row);
    else add(uniflow, row, point < 2);
    const tally = table.tally(uniflow, point);
    if (table.seenIn[tally] !== write) {
      table.seenIn[tally] = write;
      count++;
    }
    epoch.add(tally, 0, octets[2 * row]!, octets[2 * row + 1]!);
    epoch.add(tally, 1, packets[2 * row]!, packets[2 * row + 1]!);
    epoch.add(tally, 2, payload[2 * row]!, payload[2 * row + 1]!);
  }
  const touched = new Uint32Array(count);
  for (let tally = 0, at = 0; at < count; tally++) if (table.seenIn[tally] === write) touched[at++] = tally;
  return touched;
}

/** Adds a record of a known uniflow: its times, and what else is kept of the points that count. */
function adder(
  table: UniflowTable,
  columns: FlowColumns,
): (uniflow: number, row: number, isPrimary: boolean) => void {
  return (uniflow, row, isPrimary) => {
    const first = columns.firstMs[row]!;
    const last = columns.lastMs[row]!;
    const isFirst = first < table.firstMs[uniflow]!;
    if (isFirst) table.firstMs[uniflow] = first;
    if (last > table.lastMs[uniflow]!) table.lastMs[uniflow] = last;
    if (table.sawPrimary(uniflow) === isPrimary) table.details.add(uniflow, columns, row, isFirst);
    else if (isPrimary) table.details.begin(uniflow, columns, row);
  };
}

function keyReader(batch: FlowBatch, probe: Uint32Array): (row: number) => void {
  const c = batch.columns;
  const source = columnWords(c.source);
  const destination = columnWords(c.destination);
  const outerSource = columnWords(c.outerSource);
  const outerDestination = columnWords(c.outerDestination);
  return (row) => {
    probe[KEY.ports] = (c.sourcePort[row]! << 16) | c.destinationPort[row]!;
    for (let i = 0; i < 2; i++) {
      const word = 4 * row + i;
      probe[KEY.sourceNetwork + i] = source[word]!;
      probe[KEY.source + i] = source[word + 2]!;
      probe[KEY.destinationNetwork + i] = destination[word]!;
      probe[KEY.destination + i] = destination[word + 2]!;
      probe[KEY.outerSourceNetwork + i] = outerSource[word]!;
      probe[KEY.outerSource + i] = outerSource[word + 2]!;
      probe[KEY.outerDestinationNetwork + i] = outerDestination[word]!;
      probe[KEY.outerDestination + i] = outerDestination[word + 2]!;
    }
    probe[KEY.tunnelId] = c.tunnelId[row]!;
    probe[KEY.kinds] =
      c.tunnel2Kind[row]! |
      (c.tunnel3Kind[row]! << 8) |
      (c.tunnel4Kind[row]! << 16) |
      (c.markKind[row]! << 24);
    probe[KEY.innerTunnels] = c.tunnel2Id[row]!;
    probe[KEY.innerTunnels + 1] = c.tunnel3Id[row]!;
    probe[KEY.innerTunnels + 2] = c.tunnel4Id[row]!;
    probe[KEY.markId] = c.markId[row]!;
    probe[KEY.layers] =
      c.tunnelKind[row]! |
      (c.tunnelDepth[row]! << 8) |
      (c.outerNetwork[row]! << 16) |
      (c.network[row]! << 24);
    probe[KEY.form] =
      c.protocol[row]! | (c.cast[row]! << 8) | (c.fragment[row]! << 16) | (c.remark[row]! << 24);
    probe[KEY.icmpEthertype] = (c.icmpTypeCode[row]! << 16) | c.ethertype[row]!;
    probe[KEY.vlans] = (c.vlan[row]! << 16) | c.secondVlan[row]!;
    probe[KEY.innerVlans] = (c.innerVlan[row]! << 16) | c.innerSecondVlan[row]!;
  };
}

/**
 * Fills the columns of a new uniflow: its segment and nodes. A frame without addresses is known by its MACs. Where no
 * network layer carries a tunnel (MPLS over Ethernet, PPPoE) the host is who speaks inside, as for plain traffic.
 */
function initialiser(table: UniflowTable, batch: FlowBatch): (uniflow: number, row: number) => void {
  const c = batch.columns;
  const { nodes, segments } = table;
  const source = columnWords(c.source);
  const destination = columnWords(c.destination);
  const outerSource = columnWords(c.outerSource);
  const outerDestination = columnWords(c.outerDestination);
  const node = (scope: number, words: Uint32Array, row: number, macs: Uint8Array): number => {
    if (c.remark[row]! & REMARK.overflow) return nodes.special(scope, SPECIAL.overflow);
    if (c.network[row] === NETWORK.none) return nodes.mac(scope, macs, 6 * row);
    return nodes.address(scope, words, 4 * row);
  };
  return (uniflow, row) => {
    table.reserve();
    const segment = segments.intern(c.tunnelKind[row]!, c.tunnelId[row]!);
    table.segment[uniflow] = segment;
    table.firstMs[uniflow] = c.firstMs[row]!;
    table.lastMs[uniflow] = c.lastMs[row]!;
    table.details.begin(uniflow, c, row);
    const client = node(segment, source, row, c.sourceMac);
    const peer = node(segment, destination, row, c.destinationMac);
    table.clientSource[uniflow] = client;
    table.clientDestination[uniflow] = peer;
    if (c.outerNetwork[row] === NETWORK.none) {
      table.hostSource[uniflow] = nodes.copy(nodes, client, HOST_SCOPE);
      table.hostDestination[uniflow] = nodes.copy(nodes, peer, HOST_SCOPE);
    } else {
      table.hostSource[uniflow] = nodes.address(HOST_SCOPE, outerSource, 4 * row);
      table.hostDestination[uniflow] = nodes.address(HOST_SCOPE, outerDestination, 4 * row);
    }
  };
}
