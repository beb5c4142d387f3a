/**
 * Tunnel totals in the reference's form: one row per tunnel type and identifier, pair of outer addresses and pair of inner addresses, both
 * directions in one row, received and sent as the observation point saw them.
 */
import {
  columnWords,
  type FlowBatch,
  formatAddress,
  KeyTable,
  NETWORK,
  TUNNEL,
  type TunnelName,
  tunnelName,
} from '../flow/index.ts';

/** A row of `tunnel.json` and `tunnel-delta.json`; exactly these fields, in this order; the last only where it is not VXLAN. */
export interface TunnelRow {
  /** The VNI; of other tunnel types their identifier. */
  readonly vni: number;
  readonly outer_sip: string;
  readonly outer_dip: string;
  readonly inner_sip: string;
  readonly inner_dip: string;
  readonly tx_pkts: number | string;
  readonly tx_bytes: number | string;
  readonly rx_pkts: number | string;
  readonly rx_bytes: number | string;
  readonly tunnel?: TunnelName;
}

/** A 64-bit counter as a JSON value. */
type CounterJson = (counter: bigint) => number | string;

/** Key words: identifier, outer pair, tunnel type, inner pair; addresses are four words each in memory order. */
const KEY = {
  vni: 0,
  outerSource: 1,
  outerDestination: 5,
  kind: 9,
  innerSource: 10,
  innerDestination: 14,
  width: 18,
} as const;

/** Where a counter stands among a row's four. */
const TX_PACKETS = 0;
const TX_OCTETS = 1;
const RX_PACKETS = 2;
const RX_OCTETS = 3;

/** Sums since the start, with what the last delta was taken against. */
export class TunnelTotals {
  readonly #maxRows: number;
  readonly #keys = new KeyTable(KEY.width);
  #totals: BigUint64Array<ArrayBuffer> = new BigUint64Array(4 * this.#keys.capacity);
  #previous: BigUint64Array<ArrayBuffer> = new BigUint64Array(4 * this.#keys.capacity);

  /** @param maxRows beyond this many, new inner pairs count as `0.0.0.0` of their tunnel: nothing is lost but detail */
  constructor(maxRows: number) {
    this.#maxRows = maxRows;
  }

  get length(): number {
    return this.#keys.length;
  }

  /**
   * Adds the tunnelled records of the chosen observation points: the primary ones, or all where none is primary.
   * Octets and packets are the wire's: the length of the outer frame of every segment.
   */
  add(batch: FlowBatch): void {
    const isChosen = chosenPoints(batch);
    const { columns } = batch;
    const normalise = keyWriter(batch, this.#keys.probe);
    for (let row = 0; row < batch.length; row++) {
      if (columns.tunnelKind[row] === 0 || !isChosen(columns.ifindex[row]!, columns.direction[row]!))
        continue;
      normalise(row);
      const at = 4 * this.#row();
      // Received and sent as the hook saw it (reference A1.8), whichever way the pair was turned.
      const received = columns.direction[row] === 0;
      this.#totals[at + (received ? RX_PACKETS : TX_PACKETS)]! += columns.wirePackets[row]!;
      this.#totals[at + (received ? RX_OCTETS : TX_OCTETS)]! += columns.wireOctets[row]!;
    }
  }

  #row(): number {
    if (this.#keys.length >= this.#maxRows && this.#keys.find() < 0) {
      this.#keys.probe.fill(0, KEY.innerSource);
    }
    const row = this.#keys.intern();
    if (4 * this.#keys.capacity > this.#totals.length) {
      this.#totals = grown(this.#totals, 4 * this.#keys.capacity);
      this.#previous = grown(this.#previous, 4 * this.#keys.capacity);
    }
    return row;
  }

  /** All rows with their totals, in order of first sight. */
  totals(counter: CounterJson): TunnelRow[] {
    const rows: TunnelRow[] = [];
    for (let row = 0; row < this.length; row++)
      rows.push(this.#format(row, (i) => counter(this.#totals[4 * row + i]!)));
    return rows;
  }

  /** Rows whose packets changed since the last {@link settle}, with the differences. */
  deltas(counter: CounterJson): TunnelRow[] {
    const rows: TunnelRow[] = [];
    const difference = (at: number): bigint => this.#totals[at]! - this.#previous[at]!;
    for (let row = 0; row < this.length; row++) {
      if (difference(4 * row + TX_PACKETS) === 0n && difference(4 * row + RX_PACKETS) === 0n) continue;
      rows.push(this.#format(row, (i) => counter(difference(4 * row + i))));
    }
    return rows;
  }

  /** The present totals are what the next deltas are taken against; call it when the last deltas are safely out. */
  settle(): void {
    this.#previous.set(this.#totals);
  }

  #format(row: number, counter: (index: number) => number | string): TunnelRow {
    const { words } = this.#keys;
    const octets = new Uint8Array(words.buffer, 4 * KEY.width * row, 4 * KEY.width);
    const kind = words[KEY.width * row + KEY.kind]!;
    return {
      vni: words[KEY.width * row]!,
      outer_sip: addressText(octets, 4 * KEY.outerSource),
      outer_dip: addressText(octets, 4 * KEY.outerDestination),
      inner_sip: addressText(octets, 4 * KEY.innerSource),
      inner_dip: addressText(octets, 4 * KEY.innerDestination),
      tx_pkts: counter(TX_PACKETS),
      tx_bytes: counter(TX_OCTETS),
      rx_pkts: counter(RX_PACKETS),
      rx_bytes: counter(RX_OCTETS),
      ...(kind !== TUNNEL.vxlan && { tunnel: tunnelName(kind) }),
    };
  }
}

function grown(from: BigUint64Array<ArrayBuffer>, length: number): BigUint64Array<ArrayBuffer> {
  const into = new BigUint64Array(length);
  into.set(from);
  return into;
}

function chosenPoints(batch: FlowBatch): (ifindex: number, direction: number) => boolean {
  const primary = batch.points.filter((point) => point.primary);
  if (primary.length === 0) return () => true;
  const chosen = new Set(primary.map((point) => 2 * point.ifindex + point.direction));
  return (ifindex, direction) => chosen.has(2 * ifindex + direction);
}

/**
 * Writes a record's key with the numerically smaller outer address first; where that swaps the outer pair, the inner
 * pair swaps too (reference A1.7). Equal outer addresses are ordered by the inner pair (BUG-A11). An inner frame that
 * is not IP has no inner addresses here (reference A1.6), ARP included.
 */
function keyWriter(batch: FlowBatch, probe: Uint32Array): (row: number) => void {
  const { columns } = batch;
  const outerSource = columnWords(columns.outerSource);
  const outerDestination = columnWords(columns.outerDestination);
  const innerSource = columnWords(columns.source);
  const innerDestination = columnWords(columns.destination);
  return (row) => {
    const isIp = columns.network[row] === NETWORK.ipv4 || columns.network[row] === NETWORK.ipv6;
    const order =
      compareAddresses(columns.outerSource, columns.outerDestination, row) ||
      (isIp ? compareAddresses(columns.source, columns.destination, row) : 0);
    const [from, to] = order > 0 ? [4, 0] : [0, 4];
    probe[KEY.vni] = columns.tunnelId[row]!;
    probe[KEY.kind] = columns.tunnelKind[row]!;
    for (let i = 0; i < 4; i++) {
      probe[KEY.outerSource + from + i] = outerSource[4 * row + i]!;
      probe[KEY.outerSource + to + i] = outerDestination[4 * row + i]!;
      probe[KEY.innerSource + from + i] = isIp ? innerSource[4 * row + i]! : 0;
      probe[KEY.innerSource + to + i] = isIp ? innerDestination[4 * row + i]! : 0;
    }
  };
}

/** Octets in network order compare as the numbers they are. */
function compareAddresses(a: Uint8Array, b: Uint8Array, row: number): number {
  for (let i = 16 * row; i < 16 * row + 16; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

/** As text; no address at all is `0.0.0.0`, whatever the outer network, as the reference writes it. */
function addressText(octets: Uint8Array, offset: number): string {
  for (let i = offset; i < offset + 16; i++) if (octets[i] !== 0) return formatAddress(octets, offset);
  return '0.0.0.0';
}
