/** Which uniflows fit a filter: asked once each, then remembered. */
import { columnWords, createColumns, type FlowColumns, NETWORK } from '../flow/index.ts';
import { compileFilter, type Filter, printFilter, type RecordTest } from '../query/index.ts';
import { KEY, type UniflowTable } from './uniflows.ts';

/** Filters whose verdicts are kept where it is not said otherwise. */
const KEPT = 16;
/** A verdict. */
const UNKNOWN = 0;
const FITS = 1;
const FITS_NOT = 2;

/** Whether a uniflow, by its number, fits. */
export type UniflowTest = (uniflow: number) => boolean;

interface Verdicts {
  readonly test: RecordTest;
  /** By uniflow. */
  known: Uint8Array<ArrayBuffer>;
}

/** Tests of uniflows, with one octet per uniflow and filter for what was found. */
export class FittingUniflows {
  #table: UniflowTable | undefined;
  readonly #kept = new Map<string, Verdicts>();
  readonly #row = new UniflowRow();
  readonly #most: number;

  /** @param most filters whose verdicts are kept; the one asked longest ago goes first */
  constructor(most = KEPT) {
    this.#most = most;
  }

  /** The test of a filter. Lent: valid until the table grows. Another table has other numbers, so all is forgotten. */
  testOf(table: UniflowTable, filter: Filter): UniflowTest {
    if (filter.kind === 'any') return () => true;
    if (this.#table !== table) this.#kept.clear();
    this.#table = table;
    const { test, known } = this.#verdicts(filter, table.length);
    const row = this.#row;
    return (uniflow) => {
      const verdict = known[uniflow];
      if (verdict !== UNKNOWN) return verdict === FITS;
      row.read(table, uniflow);
      const fits = test(row.columns, 0);
      known[uniflow] = fits ? FITS : FITS_NOT;
      return fits;
    };
  }

  #verdicts(filter: Filter, length: number): Verdicts {
    const text = printFilter(filter);
    const verdicts = this.#kept.get(text) ?? { test: compileFilter(filter, []), known: new Uint8Array(0) };
    if (verdicts.known.length < length) {
      const known = new Uint8Array(length + (length >> 3));
      known.set(verdicts.known);
      verdicts.known = known;
    }
    // Last in the order of the map is asked last.
    this.#kept.delete(text);
    this.#kept.set(text, verdicts);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#most) break;
      this.#kept.delete(oldest);
    }
    return verdicts;
  }
}

/** One uniflow as a record: the columns of its identity, the others zero. */
class UniflowRow {
  readonly columns: FlowColumns = createColumns(1);
  readonly #source = columnWords(this.columns.source);
  readonly #destination = columnWords(this.columns.destination);
  readonly #outerSource = columnWords(this.columns.outerSource);
  readonly #outerDestination = columnWords(this.columns.outerDestination);

  read(table: UniflowTable, uniflow: number): void {
    if (table.isFolded(uniflow)) this.#readFolded(table, uniflow);
    else this.#readKey(table, uniflow);
  }

  /** The reverse of how `takeIn` makes a key. */
  #readKey({ keys }: UniflowTable, uniflow: number): void {
    const c = this.columns;
    const word = (at: number): number => keys.word(uniflow, at);
    const address = (into: Uint32Array, network: number, rest: number): void => {
      for (let i = 0; i < 2; i++) {
        into[i] = word(network + i);
        into[2 + i] = word(rest + i);
      }
    };
    address(this.#source, KEY.sourceNetwork, KEY.source);
    address(this.#destination, KEY.destinationNetwork, KEY.destination);
    address(this.#outerSource, KEY.outerSourceNetwork, KEY.outerSource);
    address(this.#outerDestination, KEY.outerDestinationNetwork, KEY.outerDestination);
    // A column takes the low bits of what is written to it.
    c.sourcePort[0] = word(KEY.ports) >>> 16;
    c.destinationPort[0] = word(KEY.ports);
    c.tunnelId[0] = word(KEY.tunnelId);
    c.tunnelKind[0] = word(KEY.layers);
    c.tunnelDepth[0] = word(KEY.layers) >>> 8;
    c.outerNetwork[0] = word(KEY.layers) >>> 16;
    c.network[0] = word(KEY.layers) >>> 24;
    c.protocol[0] = word(KEY.form);
    c.cast[0] = word(KEY.form) >>> 8;
    c.fragment[0] = word(KEY.form) >>> 16;
    c.remark[0] = word(KEY.form) >>> 24;
    c.icmpTypeCode[0] = word(KEY.icmpEthertype) >>> 16;
    c.ethertype[0] = word(KEY.icmpEthertype);
    c.tunnel2Kind[0] = word(KEY.kinds);
    c.tunnel3Kind[0] = word(KEY.kinds) >>> 8;
    c.tunnel4Kind[0] = word(KEY.kinds) >>> 16;
    c.markKind[0] = word(KEY.kinds) >>> 24;
    c.tunnel2Id[0] = word(KEY.innerTunnels);
    c.tunnel3Id[0] = word(KEY.innerTunnels + 1);
    c.tunnel4Id[0] = word(KEY.innerTunnels + 2);
    c.markId[0] = word(KEY.markId);
    c.vlan[0] = word(KEY.vlans) >>> 16;
    c.secondVlan[0] = word(KEY.vlans);
    c.innerVlan[0] = word(KEY.innerVlans) >>> 16;
    c.innerSecondVlan[0] = word(KEY.innerVlans);
  }

  /** Of folded uniflows the outermost tunnel is known, with who carries it where that pair was not folded too. */
  #readFolded({ keys, nodes, hostSource, hostDestination }: UniflowTable, uniflow: number): void {
    const c = this.columns;
    for (const { buffer } of Object.values(c)) new Uint8Array(buffer).fill(0);
    const layers = keys.word(uniflow, KEY.layers);
    c.tunnelId[0] = keys.word(uniflow, KEY.tunnelId);
    c.tunnelKind[0] = layers;
    c.tunnelDepth[0] = c.tunnelKind[0] === 0 ? 0 : 1;
    const ends = [hostSource[uniflow]!, hostDestination[uniflow]!] as const;
    const outerNetwork = (layers >>> 16) & 0xff;
    if (outerNetwork === NETWORK.none || !ends.every((node) => nodes.isAddress(node))) return;
    c.outerNetwork[0] = outerNetwork;
    nodes.writeAddress(ends[0], this.#outerSource);
    nodes.writeAddress(ends[1], this.#outerDestination);
  }
}
