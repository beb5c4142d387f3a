/** Dimensions of live questions: their values as words to group by, and as answers have them. */
import { formatAddress, hasPorts, hasTunnelId, isIcmp, NETWORK, tunnelName } from '../../flow/index.ts';
import { codeText, type FilterField, type LiveDimension, type ResultTable } from '../../query/index.ts';
import { fromMemory } from '../nodes.ts';
import { KEY, type UniflowTable } from '../uniflows.ts';

export type ColumnKind = ResultTable['columns'][number]['kind'];
export type Cell = ResultTable['rows'][number][number];

/** How uniflows are told apart by a dimension. */
export interface LiveDimensionReading {
  readonly kind: ColumnKind;
  /** Words of a value. */
  readonly width: number;
  /**
   * Writes the value of a uniflow. Words are equal where values are, and compare as a store sorts them; all are 0 where the
   * uniflow has no value, or nobody knows it any more.
   */
  readonly write: (table: UniflowTable, uniflow: number, into: Uint32Array, at: number) => void;
  /** The value as an answer has it; null where there is none. */
  readonly read: (words: Uint32Array, at: number) => Cell;
}

const LATER_FRAGMENT = 2;
const TAGGED = 0x8000;
/** In two words: whether there is one, and what it is. */
const WIDTH = 2;
const ADDRESS_WIDTH = 5;

/** A number of a uniflow that was not folded; undefined where it has none. */
type NumberOf = (table: UniflowTable, uniflow: number) => number | undefined;

function coded(
  kind: ColumnKind,
  numberOf: NumberOf,
  read: (number: number) => Cell,
  isKnownOfFolded = false,
): LiveDimensionReading {
  return {
    kind,
    width: WIDTH,
    write: (table, uniflow, into, at) => {
      const isKnown = isKnownOfFolded || !table.isFolded(uniflow);
      const number = isKnown ? numberOf(table, uniflow) : undefined;
      into[at] = number === undefined ? 0 : 1;
      into[at + 1] = number ?? 0;
    },
    read: (words, at) => (words[at] === 0 ? null : read(words[at + 1]!)),
  };
}

const number = (numberOf: NumberOf, isKnownOfFolded = false): LiveDimensionReading =>
  coded('number', numberOf, (value) => value, isKnownOfFolded);

/** A field whose values have words: as the filter language writes them. */
const word = (field: FilterField, numberOf: NumberOf, isKnownOfFolded = false): LiveDimensionReading =>
  coded(
    'text',
    numberOf,
    remembered((code) => codeText(field, code)),
    isKnownOfFolded,
  );

/** Codes of at most 16 bits as text, each written once. */
export function remembered<Text extends Cell>(write: (code: number) => Text): (code: number) => Text {
  const known = new Map<number, Text>();
  return (code) => {
    const text = known.get(code);
    if (text !== undefined) return text;
    const written = write(code);
    known.set(code, written);
    return written;
  };
}

/** An address of the key: two words, and far from them the two before those. */
function inner(at: number, networkAt: number): LiveDimensionReading {
  return addressed((table, uniflow, into) => {
    if (table.isFolded(uniflow) || networkOf(table, uniflow) === NETWORK.none) return false;
    for (let i = 0; i < 2; i++) {
      into[i] = table.keys.word(uniflow, networkAt + i);
      into[2 + i] = table.keys.word(uniflow, at + i);
    }
    return true;
  });
}

/** An end of the tunnel; of folded uniflows that is known by its node, unless the ends were folded too. */
function outer(end: 'hostSource' | 'hostDestination'): LiveDimensionReading {
  return addressed((table, uniflow, into) => {
    const node = table[end][uniflow]!;
    if (outerNetworkOf(table, uniflow) === NETWORK.none || !table.nodes.isAddress(node)) return false;
    table.nodes.writeAddress(node, into);
    return true;
  });
}

function addressed(
  find: (table: UniflowTable, uniflow: number, into: Uint32Array) => boolean,
): LiveDimensionReading {
  const address = new Uint32Array(4);
  return {
    kind: 'address',
    width: ADDRESS_WIDTH,
    write: (table, uniflow, into, at) => {
      const isThere = find(table, uniflow, address);
      into[at] = isThere ? 1 : 0;
      for (let i = 0; i < 4; i++) into[at + 1 + i] = isThere ? fromMemory(address[i]!) : 0;
    },
    read: (words, at) => (words[at] === 0 ? null : addressText(words, at + 1)),
  };
}

/** Every dimension. A segment's words are its kind and identifier. */
export const LIVE_READINGS: Readonly<Record<LiveDimension, LiveDimensionReading>> = {
  src: inner(KEY.source, KEY.sourceNetwork),
  dst: inner(KEY.destination, KEY.destinationNetwork),
  sport: number((table, u) => (showsPorts(table, u) ? table.keys.word(u, KEY.ports) >>> 16 : undefined)),
  dport: number((table, u) => (showsPorts(table, u) ? table.keys.word(u, KEY.ports) & 0xffff : undefined)),
  // ARP is −3 in the filter language, and sorted before all protocols.
  proto: coded(
    'text',
    (table, u) => {
      if (isIp(table, u)) return 1 + protocolOf(table, u);
      return networkOf(table, u) === NETWORK.arp ? 0 : undefined;
    },
    remembered((code) => codeText('proto', code === 0 ? -3 : code - 1)),
  ),
  network: word('network', networkOf),
  segment: {
    kind: 'text',
    width: WIDTH,
    write: ({ segment, segments }, uniflow, into, at) => {
      const { tunnelKind, tunnelId } = segments.list[segment[uniflow]!]!;
      into[at] = tunnelKind;
      into[at + 1] = tunnelId;
    },
    read: (words, at) => (words[at] === 0 ? 'none' : `${tunnelName(words[at]!)}:${words[at + 1]}`),
  },
  tunnel: word('tunnel', kindOf, true),
  vni: number(
    (table, u) => (hasTunnelId(tunnelName(kindOf(table, u))) ? table.keys.word(u, KEY.tunnelId) : undefined),
    true,
  ),
  'outer.src': outer('hostSource'),
  'outer.dst': outer('hostDestination'),
  vlan: number((table, u) => vlanOf(table.keys.word(u, KEY.vlans) >>> 16)),
  'inner.vlan': number((table, u) =>
    kindOf(table, u) === 0 ? undefined : vlanOf(table.keys.word(u, KEY.innerVlans) >>> 16),
  ),
  ethertype: word('ethertype', (table, u) => table.keys.word(u, KEY.icmpEthertype) & 0xffff),
  'icmp.type': number((table, u) =>
    showsIcmp(table, u) ? table.keys.word(u, KEY.icmpEthertype) >>> 24 : undefined,
  ),
  'icmp.code': number((table, u) =>
    showsIcmp(table, u) ? (table.keys.word(u, KEY.icmpEthertype) >>> 16) & 0xff : undefined,
  ),
  mark: word('mark', (table, u) => table.keys.word(u, KEY.kinds) >>> 24),
  cast: word('cast', (table, u) => (table.keys.word(u, KEY.form) >>> 8) & 0xff),
};

const ADDRESS = new Uint8Array(16);
const ADDRESS_WORDS = new DataView(ADDRESS.buffer);

function addressText(words: Uint32Array, at: number): string {
  for (let i = 0; i < 4; i++) ADDRESS_WORDS.setUint32(4 * i, words[at + i]!);
  return formatAddress(ADDRESS);
}

function kindOf({ keys }: UniflowTable, uniflow: number): number {
  return keys.word(uniflow, KEY.layers) & 0xff;
}

function outerNetworkOf({ keys }: UniflowTable, uniflow: number): number {
  return (keys.word(uniflow, KEY.layers) >>> 16) & 0xff;
}

function networkOf({ keys }: UniflowTable, uniflow: number): number {
  return keys.word(uniflow, KEY.layers) >>> 24;
}

function protocolOf({ keys }: UniflowTable, uniflow: number): number {
  return keys.word(uniflow, KEY.form) & 0xff;
}

function isIp(table: UniflowTable, uniflow: number): boolean {
  const network = networkOf(table, uniflow);
  return network === NETWORK.ipv4 || network === NETWORK.ipv6;
}

function showsTransport(table: UniflowTable, uniflow: number): boolean {
  return isIp(table, uniflow) && ((table.keys.word(uniflow, KEY.form) >>> 16) & 0xff) !== LATER_FRAGMENT;
}

function showsPorts(table: UniflowTable, uniflow: number): boolean {
  return showsTransport(table, uniflow) && hasPorts(protocolOf(table, uniflow));
}

function showsIcmp(table: UniflowTable, uniflow: number): boolean {
  return showsTransport(table, uniflow) && isIcmp(protocolOf(table, uniflow));
}

function vlanOf(tag: number): number | undefined {
  return tag & TAGGED ? tag & 0xfff : undefined;
}
