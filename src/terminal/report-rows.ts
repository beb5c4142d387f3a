/** The rows of the traffic report, as columns: a report of a large capture has hundreds of thousands. */
import { KeyTable, tunnelIdText } from '../flow/index.ts';
import { Counters, type LiveView, type NodeTable, ORDER_WORDS, type Uniflow } from '../live/index.ts';

/** What a row is: the inner flow in its tunnel, the inner flow in its segment, or the outer flow alone. */
export type ReportLayer = 'both' | 'inner' | 'outer';

/** Words of a row's key: what it shows, in words that say the order as well. */
export const ROW = {
  protocol: 0,
  tunnel: 1,
  /** Source in the high half, destination in the low; 0 where the protocol has none. */
  ports: 2,
  source: 3,
  destination: 3 + ORDER_WORDS,
  width: 3 + 2 * ORDER_WORDS,
} as const;

/** Words by number, each once. */
class Words {
  readonly list: string[] = [];
  readonly #numbers = new Map<string, number>();

  intern(word: string): number {
    let number = this.#numbers.get(word);
    if (number === undefined) {
      number = this.list.push(word) - 1;
      this.#numbers.set(word, number);
    }
    return number;
  }
}

/** Rows of one layer of what a view holds. Lent: good until the view's next `write`. */
export class ReportRows {
  readonly keys: KeyTable;
  /** Octets and packets of each row. */
  readonly counts: Counters;
  readonly #nodes: NodeTable;
  readonly #protocols = new Words();
  readonly #tunnels = new Words();
  /** Numbers of tunnels by segment and outer nodes. */
  readonly #tunnelKeys = new KeyTable(3);
  readonly #tunnelNumbers: number[] = [];
  /** Nodes of source and destination, two per row. */
  readonly #ends: Uint32Array<ArrayBuffer>;

  /** @param capacity rows at most */
  constructor(nodes: NodeTable, capacity: number) {
    this.#nodes = nodes;
    this.keys = new KeyTable(ROW.width, capacity);
    this.counts = new Counters(capacity);
    this.#ends = new Uint32Array(2 * capacity);
  }

  get length(): number {
    return this.keys.length;
  }

  /** `TCP`, `ICMP`, `ARP`, …; of the outer layer the tunnel's kind. */
  get protocols(): readonly string[] {
    return this.#protocols.list;
  }

  /** `vxlan 10001 172.16.1.100 > 172.16.1.101`; of the inner layer without addresses; empty for plain flows. */
  get tunnels(): readonly string[] {
    return this.#tunnels.list;
  }

  protocol(row: number): string {
    return this.protocols[this.keys.word(row, ROW.protocol)]!;
  }

  tunnel(row: number): string {
    return this.tunnels[this.keys.word(row, ROW.tunnel)]!;
  }

  /** `10.0.0.1:80`, `[fd00::1]:80`; a MAC where the frame has no addresses, `(overflow)` or `(folded)` for many. */
  source(row: number): string {
    return this.#endpoint(2 * row, this.keys.word(row, ROW.ports) >>> 16);
  }

  destination(row: number): string {
    return this.#endpoint(2 * row + 1, this.keys.word(row, ROW.ports) & 0xffff);
  }

  /** Exact while it is a safe integer; beyond as its digits. */
  packets(row: number): number | bigint {
    const packets = this.counts.packets(row);
    return Number.isSafeInteger(packets) ? packets : this.counts.exact(row, 1);
  }

  /** Rounded beyond 2^53; three digits of it are shown. */
  bytes(row: number): number {
    return this.counts.octets(row);
  }

  /** Adds a uniflow to the row it is in at a layer. */
  add(uniflow: Uniflow, layer: ReportLayer): void {
    const { probe } = this.keys;
    const isOuter = layer === 'outer' && uniflow.outerSourceNode >= 0;
    const source = isOuter ? uniflow.outerSourceNode : uniflow.sourceNode;
    const destination = isOuter ? uniflow.outerDestinationNode : uniflow.destinationNode;
    const nodes = this.#nodes;
    nodes.writeOrder(source, probe, ROW.source);
    nodes.writeOrder(destination, probe, ROW.destination);
    if (isOuter) {
      // The ports of an outer flow are not in its records (the source port changes by inner flow): none is claimed.
      probe[ROW.protocol] = this.#protocols.intern(uniflow.tunnelKind.toUpperCase());
      probe[ROW.tunnel] = this.#tunnels.intern('');
      probe[ROW.ports] = 0;
    } else {
      probe[ROW.protocol] = this.#protocols.intern(reportProtocol(uniflow));
      probe[ROW.tunnel] = this.#tunnel(uniflow, layer);
      const sourcePort = nodes.isAddress(source) ? (uniflow.sourcePort ?? 0) : 0;
      const destinationPort = nodes.isAddress(destination) ? (uniflow.destinationPort ?? 0) : 0;
      probe[ROW.ports] = (sourcePort << 16) | destinationPort;
    }
    const known = this.length;
    const row = this.keys.intern();
    if (row === known) {
      this.#ends[2 * row] = source;
      this.#ends[2 * row + 1] = destination;
    }
    uniflow.addTo(this.counts, row);
  }

  #endpoint(at: number, port: number): string {
    const node = this.#ends[at]!;
    const text = this.#nodes.format(node);
    if (!this.#nodes.isAddress(node)) return text;
    return text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`;
  }

  #tunnel(uniflow: Uniflow, layer: ReportLayer): number {
    const { probe } = this.#tunnelKeys;
    const hasEnds = layer !== 'inner' && uniflow.outerSourceNode >= 0;
    probe[0] = uniflow.segmentNumber;
    probe[1] = hasEnds ? uniflow.outerSourceNode : -1;
    probe[2] = hasEnds ? uniflow.outerDestinationNode : -1;
    const number = this.#tunnelKeys.intern();
    this.#tunnelNumbers[number] ??= this.#tunnels.intern(tunnelText(uniflow, hasEnds));
    return this.#tunnelNumbers[number];
  }
}

/**
 * Rows of a layer. Uniflows that differ only in what a row does not show (ICMP type, VLAN, fragments) are added up;
 * tunnels and segments never are, so two tenants with equal addresses stay two rows.
 *
 * @param live totals since its beginning; for exactly one report interval, a view that was made anew
 */
export function reportRows(live: LiveView, layer: ReportLayer = 'both'): ReportRows {
  const rows = new ReportRows(live.nodes, live.flowCount);
  for (const uniflow of live.uniflows('all')) rows.add(uniflow, layer);
  return rows;
}

/** As everywhere, except that IP protocol 0 is `IP`, its name in the reference's report. */
function reportProtocol(uniflow: Uniflow): string {
  const word = uniflow.protocolWord;
  return word === 'HOPOPT' ? 'IP' : word;
}

function tunnelText(uniflow: Uniflow, hasEnds: boolean): string {
  if (uniflow.tunnelId === null) return '';
  const segment = `${uniflow.tunnelKind} ${tunnelIdText(uniflow.tunnelKind, uniflow.tunnelId)}`.trimEnd();
  return hasEnds ? `${segment} ${uniflow.outerSource} > ${uniflow.outerDestination}` : segment;
}
