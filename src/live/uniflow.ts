/** One uniflow as a row: fields decoded when asked for. */
import {
  hasPorts,
  isIcmp,
  markWords,
  NETWORK,
  REMARK,
  type TunnelName,
  transportName,
  tunnelName,
  tunnelWords,
  vlanOf,
} from '../flow/index.ts';
import type { Counters } from './counters.ts';
import { FOLDED, KEY, type UniflowTable } from './uniflows.ts';

/** A uniflow and its count in a window. Lent: valid until the view's next `write`. */
export class Uniflow {
  readonly #table: UniflowTable;
  readonly #uniflow: number;
  readonly #tally: number;
  readonly #counters: Counters;

  constructor(table: UniflowTable, uniflow: number, tally: number, counters: Counters) {
    this.#table = table;
    this.#uniflow = uniflow;
    this.#tally = tally;
    this.#counters = counters;
  }

  /** Number of the segment. */
  get segmentNumber(): number {
    return this.#table.segment[this.#uniflow]!;
  }
  /** Nodes of the view's table: who sends and receives inside; see `source`. */
  get sourceNode(): number {
    return this.#table.clientSource[this.#uniflow]!;
  }
  get destinationNode(): number {
    return this.#table.clientDestination[this.#uniflow]!;
  }
  /** The tunnel's ends, see `outerSource`; −1 where that is `null`. */
  get outerSourceNode(): number {
    return this.#isCarried ? this.#table.hostSource[this.#uniflow]! : -1;
  }
  get outerDestinationNode(): number {
    return this.#isCarried ? this.#table.hostDestination[this.#uniflow]! : -1;
  }
  /** Id of the segment, `none` for plain traffic. */
  get segment(): string {
    return this.#table.segments.list[this.#table.segment[this.#uniflow]!]!.id;
  }
  get tunnelKind(): TunnelName {
    return tunnelName(this.#word(KEY.layers) & 0xff);
  }
  /** Identifier of the outermost tunnel; `null` without a tunnel. */
  get tunnelId(): number | null {
    return this.#isTunnelled ? this.#word(KEY.tunnelId) : null;
  }
  /** Address of the tunnel's sender; `null` without a tunnel, or where no network layer carries it. */
  get outerSource(): string | null {
    return this.#isCarried ? this.#table.nodes.text(this.#table.hostSource[this.#uniflow]!) : null;
  }
  get outerDestination(): string | null {
    return this.#isCarried ? this.#table.nodes.text(this.#table.hostDestination[this.#uniflow]!) : null;
  }
  /** Address of the innermost sender; a MAC where the frame has no addresses; `(overflow)` or `(folded)` for many. */
  get source(): string {
    return this.#table.nodes.text(this.#table.clientSource[this.#uniflow]!);
  }
  get destination(): string {
    return this.#table.nodes.text(this.#table.clientDestination[this.#uniflow]!);
  }
  /** NETWORK of the innermost frame. */
  get network(): number {
    return this.#word(KEY.layers) >>> 24;
  }
  /** IP protocol number; of ARP the operation. */
  get protocol(): number {
    return this.#word(KEY.form) & 0xff;
  }
  get ethertype(): number {
    return this.#word(KEY.icmpEthertype) & 0xffff;
  }
  /** The protocol's word: `TCP`, `ARP`, `LLDP`; `*` for a row that stands for many. */
  get protocolWord(): string {
    return this.standsForMany ? '*' : transportName(this.network, this.protocol, this.ethertype);
  }
  /** `null` where the protocol has no ports, or the fragment does not carry them. */
  get sourcePort(): number | null {
    return this.#hasPorts ? this.#word(KEY.ports) >>> 16 : null;
  }
  get destinationPort(): number | null {
    return this.#hasPorts ? this.#word(KEY.ports) & 0xffff : null;
  }
  /** Detail lost because the flow cache was full. */
  get isOverflow(): boolean {
    return (this.#remark & REMARK.overflow) !== 0;
  }
  /** Totals of uniflows folded here: idle for long, or too many. */
  get isFolded(): boolean {
    return this.#remark === FOLDED;
  }
  get standsForMany(): boolean {
    return this.isOverflow || this.isFolded;
  }
  get wireOctets(): bigint {
    return this.#counters.exact(this.#tally, 0);
  }
  get wirePackets(): bigint {
    return this.#counters.exact(this.#tally, 1);
  }
  get payloadOctets(): bigint {
    return this.#counters.exact(this.#tally, 2);
  }
  /** Adds octets, packets and payload octets to counters of somebody else. */
  addTo(counters: Counters, at: number): void {
    counters.addTally(at, this.#counters, this.#tally);
  }
  /** Since the uniflow was first seen, whatever the window. */
  get firstMs(): number {
    return this.#table.firstMs[this.#uniflow]!;
  }
  get lastMs(): number {
    return this.#table.lastMs[this.#uniflow]!;
  }

  /** What else is worth saying: ICMP in words, fragments, VLANs, inner tunnels, marks, casts, remarks. */
  get note(): string {
    if (this.isOverflow) return 'flow cache full: octets exact, detail lost';
    if (this.isFolded) return 'idle or surplus flows: octets exact, detail folded';
    const notes: string[] = [];
    const form = this.#word(KEY.form);
    const fragment = (form >>> 16) & 0xff;
    if (this.network === NETWORK.arp) notes.push(arpOperation(this.protocol));
    else if (this.network !== NETWORK.none && isIcmp(this.protocol) && fragment !== 2)
      notes.push(this.#icmp());
    if (fragment === 1) notes.push('fragment');
    if (fragment === 2) notes.push('fragment without ports');
    pushVlans(notes, 'VLAN', this.#word(KEY.vlans));
    pushVlans(notes, 'inner VLAN', this.#word(KEY.innerVlans));
    const kinds = this.#word(KEY.kinds);
    for (let inner = 0; inner < 3; inner++) {
      const kind = (kinds >>> (8 * inner)) & 0xff;
      if (kind !== 0) notes.push(`nested ${tunnelWords(kind, this.#word(KEY.innerTunnels + inner))}`);
    }
    if (kinds >>> 24 !== 0) notes.push(markWords(kinds >>> 24, this.#word(KEY.markId)));
    const cast = (form >>> 8) & 0xff;
    if (cast !== 0) notes.push(cast === 1 ? 'multicast' : 'broadcast');
    if (this.#remark & REMARK.notTunnel) notes.push('announced as a tunnel, is none');
    if (this.#remark & REMARK.guessed) notes.push('contents guessed');
    if (this.#remark & REMARK.critical) notes.push('critical options');
    return notes.join(', ');
  }

  get #isTunnelled(): boolean {
    return (this.#word(KEY.layers) & 0xff) !== 0;
  }
  get #isCarried(): boolean {
    return ((this.#word(KEY.layers) >>> 16) & 0xff) !== NETWORK.none;
  }
  get #remark(): number {
    return this.#word(KEY.form) >>> 24;
  }
  get #hasPorts(): boolean {
    const isIp = this.network === NETWORK.ipv4 || this.network === NETWORK.ipv6;
    return (
      !this.standsForMany && isIp && hasPorts(this.protocol) && ((this.#word(KEY.form) >>> 16) & 0xff) !== 2
    );
  }
  #word(at: number): number {
    return this.#table.keys.word(this.#uniflow, at);
  }
  #icmp(): string {
    const type = this.#word(KEY.icmpEthertype) >>> 24;
    const code = (this.#word(KEY.icmpEthertype) >>> 16) & 0xff;
    const names = this.protocol === 1 ? ICMP_TYPES : ICMPV6_TYPES;
    const name = names[type] ?? `type ${type}`;
    if (name.startsWith('echo ')) return `${name} (id ${this.#word(KEY.ports) >>> 16})`;
    return code === 0 ? name : `${name} (code ${code})`;
  }
}

/** IANA "ICMP Type Numbers". */
const ICMP_TYPES: Readonly<Record<number, string>> = {
  0: 'echo reply',
  3: 'destination unreachable',
  4: 'source quench',
  5: 'redirect',
  8: 'echo request',
  9: 'router advertisement',
  10: 'router solicitation',
  11: 'time exceeded',
  12: 'parameter problem',
  13: 'timestamp',
  14: 'timestamp reply',
};

/** IANA "ICMPv6 type Numbers". */
const ICMPV6_TYPES: Readonly<Record<number, string>> = {
  1: 'destination unreachable',
  2: 'packet too big',
  3: 'time exceeded',
  4: 'parameter problem',
  128: 'echo request',
  129: 'echo reply',
  130: 'listener query',
  131: 'listener report',
  132: 'listener done',
  133: 'router solicitation',
  134: 'router advertisement',
  135: 'neighbour solicitation',
  136: 'neighbour advertisement',
  137: 'redirect',
  143: 'listener report v2',
};

function arpOperation(operation: number): string {
  if (operation === 1) return 'request';
  return operation === 2 ? 'reply' : `operation ${operation}`;
}

function pushVlans(notes: string[], word: string, pair: number): void {
  const vlans = [vlanOf(pair >>> 16), vlanOf(pair & 0xffff)].filter((vlan) => vlan !== null);
  if (vlans.length > 0) notes.push(`${word} ${vlans.join('/')}`);
}
